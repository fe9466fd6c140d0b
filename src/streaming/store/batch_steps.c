/* batch_steps.c: how a batch becomes durable.
 *
 * Each step is durable before the next begins, and each may be repeated. Before the manifest
 * nothing counts: a failure discards what was staged. The manifest is the commit point; after it
 * nothing is discarded, and the roll-forward is repeated until it is done, by a restart if need be.
 * Its order is a promise to readers: a file is in place before a log names it, and a batch is in
 * every log before Spark's commit says that it is done. */
#include "streaming/store/batch_steps.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "streaming/store/coverage.h"
#include "streaming/table/staging.h"

bool store_start_upkeep(struct store *store, struct error *err) {
    return !store->sink_log_on || sink_log_upkeep_start(&store->sink_log.upkeep, err);
}

/* ---- the plan ---- */

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
    bool ok = store_check_locks(store, err) &&
              checkpoint_write_initial(&store->checkpoint, &offsets, err);
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
        return error_set(err, ERROR_STATE, "'%s' has no plan for batch %" PRId64,
                         store->checkpoint.offsets.text, batch_id - 1);
    offset_log_complete_conf(previous.conf, fresh);
    *conf = previous.conf;
    previous.conf = fresh;
    offset_entry_deinit(&previous);
    return true;
}

bool store_write_plan(struct store *store, const struct plan *plan, struct error *err) {
    return store_write_known(store, plan, &(struct offsets){0}, &(struct topic_identity){0}, err);
}

bool store_write_known(struct store *store, const struct plan *plan,
                       const struct offsets *known_ends, const struct topic_identity *identity,
                       struct error *err) {
    struct offset_entry entry = {.timestamp_ms = plan->timestamp_ms, .identity = *identity};
    bool ok = store_check_locks(store, err) && next_conf(store, plan->batch_id, &entry.conf, err);
    for (size_t i = 0; ok && i < plan->count; i++)
        offsets_add(&entry.ends, plan->ranges[i].partition, plan->ranges[i].end);
    offsets_sort(&entry.ends);
    offsets_copy(&entry.known_ends, known_ends);
    ok = ok && checkpoint_write_offsets(&store->checkpoint, plan->batch_id, &entry, err);
    offset_entry_deinit(&entry);
    return ok;
}

/* ---- staging ---- */

bool store_begin_batch(struct store *store, int64_t batch_id, const char **table_staging,
                       const char **rejects_staging, struct error *err) {
    if (!store_check_locks(store, err) || !table_stage(&store->table, batch_id, err) ||
        !table_stage(&store->rejects, batch_id, err))
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

/* ---- the commit point ---- */

static bool publish_manifest(const struct store *store, const struct manifest *manifest,
                             struct error *err) {
    struct manifest_origin origin = store_origin(store);
    size_t size;
    scoped(scope_free) char *text = manifest_print(manifest, &origin, &size);

    // What can't be read back could never be rolled forward: better no commit than that.
    struct manifest copy;
    if (!manifest_parse(text, size, manifest->batch_id, &origin, &copy, err))
        return error_wrap(err, "batch %" PRId64 " cannot be committed", manifest->batch_id);
    manifest_deinit(&copy);

    // A manifest that is durable promises files that are.
    if (!table_sync_staged(&store->table, manifest->batch_id, &manifest->files, err) ||
        !table_sync_staged(&store->rejects, manifest->batch_id, &manifest->rejects, err) ||
        !store_check_locks(store, err))
        return false;
    char name[32];
    (void)snprintf(name, sizeof name, "%" PRId64, manifest->batch_id);
    return file_publish(store->checkpoint.manifests.text, name, text, size, err);
}

/* From here to the end of its roll-forward the batch has the disk to itself. */
bool store_commit(struct store *store, const struct manifest *manifest, struct error *err) {
    sink_log_upkeep_pause(&store->sink_log.upkeep, true);
    bool done = publish_manifest(store, manifest, err);
    if (!done)
        sink_log_upkeep_pause(&store->sink_log.upkeep, false);
    return done;
}

/* ---- roll forward ---- */

static bool publish_table(struct store *store, const struct manifest *manifest, struct error *err) {
    return table_publish(&store->table, manifest->batch_id, &manifest->files, err);
}

static bool write_sink_log(struct store *store, const struct manifest *manifest,
                           struct error *err) {
    return !store->sink_log_on || manifest->of_spark ||
           sink_log_write(&store->sink_log, manifest->batch_id, &manifest->files, err);
}

static bool publish_rejects(struct store *store, const struct manifest *manifest,
                            struct error *err) {
    return table_publish(&store->rejects, manifest->batch_id, &manifest->rejects, err);
}

static bool write_commit(struct store *store, const struct manifest *manifest, struct error *err) {
    return manifest->of_spark ||
           checkpoint_write_commit(&store->checkpoint, manifest->batch_id, err);
}

static bool remove_staging(struct store *store, const struct manifest *manifest,
                           struct error *err) {
    return table_unstage(&store->table, manifest->batch_id, err) &&
           table_unstage(&store->rejects, manifest->batch_id, err);
}

/* Tidiness: what could not be folded now is folded ten batches later. */
static bool fold_manifests(struct store *store, const struct manifest *manifest,
                           struct error *err) {
    struct error why;
    (void)err;
    if (!coverage_fold(store, manifest->batch_id, &why))
        log_write(LOG_WARNING, store->options.query,
                  "Old manifests could not be merged into one file; a later batch retries | "
                  "batch_id=%" PRId64 " | error=%s",
                  manifest->batch_id, why.message);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct store *store, const struct manifest *manifest, struct error *err);
} steps[] = {
    {"publishing its files", publish_table},
    {"writing its sink log entry", write_sink_log},
    {"publishing its rejects", publish_rejects},
    {"writing its commit", write_commit},
    {"removing its staging directory", remove_staging},
    {"merging old manifests", fold_manifests},
};

static bool roll_forward(struct store *store, const struct manifest *manifest, struct error *err) {
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!steps[i].run(store, manifest, err))
            return error_wrap(err, "batch %" PRId64 " is committed, but %s failed",
                              manifest->batch_id, steps[i].name);
    return true;
}

bool store_roll_forward(struct store *store, const struct manifest *manifest, struct error *err) {
    bool done = store_check_locks(store, err) && roll_forward(store, manifest, err);
    sink_log_upkeep_pause(&store->sink_log.upkeep, false);
    return done;
}

/* ---- and back ---- */

static bool set_manifest_aside(const struct store *store, int64_t batch_id, struct error *err) {
    char name[48];
    (void)snprintf(name, sizeof name, "%" PRId64 ".overtaken", batch_id);
    struct file_path from = file_join_number(store->checkpoint.manifests.text, batch_id);
    struct file_path to = file_join(store->checkpoint.manifests.text, name);
    return file_rename_new(from.text, to.text, err) &&
           file_sync_directory(store->checkpoint.manifests.text, err);
}

bool store_take_back(const struct store *store, const struct manifest *manifest,
                     struct error *err) {
    // The manifest last: as long as it is there, a start that was killed here takes back again.
    if (!table_take_back(&store->table, &manifest->files, err) ||
        !table_take_back(&store->rejects, &manifest->rejects, err) ||
        !table_unstage(&store->table, manifest->batch_id, err) ||
        !table_unstage(&store->rejects, manifest->batch_id, err) ||
        !set_manifest_aside(store, manifest->batch_id, err))
        return error_wrap(
            err, "batch %" PRId64 " was run by Spark; this program's files of it cannot be removed",
            manifest->batch_id);
    return true;
}
