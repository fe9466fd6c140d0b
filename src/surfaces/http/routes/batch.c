/* BATCH: what the API says of a committed batch. */
#include "streaming/store/manifest.h"
#include "surfaces/http/routes/fields.h"
#include "surfaces/http/routes/routes.h"

static struct json *print_ranges(const struct batch_report *batch) {
    struct json *array = json_new_array();
    for (size_t i = 0; i < batch->range_count; i++) {
        const struct report_range *range = &batch->ranges[i];
        if (range->end == range->start)
            continue;
        struct range_outcome outcome = {.range = {range->partition, range->start, range->end},
                                        .rows = range->rows,
                                        .rejects = range->rejects,
                                        .absent = range->absent,
                                        .lost = range->lost};
        json_append(array, manifest_print_range(&outcome));
    }
    return array;
}

static struct json *print_faults(const struct batch_report *batch, const struct schema *schema) {
    struct json *object = json_new_object();
    for (size_t i = 0; i < batch->fault_count; i++)
        json_put_int(object, schema->columns[batch->faults[i].column].name,
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
    json_put_int(object, "batchId", batch->batch_id);
    put_time(object, "timestamp", batch->timestamp_ms);
    put_time(object, "startedAt", batch->started_ms);
    put_time(object, "committedAt", batch->committed_ms);
    json_put(object, "durationMs", print_durations(batch->stage_us, batch->total_us, 1));
    json_put(object, "ranges", print_ranges(batch));
    json_put_int(object, "rows", batch->rows);
    json_put_int(object, "rejects", batch->rejects);
    json_put_int(object, "absent", batch->absent);
    json_put_int(object, "lost", batch->lost);
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
    json_put_int(object, "lagAfter", batch->lag_after);
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
                            "want after=N, the number of a batch, and limit=1 to %d", BATCHES_MAX);
        return;
    }
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    size_t count = query_history_batches(call->query->history, after, (size_t)most, batches);
    struct http_list *list = http_list_open("{\"batches\":");
    for (size_t i = 0; i < count; i++) {
        http_list_add(list, print_batch(batches[i], call->query));
        batch_report_release(batches[i]);
    }
    http_list_close(list, "}", response);
}
