/* staging.c: how files get into a table.
 *
 * They are written under _staging/N and synced there; publishing makes the directories of partition
 * values, syncs their names, renames each file to a name that nobody has, and syncs the
 * directories. Repeated, it finds what an earlier attempt has done: a name that is taken must have
 * the same bytes. Not the same inode: a power cut may undo the removal of a staged name, and what
 * was done with the directory since, or a backup, may have made a copy of the file. */
#include "streaming/table/staging.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/disk/disk_error.h"
#include "base/disk/open_file.h"
#include "base/scope.h"
#include "streaming/table/path_list.h"

struct file_path table_staging_of(const struct table *table, int64_t batch_id) {
    return file_join_number(table->staging.text, batch_id);
}

bool table_stage(const struct table *table, int64_t batch_id, struct error *err) {
    struct file_path path = table_staging_of(table, batch_id);
    // An attempt that was not committed may have left files: they are never taken for ours.
    return file_remove_directory(path.text, err) && file_make_directory_name(path.text, err);
}

bool table_sync_staged(const struct table *table, int64_t batch_id, const struct file_list *files,
                       struct error *err) {
    if (files->count == 0)
        return true;
    struct file_path staging = table_staging_of(table, batch_id);
    for (size_t i = 0; i < files->count; i++) {
        struct file_path path = file_join(staging.text, files->files[i].staged);
        int64_t size = 0;
        int there = file_exists(path.text, &size, err);
        if (there < 0)
            return false;
        // Committing a file that is not whole can't be taken back; before that, the batch is
        // retried.
        if (there == 0 || size != files->files[i].size)
            return error_set(err, ERROR_RETRY,
                             "'%s' is missing, or its size is not the %" PRId64
                             " bytes that were written",
                             path.text, files->files[i].size);
    }
    return file_sync_directory(staging.text, err) && file_sync_directory(table->staging.text, err);
}

/* The directories on the way to a list of files, each once, ascending, so that a parent comes
 * before its children. */
struct directory_set {
    struct path_list list; // owned; relative to the table
    size_t depth;          // of the directories that hold the files: 0 for the table itself
};

static size_t depth_of(const char *path) {
    size_t depth = 0;
    for (; *path != '\0'; path++)
        depth += *path == '/';
    return depth;
}

static struct directory_set directories_of(const struct file_list *files) {
    struct directory_set set = {.depth = depth_of(files->files[0].path)};
    for (size_t i = 0; i < files->count; i++) {
        const char *path = files->files[i].path;
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
            struct file_path directory;
            (void)snprintf(directory.text, sizeof directory.text, "%.*s", (int)(slash - path),
                           path);
            path_list_add(&set.list, directory.text);
        }
    }
    path_list_sort(&set.list);
    path_list_drop_doubles(&set.list);
    return set;
}

/* A name is synced before anything is put under it, also an existing one: its creator may
 * have died before the sync. */
static bool make_directories(const struct table *table, const struct directory_set *set,
                             struct error *err) {
    if (set->depth == 0)
        return true;
    for (size_t i = 0; i < set->list.count; i++)
        if (!file_make_directory_name(file_join(table->root.text, set->list.paths[i]).text, err))
            return false;
    if (!file_sync_directory(table->root.text, err))
        return false;
    for (size_t i = 0; i < set->list.count; i++)
        if (depth_of(set->list.paths[i]) + 1 < set->depth &&
            !file_sync_directory(file_join(table->root.text, set->list.paths[i]).text, err))
            return false;
    return true;
}

/* The directories that hold the files. */
static bool sync_directories(const struct table *table, const struct directory_set *set,
                             struct error *err) {
    if (set->depth == 0)
        return file_sync_directory(table->root.text, err);
    for (size_t i = 0; i < set->list.count; i++) {
        struct file_path path = file_join(table->root.text, set->list.paths[i]);
        if (depth_of(set->list.paths[i]) + 1 < set->depth)
            continue;
        int there = file_exists(path.text, NULL, err); // not, when nothing was ever put there
        if (there < 0 || (there == 1 && !file_sync_directory(path.text, err)))
            return false;
    }
    return true;
}

static bool set_missing(const char *staged, const char *target, struct error *err) {
    return error_set(err, ERROR_STATE,
                     "'%s' belongs to a committed batch but is missing, and is not in '%s' either: "
                     "restore it from a backup",
                     target, staged);
}

/* The rename did not work: is that because an earlier attempt has done it? */
static bool already_published(const struct data_file *file, const char *staged, const char *target,
                              int error_number, struct error *err) {
    int64_t size = 0;
    int staged_there = file_exists(staged, NULL, err);
    int target_there = staged_there < 0 ? -1 : file_exists(target, &size, err);
    if (target_there < 0)
        return false;
    if (staged_there == 0 && target_there == 0)
        return set_missing(staged, target, err);
    if (target_there == 0) {
        errno = error_number;
        return disk_error_rename(err, staged, target);
    }
    bool same = size == file->size;
    if (staged_there == 1 && same && !file_has_same_bytes(staged, target, &same, err))
        return false;
    if (!same)
        return error_set(err, ERROR_STATE,
                         "'%s' blocks a committed file of that name and was not written by this "
                         "query: move it elsewhere",
                         target);
    // A name that a power cut brought back, of this file or of a copy: it is left to remove.
    return staged_there == 0 || file_remove(staged, err);
}

bool table_check_staged(const struct table *table, int64_t batch_id, const struct file_list *files,
                        struct error *err) {
    struct file_path staging = table_staging_of(table, batch_id);
    for (size_t i = 0; i < files->count; i++) {
        struct file_path staged = file_join(staging.text, files->files[i].staged);
        struct file_path target = file_join(table->root.text, files->files[i].path);
        int64_t size;
        int there = file_exists(staged.text, &size, err);
        if (there == 1 && size != files->files[i].size)
            return error_set(err, ERROR_STATE,
                             "'%s' belongs to a committed batch and has %" PRId64
                             " bytes instead of %" PRId64 ": restore it from a backup",
                             staged.text, size, files->files[i].size);
        if (there == 0)
            there = file_exists(target.text, NULL, err);
        if (there < 1)
            return there == 0 && set_missing(staged.text, target.text, err);
    }
    return true;
}

bool table_publish(const struct table *table, int64_t batch_id, const struct file_list *files,
                   struct error *err) {
    if (files->count == 0)
        return true;
    struct file_path staging = table_staging_of(table, batch_id);
    struct directory_set set = directories_of(files);
    // Directories, their names synced; then the renames; then one sync per directory for all of
    // them.
    bool ok = make_directories(table, &set, err);
    for (size_t i = 0; ok && i < files->count; i++) {
        struct file_path staged = file_join(staging.text, files->files[i].staged);
        struct file_path target = file_join(table->root.text, files->files[i].path);
        if (!file_rename_new(staged.text, target.text, err))
            ok = already_published(&files->files[i], staged.text, target.text, errno, err);
    }
    ok = ok && sync_directories(table, &set, err);
    path_list_deinit(&set.list);
    return ok;
}

bool table_take_back(const struct table *table, const struct file_list *files, struct error *err) {
    if (files->count == 0)
        return true;
    struct directory_set set = directories_of(files);
    bool ok = true;
    for (size_t i = 0; ok && i < files->count; i++)
        ok = file_remove(file_join(table->root.text, files->files[i].path).text, err);
    ok = ok && sync_directories(table, &set, err);
    path_list_deinit(&set.list);
    return ok;
}

bool table_is_staged(const struct table *table, int64_t batch_id, bool *staged, struct error *err) {
    int there = file_exists(table_staging_of(table, batch_id).text, NULL, err);
    *staged = there == 1;
    return there >= 0;
}

bool table_unstage(const struct table *table, int64_t batch_id, struct error *err) {
    return file_remove_directory(table_staging_of(table, batch_id).text, err);
}

bool table_sync_unstaged(const struct table *table, struct error *err) {
    return file_sync_directory(table->staging.text, err);
}

bool table_unstage_all(const struct table *table, struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(table->staging.text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!table_unstage(table, batches[i], err))
            return false;
    return table_sync_unstaged(table, err);
}
