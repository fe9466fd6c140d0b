/* The lake's directories are tried by doing what a run does: a file is published without replacing,
 * written and synced a few times, and removed. A directory that does not exist yet is tried in the
 * nearest of its parents that is. The same is done in every directory that a query's batches write
 * to by name: table, rejects, checkpoint, and the logs and staging directories in them. The
 * partitions of a table may be many and are only looked at: this user must be able to write there,
 * and a rename into them must not leave the file system. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk/file.h"
#include "base/disk/filesystem.h"
#include "base/disk/open_file.h"
#include "base/limit.h"
#include "base/scope.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/store/partition_kinds.h"
#include "surfaces/doctor/doctor_checks.h"
#include "surfaces/settings/settings.h"
#include "surfaces/settings/table_settings.h"

enum {
    SYNCS = 9,                // of which the median counts
    SYNCS_LIMIT_US = 2000000, // or as many as go into this
    SYNC_SLOW_US = 50000,     // a batch needs about twenty of them
    SPACE_LEAST = 256 << 20,  // bytes
    SPACE_FEW_PERCENT = 5,
    FILES_FEW = 10000,
};

/* A directory of the settings, or the nearest of its parents that exists, where it will be created.
 */
struct lake_directory {
    const char *setting, *path;
    char existing[PATH_MAX];
};

static bool find_existing(struct lake_directory *directory) {
    struct file_status status;
    struct error ignored;
    (void)snprintf(directory->existing, sizeof directory->existing, "%s", directory->path);
    while (!file_look(directory->existing, &status, &ignored)) {
        char *slash = strrchr(directory->existing, '/');
        if (errno != ENOENT || slash == NULL)
            return false;
        slash[slash == directory->existing ? 1 : 0] = '\0';
    }
    return true;
}

/* ---- trying ---- */

enum { PROBE_NAME_MAX = 64, PROBE_SIZE = 4096 };

/* Two checks may try one directory at the same time. */
static void name_probe(char name[static PROBE_NAME_MAX]) {
    (void)snprintf(name, PROBE_NAME_MAX, "_esports_stream_doctor.%ld.%ld", (long)getpid(),
                   (long)gettid());
}

/* Publishes a file, as a commit does, and removes it. False: errno says why. */
static bool can_publish(const char *directory) {
    static const char block[PROBE_SIZE];
    char name[PROBE_NAME_MAX];
    struct error ignored;
    name_probe(name);
    bool made = file_publish(directory, name, block, sizeof block, &ignored);
    int reason = errno;
    if (!made && ignored.kind != ERROR_STATE && ignored.kind != ERROR_RESTART)
        return errno = reason, false;
    return file_remove(file_join(directory, name).text, &ignored);
}

/* What to do about a directory that can't be written to; owned by the caller. */
static char *cure_of(int reason, const char *root) {
    switch (reason) {
    case EACCES:
        return text_format("change the owner: chown -R %ld '%s'", (long)geteuid(), root);
    case EPERM:
        return text_format("change the owner: chown -R %ld '%s'; if files are immutable (lsattr): "
                           "chattr -R -i '%s'",
                           (long)geteuid(), root, root);
    case EROFS:
        return text_copy("mount the file system read-write (`dmesg` shows why it is not: a disk "
                         "error makes it read-only)");
    case ENOSPC:
    case EDQUOT:
        return text_copy("free some space: without it, a query retries until WRITE_RETRY_TIMEOUT, "
                         "then ends with exit code 7; nothing is lost");
    default:
        return text_copy("check the kernel's messages about the file system (`dmesg`)");
    }
}

/* The same for one that does not exist. The nearest parent that does may be `/` or a mount of
 * others: only what is created gets a new owner. */
static char *cure_of_missing(int reason, const struct lake_directory *directory) {
    size_t length = strlen(directory->existing);
    if (directory->path[length] == '\0' || (reason != EACCES && reason != EPERM))
        return cure_of(reason, directory->existing);
    length += length > 1 ? 1 : 0; // the slash after it
    length += strcspn(directory->path + length, "/");
    return text_format("as root: mkdir -p '%s' && chown -R %ld '%.*s'; or set %s to a directory "
                       "that this user can write to",
                       directory->path, (long)geteuid(), (int)length, directory->path,
                       directory->setting);
}

/* The same for a directory of the settings, which may not exist. */
static char *cure_of_setting(int reason, const struct lake_directory *directory) {
    if (strcmp(directory->existing, directory->path) != 0)
        return cure_of_missing(reason, directory);
    if (reason == EROFS || reason == ENOSPC || reason == EDQUOT)
        return cure_of(reason, directory->path);
    return text_format(
        "give user %ld write access, or set %s to a directory on a local file system (ext4, XFS)",
        (long)geteuid(), directory->setting);
}

static void check_space(const struct lake_directory *directory, struct doctor_report *report) {
    struct filesystem_room room;
    if (!filesystem_room(directory->existing, &room)) {
        doctor_fail(report, EXIT_CODE_WRITE, "free space", directory->path, NULL, "%s",
                    strerror(errno));
        return;
    }
    int64_t percent = room.size > 0 ? room.free * 100 / room.size : 0;
    static const char cure[] = "free some space: when it is full, a query retries until "
                               "WRITE_RETRY_TIMEOUT, then ends with exit code 7; nothing is lost";
    scoped(scope_free) char *text =
        text_format("%" PRId64 " MiB (%" PRId64 " %%) free", room.free >> 20, percent);
    if (room.free < SPACE_LEAST)
        doctor_fail(report, EXIT_CODE_WRITE, "free space", directory->path, cure, "%s", text);
    else if (percent < SPACE_FEW_PERCENT)
        doctor_warn(report, "free space", directory->path, cure, "%s", text);
    else
        doctor_ok(report, "free space", directory->path, "%s", text);
    if (room.files > 0 && room.files_free < FILES_FEW)
        doctor_warn(report, "inodes", directory->path,
                    "remove unneeded files, or recreate the file system with more inodes",
                    "%" PRId64 " left", room.files_free);
}

static int by_size(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Writes and syncs a small file a few times; the median in microseconds, or -1 and errno. */
static int64_t time_syncs(struct file_append *file) {
    static const char block[4096];
    int64_t times[SYNCS];
    struct error ignored;
    size_t count = 0;
    int64_t began = clock_monotonic_us();
    while (count < SYNCS && clock_monotonic_us() - began < SYNCS_LIMIT_US) {
        int64_t before = clock_monotonic_us();
        if (!file_append_write(file, block, sizeof block, &ignored) ||
            !file_append_sync(file, &ignored))
            return -1;
        times[count++] = clock_monotonic_us() - before;
    }
    qsort(times, count, sizeof times[0], by_size);
    return times[count / 2];
}

static void fail_sync(const struct lake_directory *directory, int error_number,
                      struct doctor_report *report) {
    char limit[LIMIT_TEXT_MAX];
    scoped(scope_free) char *cure = cure_of(error_number, directory->existing);
    limit_describe(error_number, limit);
    doctor_fail(report, limit_is_behind(error_number) ? EXIT_CODE_LIMIT : EXIT_CODE_WRITE, "sync",
                directory->path, limit[0] != '\0' ? limit : cure, "cannot write and sync: %s",
                strerror(error_number));
}

static void check_speed(const struct lake_directory *directory, const char *name,
                        struct doctor_report *report) {
    struct file_path path = file_join(directory->existing, name);
    struct file_append file;
    struct error ignored;
    int64_t median = file_append_open(&file, path.text, false, &ignored) ? time_syncs(&file) : -1;
    int reason = errno;
    file_append_abandon(&file);
    if (median < 0)
        fail_sync(directory, reason, report);
    else if (median > SYNC_SLOW_US)
        doctor_warn(report, "sync", directory->path,
                    "every batch needs about twenty syncs: use a faster disk, or a longer TRIGGER",
                    "slow: %.1f ms for 4 KiB", (double)median / 1000);
    else
        doctor_ok(report, "sync", directory->path, "%.1f ms for 4 KiB", (double)median / 1000);
}

/* Publishes a file as a commit does, without replacing; how fast that can be is seen with it. */
static void check_writable(const struct lake_directory *directory, struct doctor_report *report) {
    char name[PROBE_NAME_MAX];
    struct error err = {0};
    name_probe(name);
    bool made = file_publish(directory->existing, name, "", 0, &err);
    int reason = errno;
    // A commit whose directory cannot be synced stops for that, no matter why; a probe does not.
    if (!made && limit_is_behind(reason))
        err.kind = ERROR_LIMIT;
    scoped(scope_free) char *cure = cure_of_setting(reason, directory);
    bool same = strcmp(directory->existing, directory->path) == 0;
    if (made && same)
        doctor_ok(report, "writable", directory->path,
                  "files can be created, synced, and renamed without overwriting");
    else if (made)
        doctor_ok(report, "writable", directory->path,
                  "it does not exist yet, and can be created in %s", directory->existing);
    else
        doctor_fail_error(report, EXIT_CODE_USAGE, "writable", directory->path, cure, &err);
    if (made)
        check_speed(directory, name, report);
    if (!file_remove(file_join(directory->existing, name).text, &err) && made)
        doctor_warn(report, "writable", directory->path, NULL, "%s", err.message);
}

static void check_directory(struct lake_directory *directory, bool same_disk,
                            struct doctor_report *report) {
    if (!find_existing(directory)) {
        doctor_fail(report, EXIT_CODE_USAGE, "directory", directory->path, NULL, "%s",
                    strerror(errno));
        return;
    }
    const char *warning = filesystem_warning(directory->existing);
    if (warning != NULL) {
        scoped(scope_free) char *cure =
            text_format("set %s to a persistent file system", directory->setting);
        doctor_warn(report, "durability", directory->path, cure, "it %s", warning);
    }
    check_writable(directory, report);
    if (!same_disk)
        check_space(directory, report);
}

/* The disks that were looked at; only the first directory on each has its free space reported. */
struct seen_disks {
    uint64_t devices[3 + 3 * STREAMS_MAX];
    size_t count;
};

/* Notes the disk that the directory is on. False: it was noted before. */
static bool note_disk(struct seen_disks *seen, struct lake_directory *directory) {
    struct filesystem_place on;
    if (!find_existing(directory) || !filesystem_place(directory->existing, &on))
        return true;
    for (size_t i = 0; i < seen->count; i++)
        if (seen->devices[i] == on.device)
            return false;
    seen->devices[seen->count++] = on.device;
    return true;
}

/* Directories that a query's file gives to it alone. */
static void check_own_directories(const struct config *config, const struct stream *stream,
                                  struct seen_disks *seen, struct doctor_report *report) {
    for (enum table_property at = TABLE_PATH; at <= TABLE_CHECKPOINT; at++) {
        const struct setting_value *value = config_property(config, stream, at);
        if (value == NULL)
            continue;
        scoped(scope_free) char *path = config_path(config, at - TABLE_PATH, stream);
        scoped(scope_free) char *name =
            text_format("%s (%s)", table_property_name(at), value->where);
        struct lake_directory directory = {name, path, ""};
        bool is_new = note_disk(seen, &directory);
        check_directory(&directory, !is_new, report);
    }
}

/* Something may be mounted where a query writes to. */
static void check_mounts(const struct config *config, const struct stream *stream,
                         struct seen_disks *seen, struct doctor_report *report) {
    for (enum config_path path = PATH_TABLE; path <= PATH_CHECKPOINT; path++) {
        scoped(scope_free) char *text = config_path(config, path, stream);
        struct lake_directory directory = {"DATA_LAKE_PATH", text, ""};
        if (note_disk(seen, &directory))
            check_space(&directory, report);
    }
}

static void check_lake_is_set(const struct config *config, struct doctor_report *report) {
    char warning[LAKE_WARNING_MAX];
    settings_lake_warning(config, warning);
    if (warning[0] != '\0')
        doctor_warn(report, "DATA_LAKE_PATH", NULL,
                    "set DATA_LAKE_PATH to where the lake should be",
                    "not set: data goes to the default path '%s'", config->data_lake_path);
}

/* The directories of the settings; one within another is on its disk unless something is mounted
 * there. */
void doctor_check_disk(const struct config *config, struct doctor_report *report) {
    struct lake_directory directories[] = {{"DATA_LAKE_PATH", config->data_lake_path, ""},
                                           {"PROCESSED_DATA_PATH", config->processed_path, ""},
                                           {"CHECKPOINT_PATH", config->checkpoint_path, ""}};
    struct seen_disks seen = {0};
    check_lake_is_set(config, report);
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        bool is_new = note_disk(&seen, &directories[i]);
        check_directory(&directories[i], !is_new, report);
    }
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i])) {
            check_own_directories(config, streams[i], &seen, report);
            check_mounts(config, streams[i], &seen, report);
        }
}

/* ---- what is in them already ---- */

/* Of one table; the time that more of them take is better spent on the run that meets them. */
enum { DIRECTORIES_MAX = 10000 };

/* A look at the directories below one that a query writes to. */
struct tree_look {
    const char *setting, *root;
    struct filesystem_place
        home; // where a batch's files are written, before they are renamed into place
    struct file_path at;
    size_t depth; // how many more directories down
    int64_t looked_at, refused, elsewhere, files;
    struct file_path first_refused, first_elsewhere, first_file;
    int reason; // errno of the first that is refused
    bool full;
};

/* One directory. False: it is none, or is not there (any more). */
static bool look_with(struct tree_look *tree, const char *path,
                      bool (*is_writable)(const char *path)) {
    struct filesystem_place place;
    if (!filesystem_place(path, &place))
        return false;
    if (!place.is_directory) {
        if (tree->files++ == 0)
            (void)snprintf(tree->first_file.text, sizeof tree->first_file.text, "%s", path);
        return false;
    }
    tree->looked_at++;
    if (!is_writable(path) && tree->refused++ == 0) {
        tree->reason = errno;
        (void)snprintf(tree->first_refused.text, sizeof tree->first_refused.text, "%s", path);
    }
    if (!filesystem_is_one_place(&tree->home, &place) && tree->elsewhere++ == 0)
        (void)snprintf(tree->first_elsewhere.text, sizeof tree->first_elsewhere.text, "%s", path);
    return true;
}

static bool look(struct tree_look *tree, const char *path) {
    return look_with(tree, path, filesystem_is_writable);
}

static void descend(struct tree_look *tree);

static bool visit(void *context, const char *name) {
    struct tree_look *tree = context;
    struct file_path here = tree->at;
    if (name[0] == '.' || name[0] == '_' || strchr(name, '=') == NULL)
        return true;
    tree->full = tree->looked_at >= DIRECTORIES_MAX;
    if (tree->full || strlen(here.text) + strlen(name) + 2 > sizeof here.text)
        return !tree->full;
    tree->at = file_join(here.text, name);
    if (look(tree, tree->at.text)) {
        tree->depth--;
        descend(tree);
        tree->depth++;
    }
    tree->at = here;
    return !tree->full;
}

/* Calls itself once per partition column, whose number is a setting and small. */
static void descend(struct tree_look *tree) {
    struct error ignored; // what can't be listed is refused already
    if (tree->depth > 0)
        (void)file_list(tree->at.text, visit, tree, &ignored);
}

static void tell_refused(const struct tree_look *tree, struct doctor_report *report) {
    scoped(scope_free) char *cure = cure_of(tree->reason, tree->root);
    doctor_fail(report, EXIT_CODE_WRITE, "directories", tree->root, cure,
                "user %ld cannot write to %" PRId64 " of %" PRId64 ", such as '%s': %s",
                (long)geteuid(), tree->refused, tree->looked_at, tree->first_refused.text,
                strerror(tree->reason));
}

static void tell_elsewhere(const struct tree_look *tree, struct doctor_report *report) {
    scoped(scope_free) char *cure = text_format(
        "a batch's files are renamed into place, which only works within one file system: move the "
        "directory back; if space is short, move all of %s to a larger one",
        tree->setting);
    doctor_fail(report, EXIT_CODE_WRITE, "directories", tree->root, cure,
                "%" PRId64 " of %" PRId64 " are on another file system or mount, such as '%s'",
                tree->elsewhere, tree->looked_at, tree->first_elsewhere.text);
}

static void tell(const struct tree_look *tree, struct doctor_report *report) {
    if (tree->refused > 0)
        tell_refused(tree, report);
    if (tree->elsewhere > 0)
        tell_elsewhere(tree, report);
    if (tree->files > 0)
        doctor_fail(report, EXIT_CODE_WRITE, "directories", tree->root, "move it away",
                    "'%s' must be a directory", tree->first_file.text);
    if (tree->refused == 0 && tree->elsewhere == 0 && tree->files == 0)
        doctor_ok(report, "directories", tree->root,
                  "%s%" PRId64 " checked: writable, and on one file system",
                  tree->full ? "the first " : "", tree->looked_at);
}

/* What an earlier batch has left: a run removes it. */
static bool visit_staged(void *context, const char *name) {
    struct tree_look *tree = context;
    (void)look(tree, file_join(tree->at.text, name).text);
    return true;
}

/* A directory that isn't there yet is made by the run. */
static void check_parent(const char *setting, const char *root, struct doctor_report *report) {
    struct lake_directory directory = {setting, root, ""};
    bool found = find_existing(&directory);
    if (found && can_publish(directory.existing)) {
        doctor_ok(report, "directories", root, "does not exist yet, and can be created in %s",
                  directory.existing);
        return;
    }
    int reason = errno;
    scoped(scope_free) char *cure = cure_of_missing(reason, &directory);
    doctor_fail(report, EXIT_CODE_WRITE, "directories", root, cure,
                "does not exist yet, and user %ld cannot create it in '%s': %s", (long)geteuid(),
                directory.existing, strerror(reason));
}

static void check_tree(const char *setting, const char *root, const char *home,
                       const char *const names[], size_t depth, struct doctor_report *report) {
    struct tree_look tree = {.setting = setting, .root = root, .depth = depth};
    struct error ignored;
    if (!filesystem_place(file_join(root, home).text, &tree.home) &&
        !filesystem_place(root, &tree.home)) {
        check_parent(setting, root, report);
        return;
    }
    if (!look_with(&tree, root, can_publish)) {
        tell(&tree, report); // a file has its name
        return;
    }
    for (size_t i = 0; names[i] != NULL; i++)
        (void)look_with(&tree, file_join(root, names[i]).text, can_publish);
    tree.at = file_join(root, "_staging");
    (void)file_list(tree.at.text, visit_staged, &tree, &ignored);
    (void)snprintf(tree.at.text, sizeof tree.at.text, "%s", root);
    descend(&tree);
    tell(&tree, report);
}

static void check_values(const struct store_options *store, struct doctor_report *report) {
    struct misleading_column found[MISLEADING_COLUMNS_MAX];
    size_t count = partition_kinds_find(store, found);
    for (size_t i = 0; i < count; i++) {
        char text[MISLEADING_TEXT_MAX];
        misleading_column_print(&found[i], text);
        doctor_warn(report, "partition values", store->table,
                    "tell readers the column's type (docs/reading.md, \"Directories and types\")",
                    "%s", text);
    }
}

void doctor_check_directories(const struct config *config, struct doctor_report *report) {
    static const char *const of_table[] = {"_staging", "_spark_metadata", "_orphans", NULL};
    static const char *const of_checkpoint[] = {"sources",   "sources/0", "offsets", "commits",
                                                "manifests", "coverage",  NULL};
    for (size_t i = 0; streams[i] != NULL; i++) {
        if (!config_runs(config, streams[i]))
            continue;
        struct store_options store = config_store_options(config, streams[i]);
        check_tree("PROCESSED_DATA_PATH", store.table, "_staging", of_table,
                   store.partition_by_count, report);
        check_values(&store, report);
        check_tree("DATA_LAKE_PATH", store.rejects, "_staging", of_table, 0, report);
        check_tree("CHECKPOINT_PATH", store.checkpoint, "", of_checkpoint, 0, report);
        config_store_options_deinit(&store);
    }
}
