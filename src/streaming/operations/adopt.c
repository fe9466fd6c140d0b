/* adopt.c: a sink log for a table that has none, and the way back; and the offsets of a checkpoint
 * are declared to be those of another Kafka cluster, in which the topic's stored id means nothing.
 *
 * A log is written completely under another name and begins with one rename; it ends with one
 * rename, too, and is removed under the other name. So readers see a complete log or none, and an
 * operation that was killed is run again. The table's signature says whether there should be a log:
 * it is changed in an order that never promises a log that does not exist. A dry run does the same
 * checks and counts, and stops before the first write. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/utf8.h"
#include "streaming/operations/operations.h"
#include "streaming/recovery/recover.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/store.h"
#include "streaming/store/table_types.h"
#include "streaming/table/path_list.h"

/* Where a log is made, and where one goes before it is removed; readers see neither. */
static const char new_name[] = "_spark_metadata_new", old_name[] = "_spark_metadata_released";

static bool sign(struct store *store, bool sink_log, int64_t adopted_at, struct error *err) {
    store->table.owner_adopted_at = adopted_at;
    return table_sign(&store->table, store->checkpoint.query_id, store->options.checkpoint,
                      sink_log, err);
}

static bool rename_directory(const struct store *store, const char *from, const char *to,
                             struct error *err) {
    const char *table = store->options.table;
    if (!file_rename_new(file_join(table, from).text, file_join(table, to).text, err))
        return error_set(err, ERROR_RETRY, "cannot rename '%s' to '%s' in '%s': %s", from, to,
                         table, strerror(errno));
    return file_sync_directory(table, err);
}

/* ---- adopt the files ---- */

struct adopted_files {
    const struct table *table;
    struct sink_log_writer *draft; // NULL: the files are only counted
    int64_t files, bytes;
    bool failed; // *err says why
    struct error *err;
};

static bool list_file(void *context, const char *path) {
    struct adopted_files *adopted = context;
    struct file_status status;
    struct file_path full = file_join(adopted->table->root.text, path);
    adopted->failed = true;
    if (!file_look(full.text, &status, adopted->err))
        return false;
    if (!status.is_file)
        return error_set(adopted->err, ERROR_STATE,
                         "'%s' is not a regular file: move it out of the table, then adopt again",
                         full.text);
    if (!utf8_is_whole(path))
        return error_set(adopted->err, ERROR_STATE,
                         "the name of '%s' is not UTF-8, which Spark's sink log requires: rename "
                         "it, then adopt again",
                         full.text);
    scoped(scope_free) char *line =
        sink_entry_print(full.text, status.size, file_modified_ms(&status));
    adopted->files++;
    adopted->bytes += status.size;
    adopted->failed =
        adopted->draft != NULL && !sink_log_writer_add(adopted->draft, line, adopted->err);
    return !adopted->failed;
}

static bool list_files(const struct store *store, struct adopted_files *adopted,
                       struct error *err) {
    return table_each_file(&store->table, store->options.partition_by_count, list_file, adopted,
                           err) &&
           !adopted->failed;
}

static bool write_listing(const struct store *store, const char *directory,
                          const struct log_layout *layout, struct adopted_files *adopted,
                          struct error *err) {
    struct sink_log_writer draft;
    if (!sink_log_writer_open(&draft, directory, layout->name, err))
        return false;
    adopted->draft = &draft;
    bool ok = list_files(store, adopted, err);
    adopted->draft = NULL;
    if (ok)
        return sink_log_writer_replace(&draft, err);
    sink_log_writer_discard(&draft);
    return false;
}

/* Made whole under another name; the log begins with one rename. What it can't say, which batch
 * each file is of, is noted before that. */
static bool begin_log(struct store *store, int64_t committed, struct adopted_files *adopted,
                      struct error *err) {
    struct log_layout layout = log_layout_of(committed, SINK_LOG_INTERVAL);
    struct file_path directory = file_join(store->options.table, new_name);
    return file_remove_directory(directory.text, err) &&
           file_make_directory_name(directory.text, err) &&
           log_layout_write_empty(&layout, directory.text, err) &&
           write_listing(store, directory.text, &layout, adopted, err) &&
           sign(store, false, committed, err) &&
           rename_directory(store, new_name, "_spark_metadata", err) &&
           sign(store, true, committed, err);
}

/* A file that readers of the directories take and that a log of batches can't list. */
static bool refuse_strangers(const struct store *store, struct error *err) {
    struct file_path stranger;
    if (!table_find_stranger(&store->table, store->options.partition_by_count, &stranger, err))
        return false;
    if (stranger.text[0] == '\0')
        return true;
    return error_set(err, ERROR_STATE,
                     "'%s/%s' is not a Parquet file in a partition directory, so the log could "
                     "not list it and Spark would no longer see it: move it out of the table, "
                     "then adopt again",
                     store->options.table, stranger.text);
}

static void report_adoption(const struct store *store, const struct adopted_files *adopted,
                            int64_t committed, bool dry_run, FILE *out) {
    (void)fprintf(out,
                  "%s: '%s' %s a sink log: it lists %s (%" PRId64 " bytes), as of batch %" PRId64
                  ". Spark %s the table through it, and batch "
                  "%" PRId64 " %s it.\n",
                  store->options.query, store->options.table, dry_run ? "would get" : "now has",
                  text_count(adopted->files, "file").text, adopted->bytes, committed,
                  dry_run ? "would read" : "reads", committed + 1,
                  dry_run ? "would continue" : "continues");
}

static bool adopt_files(struct store *store, int64_t committed, bool dry_run, FILE *out,
                        struct error *err) {
    struct adopted_files adopted = {.table = &store->table, .err = err};
    bool has_files;
    if (!table_has_files(&store->table, store->options.partition_by_count, &has_files, err))
        return false;
    if (committed < 0 && has_files)
        return error_set(err, ERROR_STATE,
                         "'%s' has files, but checkpoint '%s' has no committed batch in which a "
                         "log could list them: if this is the right checkpoint, let the query "
                         "commit a batch, then adopt",
                         store->options.table, store->options.checkpoint);
    if (committed < 0) {
        (void)fprintf(out, "%s: '%s' has no files; its first batch %s the sink log.\n",
                      store->options.query, store->options.table,
                      dry_run ? "would begin" : "begins");
        return dry_run || sign(store, true, -1, err);
    }
    if (!refuse_strangers(store, err) || !table_types_check_all(&store->options, err) ||
        !(dry_run ? list_files(store, &adopted, err) : begin_log(store, committed, &adopted, err)))
        return false;
    report_adoption(store, &adopted, committed, dry_run, out);
    return true;
}

static bool adopt(struct store *store, bool dry_run, FILE *out, struct error *err) {
    struct recovery recovery;
    bool settled;
    if (!operation_recover(store, dry_run, &recovery, &settled, out, err))
        return false;
    int64_t committed = recovery.next_batch - 1;
    bool unsure = recovery.has_open_plan && recovery.orphans_unknown;
    recovery_deinit(&recovery);
    if (!settled)
        return true;
    if (store->sink_log.exists) {
        (void)fprintf(out, "%s: '%s' has a sink log (newest batch %" PRId64 "): nothing to do.\n",
                      store->options.query, store->options.table, store->sink_log.newest);
        // Killed after the rename, an adoption is finished here.
        return dry_run || store->table.owner_sink_log ||
               sign(store, true, store->table.owner_adopted_at, err);
    }
    if (unsure)
        return error_set(err, ERROR_STATE,
                         "batch %" PRId64 " is planned and not committed, and '%s' has too many "
                         "new files to tell which belong to it: run the query once to commit the "
                         "batch, then adopt",
                         committed + 1, store->options.table);
    return adopt_files(store, committed, dry_run, out, err);
}

bool operation_adopt(const struct store_options *options, bool dry_run, FILE *out,
                     struct error *err) {
    struct store *store;
    if (!operation_open(options, dry_run, out, &store, err))
        return false;
    bool ok = adopt(store, dry_run, out, err);
    store_close(store);
    return ok;
}

/* ---- release ---- */

/* What the log lists, compared with the files on disk. */
struct agreement {
    const struct store *store;
    struct path_set listed;
    int64_t files;
    int64_t missing, resized, unlisted, repeated;
    struct examples examples; // of all of these
    bool failed;              // *err says why
    struct error *err;
};

static bool check_listed(void *context, struct json *line, struct error *err) {
    struct agreement *agreement = context;
    const struct store_options *options = &agreement->store->options;
    struct sink_entry entry;
    int64_t size = -1;
    if (!sink_entry_read(&entry, line, options->table, options->partition_by_count, err))
        return false;
    int there = entry.in_table ? file_exists(entry.path, &size, err) : 0;
    if (there == 0) {
        agreement->missing++;
        examples_add(&agreement->examples, entry.path, "is listed but missing");
    } else if (there == 1 && size != entry.size) {
        agreement->resized++;
        examples_add(&agreement->examples, entry.path, "is listed with another size");
    }
    path_set_add(&agreement->listed, entry.relative);
    agreement->files++;
    sink_entry_deinit(&entry);
    return there >= 0;
}

static bool check_present(void *context, const char *path) {
    struct agreement *agreement = context;
    if (!path_set_has(&agreement->listed, path)) {
        agreement->unlisted++;
        examples_add(&agreement->examples, path, "exists but is not listed");
    }
    return true;
}

static bool compare_log(struct agreement *agreement, struct error *err) {
    struct store *store = (struct store *)agreement->store;
    if (!sink_log_each_entry(&store->sink_log, check_listed, agreement, err))
        return false;
    agreement->repeated = (int64_t)path_set_seal(&agreement->listed);
    if (agreement->repeated > 0)
        examples_add(&agreement->examples, store->sink_log.directory.text,
                     "lists files more than once");
    return table_each_file(&store->table, store->options.partition_by_count, check_present,
                           agreement, err);
}

static bool refuse_disagreement(const struct agreement *agreement, struct error *err) {
    if (agreement->missing + agreement->resized + agreement->unlisted + agreement->repeated == 0)
        return true;
    return error_set(err, ERROR_STATE,
                     "without its sink log, '%s' would show different rows (listed files that are "
                     "missing: %" PRId64 ", with another size: %" PRId64
                     ", listed more than once: %" PRId64 "; files that are not listed: %" PRId64
                     "; %s). Move the unlisted files out of the table, restore the "
                     "missing ones, then release again",
                     agreement->store->options.table, agreement->missing, agreement->resized,
                     agreement->repeated, agreement->unlisted, agreement->examples.text);
}

/* The signature first: a log that still exists continues, but one that is promised and gone would
 * stop the next start. */
static bool end_log(struct store *store, struct error *err) {
    struct file_path old = file_join(store->options.table, old_name);
    return sign(store, false, -1, err) && file_remove_directory(old.text, err) &&
           rename_directory(store, "_spark_metadata", old_name, err) &&
           file_remove_directory(old.text, err);
}

static bool release_log(struct store *store, bool dry_run, FILE *out, struct error *err) {
    struct agreement agreement = {.store = store, .err = err};
    bool ok = compare_log(&agreement, err) && refuse_disagreement(&agreement, err);
    path_set_deinit(&agreement.listed);
    if (!ok || (!dry_run && !end_log(store, err)))
        return false;
    (void)fprintf(out,
                  "%s: '%s' %s: the files that it listed (%" PRId64
                  ") are exactly the files of the "
                  "table. Readers %s the directories, and SINK_LOG=auto %s without a log.\n",
                  store->options.query, store->options.table,
                  dry_run ? "would lose its sink log" : "no longer has a sink log", agreement.files,
                  dry_run ? "would list" : "list", dry_run ? "would continue" : "continues");
    return true;
}

static bool release(struct store *store, bool dry_run, FILE *out, struct error *err) {
    struct recovery recovery;
    bool settled;
    if (!operation_recover(store, dry_run, &recovery, &settled, out, err))
        return false;
    recovery_deinit(&recovery);
    if (!settled)
        return true;
    if (store->sink_log.exists)
        return release_log(store, dry_run, out, err);
    (void)fprintf(out, "%s: '%s' has no sink log: nothing to do.\n", store->options.query,
                  store->options.table);
    if (dry_run)
        return true;
    return file_remove_directory(file_join(store->options.table, old_name).text, err) &&
           (!store->table.owner_sink_log || sign(store, false, -1, err));
}

bool operation_release(const struct store_options *options, bool dry_run, FILE *out,
                       struct error *err) {
    struct store *store;
    if (!operation_open(options, dry_run, out, &store, err))
        return false;
    bool ok = release(store, dry_run, out, err);
    store_close(store);
    return ok;
}

/* ---- adopt the offsets ---- */

/* Where the next batch begins, so that it can be compared with the topic on the other cluster. */
static bool print_positions(const struct store *store, FILE *out, struct error *err) {
    int64_t committed;
    struct offset_entry starts = {0};
    if (!checkpoint_newest(&store->checkpoint.commits, &committed, err))
        return false;
    if (committed < 0) {
        (void)fprintf(out, "  No batch is committed yet.\n");
        return true;
    }
    if (!checkpoint_read_starts(&store->checkpoint, committed + 1, &starts, err))
        return false;
    (void)fprintf(out, "  The next batch is %" PRId64 ". It reads topic %s from these offsets:",
                  committed + 1, store->options.topic);
    for (size_t i = 0; i < starts.ends.count; i++)
        (void)fprintf(out, "%s partition %" PRId32 " from %" PRId64, i > 0 ? "," : "",
                      starts.ends.entries[i].partition, starts.ends.entries[i].offset);
    (void)fprintf(out,
                  ". Make sure that the records before them are the same in the new cluster.\n");
    offset_entry_deinit(&starts);
    return true;
}

static bool remove_topic_id(const struct store *store, int64_t batch_id, bool dry_run,
                            int64_t *removed, struct error *err) {
    const char *directory = store->checkpoint.manifests.text;
    struct file_path path = file_join_number(directory, batch_id);
    scoped(scope_free) char *text = NULL;
    scoped(scope_free) char *without = NULL;
    size_t size, without_size;
    if (!file_read(path.text, MANIFEST_SIZE_MAX, &text, &size, err))
        return false;
    if (text == NULL) // a query that runs during a dry run has removed it
        return true;
    if (!manifest_remove_topic_id(text, size, &without, &without_size, err))
        return error_wrap(err, "'%s' cannot be used: restore it from a backup", path.text);
    if (without == NULL)
        return true;
    char name[32];
    (void)snprintf(name, sizeof name, "%" PRId64, batch_id);
    ++*removed;
    return dry_run || file_replace(directory, name, without, without_size, err);
}

/* From every manifest, not only from the newest: a rewind makes an older one the newest. */
static bool remove_topic_ids(const struct store *store, bool dry_run, int64_t *removed,
                             struct error *err) {
    scoped(scope_free) int64_t *batches = NULL;
    size_t count;
    *removed = 0;
    if (!file_list_numbers(store->checkpoint.manifests.text, "", &batches, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!remove_topic_id(store, batches[i], dry_run, removed, err))
            return false;
    return true;
}

static bool note_cluster(const struct store *store, const char *id, struct error *err) {
    struct topic_identity note = {0};
    (void)snprintf(note.cluster_id, sizeof note.cluster_id, "%s", id);
    return kafka_note_write(store->options.checkpoint, &note, err);
}

/* A topic has another id in each cluster. An id of the old cluster under the new cluster's name
 * would make the topic look like one that was created again, so the ids go before the name changes;
 * and all manifests are read before one is written. A plan says of which cluster its id is. */
static bool change_cluster(const struct store *store, const char *id, bool dry_run,
                           int64_t *removed, struct error *err) {
    return remove_topic_ids(store, true, removed, err) &&
           (dry_run ||
            (remove_topic_ids(store, false, removed, err) && note_cluster(store, id, err)));
}

static bool adopt_offsets(const struct store *store, const char *id, bool dry_run, FILE *out,
                          struct error *err) {
    const char *checkpoint = store->options.checkpoint;
    struct topic_identity noted;
    int64_t removed;
    if (!kafka_note_read(checkpoint, &noted, err))
        return false;
    if (strcmp(noted.cluster_id, id) == 0) {
        (void)fprintf(out, "%s: the offsets in '%s' belong to Kafka cluster %s: nothing to do.\n",
                      store->options.query, checkpoint, id);
        return true;
    }
    if (!change_cluster(store, id, dry_run, &removed, err))
        return false;
    (void)fprintf(out, "%s: the offsets in '%s' %s to Kafka cluster %s (previously: %s).\n",
                  store->options.query, checkpoint, dry_run ? "would belong" : "now belong", id,
                  noted.cluster_id[0] == '\0' ? "unknown" : noted.cluster_id);
    if (removed > 0)
        (void)fprintf(out,
                      "  The topic's id %s removed from %s: the topic has another id in each "
                      "cluster.\n",
                      dry_run ? "would be" : "was", text_count(removed, "manifest").text);
    return print_positions(store, out, err);
}

bool operation_adopt_kafka(const struct store_options *options, const char *id, bool dry_run,
                           FILE *out, struct error *err) {
    struct store *store;
    if (id[0] == '\0' || strlen(id) >= KAFKA_CLUSTER_ID_MAX)
        return error_set(err, ERROR_CONFIG, "--cluster needs the id of a Kafka cluster");
    if (!operation_open(options, dry_run, out, &store, err))
        return false;
    bool ok = adopt_offsets(store, id, dry_run, out, err);
    store_close(store);
    return ok;
}
