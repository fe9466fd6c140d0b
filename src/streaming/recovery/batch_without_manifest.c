/* batch_without_manifest.c: Spark leaves a checksum next to each file that it writes, this program
 * never does. That tells whose the newest file of the sink log and the commit are. One of Spark's
 * is enough: a start of this program may have written the commit of Spark's batch, and a compaction
 * the log's file.
 *
 * A checkpoint of Spark's alone may have lost its checksums on its way here, and has no manifests.
 * So a commit counts as this program's only if the checkpoint has had a manifest. */
#include "streaming/recovery/batch_without_manifest.h"

#include "streaming/sink_log/sink_entry.h"

static bool newest_manifest(const struct store *store, const struct newest_batches *newest,
                            int64_t *manifest, struct error *err) {
    if (!checkpoint_newest(&store->checkpoint.coverage, manifest, err))
        return false;
    *manifest = *manifest > newest->manifest ? *manifest : newest->manifest;
    return true;
}

static bool is_ours(const struct store *store, bool is_logged, int64_t batch_id, bool *ours,
                    struct error *err) {
    enum commit_author author;
    *ours = true;
    if (is_logged && !sink_log_newest_is_ours(&store->sink_log, ours, err))
        return false;
    if (!checkpoint_commit_author(&store->checkpoint, batch_id, &author, err))
        return false;
    *ours = *ours && author != COMMIT_SPARKS;
    return true;
}

struct file_look {
    const struct store *store;
    int64_t since_ms; // in a compact file, older ones are of batches before
    bool missing;
};

static bool look_at_file(void *context, struct json *line, struct error *err) {
    struct file_look *look = context;
    const struct store_options *options = &look->store->options;
    struct sink_entry entry;
    int64_t size;
    int there = 1;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    if (entry.modified_ms >= look->since_ms) {
        there = file_exists(entry.path, &size, err);
        look->missing = look->missing || there == 0 || (there == 1 && size != entry.size);
    }
    sink_entry_deinit(&entry);
    return there >= 0;
}

/* Spark puts its files into the table before it names them in the log. */
static bool look_at_files(const struct store *store, const struct newest_batches *newest,
                          bool *missing, struct error *err) {
    struct offset_entry plan = {0};
    struct file_path path;
    bool found;
    if (!checkpoint_read_ends(&store->checkpoint, newest->planned, &plan, err))
        return false;
    bool compact = store->sink_log.newest_compact == newest->logged;
    struct file_look look = {.store = store, .since_ms = compact ? plan.timestamp_ms : 0};
    offset_entry_deinit(&plan);
    if (!sink_log_file_of(&store->sink_log, newest->logged, &path, err) ||
        !sink_log_file_entries(path.text, look_at_file, &look, &found, err))
        return false;
    *missing = look.missing;
    return true;
}

bool batch_without_manifest_look(const struct store *store, const struct newest_batches *newest,
                                 struct batch_without_manifest *batch, struct error *err) {
    bool open = newest->logged > newest->committed;
    int64_t manifest, batch_id = open ? newest->logged : newest->committed;
    *batch = (struct batch_without_manifest){0};
    if (!newest_manifest(store, newest, &manifest, err))
        return false;
    if (batch_id <= manifest || batch_id > newest->planned || (manifest < 0 && !open))
        return true;
    return is_ours(store, newest->logged == batch_id, batch_id, &batch->is_ours, err) &&
           (batch->is_ours || !open || look_at_files(store, newest, &batch->has_missing_file, err));
}
