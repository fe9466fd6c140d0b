/* store.c: opening the directories of a query, and what its parts share.
 *
 * The options are copied, and paths cleaned once, here: the logs name files by absolute path and
 * compare them byte by byte, so a path must be spelled in one way only. Tables are opened before
 * the checkpoint, whose lock is the last thing that is taken; the caller says how it is opened. A
 * store that was not recovered removes nothing when it is closed. */
#include "streaming/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "base/utf8.h"

/* An owned copy without doubled and trailing slashes, as Spark writes paths in its logs. */
static char *clean_path(const char *path) {
    char *clean = must_alloc(strlen(path) + 1, 1);
    size_t length = 0;
    for (const char *at = path; *at != '\0'; at++)
        if (*at != '/' || length == 0 || clean[length - 1] != '/')
            clean[length++] = *at;
    if (length > 1 && clean[length - 1] == '/')
        clean[length - 1] = '\0';
    return clean;
}

static void copy_options(struct store_options *to, const struct store_options *from) {
    *to = *from;
    to->query = text_copy(from->query);
    to->topic = text_copy(from->topic);
    to->checkpoint = clean_path(from->checkpoint);
    to->table = clean_path(from->table);
    to->rejects = clean_path(from->rejects);
    char **names = must_alloc(from->partition_by_count, sizeof *names);
    for (size_t i = 0; i < from->partition_by_count; i++)
        names[i] = text_copy(from->partition_by[i]);
    to->partition_by = (const char *const *)names;
}

static void free_options(struct store_options *options) {
    for (size_t i = 0; i < options->partition_by_count; i++)
        free((char *)options->partition_by[i]);
    free((void *)options->partition_by);
    free((char *)options->query);
    free((char *)options->topic);
    free((char *)options->checkpoint);
    free((char *)options->table);
    free((char *)options->rejects);
}

static bool check_path(const char *what, const char *path, struct error *err) {
    if (path[0] != '/' || strstr(path, "/../") != NULL || strstr(path, "/./") != NULL)
        return error_set(err, ERROR_CONFIG, "%s '%s' is not a normalised absolute path", what,
                         path);
    if (strlen(path) > TABLE_ROOT_MAX)
        return error_set(err, ERROR_CONFIG, "%s '%s' is longer than %d bytes", what, path,
                         TABLE_ROOT_MAX);
    if (!utf8_is_whole(path)) // the JSON of the logs needs it
        return error_set(err, ERROR_CONFIG, "%s '%s' is not UTF-8, which Spark's logs require",
                         what, path);
    return true;
}

bool store_open_with(const struct store_options *options,
                     bool (*open_checkpoint)(struct store *store, struct error *err),
                     struct store **store, struct error *err) {
    if (!check_path("the checkpoint", options->checkpoint, err) ||
        !check_path("the table", options->table, err) ||
        !check_path("the rejects table", options->rejects, err))
        return false;
    struct store *opened = must_alloc(1, sizeof *opened);
    copy_options(&opened->options, options);
    opened->table.lock_fd = opened->rejects.lock_fd = -1;
    checkpoint_init(&opened->checkpoint, opened->options.checkpoint, opened->options.topic);
    if (table_open(&opened->table, opened->options.table, err) &&
        table_open(&opened->rejects, opened->options.rejects, err) &&
        open_checkpoint(opened, err)) {
        *store = opened;
        return true;
    }
    if (err->kind == ERROR_RETRY && err->lasting)
        err->kind = ERROR_CONFIG; // a path that can't be used
    store_close(opened);
    return false;
}

static bool open_checkpoint_to_read(struct store *store, struct error *err) {
    return checkpoint_open_to_read(&store->checkpoint, err);
}

bool store_open_to_read(const struct store_options *options, struct store **store,
                        struct error *err) {
    return store_open_with(options, open_checkpoint_to_read, store, err);
}

void store_close(struct store *store) {
    if (store == NULL)
        return;
    sink_log_close(&store->sink_log);
    if (store->recovered) {
        // Tidiness: a staging directory goes when it is empty, and is made again by the next start.
        file_discard_directory(store->table.staging.text);
        file_discard_directory(store->rejects.staging.text);
    }
    checkpoint_close(&store->checkpoint);
    table_close(&store->table);
    table_close(&store->rejects);
    free_options(&store->options);
    free(store);
}

static bool lock_table(struct table *table, bool *fresh, struct error *err) {
    if (table->lock_fd >= 0)
        return true;
    int there = file_exists(table->root.text, NULL, err);
    if (there <= 0)
        return there == 0;
    *fresh = true;
    return table_lock(table, err);
}

bool store_lock_tables(struct store *store, bool *fresh, struct error *err) {
    *fresh = false;
    return lock_table(&store->table, fresh, err) && lock_table(&store->rejects, fresh, err);
}

bool store_check_locks(const struct store *store, struct error *err) {
    if (checkpoint_check_lock(&store->checkpoint, err) && table_check_lock(&store->table, err) &&
        table_check_lock(&store->rejects, err))
        return true;
    if (err->kind != ERROR_STATE)
        return false;
    struct error what = *err;
    return error_set(err, ERROR_STATE,
                     "%s was removed, moved, replaced or unmounted while the query ran. Nothing is "
                     "written any more. Put it back: mount it, or restore checkpoint, table and "
                     "rejects from one backup. Then start again",
                     what.message);
}

const char *store_query_id(const struct store *store) {
    return store->checkpoint.query_id;
}

struct manifest_origin store_origin(const struct store *store) {
    return (struct manifest_origin){
        .query_id = store->checkpoint.query_id,
        .topic = store->options.topic,
        .table = store->options.table,
        .rejects_table = store->options.rejects,
    };
}

bool store_check_root(const struct store *store, struct error *err) {
    struct file_path other;
    if (!sink_log_other_root(&store->sink_log, store->options.partition_by_count, &other, err))
        return false;
    return other.text[0] == '\0' ||
           error_set(err, ERROR_STATE,
                     "the sink log of table '%s' names files in '%s': the table was moved or "
                     "copied. Run `esports-stream relocate`, so that all paths name '%s'; or, if "
                     "the table in '%s' is meant, set DATA_LAKE_PATH or PROCESSED_DATA_PATH back",
                     store->options.table, other.text, store->options.table, other.text);
}

bool store_read_manifest(const struct store *store, int64_t batch_id, struct manifest *manifest,
                         struct error *err) {
    struct file_path path = file_join_number(store->checkpoint.manifests.text, batch_id);
    struct manifest_origin origin = store_origin(store);
    scoped(scope_free) char *text = NULL;
    size_t size;
    if (!file_read(path.text, MANIFEST_SIZE_MAX, &text, &size, err))
        return false;
    if (text == NULL)
        return error_set(err, ERROR_STATE, "'%s' is missing: restore it from a backup", path.text);
    if (!manifest_parse(text, size, batch_id, &origin, manifest, err))
        return error_wrap(err, "'%s'", path.text);
    return true;
}
