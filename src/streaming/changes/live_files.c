/* live_files.c: one list, and hard links.
 *
 * The newest compact file of the sink log is read through one descriptor, so that it is one version
 * of it, although a change may put another in its place; the files of later batches never change.
 * So the list is that of one moment in any case. It is read again if the compact file was replaced
 * meanwhile, or has become older than the newest, because then files of the list may have left the
 * table already.
 *
 * In directories, a change exchanges one after the other, each in one step, and keeps the rows of
 * each together. They are listed again if a name has gone before it was looked at. Files of batches
 * that are not committed yet are known by their manifests, which are written before the files
 * appear.
 *
 * A file that left the table before it was pinned is linked from where it is kept. If it is not
 * kept any more, the list is read again. */
#include "streaming/changes/live_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/changes/change_steps.h"
#include "streaming/changes/kept_files.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/store/manifest.h"
#include "streaming/table/origin_reader.h"
#include "streaming/table/path_list.h"

enum { READINGS_MAX = 10, PIN_NAMES_MAX = 1000, PAGE_SIZE_MAX = 64 << 20 };

void live_files_deinit(struct live_files *live) {
    file_list_deinit(&live->files);
    *live = (struct live_files){0};
}

static const struct table *table_of(const struct live_files *live) {
    return live->of_rejects ? &live->store->rejects : &live->store->table;
}

static void add_file(struct live_files *live, const char *path, int64_t size) {
    file_list_add(&live->files,
                  (struct data_file){.path = text_copy(path), .size = size, .rows = -1});
}

static int by_path(const void *a, const void *b) {
    const struct data_file *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static void sort(struct file_list *list) {
    if (list->count > 1)
        qsort(list->files, list->count, sizeof *list->files, by_path);
}

static struct data_file *find(const struct file_list *list, const char *path) {
    const struct data_file key = {.path = (char *)path};
    return list->count == 0 ? NULL : bsearch(&key, list->files, list->count, sizeof key, by_path);
}

/* ---- by the sink log ---- */

static bool take_entry(void *context, struct json *line, struct error *err) {
    struct live_files *live = context;
    const struct store_options *options = &live->store->options;
    struct sink_entry entry;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    add_file(live, entry.relative, entry.size);
    sink_entry_deinit(&entry);
    return true;
}

/* What tells one version of the newest compact file from another. */
struct version {
    int64_t newest_compact, size;
    struct timespec modified;
};

static bool read_version(const struct sink_log *log, struct version *version, struct error *err) {
    char name[SINK_LOG_NAME_MAX];
    struct file_status status = {0};
    *version = (struct version){.newest_compact = log->newest_compact};
    if (log->newest_compact < 0)
        return true;
    sink_log_file_name(log->newest_compact, true, name);
    if (file_find(file_join(log->directory.text, name).text, &status, err) < 0)
        return false;
    version->size = status.size;
    version->modified = status.modified;
    return true;
}

static bool is_same(const struct version *a, const struct version *b) {
    return a->newest_compact == b->newest_compact && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static bool read_log(struct live_files *live, bool *same, struct error *err) {
    struct sink_log *log = &live->store->sink_log;
    const char *table = live->store->options.table;
    struct version before, after;
    if (!sink_log_open(log, table, err) || !read_version(log, &before, err))
        return false;
    bool ok = sink_log_each_entry(log, take_entry, live, err);
    struct error fault = *err;
    if (!sink_log_open(log, table, err) || !read_version(log, &after, err))
        return false;
    *same = is_same(&before, &after);
    if (!ok && *same)
        *err = fault;
    return ok || !*same;
}

static bool read_log_again(struct live_files *live, struct error *err) {
    for (int reading = 1;; reading++) {
        bool same;
        if (!read_log(live, &same, err))
            return false;
        if (same || (reading >= READINGS_MAX && live->files.count > 0))
            return true;
        if (reading >= READINGS_MAX)
            return error_set(err, ERROR_RETRY, "'%s' changes faster than it can be read; try again",
                             live->store->sink_log.directory.text);
        file_list_deinit(&live->files);
    }
}

/* ---- by the directories ---- */

struct walk {
    struct live_files *live;
    bool moved; // a file was gone before it was looked at
};

static bool take_found(void *context, const char *path) {
    struct walk *walk = context;
    struct file_status status;
    struct error ignored;
    struct file_path full = file_join(table_of(walk->live)->root.text, path);
    int there = file_find(full.text, &status, &ignored);
    if (there == 1)
        add_file(walk->live, path, status.size);
    walk->moved = walk->moved || there == 0;
    return true;
}

/* Again, if the directory of a file was exchanged while it was listed. */
static bool walk_again(struct live_files *live, size_t depth, struct error *err) {
    struct walk walk = {.live = live, .moved = true};
    for (int reading = 1; walk.moved && reading <= READINGS_MAX; reading++) {
        walk.moved = false;
        file_list_deinit(&live->files);
        if (!table_each_file(table_of(live), depth, take_found, &walk, err))
            return false;
    }
    return !walk.moved ||
           error_set(err, ERROR_RETRY, "'%s' changes faster than it can be read; try again",
                     table_of(live)->root.text);
}

/* Files of batches that are not committed. */
static bool add_uncommitted(const struct live_files *live, int64_t committed,
                            struct path_set *uncommitted, struct error *err) {
    const struct file_path *directory = &live->store->checkpoint.manifests;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(directory->text, "", &batches, &count, err))
        return false;
    for (; count > 0 && batches[count - 1] > committed; count--) {
        struct manifest manifest;
        if (!store_read_manifest(live->store, batches[count - 1], &manifest, err)) {
            if (!file_is_gone(file_join_number(directory->text, batches[count - 1]).text))
                return false;
            continue; // taken back, and its files before it
        }
        const struct file_list *files = live->of_rejects ? &manifest.rejects : &manifest.files;
        for (size_t i = 0; i < files->count; i++)
            path_set_add(uncommitted, files->files[i].path);
        manifest_deinit(&manifest);
    }
    (void)path_set_seal(uncommitted);
    return true;
}

static void drop(struct file_list *files, const struct path_set *set) {
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (path_set_has(set, files->files[i].path))
            free(files->files[i].path);
        else
            files->files[kept++] = files->files[i];
    }
    files->count = kept;
}

static bool read_directories(struct live_files *live, struct error *err) {
    const struct store_options *options = &live->store->options;
    size_t depth = live->of_rejects ? 0 : options->partition_by_count;
    struct path_set uncommitted = {0};
    int64_t committed;
    bool ok = (live->of_rejects ||
               table_check_partitions(table_of(live), options->partition_by, depth, err)) &&
              checkpoint_newest(&live->store->checkpoint.commits, &committed, err) &&
              walk_again(live, depth, err) && add_uncommitted(live, committed, &uncommitted, err);
    if (ok && uncommitted.count > 0)
        drop(&live->files, &uncommitted);
    path_set_deinit(&uncommitted);
    return ok;
}

bool live_files_read(struct store *store, bool of_rejects, struct live_files *live,
                     struct error *err) {
    *live = (struct live_files){.store = store, .of_rejects = of_rejects};
    live->root = table_of(live)->root;
    bool ok = sink_log_open(&store->sink_log, store->options.table, err) &&
              store_check_root(store, err) &&
              (store->sink_log.exists && !of_rejects ? read_log_again(live, err)
                                                     : read_directories(live, err));
    if (!ok)
        live_files_deinit(live);
    else
        sort(&live->files);
    return ok;
}

/* ---- pinned ---- */

/* <aside>/reads/<milliseconds>-<process>, which nobody has. */
static bool make_pin_directory(const struct live_files *live, struct file_path *directory,
                               struct error *err) {
    struct file_path aside = change_aside(live->store, live->of_rejects);
    struct file_path reads = file_join(aside.text, "reads");
    if (!file_make_directory_name(aside.text, err) || !file_make_directory_name(reads.text, err))
        return false;
    int64_t now_ms = clock_wall_ms();
    for (int i = 0; i < PIN_NAMES_MAX; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%" PRId64 "-%d", now_ms + i, (int)getpid());
        *directory = file_join(reads.text, name);
        int there = file_exists(directory->text, NULL, err);
        if (there < 0)
            return false;
        if (there == 0)
            return file_make_directory_name(directory->text, err);
    }
    return error_set(err, ERROR_RETRY, "'%s' has too many names of this moment", reads.text);
}

/* The directories of a path's partition values, as far as they differ from those of the last one.
 */
static bool make_directories(const char *root, const char *path, struct file_path *last,
                             struct error *err) {
    const char *name = strrchr(path, '/');
    size_t length = name == NULL ? 0 : (size_t)(name - path);
    if (strlen(last->text) == length && strncmp(last->text, path, length) == 0)
        return true;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        struct file_path relative;
        (void)snprintf(relative.text, sizeof relative.text, "%.*s", (int)(slash - path), path);
        if (!file_make_directory_name(file_join(root, relative.text).text, err))
            return false;
    }
    (void)snprintf(last->text, sizeof last->text, "%.*s", (int)length, path);
    return true;
}

/* Whether it is not for us to write there: a table of others, or on a file system without links. */
static bool is_not_allowed(int error_number) {
    return error_number == EACCES || error_number == EPERM || error_number == EROFS ||
           error_number == EXDEV || error_number == EMLINK || error_number == ENOTSUP ||
           error_number == ENOSYS;
}

/* Of a step that has just failed. */
static bool refuse(struct error *err) {
    if (is_not_allowed(errno))
        err->kind = ERROR_CONFIG;
    return false;
}

/* From its place in the table, or from where it is by now. */
static bool link_one(struct live_files *live, struct kept_files *kept, const char *root,
                     const char *path, struct error *err) {
    struct file_path target = file_join(root, path);
    struct file_path from = file_join(table_of(live)->root.text, path);
    for (int attempt = 0; attempt < READINGS_MAX; attempt++) {
        bool there;
        if (file_link(from.text, target.text, err))
            return true;
        if (errno != ENOENT)
            return refuse(err);
        if (!kept_files_find(kept, live->of_rejects, path, &from, &there, err))
            return false;
        if (!there)
            return error_set(err, ERROR_STATE,
                             "'%s' is listed but missing: somebody has deleted or moved it. "
                             "`esports-stream verify` shows what is missing, and what to do",
                             file_join(table_of(live)->root.text, path).text);
    }
    return error_set(err, ERROR_RETRY, "'%s' is carried on faster than it can be found; try again",
                     from.text);
}

static bool link_all(struct live_files *live, const char *root, struct error *err) {
    struct file_path last = {0};
    struct kept_files kept;
    bool ok = true;
    kept_files_init(&kept, live->store);
    for (size_t i = 0; ok && i < live->files.count; i++) {
        const char *path = live->files.files[i].path;
        ok = make_directories(root, path, &last, err) && link_one(live, &kept, root, path, err);
    }
    kept_files_deinit(&kept);
    return ok;
}

static bool pin(struct live_files *live, struct error *err) {
    struct file_path directory;
    errno = 0;
    if (!make_pin_directory(live, &directory, err))
        return refuse(err);
    if (!link_all(live, directory.text, err)) {
        file_discard_tree(directory.text);
        return false;
    }
    live->root = directory;
    live->pinned = true;
    return true;
}

static bool has_same_files(const struct live_files *a, const struct live_files *b) {
    bool same = a->files.count == b->files.count;
    for (size_t i = 0; same && i < a->files.count; i++)
        same = strcmp(a->files.files[i].path, b->files.files[i].path) == 0;
    return same;
}

/* The list again, if it is another one by now. */
static bool read_again(struct live_files *live, bool *news) {
    struct live_files now;
    struct error ignored;
    *news = false;
    if (!live_files_read(live->store, live->of_rejects, &now, &ignored))
        return false;
    *news = !has_same_files(live, &now);
    live_files_deinit(live);
    *live = now;
    return true;
}

bool live_files_pin(struct live_files *live, struct error *err) {
    for (int reading = 1;; reading++) {
        bool news;
        if (pin(live, err))
            return true;
        // A file that left the table is not kept for long if COMPACT_GRACE is short.
        if (err->kind == ERROR_CONFIG || reading == READINGS_MAX || !read_again(live, &news) ||
            !news)
            return false;
    }
}

void live_files_unpin(struct live_files *live) {
    if (live->pinned)
        file_discard_tree(live->root.text);
    live->pinned = false;
}

/* ---- rows ---- */

static void take_rows(struct live_files *live, const struct file_list *from) {
    for (size_t i = 0; i < from->count; i++) {
        struct data_file *file = find(&live->files, from->files[i].path);
        if (file != NULL && from->files[i].rows > 0 && from->files[i].size == file->size)
            file->rows = from->files[i].rows;
    }
}

static bool take_changes(struct live_files *live, struct error *err) {
    struct changes changes;
    if (!changes_read(live->store, &changes, err))
        return false;
    for (size_t i = 0; i < changes.count; i++)
        if (changes.changes[i].of_rejects == live->of_rejects)
            take_rows(live, &changes.changes[i].added);
    changes_deinit(&changes);
    return true;
}

static bool take_manifests(struct live_files *live, struct error *err) {
    const struct file_path *directory = &live->store->checkpoint.manifests;
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    if (!file_list_numbers(directory->text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct manifest manifest;
        if (!store_read_manifest(live->store, batches[i], &manifest, err)) {
            if (!file_is_gone(file_join_number(directory->text, batches[i]).text))
                return false;
            continue;
        }
        take_rows(live, live->of_rejects ? &manifest.rejects : &manifest.files);
        manifest_deinit(&manifest);
    }
    return true;
}

static bool note_rows(void *context, int64_t size, const struct file_metadata *metadata) {
    (void)size;
    *(int64_t *)context = metadata->rows;
    return false;
}

static void ignore_rows(void *context, const struct origin_rows *rows) {
    (void)context;
    (void)rows;
}

bool live_files_count_rows(struct live_files *live, struct error *err) {
    if (!take_changes(live, err) || !take_manifests(live, err))
        return false;
    for (size_t i = 0; i < live->files.count; i++) {
        struct data_file *file = &live->files.files[i];
        const struct origin_visitor visitor = {
            .context = &file->rows, .begin = note_rows, .rows = ignore_rows};
        struct file_path path = file_join(live->root.text, file->path);
        if (file->rows < 0 && !origin_read(path.text, PAGE_SIZE_MAX, &visitor, err) &&
            err->kind != ERROR_STATE && !file_is_gone(path.text))
            return false;
    }
    return true;
}
