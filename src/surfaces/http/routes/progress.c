/* Spark's StreamingQueryProgress of the newest batches, field for field. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/double_text.h"
#include "surfaces/http/http_message.h"
#include "surfaces/http/routes/routes.h"

enum { PROGRESS_MAX = 100 }; // spark.sql.streaming.numRecentProgressUpdates

static int64_t offset_start(const struct report_range *range) {
    return range->start;
}

static int64_t offset_end(const struct report_range *range) {
    return range->end;
}

static int64_t offset_latest(const struct report_range *range) {
    return range->topic_end;
}

/* {"topic":{"0":15,"1":20}} */
static struct json *print_offsets(const struct batch_report *batch, const char *topic,
                                  int64_t (*offset)(const struct report_range *range)) {
    struct json *object = json_new_object(), *partitions = json_new_object();
    for (size_t i = 0; i < batch->range_count; i++) {
        char partition[16];
        snprintf(partition, sizeof partition, "%" PRId32, batch->ranges[i].partition);
        json_put_int(partitions, partition, offset(&batch->ranges[i]));
    }
    json_put(object, topic, partitions);
    return object;
}

/* Spark's are texts. */
static void put_behind(struct json *object, const char *name, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    json_put_shown(object, name, text);
}

static struct json *print_metrics(const struct batch_report *batch) {
    struct json *object = json_new_object();
    int64_t least = INT64_MAX, most = 0, sum = 0;
    for (size_t i = 0; i < batch->range_count; i++) {
        int64_t behind = batch->ranges[i].topic_end - batch->ranges[i].end;
        behind = behind > 0 ? behind : 0;
        sum += behind;
        least = behind < least ? behind : least;
        most = behind > most ? behind : most;
    }
    if (batch->range_count == 0)
        return object;
    char average[DOUBLE_TEXT_MAX];
    size_t size = double_format((double)sum / (double)batch->range_count, average);
    json_put_bytes(object, "avgOffsetsBehindLatest", average, size);
    put_behind(object, "maxOffsetsBehindLatest", most);
    put_behind(object, "minOffsetsBehindLatest", least);
    return object;
}

static void put_rates(struct json *object, const struct batch_report *batch) {
    json_put_int(object, "numInputRows", batch_report_records(batch));
    json_put_real(object, "inputRowsPerSecond", batch_report_input_rate(batch));
    json_put_real(object, "processedRowsPerSecond", batch_report_process_rate(batch));
}

static struct json *print_source(const struct batch_report *batch, const char *topic) {
    char description[300];
    struct json *object = json_new_object();
    snprintf(description, sizeof description, "KafkaV2[Subscribe[%s]]", topic);
    json_put_shown(object, "description", description);
    if (batch->batch_id == 0)
        json_put_null(object, "startOffset");
    else
        json_put(object, "startOffset", print_offsets(batch, topic, offset_start));
    json_put(object, "endOffset", print_offsets(batch, topic, offset_end));
    json_put(object, "latestOffset", print_offsets(batch, topic, offset_latest));
    put_rates(object, batch);
    json_put(object, "metrics", print_metrics(batch));
    return object;
}

static struct json *print_spark_durations(const struct batch_report *batch) {
    struct json *object = json_new_object();
    int64_t others_us = batch->commit_offsets_us + batch->latest_offset_us +
                        batch->query_planning_us + batch->wal_commit_us;
    json_put_int(object, "addBatch", (batch->total_us - others_us) / 1000);
    json_put_int(object, "commitOffsets", batch->commit_offsets_us / 1000);
    json_put_int(object, "getBatch", 0); // a part of addBatch: reading begins there
    json_put_int(object, "latestOffset", batch->latest_offset_us / 1000);
    json_put_int(object, "queryPlanning", batch->query_planning_us / 1000);
    json_put_int(object, "walCommit", batch->wal_commit_us / 1000);
    return object;
}

static struct json *print_sink(const struct batch_report *batch, const char *table) {
    struct json *object = json_new_object();
    char *description = text_format("FileSink[file:%s]", table);
    json_put_shown(object, "description", description);
    free(description);
    json_put_int(object, "numOutputRows", batch->rows);
    return object;
}

static struct json *print_progress(const struct batch_report *batch, const struct query_view *query,
                                   const struct query_snapshot *snapshot) {
    struct json *object = json_new_object(), *sources = json_new_array();
    json_put_shown(object, "id", snapshot->id);
    json_put_shown(object, "runId", snapshot->run_id);
    json_put_shown(object, "name", snapshot->name);
    put_time(object, "timestamp", batch->started_ms);
    json_put_int(object, "batchId", batch->batch_id);
    json_put_int(object, "batchDuration", batch->total_us / 1000);
    put_rates(object, batch);
    json_put(object, "durationMs", print_spark_durations(batch));
    json_put(object, "stateOperators", json_new_array());
    json_append(sources, print_source(batch, query->options->store.topic));
    json_put(object, "sources", sources);
    json_put(object, "sink", print_sink(batch, query->options->store.table));
    return object;
}

void route_progress(const struct http_call *call, struct http_response *response) {
    struct query_snapshot snapshot = query_status_read(http_call_query(call)->status);
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    size_t count = query_history_batches(http_call_query(call)->history, -1, PROGRESS_MAX, batches);
    struct http_list *list = http_list_open("");
    for (size_t i = 0; i < count; i++) {
        http_list_add(list, print_progress(batches[i], http_call_query(call), &snapshot));
        batch_report_release(batches[i]);
    }
    http_list_close(list, "", response);
}
