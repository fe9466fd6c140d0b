/* query_report.c: a batch told to the history, the status and the log.
 *
 * The stages of a batch add up to its duration. What the driver did itself is measured. What is
 * left of the trigger was the workers', who work side by side: it is divided in proportion to what
 * each stage took on all of them together. Fetching gets the rest, rounding included, so the sum is
 * exact. Attempts that failed count where they were lost: with the broker or with the disk. */
#include "streaming/report/query_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/report/reject_lines.h"

void query_report_init(struct query_report *report, const char *name, const char *job,
                       const struct schema *schema) {
    *report = (struct query_report){.name = name, .job = job, .schema = schema};
    query_status_init(&report->status, name);
    query_history_init(&report->history);
    care_status_init(&report->care);
}

void query_report_deinit(struct query_report *report) {
    query_history_deinit(&report->history);
    care_status_deinit(&report->care);
    query_status_deinit(&report->status);
    *report = (struct query_report){0};
}

struct range_outcome query_report_sum(const struct manifest *manifest) {
    struct range_outcome sum = manifest_sum(manifest);
    for (size_t i = 0; i < manifest->begun.count; i++)
        sum.lost += incarnation_begin_lost(&manifest->begun.begins[i]);
    return sum;
}

static int64_t topic_end(const struct topic_offsets *topic, const struct offset_range *range) {
    const struct partition_offsets *listed = topic_offsets_find(topic, range->partition);
    return listed != NULL ? lag_shown_end(listed, range->end) : range->end; // the partition is gone
}

/* Every partition of the plan with its outcome. The caller frees it. */
static struct report_range *make_ranges(const struct topic_offsets *topic, const struct plan *plan,
                                        const struct manifest *manifest) {
    struct report_range *ranges = must_alloc(plan->count + 1, sizeof *ranges);
    for (size_t i = 0; i < plan->count; i++) {
        const struct offset_range *range = &plan->ranges[i];
        ranges[i] = (struct report_range){.partition = range->partition,
                                          .start = range->start,
                                          .end = range->end,
                                          .topic_end = topic_end(topic, range)};
        // Both are ascending, but the manifest leaves empty ranges out.
        for (size_t j = 0; j < manifest->outcome_count && j <= i; j++) {
            const struct range_outcome *outcome = &manifest->outcomes[j];
            if (outcome->range.partition != range->partition)
                continue;
            range_outcome_add(&ranges[i].counts, outcome);
        }
    }
    return ranges;
}

static size_t make_faults(const struct schema *schema, const struct tally *tally,
                          struct report_faults faults[static SCHEMA_FIELDS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < schema_field_count(schema); i++)
        if (tally->counts.field_faults[i] > 0)
            faults[count++] = (struct report_faults){i, tally->counts.field_faults[i]};
    return count;
}

/* Divides the trigger's time among the stages; the sum is report->total_us. */
static void divide_time(const struct trigger_clock *clock, const struct tally *tally,
                        struct batch_report *report) {
    report->total_us = clock_monotonic_us() - clock->began_us;
    report->stage_us[STAGE_PLAN] = clock->listing_us + clock->planning_us + clock->logging_us;
    report->stage_us[STAGE_COMMIT] = clock->publish_us + clock->forward_us;
    report->stage_us[STAGE_WRITE] = clock->disk_lost_us;
    int64_t run_us = report->total_us - clock->broker_lost_us;
    for (int i = 0; i < STAGE_COUNT; i++)
        run_us -= report->stage_us[i];

    int64_t work_ns = 0;
    for (int i = STAGE_DECODE; i <= STAGE_WRITE; i++)
        work_ns += tally->stage_ns[i];
    double scale = (double)run_us / (double)(work_ns + tally->stage_ns[STAGE_FETCH] + 1); // never 0
    int64_t rest_us = run_us;
    for (int i = STAGE_DECODE; i <= STAGE_WRITE; i++) {
        int64_t part_us = (int64_t)((double)tally->stage_ns[i] * scale);
        report->stage_us[i] += part_us;
        rest_us -= part_us;
    }
    report->stage_us[STAGE_FETCH] = rest_us + clock->broker_lost_us;
}

static void fill_counts(const struct manifest *manifest, const struct tally *tally,
                        struct batch_report *report) {
    struct range_outcome sum = query_report_sum(manifest);
    report->rows = sum.rows;
    report->rejects = sum.rejects;
    report->absent = sum.absent;
    report->lost = sum.lost;
    report->accepted = range_outcome_accepted(&sum);
    report->empty = sum.empty;
    report->filtered = sum.filtered;
    report->filtered_rows = sum.filtered_rows;
    report->files = manifest->files_unknown ? -1 : (int64_t)manifest->files.count;
    report->bytes = manifest->files_unknown ? -1 : 0;
    for (size_t i = 0; i < manifest->files.count; i++)
        report->bytes += manifest->files.files[i].size;
    report->input_bytes = tally->bytes;
    report->unknown_keys = tally->counts.unknown_keys;
    report->trailing_bytes = tally->counts.trailing_bytes;
    report->oldest_ms = tally->oldest_ms;
    report->newest_ms = tally->newest_ms;
    memcpy(report->rejects_by, tally->rejects, sizeof report->rejects_by);
}

void query_report_batch(struct query_report *report, const struct topic_offsets *topic,
                        const struct plan *plan, const struct manifest *manifest,
                        struct tally *tally) {
    struct report_faults faults[SCHEMA_FIELDS_MAX];
    struct report_range *ranges = make_ranges(topic, plan, manifest);
    const struct trigger_clock *clock = &report->clock;
    struct batch_report draft = {.batch_id = plan->batch_id,
                                 .timestamp_ms = plan->timestamp_ms,
                                 .started_ms = clock->began_ms,
                                 .committed_ms = clock_wall_ms(),
                                 .since_trigger_us = clock->before_us,
                                 .latest_offset_us = clock->listing_us,
                                 .query_planning_us = clock->planning_us,
                                 .wal_commit_us = clock->logging_us,
                                 .commit_offsets_us = clock->forward_us,
                                 .range_count = plan->count,
                                 .ranges = ranges,
                                 .faults = faults,
                                 .fault_count = make_faults(report->schema, tally, faults),
                                 .name_count = tally->counts.unknown_names.count,
                                 .names = tally->counts.unknown_names.names};
    lag_book_set_positions(&report->status.lag, plan->ranges, plan->count);
    report->lag_after = topic_lag_read(&report->status.lag, NULL);
    draft.lag_after = report->lag_after.is_known ? report->lag_after.records : -1;
    fill_counts(manifest, tally, &draft);
    divide_time(clock, tally, &draft);
    query_history_add(&report->history, batch_report_create(&draft), &manifest->files, tally);
    free(ranges);
}

enum { FAULTS_TEXT_MAX = 2048 };

/* One line for all columns: "3 values … | columns=status (2), kills (1)". */
static void log_faults(const struct query_report *report, const struct decode_counts *counts) {
    char columns[FAULTS_TEXT_MAX] = "";
    size_t used = 0;
    int64_t values = 0;
    for (size_t i = 0; i < schema_field_count(report->schema); i++) {
        if (counts->field_faults[i] == 0)
            continue;
        values += counts->field_faults[i];
        used =
            text_append(columns, sizeof columns, used, "%s%s (%" PRId64 ")", used > 0 ? ", " : "",
                        schema_field_name(report->schema, i), counts->field_faults[i]);
    }
    if (values > 0)
        log_write(LOG_WARNING, report->name, "%s of the wrong type became null | columns=%s",
                  text_count(values, "value").text, columns);
    if (counts->trailing_bytes > 0)
        log_write(LOG_WARNING, report->name,
                  "Bytes after the JSON value were ignored | records=%" PRId64,
                  counts->trailing_bytes);
}

void query_report_log_rejects(const struct query_report *report, int64_t batch_id, int64_t accepted,
                              const struct tally *tally) {
    reject_lines_write(&(struct reject_lines){.logger = report->name,
                                              .job = report->job,
                                              .schema = report->schema,
                                              .batch_id = batch_id,
                                              .accepted = accepted,
                                              .tally = tally});
}

enum { COUNTS_TEXT_MAX = 160 };

/* " | records=4 | empty=1 | …", of a query in which a record need not be one row. */
static void print_counts(const struct manifest *manifest, const struct range_outcome *sum,
                         char text[static COUNTS_TEXT_MAX]) {
    text[0] = '\0';
    if (manifest->counts_rows)
        (void)snprintf(text, COUNTS_TEXT_MAX,
                       " | records=%" PRId64 " | empty=%" PRId64 " | filtered=%" PRId64
                       " | filtered_rows=%" PRId64,
                       sum->records, sum->empty, sum->filtered, sum->filtered_rows);
}

/* A lag is a number in each line, for readers of JSON, so one that is unknown is left out. */
#define BATCH_FORMAT                                                                               \
    "Batch %" PRId64 " written successfully | batch_id=%" PRId64 " | rows=%" PRId64                \
    " | rejects=%" PRId64 " | absent=%" PRId64 " | lost=%" PRId64                                  \
    "%s | files=%s | unknown_keys=%" PRId64 " | duration_ms=%" PRId64 " | %s=%.0f"

void query_report_log(struct query_report *report, const struct manifest *manifest,
                      const struct tally *tally, int64_t took_us) {
    struct range_outcome sum = query_report_sum(manifest);
    const struct decode_counts *decoded = &tally->counts;
    int64_t records = range_outcome_accepted(&sum) + sum.rejects, id = manifest->batch_id;
    double rate = took_us > 0 ? (double)records * 1e6 / (double)took_us : 0.0;
    const char *rate_name = manifest->counts_rows ? "records_per_second" : "rows_per_second";
    char files[24] = "unknown", counts[COUNTS_TEXT_MAX];
    print_counts(manifest, &sum, counts);
    if (!manifest->files_unknown)
        (void)snprintf(files, sizeof files, "%zu", manifest->files.count);
    query_status_add_batch(&report->status, id, sum.rows, sum.rejects);
    log_faults(report, decoded);
    query_report_log_rejects(report, id, range_outcome_accepted(&sum), tally);
    if (report->lag_after.is_known)
        log_write(LOG_INFO, report->name, BATCH_FORMAT " | lag=%" PRId64, id, id, sum.rows,
                  sum.rejects, sum.absent, sum.lost, counts, files, decoded->unknown_keys,
                  took_us / 1000, rate_name, rate, report->lag_after.records);
    else
        log_write(LOG_INFO, report->name, BATCH_FORMAT, id, id, sum.rows, sum.rejects, sum.absent,
                  sum.lost, counts, files, decoded->unknown_keys, took_us / 1000, rate_name, rate);
}
