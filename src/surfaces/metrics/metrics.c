/* A family is a row of the table at the end: name, type, labels, help, and the function that
 * prints its samples, all of them from one struct metrics_look. A number that is a field of a
 * struct needs no function of its own: its row names the field, and NUMBER() compiles only for an
 * int64_t. A new metric is a row, and nothing else knows of it but deploy/ and docs/metrics.md. */
#include "surfaces/metrics/metrics.h"

#include <inttypes.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "surfaces/metrics/metrics_look.h"

#define LABELS(...) ((const struct metric_label[]){__VA_ARGS__, {NULL, NULL}})

/* What one call prints from. */
struct metric_print {
    struct metrics_text *text;
    const struct metrics_look *look;
    const struct query_look *query; // of a family that each query has samples of
    size_t offset;                  // of the family's number
};

enum { NUMBER_MAX = 24, MICROSECONDS = 1000000, MILLISECONDS = 1000 };

/* The offset of a field that number_at() can read: one of another type does not compile. */
#define NUMBER(type, field) _Generic(((type *)NULL)->field, int64_t : offsetof(type, field))

static int64_t number_at(const void *object, size_t offset) {
    return *(const int64_t *)((const char *)object + offset);
}

/* The program */

static void print_build(const struct metric_print *at) {
    const char *engine = config_engine(at->look->program->config);
    metrics_text_int(at->text, LABELS({"version", PROGRAM_VERSION}, {"engine", engine}), 1);
}

static void print_workers(const struct metric_print *at) {
    metrics_text_int(at->text, NULL, at->look->program->config->workers);
}

static void print_memory(const struct metric_print *at) {
    metrics_text_int(at->text, LABELS({"part", "rows"}), at->look->memory.rows);
    metrics_text_int(at->text, LABELS({"part", "encoded"}), at->look->memory.encoded);
    metrics_text_int(at->text, LABELS({"part", "history"}), at->look->memory.history);
}

static void print_memory_limit(const struct metric_print *at) {
    metrics_text_int(at->text, NULL, number_at(&at->look->memory, at->offset));
}

static void print_disks(const struct metric_print *at) {
    for (size_t i = 0; i < at->look->disk_count; i++)
        metrics_text_int(at->text, LABELS({"place", at->look->disks[i].place}),
                         number_at(&at->look->disks[i], at->offset));
}

static void print_notifications(const struct metric_print *at) {
    metrics_text_int(at->text, LABELS({"outcome", "delivered"}), at->look->webhook.delivered);
    metrics_text_int(at->text, LABELS({"outcome", "dropped"}), at->look->webhook.dropped);
}

static void print_failed_attempts(const struct metric_print *at) {
    metrics_text_int(at->text, NULL, at->look->webhook.failed_attempts);
}

static void print_log_dropped(const struct metric_print *at) {
    metrics_text_int(at->text, NULL, log_output_dropped());
}

/* A query */

static void print_info(const struct metric_print *at) {
    const struct store_options *store = &at->query->view->options->store;
    metrics_text_int(at->text,
                     LABELS({"query", at->query->name}, {"topic", store->topic},
                            {"table", store->table}, {"checkpoint", store->checkpoint}),
                     1);
}

static void print_up(const struct metric_print *at) {
    const struct query_snapshot *snapshot = &at->query->snapshot;
    bool is_up = snapshot->state != QUERY_FAILED && snapshot->state != QUERY_STOPPED;
    metrics_text_int(at->text, LABELS({"query", at->query->name}), is_up);
}

static void print_state(const struct metric_print *at) {
    for (enum query_state state = QUERY_STARTING; state <= QUERY_STOPPED; state++)
        metrics_text_int(at->text,
                         LABELS({"query", at->query->name}, {"state", query_state_name(state)}),
                         at->query->snapshot.state == state);
}

static void print_health(const struct metric_print *at) {
    for (enum health_state state = HEALTH_UNKNOWN; state < HEALTH_STATES; state++)
        metrics_text_int(at->text,
                         LABELS({"query", at->query->name}, {"state", health_state_name(state)}),
                         at->query->health == state);
}

static void print_missing(const struct metric_print *at) {
    if (at->query->snapshot.missing_files >= 0)
        metrics_text_int(at->text, LABELS({"query", at->query->name}),
                         at->query->snapshot.missing_files);
}

static void print_changed(const struct metric_print *at) {
    if (at->query->snapshot.changed_files >= 0)
        metrics_text_int(at->text, LABELS({"query", at->query->name}),
                         at->query->snapshot.changed_files);
}

static void print_causes(const struct metric_print *at) {
    for (enum health_cause cause = CAUSE_FAILED; cause < HEALTH_CAUSES; cause++)
        metrics_text_int(at->text,
                         LABELS({"query", at->query->name}, {"cause", health_cause_name(cause)}),
                         (at->query->causes & 1U << cause) != 0);
}

static void print_trigger(const struct metric_print *at) {
    metrics_text_real(at->text, LABELS({"query", at->query->name}),
                      (double)at->query->view->options->trigger.interval_ms / MILLISECONDS);
}

/* Before the first commit: since when there could have been one. */
static void print_committed(const struct metric_print *at) {
    int64_t ms = at->query->totals.committed_ms;
    metrics_text_real(at->text, LABELS({"query", at->query->name}),
                      (double)(ms > 0 ? ms : at->look->program->started_ms) / MILLISECONDS);
}

static void print_snapshot(const struct metric_print *at) {
    metrics_text_int(at->text, LABELS({"query", at->query->name}),
                     number_at(&at->query->snapshot, at->offset));
}

static void print_total(const struct metric_print *at) {
    metrics_text_int(at->text, LABELS({"query", at->query->name}),
                     number_at(&at->query->totals, at->offset));
}

static void print_rejects(const struct metric_print *at) {
    for (enum reject_reason reason = 0; reason < REJECT_REASON_COUNT; reason++)
        metrics_text_int(at->text,
                         LABELS({"query", at->query->name}, {"reason", reject_reason_name(reason)}),
                         at->query->totals.rejects_by[reason]);
}

static void print_faults(const struct metric_print *at) {
    const struct schema *schema = at->query->view->schema;
    for (size_t j = 0; j < schema->record_count; j++)
        metrics_text_int(at->text,
                         LABELS({"query", at->query->name}, {"column", schema->inputs[j].name}),
                         at->query->totals.field_faults[j]);
}

static void print_file_sizes(const struct metric_print *at) {
    int64_t bounds[FILE_SIZES - 1];
    for (size_t i = 0; i < FILE_SIZES - 1; i++)
        bounds[i] = file_size_bound(i);
    const struct query_totals *totals = &at->query->totals;
    metrics_text_histogram(at->text, LABELS({"query", at->query->name}), bounds, FILE_SIZES - 1,
                           totals->file_sizes, totals->bytes, 1);
}

static void print_durations(const struct metric_print *at) {
    const struct query_totals *totals = &at->query->totals;
    metrics_text_histogram(at->text, LABELS({"query", at->query->name}), duration_bounds_us,
                           DURATION_BOUNDS, totals->durations[DURATION_TOTAL],
                           totals->duration_us[DURATION_TOTAL], MICROSECONDS);
}

static void print_operations(const struct metric_print *at) {
    const struct query_totals *totals = &at->query->totals;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        metrics_text_histogram(at->text,
                               LABELS({"query", at->query->name}, {"operation", stage_name(stage)}),
                               duration_bounds_us, DURATION_BOUNDS, totals->durations[stage],
                               totals->duration_us[stage], MICROSECONDS);
}

static void print_delays(const struct metric_print *at) {
    const struct query_totals *totals = &at->query->totals;
    metrics_text_histogram(at->text, LABELS({"query", at->query->name}), delay_bounds_ms,
                           DELAY_BOUNDS, totals->delays, totals->delay_ms, MILLISECONDS);
}

static void print_partitions(const struct metric_print *at,
                             int64_t (*number)(const struct partition_lag *partition)) {
    const struct query_look *query = at->query;
    for (size_t i = 0; i < query->lag.partition_count; i++) {
        char partition[NUMBER_MAX];
        snprintf(partition, sizeof partition, "%" PRId32, query->partitions[i].partition);
        metrics_text_int(at->text, LABELS({"query", query->name}, {"partition", partition}),
                         number(&query->partitions[i]));
    }
}

static int64_t topic_end(const struct partition_lag *partition) {
    return partition->topic_end;
}

static int64_t position(const struct partition_lag *partition) {
    return partition->position;
}

/* What is not known has no sample: an old number would look like a new one. */
static void print_lag(const struct metric_print *at) {
    if (at->query->lag.is_known)
        print_partitions(at, partition_lag_records);
}

static void print_topic_end(const struct metric_print *at) {
    if (at->query->lag.is_known)
        print_partitions(at, topic_end);
}

static void print_lag_age(const struct metric_print *at) {
    metrics_text_real(at->text, LABELS({"query", at->query->name}),
                      (double)at->query->lag.age_ms / MILLISECONDS);
}

static void print_record_age(const struct metric_print *at) {
    int64_t newest_ms = at->query->totals.newest_record_ms;
    int64_t age_ms = clock_wall_ms() - newest_ms;
    if (newest_ms > 0)
        metrics_text_real(at->text, LABELS({"query", at->query->name}),
                          (double)(age_ms > 0 ? age_ms : 0) / MILLISECONDS);
}

static void print_position(const struct metric_print *at) {
    print_partitions(at, position);
}

/* Care of the table */

static void print_care(const struct metric_print *at) {
    metrics_text_int(at->text, LABELS({"query", at->query->name}),
                     number_at(&at->query->care, at->offset));
}

static const char *const tables[] = {"table", "rejects"};

/* No sample before they are counted. */
static void print_table_files(const struct metric_print *at) {
    for (size_t i = 0; i < 2; i++)
        if (at->query->files[i].counted_ms > 0)
            metrics_text_int(at->text, LABELS({"query", at->query->name}, {"of", tables[i]}),
                             number_at(&at->query->files[i], at->offset));
}

static void print_waiting(const struct metric_print *at) {
    if (at->query->care.looked_ms > 0)
        print_care(at);
}

/* Of moments and durations in milliseconds: no sample while there is none. */
static void print_care_seconds(const struct metric_print *at) {
    int64_t ms = number_at(&at->query->care, at->offset);
    if (ms > 0)
        metrics_text_real(at->text, LABELS({"query", at->query->name}), (double)ms / MILLISECONDS);
}

static void print_care_duration(const struct metric_print *at) {
    if (at->query->care.last_ms > 0)
        metrics_text_real(at->text, LABELS({"query", at->query->name}),
                          (double)at->query->care.last_duration_ms / MILLISECONDS);
}

static void print_forecast(const struct metric_print *at) {
    const struct forecast *forecast = &at->query->forecast;
    if (!at->query->has_forecast)
        return;
    metrics_text_int(at->text, LABELS({"query", at->query->name}, {"files", "written"}),
                     (int64_t)forecast->files);
    metrics_text_int(at->text, LABELS({"query", at->query->name}, {"files", "kept"}),
                     (int64_t)forecast->kept_files);
    metrics_text_int(at->text, LABELS({"query", at->query->name}, {"files", "rejects"}),
                     (int64_t)forecast->reject_files);
}

/* Kafka */

static void print_source(const struct metric_print *at) {
    for (size_t i = 0; i < at->look->source_count; i++) {
        char worker[NUMBER_MAX];
        snprintf(worker, sizeof worker, "%zu", i);
        if (at->look->is_told[i])
            metrics_text_int(at->text, LABELS({"worker", worker}),
                             number_at(&at->look->sources[i], at->offset));
    }
}

static void print_errors(const struct metric_print *at) {
    for (size_t i = 0; i < at->look->source_count; i++) {
        char worker[NUMBER_MAX];
        snprintf(worker, sizeof worker, "%zu", i);
        if (!at->look->is_told[i])
            continue;
        metrics_text_int(at->text, LABELS({"worker", worker}, {"direction", "receive"}),
                         at->look->sources[i].receive_errors);
        metrics_text_int(at->text, LABELS({"worker", worker}, {"direction", "send"}),
                         at->look->sources[i].send_errors);
    }
}

static void print_round_trips(const struct metric_print *at) {
    for (size_t i = 0; i < at->look->source_count; i++) {
        char worker[NUMBER_MAX], broker[NUMBER_MAX];
        snprintf(worker, sizeof worker, "%zu", i);
        for (size_t j = 0; at->look->is_told[i] && j < at->look->sources[i].round_trip_count; j++) {
            const struct kafka_round_trip *trip = &at->look->sources[i].round_trips[j];
            snprintf(broker, sizeof broker, "%" PRId32, trip->broker);
            metrics_text_real(at->text, LABELS({"worker", worker}, {"broker", broker}),
                              (double)number_at(trip, at->offset) / MICROSECONDS);
        }
    }
}

/* The process, under the names that all programs have for it */

static void print_process(const struct metric_print *at) {
    metrics_text_int(at->text, NULL, number_at(&at->look->process, at->offset));
}

static void print_cpu(const struct metric_print *at) {
    metrics_text_real(at->text, NULL, at->look->process.cpu_seconds);
}

static void print_start(const struct metric_print *at) {
    metrics_text_real(at->text, NULL, (double)at->look->program->started_ms / MILLISECONDS);
}

static const char program[] = "The program", query[] = "Queries", records[] = "Records",
                  batches[] = "Batches", files[] = "Files", care[] = "Care of the table",
                  topic[] = "The topic", kafka[] = "Kafka", process[] = "The process";

#define EACH(function) .print_query = (function)
#define TOTAL(field) EACH(print_total), .offset = NUMBER(struct query_totals, field)
#define SNAPSHOT(field) EACH(print_snapshot), .offset = NUMBER(struct query_snapshot, field)
#define CARE(field) EACH(print_care), .offset = NUMBER(struct care_view, field)
#define CARE_SECONDS(field) EACH(print_care_seconds), .offset = NUMBER(struct care_view, field)
#define TABLE_FILES(field) EACH(print_table_files), .offset = NUMBER(struct file_counts, field)
#define SOURCE(field) print_source, NUMBER(struct kafka_statistics, field)
#define PROCESS(field) print_process, NUMBER(struct process_usage, field)

/* clang-format off: one family per paragraph reads better than the formatter's layout */
const struct metric_family metric_families[] = {
    {program, "esports_stream_build_info", METRIC_GAUGE, "version, engine",
     "Always 1; the labels have the version and the engine.", print_build},
    {program, "esports_stream_workers", METRIC_GAUGE, "",
     "Threads that read, decode and write (SPARK_MASTER_URL).", print_workers},
    {program, "esports_stream_memory_budget_bytes", METRIC_GAUGE, "",
     "SPARK_DRIVER_MEMORY: the limit that process_resident_memory_bytes stays within.",
     print_memory_limit, NUMBER(struct streaming_memory, budget)},
    {program, "esports_stream_memory_bytes", METRIC_GAUGE, "part",
     "Memory by use: decoded rows, Parquet pages being written (encoded), and what the page and "
     "the API show (history).",
     print_memory},
    {program, "esports_stream_fetch_queue_limit_bytes", METRIC_GAUGE, "",
     "Maximum number of bytes in librdkafka's fetch queues, summed over all workers.",
     print_memory_limit, NUMBER(struct streaming_memory, prefetch_max)},
    {program, "esports_stream_disk_free_bytes", METRIC_GAUGE, "place",
     "Free space for this user, by file system. `place` is the first of data_lake, processed and "
     "checkpoint that is on it.",
     print_disks, NUMBER(struct disk_look, free)},
    {program, "esports_stream_disk_size_bytes", METRIC_GAUGE, "place", "Size of that file system.",
     print_disks, NUMBER(struct disk_look, size)},
    {program, "esports_stream_webhook_notifications_total", METRIC_COUNTER, "outcome",
     "Notifications to ALERT_WEBHOOK_URL: delivered, or dropped for good.", print_notifications},
    {program, "esports_stream_webhook_failed_attempts_total", METRIC_COUNTER, "",
     "Failed attempts to deliver a notification.", print_failed_attempts},
    {program, "esports_stream_log_dropped_lines_total", METRIC_COUNTER, "",
     "Log lines dropped because they could not be written: the reader of the output hangs, or its "
     "disk is full.",
     print_log_dropped},

    {query, "esports_stream_query_info", METRIC_GAUGE, "query, topic, table, checkpoint",
     "Always 1; the labels name what the query reads and writes.", EACH(print_info)},
    {query, "esports_stream_query_up", METRIC_GAUGE, "query",
     "1 while the query runs, also while it waits or retries; 0 once it has ended.",
     EACH(print_up)},
    {query, "esports_stream_query_state", METRIC_GAUGE, "query, state",
     "1 for the current state of the query: starting, running, waiting, retrying, failed, "
     "stopped.",
     EACH(print_state)},
    {query, "esports_stream_health", METRIC_GAUGE, "query, state",
     "1 for the health of the query: unknown, starting, healthy, waiting, retrying, degraded, "
     "stuck, failed, stopped. The page, /readyz and `status` say the same.",
     EACH(print_health)},
    {query, "esports_stream_health_cause", METRIC_GAUGE, "query, cause",
     "1 for each thing that is wrong with the query: failed, no_sign_of_life, "
     "retrying_without_success, no_batch, retrying, lag_unknown, falling_behind, records_lost, "
     "files_missing, files_changed, rejecting, care_failing.",
     EACH(print_causes)},
    {query, "esports_stream_missing_files", METRIC_GAUGE, "query",
     "Files of the table that were missing at the start; no sample until all files have been "
     "checked.",
     EACH(print_missing)},
    {query, "esports_stream_changed_files", METRIC_GAUGE, "query",
     "Files of the table that another program had changed by the start: of another size than the "
     "sink log says, or not in it, but with records of the query; no sample until all files have "
     "been checked.",
     EACH(print_changed)},
    {query, "esports_stream_trigger_interval_seconds", METRIC_GAUGE, "query",
     "TRIGGER as an interval; 0 for `0 seconds` and availableNow.", EACH(print_trigger)},
    {query, "esports_stream_held_offsets", METRIC_GAUGE, "query",
     "Offsets that the next batch still waits for because of MIN_OFFSETS_PER_TRIGGER; 0 if it does "
     "not wait.",
     SNAPSHOT(held_offsets)},
    {query, "esports_stream_retries_total", METRIC_COUNTER, "query",
     "Failures that were retried: Kafka, the topic, the disk.", SNAPSHOT(retries)},

    {topic, "esports_stream_topic_end_offset", METRIC_GAUGE, "query, partition",
     "End offset of the partition (with read_committed: its last stable offset). No sample while "
     "it is unknown.",
     EACH(print_topic_end)},
    {topic, "esports_stream_committed_offset", METRIC_GAUGE, "query, partition",
     "The offset after the newest committed batch.", EACH(print_position)},
    {topic, "esports_stream_lag_records", METRIC_GAUGE, "query, partition",
     "Difference of the two: offsets that are not committed yet. No sample while it is unknown, "
     "because Kafka has not reported the end offsets for LAG_INTERVAL plus 5 seconds.",
     EACH(print_lag)},
    {topic, "esports_stream_lag_age_seconds", METRIC_GAUGE, "query",
     "Time since Kafka last reported the end offsets; before the first answer, time since the "
     "start.",
     EACH(print_lag_age)},
    {topic, "esports_stream_newest_record_age_seconds", METRIC_GAUGE, "query",
     "Freshness: age of the newest committed record, by its Kafka timestamp. No sample before the "
     "first row since the start, and on a cluster.",
     EACH(print_record_age)},

    {records, "esports_stream_records_read_total", METRIC_COUNTER, "query",
     "Records read, including those of the running batch and of failed attempts.",
     SNAPSHOT(records_read)},
    {records, "esports_stream_input_bytes_total", METRIC_COUNTER, "query",
     "Bytes of record values in committed batches.", TOTAL(input_bytes)},
    {records, "esports_stream_rows_total", METRIC_COUNTER, "query", "Rows committed to the table.",
     TOTAL(rows)},
    {records, "esports_stream_rejects_total", METRIC_COUNTER, "query, reason",
     "Records that could not become rows, committed to the rejects.", EACH(print_rejects)},
    {records, "esports_stream_accepted_records_total", METRIC_COUNTER, "query",
     "Records that are not rejects, committed. Without LATERAL VIEW and WHERE each is one row.",
     TOTAL(accepted)},
    {records, "esports_stream_empty_records_total", METRIC_COUNTER, "query",
     "Accepted records without a row, because LATERAL VIEW has found no element.", TOTAL(empty)},
    {records, "esports_stream_filtered_records_total", METRIC_COUNTER, "query",
     "Accepted records without a row, because WHERE has left out all of their rows.",
     TOTAL(filtered)},
    {records, "esports_stream_filtered_rows_total", METRIC_COUNTER, "query",
     "Rows that WHERE has left out.", TOTAL(filtered_rows)},
    {records, "esports_stream_absent_offsets_total", METRIC_COUNTER, "query",
     "Offsets of committed batches that hold no record: compacted or aborted records, "
     "transaction markers.",
     TOTAL(absent)},
    {records, "esports_stream_lost_offsets_total", METRIC_COUNTER, "query",
     "Offsets that Kafka deleted before they were read (FAIL_ON_DATA_LOSS=false).", TOTAL(lost)},
    {records, "esports_stream_field_faults_total", METRIC_COUNTER, "query, column",
     "Values that became null in rows, because of a wrong type or a value out of range.",
     EACH(print_faults)},
    {records, "esports_stream_unknown_keys_total", METRIC_COUNTER, "query",
     "Keys without a column, in rows and in rejected objects.", TOTAL(unknown_keys)},
    {records, "esports_stream_records_with_trailing_bytes_total", METRIC_COUNTER, "query",
     "Rows whose records have bytes after the JSON value; these bytes are ignored.",
     TOTAL(trailing_bytes)},

    {batches, "esports_stream_batches_total", METRIC_COUNTER, "query",
     "Batches committed since the program started.", TOTAL(batches)},
    {batches, "esports_stream_batch_id", METRIC_GAUGE, "query",
     "Number of the newest committed batch; -1 before the first since the start.",
     SNAPSHOT(batch_id)},
    {batches, "esports_stream_last_commit_timestamp_seconds", METRIC_GAUGE, "query",
     "When the newest batch was committed; before the first, when the program started.",
     EACH(print_committed)},
    {batches, "esports_stream_batch_duration_seconds", METRIC_HISTOGRAM, "query",
     "Duration of a batch, from listing the topic's offsets to the end of its commit.",
     EACH(print_durations)},
    {batches, "esports_stream_batch_operation_duration_seconds", METRIC_HISTOGRAM,
     "query, operation",
     "The parts of a batch: plan, fetch, decode, derive, encode, write, commit. Parallel work of "
     "the workers is scaled to elapsed time, so the parts add up to the whole.",
     EACH(print_operations)},
    {batches, "esports_stream_end_to_end_delay_seconds", METRIC_HISTOGRAM, "query",
     "Per batch: from the Kafka timestamp of its oldest row to its commit. All other rows of the "
     "batch waited less.",
     EACH(print_delays)},

    {files, "esports_stream_files_total", METRIC_COUNTER, "query", "Files committed to the table.",
     TOTAL(files)},
    {files, "esports_stream_small_files_total", METRIC_COUNTER, "query",
     "Files smaller than 1 MiB committed to the table.", TOTAL(small_files)},
    {files, "esports_stream_written_bytes_total", METRIC_COUNTER, "query",
     "Bytes of the files committed to the table.", TOTAL(bytes)},
    {files, "esports_stream_file_size_bytes", METRIC_HISTOGRAM, "query",
     "Sizes of the files committed to the table.", EACH(print_file_sizes)},

    {care, "esports_stream_table_files", METRIC_GAUGE, "query, of",
     "Files of the table (of=\"table\") and of its rejects (of=\"rejects\"), as counted last: "
     "every "
     "few minutes. No sample until they are counted, and on a cluster.",
     TABLE_FILES(all.files)},
    {care, "esports_stream_table_bytes", METRIC_GAUGE, "query, of", "Bytes of these files.",
     TABLE_FILES(all.bytes)},
    {care, "esports_stream_table_small_files", METRIC_GAUGE, "query, of",
     "Those of them that a compaction takes: smaller than three quarters of "
     "COMPACT_TARGET_FILE_SIZE.",
     TABLE_FILES(all.small)},
    {care, "esports_stream_table_files_after_compaction", METRIC_GAUGE, "query, of",
     "Files that would be left if every directory was compacted now.", TABLE_FILES(merged_files)},
    {care, "esports_stream_forecast_files_per_day", METRIC_GAUGE, "query, files",
     "Files a day at the rate of the newest 100 batches: written to the table, kept in the table "
     "after compaction, and written to the rejects. No sample in the first seconds.",
     EACH(print_forecast)},
    {care, "esports_stream_compactions_total", METRIC_COUNTER, "query",
     "Compactions that were published.", CARE(compactions)},
    {care, "esports_stream_compacted_files_total", METRIC_COUNTER, "query",
     "Files that compactions replaced.", CARE(gain.files_before)},
    {care, "esports_stream_compacted_into_files_total", METRIC_COUNTER, "query",
     "Files that took their place.", CARE(gain.files_after)},
    {care, "esports_stream_compacted_bytes_total", METRIC_COUNTER, "query",
     "Bytes of the replaced files.", CARE(gain.bytes_before)},
    {care, "esports_stream_compacted_into_bytes_total", METRIC_COUNTER, "query",
     "Bytes of the files that took their place.", CARE(gain.bytes_after)},
    {care, "esports_stream_compacted_rows_total", METRIC_COUNTER, "query",
     "Rows that were written again.", CARE(gain.rows)},
    {care, "esports_stream_last_compaction_timestamp_seconds", METRIC_GAUGE, "query",
     "When the newest compaction was published. No sample before the first since the start.",
     CARE_SECONDS(last_ms)},
    {care, "esports_stream_last_compaction_duration_seconds", METRIC_GAUGE, "query",
     "How long it took to prepare it.", EACH(print_care_duration)},
    {care, "esports_stream_next_care_timestamp_seconds", METRIC_GAUGE, "query",
     "When the query looks for files to compact and dates to expire next. No sample if the "
     "settings "
     "ask for neither.",
     CARE_SECONDS(next_look_ms)},
    {care, "esports_stream_compaction_waiting_files", METRIC_GAUGE, "query",
     "Small files that COMPACT does not take yet. The page says why. No sample without COMPACT.",
     EACH(print_waiting), .offset = NUMBER(struct care_view, waiting_files)},
    {care, "esports_stream_unmergeable_files", METRIC_GAUGE, "query",
     "Damaged files, and directories that cannot be exchanged, that compactions leave alone; the "
     "log names them.",
     CARE(left_alone)},
    {care, "esports_stream_expiries_total", METRIC_COUNTER, "query",
     "Expiries that were published.", CARE(expiries)},
    {care, "esports_stream_expired_files_total", METRIC_COUNTER, "query",
     "Files that left the table because their dates expired.", CARE(expired_files)},
    {care, "esports_stream_expired_rows_total", METRIC_COUNTER, "query", "Rows of these files.",
     CARE(expired_rows)},
    {care, "esports_stream_care_errors_total", METRIC_COUNTER, "query",
     "Errors of compactions and expiries. Batches are written as usual.", CARE(errors)},

    {kafka, "esports_stream_kafka_received_bytes_total", METRIC_COUNTER, "worker",
     "Bytes received from brokers.", SOURCE(received_bytes)},
    {kafka, "esports_stream_kafka_requests_total", METRIC_COUNTER, "worker",
     "Requests sent to brokers.", SOURCE(requests)},
    {kafka, "esports_stream_kafka_request_timeouts_total", METRIC_COUNTER, "worker",
     "Requests that timed out.", SOURCE(request_timeouts)},
    {kafka, "esports_stream_kafka_errors_total", METRIC_COUNTER, "worker, direction",
     "Errors while receiving from brokers and sending to them.", print_errors},
    {kafka, "esports_stream_kafka_disconnects_total", METRIC_COUNTER, "worker",
     "Connections that ended, including those closed because they were idle.", SOURCE(disconnects)},
    {kafka, "esports_stream_kafka_brokers_up", METRIC_GAUGE, "worker",
     "Brokers that the worker is connected to.", SOURCE(brokers_up)},
    {kafka, "esports_stream_kafka_fetch_queue_bytes", METRIC_GAUGE, "worker",
     "Bytes fetched and not yet read.", SOURCE(queue_bytes)},
    {kafka, "esports_stream_kafka_fetch_queue_records", METRIC_GAUGE, "worker",
     "Records fetched and not yet read.", SOURCE(queue_records)},
    {kafka, "esports_stream_kafka_round_trip_seconds", METRIC_GAUGE, "worker, broker",
     "Mean time from a request to its answer over the last ten seconds, including fetches that "
     "the broker delays.",
     print_round_trips, NUMBER(struct kafka_round_trip, average_us)},
    {kafka, "esports_stream_kafka_round_trip_p99_seconds", METRIC_GAUGE, "worker, broker",
     "99th percentile of the same.", print_round_trips, NUMBER(struct kafka_round_trip, p99_us)},

    {process, "process_cpu_seconds_total", METRIC_COUNTER, "",
     "User and system CPU time of all threads.", print_cpu},
    {process, "process_resident_memory_bytes", METRIC_GAUGE, "", "Resident memory.",
     PROCESS(resident)},
    {process, "process_open_fds", METRIC_GAUGE, "", "Open file descriptors.", PROCESS(open_files)},
    {process, "process_max_fds", METRIC_GAUGE, "", "Maximum number of open file descriptors.",
     PROCESS(open_files_max)},
    {process, "process_threads", METRIC_GAUGE, "", "Threads, including librdkafka's.",
     PROCESS(threads)},
    {process, "process_start_time_seconds", METRIC_GAUGE, "", "When the program started.",
     print_start},
};
/* clang-format on */

const size_t metric_family_count = sizeof metric_families / sizeof metric_families[0];

void metrics_print(FILE *out, const struct program_view *view) {
    struct metrics_text text = {.out = out};
    struct metrics_look *look = metrics_look(view);
    for (size_t i = 0; i < metric_family_count; i++) {
        const struct metric_family *family = &metric_families[i];
        struct metric_print at = {.text = &text, .look = look, .offset = family->offset};
        metrics_text_begin(&text, family->name, family->type, family->help);
        if (family->print != NULL)
            family->print(&at);
        for (size_t j = 0; family->print_query != NULL && j < look->query_count; j++) {
            at.query = &look->queries[j];
            family->print_query(&at);
        }
    }
    metrics_look_free(look);
}
