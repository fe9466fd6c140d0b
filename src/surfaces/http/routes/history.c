/* What a query has done: its batches (BATCH of docs/http.md), rates and durations, rejects, files,
 * and what of the records did not fit its columns. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "core/calendar.h"
#include "core/double_text.h"
#include "streaming/store/range_json.h"
#include "surfaces/http/http_message.h"
#include "surfaces/http/routes/routes.h"

/* ---- what several of them print ---- */

static void put_ms(struct json *object, const char *name, int64_t us, int64_t batches) {
    double ms = batches > 0 ? (double)us / (double)batches / 1000 : 0;
    json_put_real(object, name, double_round(ms, 3));
}

/* {"plan":1.234,…,"total":9.876} in milliseconds, each divided by `batches`. */
static struct json *print_durations(const int64_t stage_us[static STAGE_COUNT], int64_t total_us,
                                    int64_t batches) {
    struct json *object = json_new_object();
    for (int i = 0; i < STAGE_COUNT; i++)
        put_ms(object, stage_name((enum stage)i), stage_us[i], batches);
    put_ms(object, "total", total_us, batches);
    return object;
}

/* {"malformed_json":3}, those that occurred. */
static struct json *print_rejects(const int64_t rejects[static REJECT_REASON_COUNT]) {
    struct json *object = json_new_object();
    for (int i = 0; i < REJECT_REASON_COUNT; i++)
        if (rejects[i] > 0)
            json_put_int(object, reject_reason_name((enum reject_reason)i), rejects[i]);
    return object;
}

/* {"colour":3,"(others)":1}: names, and what is left of `all` without one. */
static struct json *print_unknown(const struct unknown_name *names, size_t count, int64_t all) {
    struct json *object = json_new_object();
    for (size_t i = 0; i < count; i++) {
        if (names[i].count == 0)
            continue;
        json_put_int(object, names[i].text, names[i].count);
        all -= names[i].count;
    }
    if (all > 0)
        json_put_int(object, "(others)", all);
    return object;
}

/* ---- batches ---- */

void put_row_counts(struct json *object, int64_t accepted, int64_t empty, int64_t filtered,
                    int64_t filtered_rows) {
    json_put_int(object, "accepted", accepted);
    json_put_int(object, "empty", empty);
    json_put_int(object, "filtered", filtered);
    json_put_int(object, "filteredRows", filtered_rows);
}

static struct json *print_ranges(const struct batch_report *batch, bool counts_rows) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < batch->range_count; i++) {
        const struct report_range *range = &batch->ranges[i];
        if (range->end == range->start)
            continue;
        struct range_outcome outcome = range->counts;
        outcome.range = (struct offset_range){range->partition, range->start, range->end};
        json_append(array, range_print(&outcome, counts_rows));
    }
    return array;
}

static struct json *print_faults(const struct batch_report *batch, const struct schema *schema) {
    struct json *object = json_new_object();
    for (size_t i = 0; i < batch->fault_count; i++)
        json_put_int(object, schema_field_name(schema, batch->faults[i].field),
                     batch->faults[i].values);
    return object;
}

/* -1: not known. */
static void put_known(struct json *object, const char *name, int64_t number) {
    if (number < 0)
        json_put_null(object, name);
    else
        json_put_int(object, name, number);
}

struct json *print_batch(const struct batch_report *batch, const struct query_view *query) {
    struct json *object = json_new_object();
    bool counts_rows = query_view_counts_rows(query);
    json_put_int(object, "batchId", batch->batch_id);
    put_time(object, "timestamp", batch->timestamp_ms);
    put_time(object, "startedAt", batch->started_ms);
    put_time(object, "committedAt", batch->committed_ms);
    json_put(object, "durationMs", print_durations(batch->stage_us, batch->total_us, 1));
    json_put(object, "ranges", print_ranges(batch, counts_rows));
    json_put_int(object, "rows", batch->rows);
    json_put_int(object, "rejects", batch->rejects);
    json_put_int(object, "absent", batch->absent);
    json_put_int(object, "lost", batch->lost);
    if (counts_rows)
        put_row_counts(object, batch->accepted, batch->empty, batch->filtered,
                       batch->filtered_rows);
    put_known(object, "files", batch->files);
    put_known(object, "bytes", batch->bytes);
    json_put_int(object, "inputBytes", batch->input_bytes);
    json_put_real(object, "inputRowsPerSecond", batch_report_input_rate(batch));
    json_put_real(object, "processedRowsPerSecond", batch_report_process_rate(batch));
    json_put(object, "fieldFaults", print_faults(batch, query->schema));
    json_put(object, "unknownKeys",
             print_unknown(batch->names, batch->name_count, batch->unknown_keys));
    json_put_int(object, "trailingBytes", batch->trailing_bytes);
    json_put(object, "rejectsByReason", print_rejects(batch->rejects_by));
    put_known(object, "lagAfter", batch->lag_after);
    put_time_or_null(object, "oldestRecordAt", batch->oldest_ms, 1);
    put_time_or_null(object, "newestRecordAt", batch->newest_ms, 1);
    return object;
}

enum { BATCHES_MAX = HISTORY_REPORTS_MAX };

void route_batches(const struct http_call *call, struct http_response *response) {
    int64_t after, most;
    if (!http_request_number(call->request, "after", -1, INT64_MAX, -1, &after) ||
        !http_request_number(call->request, "limit", 1, BATCHES_MAX, BATCHES_MAX, &most)) {
        http_response_error(response, HTTP_BAD_REQUEST,
                            "expected after=N, a batch number, and limit from 1 to %d",
                            BATCHES_MAX);
        return;
    }
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    size_t count =
        query_history_batches(http_call_query(call)->history, after, (size_t)most, batches);
    struct http_list *list = http_list_open("{\"batches\":");
    for (size_t i = 0; i < count; i++) {
        http_list_add(list, print_batch(batches[i], http_call_query(call)));
        batch_report_release(batches[i]);
    }
    http_list_close(list, "}", response);
}

/* ---- rates and durations over minutes and hours ---- */

enum { HOUR_MINUTES = 60, DAY_MINUTES = 24 * HOUR_MINUTES };

static double per_second(int64_t records, int64_t us) {
    return us > 0 ? (double)records * 1e6 / (double)us : 0;
}

/* The rates are Spark's, of all batches of the step together. */
static struct json *print_point(const struct history_point *point, bool counts_rows) {
    struct json *object = json_new_object();
    json_put_int(object, "t", point->begin_s);
    // The first batch of a start has no trigger before it, so its rate is not known.
    if (point->batches > 0 && point->since_trigger_us == 0)
        json_put_null(object, "inputRate");
    else
        json_put_real(object, "inputRate",
                      per_second(point->input_records, point->since_trigger_us));
    json_put_real(object, "processRate",
                  per_second(point->accepted + point->rejects, point->total_us));
    json_put_int(object, "rows", point->rows);
    json_put_int(object, "rejects", point->rejects);
    if (counts_rows)
        json_put_int(object, "accepted", point->accepted);
    json_put_int(object, "batches", point->batches);
    put_known(object, "lagAfter", point->batches > 0 ? point->lag_after : -1);
    json_put(object, "durationMs",
             print_durations(point->stage_us, point->total_us, point->batches));
    return object;
}

void route_history(const struct http_call *call, struct http_response *response) {
    int64_t minutes;
    if (!http_request_number(call->request, "minutes", 1, DAY_MINUTES, HOUR_MINUTES, &minutes)) {
        http_response_error(response, HTTP_BAD_REQUEST, "expected minutes from 1 to %d",
                            DAY_MINUTES);
        return;
    }
    enum history_step step = minutes <= HOUR_MINUTES ? HISTORY_10_S : HISTORY_60_S;
    int64_t step_s = history_step_seconds(step), now_s = clock_wall_ms() / 1000;
    // Not from before the program's start: it does not know what was then.
    int64_t known_s = now_s - call->program->started_ms / 1000;
    int64_t wanted = minutes * 60 / step_s;
    int64_t known = known_s / step_s + 2; // the first and the last step are parts of one
    size_t count = (size_t)(known > 0 && known < wanted ? known : wanted);
    struct history_point *points = must_alloc(count, sizeof *points);
    query_history_points(http_call_query(call)->history, step, now_s, count, points);
    char before[64];
    snprintf(before, sizeof before, "{\"stepSeconds\":%d,\"points\":", (int)step_s);
    struct http_list *list = http_list_open(before);
    bool counts_rows = query_view_counts_rows(http_call_query(call));
    for (size_t i = 0; i < count; i++)
        http_list_add(list, print_point(&points[i], counts_rows));
    http_list_close(list, "}", response);
    free(points);
}

/* ---- rejects by reason, and the newest of them with the beginning of their bytes ---- */

static struct json *print_sample(const struct reject_sample *sample, const char *topic) {
    struct json *object = json_new_object();
    json_put_int(object, "batchId", sample->batch_id);
    json_put_shown(object, "topic", topic);
    json_put_int(object, "partition", sample->partition);
    json_put_int(object, "offset", sample->offset);
    if (kafka_timestamp_fits(sample->timestamp_ms))
        put_time(object, "kafkaTimestamp", kafka_timestamp_micros(sample->timestamp_ms) / 1000);
    else
        json_put_null(object, "kafkaTimestamp");
    json_put_shown(object, "reason", reject_reason_name(sample->reject.reason));
    json_put_shown(object, "detail", sample->reject.detail);
    json_put_int(object, "position", (int64_t)sample->reject.position);
    put_time(object, "processedAt", sample->processed_ms);
    if (sample->value_size == SIZE_MAX) { // a null value is not an empty one
        json_put_null(object, "valueSize");
        json_put_null(object, "valueBase64");
        return object;
    }
    char *value = base64_encode(sample->value, sample->kept);
    json_put_int(object, "valueSize", (int64_t)sample->value_size);
    json_put_shown(object, "valueBase64", value);
    free(value);
    return object;
}

void route_rejects(const struct http_call *call, struct http_response *response) {
    struct query_totals totals = query_history_totals(http_call_query(call)->history);
    struct reject_sample *samples[REJECT_SAMPLES_MAX];
    size_t count = query_history_rejects(http_call_query(call)->history, samples);
    struct json *reasons = print_rejects(totals.rejects_by);
    char *printed = json_print(reasons), before[512];
    json_free(reasons);
    snprintf(before, sizeof before, "{\"byReason\":%s,\"samples\":", printed);
    free(printed);
    struct http_list *list = http_list_open(before);
    for (size_t i = 0; i < count; i++) {
        http_list_add(list, print_sample(samples[i], http_call_query(call)->options->store.topic));
        reject_sample_release(samples[i]);
    }
    http_list_close(list, "}", response);
}

/* ---- files by size, and drift of the schema ---- */

struct json *print_file_sizes(const int64_t files[static FILE_SIZES]) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < FILE_SIZES; i++) {
        struct json *object = json_new_object();
        int64_t bound = file_size_bound(i);
        if (bound == INT64_MAX)
            json_put_null(object, "upToBytes");
        else
            json_put_int(object, "upToBytes", bound);
        json_put_int(object, "files", files[i]);
        json_append(array, object);
    }
    return array;
}

void route_files(const struct http_call *call, struct http_response *response) {
    struct query_totals totals = query_history_totals(http_call_query(call)->history);
    struct json *object = json_new_object(), *small = json_new_object();
    json_put_int(object, "count", totals.files);
    json_put_int(object, "bytes", totals.bytes);
    json_put(object, "buckets", print_file_sizes(totals.file_sizes));
    json_put_int(small, "belowBytes", FILE_SMALL);
    json_put_int(small, "files", totals.small_files);
    json_put(object, "small", small);
    put_table_files(object, "table", http_call_query(call), false);
    put_table_files(object, "rejects", http_call_query(call), true);
    http_response_json(response, HTTP_OK, object);
}

/* Where faults of the column are counted. */
static size_t field_of(const struct schema *schema, size_t column) {
    return schema_is_decoded(schema, column) ? schema->sources[column]
                                             : schema_field_of_column(schema, column);
}

void route_schema(const struct http_call *call, struct http_response *response) {
    struct query_totals totals = query_history_totals(http_call_query(call)->history);
    const struct schema *schema = http_call_query(call)->schema;
    struct json *object = json_new_object(), *columns = json_new_array();
    for (size_t i = 0; i < schema->count; i++) {
        struct json *column = json_new_object();
        json_put_shown(column, "name", schema->columns[i].name);
        json_put_shown(column, "type", column_sql_type(&schema->columns[i]).text);
        json_put_int(column, "faults", totals.field_faults[field_of(schema, i)]);
        json_put_bool(column, "derived", schema_is_computed(schema, i));
        json_append(columns, column);
    }
    json_put(object, "columns", columns);
    json_put(
        object, "unknownKeys",
        print_unknown(totals.unknown_names.names, totals.unknown_names.count, totals.unknown_keys));
    http_response_json(response, HTTP_OK, object);
}
