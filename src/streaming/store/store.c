#include "streaming/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/commit.h"
#include "streaming/store/store_parts.h"

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

static char *copy_text(const char *text) {
    char *copy = strdup(text);
    check(copy != NULL);
    return copy;
}

static void copy_options(struct store_options *to, const struct store_options *from) {
    *to = *from;
    to->query = copy_text(from->query);
    to->topic = copy_text(from->topic);
    to->checkpoint = clean_path(from->checkpoint);
    to->table = clean_path(from->table);
    to->rejects = clean_path(from->rejects);
    char **names = must_alloc(from->partition_by_count, sizeof *names);
    for (size_t i = 0; i < from->partition_by_count; i++)
        names[i] = copy_text(from->partition_by[i]);
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

/* Well-formed UTF-8, as the JSON of the logs needs it. */
static bool is_utf8(const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t more = *at < 0x80   ? 0
                      : *at < 0xC2 ? 9
                      : *at < 0xE0 ? 1
                      : *at < 0xF0 ? 2
                      : *at < 0xF5 ? 3
                                   : 9;
        unsigned char first = *at++;
        if (more == 9 || (first == 0xE0 && *at < 0xA0) || (first == 0xED && *at > 0x9F) ||
            (first == 0xF0 && *at < 0x90) || (first == 0xF4 && *at > 0x8F))
            return false;
        for (; more > 0; more--, at++)
            if ((*at & 0xC0) != 0x80)
                return false;
    }
    return true;
}

static bool check_path(const char *what, const char *path, struct error *err) {
    if (path[0] != '/' || strstr(path, "/../") != NULL || strstr(path, "/./") != NULL)
        return error_set(err, ERROR_CONFIG, "%s '%s' is not a plain absolute path", what, path);
    if (strlen(path) > TABLE_ROOT_MAX)
        return error_set(err, ERROR_CONFIG, "%s '%s' is longer than %d bytes", what, path,
                         TABLE_ROOT_MAX);
    if (!is_utf8(path))
        return error_set(err, ERROR_CONFIG, "%s '%s' is not UTF-8, as Spark's logs need it", what,
                         path);
    return true;
}

static bool open_parts(struct store *store, struct error *err) {
    const struct store_options *options = &store->options;
    checkpoint_init(&store->checkpoint, options->checkpoint, options->topic);
    if (!table_open(&store->table, options->table, err) ||
        !table_open(&store->rejects, options->rejects, err) ||
        !table_check_partitions(&store->table, options->partition_by, options->partition_by_count,
                                err))
        return false;
    // A checkpoint that is not there must not be begun, not even with a lock, for a table that
    // would be refused.
    int there = file_exists(options->checkpoint, NULL, err);
    if (there < 0 || (there == 0 && !recovery_possible(store, err)))
        return false;
    return checkpoint_open(&store->checkpoint, err);
}

static bool open_parts_to_read(struct store *store, struct error *err) {
    const struct store_options *options = &store->options;
    checkpoint_init(&store->checkpoint, options->checkpoint, options->topic);
    return table_open(&store->table, options->table, err) &&
           table_open(&store->rejects, options->rejects, err) &&
           checkpoint_open_to_read(&store->checkpoint, err);
}

static bool open_with(const struct store_options *options,
                      bool (*open_its)(struct store *store, struct error *err),
                      struct store **store, struct error *err) {
    if (!check_path("the checkpoint", options->checkpoint, err) ||
        !check_path("the table", options->table, err) ||
        !check_path("the rejects table", options->rejects, err))
        return false;
    struct store *opened = must_alloc(1, sizeof *opened);
    copy_options(&opened->options, options);
    opened->checkpoint.lock_fd = -1;
    if (open_its(opened, err)) {
        *store = opened;
        return true;
    }
    if (err->kind == ERROR_RETRY && err->lasting)
        err->kind = ERROR_CONFIG; // a path that can't be used
    store_close(opened);
    return false;
}

bool store_open(const struct store_options *options, struct store **store, struct error *err) {
    return open_with(options, open_parts, store, err);
}

bool store_open_to_read(const struct store_options *options, struct store **store,
                        struct error *err) {
    return open_with(options, open_parts_to_read, store, err);
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

struct manifest_origin store_origin(const struct store *store) {
    return (struct manifest_origin){
        .query_id = store->checkpoint.query_id,
        .topic = store->options.topic,
        .table = store->options.table,
        .rejects_table = store->options.rejects,
    };
}

bool store_recover(struct store *store, struct recovery *recovery, struct error *err) {
    store->recovered = recover(store, recovery, err);
    return store->recovered;
}

bool store_start_upkeep(struct store *store, struct error *err) {
    return !store->sink_log_on || sink_log_upkeep_start(&store->sink_log.upkeep, err);
}

static struct offsets starts_of(const struct offset_range *ranges, size_t count) {
    struct offsets offsets = {0};
    for (size_t i = 0; i < count; i++)
        offsets_add(&offsets, ranges[i].partition, ranges[i].start);
    offsets_sort(&offsets);
    return offsets;
}

bool store_write_initial(struct store *store, const struct offset_range *starts, size_t count,
                         struct error *err) {
    struct offsets offsets = starts_of(starts, count);
    bool ok = checkpoint_write_initial(&store->checkpoint, &offsets, err);
    offsets_deinit(&offsets);
    return ok;
}

/* The settings of the batch before, which may be Spark's own, or a new query's. */
static bool next_conf(const struct store *store, int64_t batch_id, struct json **conf,
                      struct error *err) {
    struct json *fresh = offset_log_new_conf(store->options.shuffle_partitions);
    *conf = fresh;
    if (batch_id == 0)
        return true;
    struct offset_entry previous;
    bool found = false;
    if (!checkpoint_read_offsets(&store->checkpoint, batch_id - 1, &previous, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_STATE, "'%s' has no plan of batch %" PRId64,
                         store->checkpoint.offsets.text, batch_id - 1);
    offset_log_complete_conf(previous.conf, fresh);
    *conf = previous.conf;
    previous.conf = fresh;
    offset_entry_deinit(&previous);
    return true;
}

bool store_write_plan(struct store *store, const struct plan *plan, struct error *err) {
    return store_write_move(store, plan, &(struct offsets){0}, err);
}

bool store_write_move(struct store *store, const struct plan *plan,
                      const struct offsets *known_ends, struct error *err) {
    struct offset_entry entry = {.timestamp_ms = plan->timestamp_ms};
    bool ok = next_conf(store, plan->batch_id, &entry.conf, err);
    for (size_t i = 0; ok && i < plan->count; i++)
        offsets_add(&entry.ends, plan->ranges[i].partition, plan->ranges[i].end);
    offsets_sort(&entry.ends);
    offsets_copy(&entry.known_ends, known_ends);
    ok = ok && checkpoint_write_offsets(&store->checkpoint, plan->batch_id, &entry, err);
    offset_entry_deinit(&entry);
    return ok;
}

bool store_begin_batch(struct store *store, int64_t batch_id, const char **table_staging,
                       const char **rejects_staging, struct error *err) {
    if (!table_stage(&store->table, batch_id, err) || !table_stage(&store->rejects, batch_id, err))
        return false;
    store->table_staging = table_staging_of(&store->table, batch_id);
    store->rejects_staging = table_staging_of(&store->rejects, batch_id);
    *table_staging = store->table_staging.text;
    *rejects_staging = store->rejects_staging.text;
    return true;
}

void store_discard_batch(struct store *store, int64_t batch_id) {
    // What can't be removed now is removed when the batch begins again, or by the next start.
    struct error ignored;
    bool table = table_unstage(&store->table, batch_id, &ignored);
    bool rejects = table_unstage(&store->rejects, batch_id, &ignored);
    (void)table, (void)rejects;
}

/* From here to the end of its roll-forward the batch has the disk to itself. */
bool store_commit(struct store *store, const struct manifest *manifest, struct error *err) {
    sink_log_upkeep_pause(&store->sink_log.upkeep, true);
    bool done = commit_publish(store, manifest, err);
    if (!done)
        sink_log_upkeep_pause(&store->sink_log.upkeep, false);
    return done;
}

bool store_roll_forward(struct store *store, const struct manifest *manifest, struct error *err) {
    bool done = commit_roll_forward(store, manifest, err);
    sink_log_upkeep_pause(&store->sink_log.upkeep, false);
    return done;
}

const char *store_query_id(const struct store *store) {
    return store->checkpoint.query_id;
}
