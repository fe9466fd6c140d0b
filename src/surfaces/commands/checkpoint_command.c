/* What streaming/recovery/inspect.h has read, as text and as JSON; `status` shows the same of a
 * query that is not running. Nothing is judged here: state, next step and fix are in the
 * inspection, by the table that a start goes by. What can't be read is shown as a fault, next to
 * what can. */
#include <inttypes.h>
#include <string.h>

#include "base/disk/file.h"
#include "base/text.h"
#include "streaming/store/range_json.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/quantity.h"
#include "surfaces/terminal/text_table.h"

/* ---- as text ---- */

static void print_extent(FILE *out, const char *label, const char *directory,
                         const struct log_extent *extent) {
    (void)fprintf(out, "  %-11s %s: ", label, directory);
    if (extent->unknown)
        (void)fprintf(out, "cannot be read");
    else if (extent->count == 0)
        (void)fprintf(out, "none");
    else if (extent->count == 1)
        (void)fprintf(out, "batch %" PRId64, extent->newest);
    else
        (void)fprintf(out, "%zu, of batches %" PRId64 " to %" PRId64, extent->count, extent->first,
                      extent->newest);
}

static void print_moment(FILE *out, const char *before, int64_t milliseconds) {
    char text[MOMENT_TEXT_MAX];
    moment_format_ms(milliseconds, text);
    (void)fprintf(out, "%s%s", before, text);
}

static void print_logs(FILE *out, const struct inspection *inspection) {
    print_extent(out, "plans", "offsets/", &inspection->plans);
    if (inspection->planned_ms > 0)
        print_moment(out, "; the newest was planned at ", inspection->planned_ms);
    (void)fputc('\n', out);
    print_extent(out, "commits", "commits/", &inspection->commits);
    if (inspection->committed_ms > 0) {
        print_moment(out, "; the newest was written at ", inspection->committed_ms);
        (void)fprintf(out, " by %s",
                      inspection->committed == COMMIT_SPARKS ? "Spark" : "this program");
    }
    (void)fputc('\n', out);
    print_extent(out, "manifests", "manifests/", &inspection->manifests);
    if (inspection->manifest_read && inspection->manifest_of_spark)
        (void)fprintf(out, "; the newest is for a batch that Spark ran: %s in %s",
                      text_count(inspection->rejects, "reject").text,
                      text_count((int64_t)inspection->reject_files, "file").text);
    else if (inspection->manifest_read)
        (void)fprintf(out, "; the newest has %s in %s (%" PRId64 " bytes), %s in %s",
                      text_count(inspection->rows, "row").text,
                      text_count((int64_t)inspection->files, "file").text, inspection->file_bytes,
                      text_count(inspection->rejects, "reject").text,
                      text_count((int64_t)inspection->reject_files, "file").text);
    if (inspection->folded >= 0)
        (void)fprintf(out, "\n  %-11s coverage/%" PRId64 ": the merged manifests up to that batch",
                      "coverage", inspection->folded);
    (void)fputc('\n', out);
}

static void print_topic(FILE *out, const struct inspection *inspection) {
    if (inspection->topic_id[0] != '\0')
        (void)fprintf(out, "  %-11s %s\n", "topic's id", inspection->topic_id);
    if (inspection->incarnation > 0)
        (void)fprintf(out,
                      "  %-11s %" PRId32 ": the number of times that its offsets restarted, "
                      "because it was created again or its log was truncated\n",
                      "incarnation", inspection->incarnation);
}

static void print_cluster(FILE *out, const struct inspection *inspection) {
    if (!inspection->on_cluster)
        return;
    (void)fprintf(out, "  %-11s %s, from batch %" PRId64 " on", "cluster",
                  inspection->cluster.master, inspection->cluster.first_batch);
    print_moment(out, ", since ", inspection->cluster.started_ms);
    (void)fprintf(out, "%s\n",
                  inspection->locked ? "" : "; its program was killed; the next start cleans up");
}

static void print_table(FILE *out, const struct inspection *inspection) {
    (void)fprintf(out, "  %-11s ", "sink log");
    if (!inspection->sink_log_read)
        (void)fprintf(out, "cannot be read\n");
    else if (!inspection->sink_log)
        (void)fprintf(out, "none\n");
    else if (inspection->compacted >= 0)
        (void)fprintf(out,
                      "_spark_metadata/: up to batch %" PRId64
                      "; the newest compact file is %" PRId64 ", one every %s\n",
                      inspection->logged, inspection->compacted,
                      text_count(inspection->interval, "batch").text);
    else
        (void)fprintf(out, "_spark_metadata/: up to batch %" PRId64 ", no compact file yet\n",
                      inspection->logged);
    (void)fprintf(out, "  %-11s %s, ", "table", inspection->table);
    if (!inspection->opened)
        (void)fprintf(out, "its owner is unknown\n");
    else if (inspection->owner[0] == '\0')
        (void)fprintf(out, "not owned by a query yet\n");
    else if (strcmp(inspection->owner, inspection->query_id) == 0)
        (void)fprintf(out, "owned by this query\n");
    else
        (void)fprintf(out, "owned by ANOTHER query, %s of '%s'\n", inspection->owner,
                      inspection->owner_checkpoint);
}

enum { COLUMNS = 14 };

/* The incarnation of the topic is only shown where there is more than one, what tells records from
 * rows only where they differ, and what left the table only where something has. */
static void print_partitions(FILE *out, const struct inspection *inspection) {
    static const char *const headings[COLUMNS] = {
        ">incarnation", ">partition", ">from",   ">to",   ">records", ">rows",     ">rejects",
        ">empty",       ">filtered",  ">absent", ">lost", ">expired", ">accepted", ">unknown"};
    int64_t expired = 0, accepted = 0;
    for (size_t i = 0; i < inspection->partition_count; i++) {
        expired += inspection->partitions[i].expired;
        accepted += inspection->partitions[i].accepted;
    }
    bool apart = inspection->counts_rows;
    const bool shown[COLUMNS] = {inspection->incarnation > 0,
                                 true,
                                 true,
                                 true,
                                 apart,
                                 true,
                                 true,
                                 apart,
                                 apart,
                                 true,
                                 true,
                                 expired > 0,
                                 accepted > 0,
                                 true};
    struct text_table table;
    if (inspection->partition_count == 0)
        return;
    (void)fprintf(out,
                  "\n  Offsets up to batch %" PRId64 ", according to manifests and coverage:\n",
                  inspection->commits.newest);
    text_table_init_some(&table, headings, shown, COLUMNS);
    for (size_t i = 0; i < inspection->partition_count; i++) {
        const struct inspected_partition *at = &inspection->partitions[i];
        const struct range_outcome *counts = &at->counts;
        const int64_t numbers[COLUMNS] = {
            at->incarnation, at->partition,   at->start,     at->end,          counts->records,
            counts->rows,    counts->rejects, counts->empty, counts->filtered, counts->absent,
            counts->lost,    at->expired,     at->accepted,  at->unproven};
        text_table_add_some_numbers(&table, numbers, shown, COLUMNS);
    }
    text_table_print(&table, 2, out);
    text_table_deinit(&table);
}

static const char *const kind_names[] = {[CHANGE_COMPACTION] = "compaction",
                                         [CHANGE_EXPIRY] = "expiry",
                                         [CHANGE_ACCEPTANCE] = "acceptance"};

static void print_change(FILE *out, const struct inspected_change *change) {
    (void)fprintf(out, "  %6" PRId64 "  %-10s  %-7s  ", change->number, kind_names[change->kind],
                  change->of_rejects ? "rejects" : "table");
    print_moment(out, "", change->made_ms);
    (void)fprintf(out, ", after batch %" PRId64 ": %s left", change->batch_id,
                  text_count(change->left, "file").text);
    if (change->added > 0)
        (void)fprintf(out, ", %s came in", text_count(change->added, "file").text);
    if (change->gone > 0)
        (void)fprintf(out, ", with the rows of %s", text_count(change->gone, "offset").text);
    (void)fprintf(out, "%s\n",
                  change->finished ? "" : "; not finished: the query, or the next start, does it");
}

/* Changes of the table that are not batches; the newest of them. */
static void print_changes(FILE *out, const struct inspection *inspection) {
    enum { SHOWN_MAX = 20 };
    size_t count = inspection->change_count;
    if (count == 0)
        return;
    (void)fprintf(out, "\n  Changes of the table (changes/)%s:\n",
                  count > SHOWN_MAX ? ", the newest 20" : "");
    for (size_t i = count > SHOWN_MAX ? count - SHOWN_MAX : 0; i < count; i++)
        print_change(out, &inspection->changes[i]);
}

/* The newest plan, while it is not committed. */
static void print_open_plan(FILE *out, const struct inspection *inspection) {
    struct text_table table;
    if (inspection->commits.unknown || inspection->plans.newest <= inspection->commits.newest ||
        inspection->range_count == 0)
        return;
    (void)fprintf(out, "\n  Batch %" PRId64 " is planned but not committed:\n",
                  inspection->plans.newest);
    text_table_init(&table, (const char *const[]){">partition", ">from", ">to"}, 3);
    for (size_t i = 0; i < inspection->range_count; i++)
        text_table_add_numbers(&table, (const int64_t[]){inspection->ranges[i].partition,
                                                         inspection->ranges[i].start,
                                                         inspection->ranges[i].end});
    text_table_print(&table, 2, out);
    text_table_deinit(&table);
}

static void print_absence(FILE *out, const char *checkpoint) {
    struct error ignored;
    bool is_missing = file_exists(checkpoint, NULL, &ignored) == 0;
    (void)fprintf(out, "  %-11s none: %s\n", "plans",
                  is_missing ? "the checkpoint's directory does not exist: the query has not "
                               "started yet, or DATA_LAKE_PATH or CHECKPOINT_PATH is wrong"
                             : "the query has not started yet");
}

void inspection_print(const struct command_scope *scope, const struct inspection *inspection) {
    FILE *out = scope->out;
    (void)fprintf(out, "  %-11s %s\n  %-11s %s\n", "topic", scope->store.topic, "checkpoint",
                  scope->store.checkpoint);
    if (!inspection->there) {
        print_absence(out, scope->store.checkpoint);
        return;
    }
    (void)fprintf(out, "  %-11s %s\n", "id", inspection->opened ? inspection->query_id : "unknown");
    (void)fprintf(out, "  %-11s %s%s\n", "lock", inspection->locked ? "held: " : "free",
                  inspection->locked ? inspection->holder
                                     : ": no process of this program runs the query");
    (void)fprintf(out, "  %-11s %s\n", "kafka",
                  inspection->kafka_id[0] != '\0' ? inspection->kafka_id
                                                  : "the cluster's id is not known yet");
    print_topic(out, inspection);
    print_cluster(out, inspection);
    print_logs(out, inspection);
    print_table(out, inspection);
    if (inspection->state != NULL)
        (void)fprintf(out, "  %-11s %s: %s%s%s\n", "next", inspection->state, inspection->next,
                      inspection->cure != NULL ? "; " : "",
                      inspection->cure != NULL ? inspection->cure : "");
    print_open_plan(out, inspection);
    print_partitions(out, inspection);
    print_changes(out, inspection);
    for (size_t i = 0; i < inspection->fault_count; i++)
        (void)fprintf(out, "  fault: %s\n", inspection->faults[i]->message);
}

/* ---- as JSON ---- */

static void put_moment(struct json *object, const char *name, int64_t milliseconds) {
    char text[MOMENT_TEXT_MAX];
    moment_format_ms(milliseconds, text);
    if (milliseconds > 0)
        json_put_shown(object, name, text);
    else
        json_put_null(object, name);
}

/* A member is there in any case, so that a script need not ask; null is what nobody knows. */
static void put_text_or_null(struct json *object, const char *name, const char *text) {
    json_put_shown_or_null(object, name, text != NULL && *text != '\0' ? text : NULL);
}

static void put_int_or_null(struct json *object, const char *name, int64_t number, bool known) {
    if (known)
        json_put_int(object, name, number);
    else
        json_put_null(object, name);
}

static struct json *extent_json(const struct log_extent *extent) {
    struct json *object = json_new_object();
    bool known = !extent->unknown;
    put_int_or_null(object, "files", (int64_t)extent->count, known);
    put_int_or_null(object, "first", extent->first, known);
    put_int_or_null(object, "newest", extent->newest, known);
    return object;
}

static struct json *plans_json(const struct inspection *inspection) {
    struct json *object = extent_json(&inspection->plans), *ranges = json_new_array();
    put_moment(object, "plannedAt", inspection->planned_ms);
    for (size_t i = 0; i < inspection->range_count; i++) {
        struct json *range = json_new_object();
        json_put_int(range, "partition", inspection->ranges[i].partition);
        json_put_int(range, "start", inspection->ranges[i].start);
        json_put_int(range, "end", inspection->ranges[i].end);
        json_append(ranges, range);
    }
    json_put(object, "ranges", ranges);
    return object;
}

static struct json *commits_json(const struct inspection *inspection) {
    static const char *const authors[] = {
        [COMMIT_OURS] = "esports-stream", [COMMIT_SPARKS] = "Spark"};
    struct json *object = extent_json(&inspection->commits);
    put_moment(object, "committedAt", inspection->committed_ms);
    put_text_or_null(object, "by", authors[inspection->committed]);
    return object;
}

static struct json *manifests_json(const struct inspection *inspection) {
    struct json *object = extent_json(&inspection->manifests);
    put_int_or_null(object, "foldedThrough", inspection->folded, inspection->outcomes_read);
    if (!inspection->manifest_read)
        return object;
    struct json *newest = json_new_object();
    json_put_int(newest, "batch", inspection->manifests.newest);
    json_put_int(newest, "files", (int64_t)inspection->files);
    json_put_int(newest, "bytes", inspection->file_bytes);
    json_put_int(newest, "rows", inspection->rows);
    json_put_int(newest, "rejectFiles", (int64_t)inspection->reject_files);
    json_put_int(newest, "rejects", inspection->rejects);
    json_put_bool(newest, "ofSpark", inspection->manifest_of_spark);
    json_put(object, "newestManifest", newest);
    return object;
}

static void put_partitions(struct json *outer, const struct inspection *inspection) {
    put_int_or_null(outer, "incarnation", inspection->incarnation, inspection->outcomes_read);
    if (!inspection->outcomes_read) {
        json_put_null(outer, "partitions");
        return;
    }
    struct json *array = json_new_array();
    for (size_t i = 0; i < inspection->partition_count; i++) {
        const struct inspected_partition *partition = &inspection->partitions[i];
        struct json *object = json_new_object();
        json_put_int(object, "incarnation", partition->incarnation);
        json_put_int(object, "partition", partition->partition);
        json_put_int(object, "start", partition->start);
        json_put_int(object, "end", partition->end);
        json_put_int(object, "rows", partition->counts.rows);
        json_put_int(object, "rejects", partition->counts.rejects);
        json_put_int(object, "absent", partition->counts.absent);
        json_put_int(object, "lost", partition->counts.lost);
        json_put_int(object, "expired", partition->expired);
        json_put_int(object, "accepted", partition->accepted);
        if (inspection->counts_rows)
            row_counts_print(&partition->counts, object);
        json_put_int(object, "unknown", partition->unproven);
        json_append(array, object);
    }
    json_put(outer, "partitions", array);
}

static void put_changes(struct json *outer, const struct inspection *inspection) {
    if (!inspection->outcomes_read) {
        json_put_null(outer, "changes");
        return;
    }
    struct json *array = json_new_array();
    for (size_t i = 0; i < inspection->change_count; i++) {
        const struct inspected_change *change = &inspection->changes[i];
        struct json *object = json_new_object();
        json_put_int(object, "change", change->number);
        json_put_text(object, "kind", kind_names[change->kind]);
        json_put_text(object, "of", change->of_rejects ? "rejects" : "table");
        put_moment(object, "recordedAt", change->made_ms);
        json_put_int(object, "batch", change->batch_id);
        json_put_int(object, "left", change->left);
        json_put_int(object, "added", change->added);
        json_put_int(object, "goneOffsets", change->gone);
        json_put_bool(object, "finished", change->finished);
        json_append(array, object);
    }
    json_put(outer, "changes", array);
}

static struct json *sink_log_json(const struct inspection *inspection) {
    struct json *object = json_new_object();
    bool known = inspection->sink_log_read;
    if (known)
        json_put_bool(object, "exists", inspection->sink_log);
    else
        json_put_null(object, "exists");
    put_int_or_null(object, "newest", inspection->logged, known);
    put_int_or_null(object, "newestCompact", inspection->compacted, known);
    put_int_or_null(object, "interval", inspection->interval, known);
    return object;
}

static struct json *table_json(const struct inspection *inspection) {
    struct json *object = json_new_object();
    json_put_shown(object, "path", inspection->table);
    json_put_shown(object, "rejectsPath", inspection->rejects_table);
    put_text_or_null(object, "signedBy", inspection->owner);
    put_text_or_null(object, "signedByCheckpoint", inspection->owner_checkpoint);
    return object;
}

/* null: no cluster runs the query, nor did when its program was killed. */
static void put_cluster(struct json *object, const struct inspection *inspection) {
    if (!inspection->on_cluster) {
        json_put_null(object, "cluster");
        return;
    }
    struct json *cluster = json_new_object();
    json_put_shown(cluster, "master", inspection->cluster.master);
    json_put_int(cluster, "firstBatch", inspection->cluster.first_batch);
    put_moment(cluster, "startedAt", inspection->cluster.started_ms);
    put_text_or_null(cluster, "run", inspection->cluster.run_id);
    json_put(object, "cluster", cluster);
}

/* Where topic and paths come from: they may be the checkpoint's own. */
static void put_origins(struct json *object, const struct known_store *known) {
    struct json *origins = json_new_object();
    json_put_text(origins, "topic", known_origin_name(known->topic_from));
    json_put_text(origins, "table", known_origin_name(known->table_from));
    json_put_text(origins, "rejects", known_origin_name(known->rejects_from));
    json_put(object, "origins", origins);
}

struct json *inspection_json(const struct command_scope *scope,
                             const struct inspection *inspection) {
    struct json *object = json_new_object(), *lock = json_new_object();
    struct json *faults = json_new_array();
    json_put_shown(object, "query", scope->stream->name);
    json_put_shown(object, "topic", scope->store.topic);
    json_put_shown(object, "checkpoint", scope->store.checkpoint);
    put_origins(object, scope->known);
    json_put_bool(object, "exists", inspection->there);
    put_text_or_null(object, "id", inspection->query_id);
    put_text_or_null(object, "kafkaClusterId", inspection->kafka_id);
    json_put_bool(lock, "held", inspection->locked);
    put_text_or_null(lock, "holder", inspection->holder);
    json_put(object, "lock", lock);
    json_put(object, "offsets", plans_json(inspection));
    json_put(object, "commits", commits_json(inspection));
    json_put(object, "manifests", manifests_json(inspection));
    put_text_or_null(object, "topicId", inspection->topic_id);
    put_partitions(object, inspection);
    put_changes(object, inspection);
    json_put(object, "sinkLog", sink_log_json(inspection));
    json_put(object, "table", table_json(inspection));
    json_put_bool(object, "rewinding", inspection->rewinding);
    put_cluster(object, inspection);
    put_text_or_null(object, "state", inspection->state);
    put_text_or_null(object, "next", inspection->next);
    put_text_or_null(object, "fix", inspection->cure);
    for (size_t i = 0; i < inspection->fault_count; i++)
        json_append_shown(faults, inspection->faults[i]->message);
    json_put(object, "faults", faults);
    return object;
}

/* ---- the command ---- */

bool checkpoint_show_command(const struct command_scope *scope, struct error *err) {
    struct inspection inspection;
    if (!inspect(&scope->store, &inspection, err))
        return false;
    if (scope->config->arguments.json) {
        output_print_json(scope->out, inspection_json(scope, &inspection));
    } else {
        (void)fprintf(scope->out, "%s\n", scope->stream->name);
        inspection_print(scope, &inspection);
    }
    // All that can be read was shown by now; the exit code says that there is more.
    size_t faults = inspection.fault_count;
    inspection_deinit(&inspection);
    if (!output_flush(scope->out, err))
        return false;
    return faults == 0 || error_set(err, ERROR_STATE, "%s of the checkpoint cannot be read",
                                    text_count((int64_t)faults, "part").text);
}
