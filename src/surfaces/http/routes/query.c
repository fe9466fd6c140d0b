/* QUERY of docs/http.md: what the API says of a query, and of the program. Status, history and
 * verdict are copies, each of one moment, so that no query waits for a reader. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/system/clock.h"
#include "base/system/process.h"
#include "core/double_text.h"
#include "streaming/report/query_pace.h"
#include "surfaces/health/disk_watch.h"
#include "surfaces/http/http_message.h"
#include "surfaces/http/routes/routes.h"
#include "surfaces/settings/settings.h"

/* The worst first, else by number. */
static int compare_lags(const void *left, const void *right) {
    const struct partition_lag *a = left, *b = right;
    int64_t lag_a = partition_lag_records(a), lag_b = partition_lag_records(b);
    if (lag_a != lag_b)
        return lag_a < lag_b ? 1 : -1;
    return (a->partition > b->partition) - (a->partition < b->partition);
}

static void put_number(struct json *object, const char *name, bool is_known, int64_t number) {
    if (is_known)
        json_put_int(object, name, number);
    else
        json_put_null(object, name);
}

static void put_rate(struct json *object, const char *name, bool is_known, double rate) {
    if (is_known)
        json_put_real(object, name, double_round(rate, 3));
    else
        json_put_null(object, name);
}

static struct json *print_partition(const struct partition_lag *partition, bool is_known) {
    struct json *object = json_new_object();
    json_put_int(object, "partition", partition->partition);
    put_number(object, "topicEnd", is_known, partition->topic_end);
    json_put_int(object, "position", partition->position);
    put_number(object, "lag", is_known, partition_lag_records(partition));
    return object;
}

/* An unknown lag is null, and so is all that follows from it. */
static struct json *print_lag(const struct query_view *query, const struct query_pace *pace) {
    struct partition_lag *partitions;
    struct topic_lag lag = topic_lag_read(&query->status->lag, &partitions);
    struct json *object = json_new_object(), *array = json_new_array();
    if (lag.partition_count > 0 && lag.is_known)
        qsort(partitions, lag.partition_count, sizeof *partitions, compare_lags);
    for (size_t i = 0; i < lag.partition_count; i++)
        json_append(array, print_partition(&partitions[i], lag.is_known));
    free(partitions);
    put_number(object, "records", lag.is_known, lag.records);
    json_put_int(object, "ageSeconds", lag.age_ms / 1000);
    put_time_or_null(object, "unknownSince", lag.is_known ? 0 : lag.since_ms, 1);
    if (lag.is_known || lag.error[0] == '\0')
        json_put_null(object, "unknownBecause");
    else
        json_put_shown(object, "unknownBecause", lag.error);
    put_number(object, "catchUpSeconds", lag.is_known && pace->catch_up_ms >= 0,
               pace->catch_up_ms / 1000);
    json_put(object, "partitions", array);
    return object;
}

static struct json *print_rates(const struct query_pace *pace) {
    struct json *object = json_new_object();
    put_rate(object, "inputRowsPerSecond", pace->is_moving, pace->input_rate);
    put_rate(object, "processedRowsPerSecond", pace->is_moving, pace->process_rate);
    return object;
}

static struct json *print_freshness(const struct query_totals *totals) {
    struct json *object = json_new_object();
    int64_t age_ms = clock_wall_ms() - totals->newest_record_ms;
    put_time_or_null(object, "newestRecordAt", totals->newest_record_ms, 1);
    put_number(object, "ageSeconds", totals->newest_record_ms > 0, age_ms > 0 ? age_ms / 1000 : 0);
    return object;
}

static struct json *print_totals(const struct query_totals *totals, bool counts_rows) {
    struct json *object = json_new_object();
    json_put_int(object, "batches", totals->batches);
    json_put_int(object, "rows", totals->rows);
    json_put_int(object, "rejects", totals->rejects);
    json_put_int(object, "absent", totals->absent);
    json_put_int(object, "lost", totals->lost);
    if (counts_rows)
        put_row_counts(object, totals->accepted, totals->empty, totals->filtered,
                       totals->filtered_rows);
    json_put_int(object, "bytes", totals->bytes);
    json_put_int(object, "files", totals->files);
    json_put_int(object, "inputBytes", totals->input_bytes);
    json_put_int(object, "unknownKeys", totals->unknown_keys);
    json_put_int(object, "trailingBytes", totals->trailing_bytes);
    return object;
}

static void put_last_error(struct json *object, const struct query_snapshot *snapshot) {
    if (snapshot->error[0] == '\0') {
        json_put_null(object, "lastError");
        return;
    }
    struct json *error = json_new_object();
    json_put_shown(error, "text", snapshot->error);
    put_time(error, "at", snapshot->error_ms);
    json_put_bool(error, "retrying", snapshot->state == QUERY_RETRYING);
    json_put(object, "lastError", error);
}

/* Until a batch is committed, that is all that is known of the newest one. */
static void put_resumed(struct json *object, const struct query_snapshot *snapshot) {
    if (snapshot->resumed_batch < 0) {
        json_put_null(object, "resumedAfter");
        return;
    }
    struct json *batch = json_new_object();
    json_put_int(batch, "batchId", snapshot->resumed_batch);
    put_time(batch, "committedAt", snapshot->resumed_ms);
    json_put(object, "resumedAfter", batch);
}

/* The batch itself, the rates and the lag. */
static void put_progress(struct json *object, const struct query_view *query,
                         const struct query_snapshot *snapshot) {
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    bool any = query_history_batches(query->history, -1, 1, batches) > 0;
    struct query_pace pace = query_pace_of(snapshot, any ? batches[0] : NULL,
                                           query_pause_ms(query->options), clock_wall_ms());
    json_put(object, "lag", print_lag(query, &pace));
    json_put(object, "rates", print_rates(&pace));
    if (!any) {
        json_put_null(object, "newestBatch");
        return;
    }
    json_put(object, "newestBatch", print_batch(batches[0], query));
    batch_report_release(batches[0]);
}

/* `since` from a monotonic clock to the wall's. */
static struct json *print_health(const struct health_verdict *verdict) {
    struct json *object = json_new_object();
    json_put_shown(object, "state", health_state_name(verdict->state));
    json_put_shown(object, "severity", health_severity_name(verdict->severity));
    json_put_shown(object, "reason", verdict->reason);
    if (verdict->since_ms > 0)
        put_time(object, "since", clock_wall_ms() - (clock_monotonic_ms() - verdict->since_ms));
    else
        json_put_null(object, "since");
    json_put_shown(object, "action", verdict->action);
    return object;
}

/* What is retried, or null. */
static void put_retry(struct json *object, const struct query_retry *retry) {
    if (retry->since_ms == 0) {
        json_put_null(object, "retry");
        return;
    }
    struct json *member = json_new_object();
    put_time(member, "since", retry->since_ms);
    json_put_int(member, "attempts", retry->attempts);
    // In the past: the attempt runs, which may take as long as its time limits allow.
    put_time_or_null(member, "nextAttemptAt", retry->next_ms, clock_wall_ms());
    put_time_or_null(member, "until", retry->until_ms, 1);
    if (retry->limit != NULL)
        json_put_shown(member, "limit", retry->limit);
    else
        json_put_null(member, "limit");
    json_put(object, "retry", member);
}

/* What the query has recovered from last, or null. */
static void put_recovered(struct json *object, const struct health_verdict *verdict) {
    const struct health_incident *incident = &verdict->incident;
    if (!health_has_recovered(verdict)) {
        json_put_null(object, "recovered");
        return;
    }
    int64_t to_wall_ms = clock_wall_ms() - clock_monotonic_ms();
    struct json *member = json_new_object();
    json_put_shown(member, "from", health_cause_name(incident->cause));
    put_time(member, "since", incident->since_ms + to_wall_ms);
    put_time(member, "at", incident->ended_ms + to_wall_ms);
    json_put_int(member, "lastedMs", incident->ended_ms - incident->since_ms);
    json_put_shown(member, "reason", incident->reason);
    json_put(object, "recovered", member);
}

/* What the next batch waits for, or null. */
static void put_held(struct json *object, const struct query_snapshot *snapshot) {
    if (snapshot->held_offsets == 0) {
        json_put_null(object, "heldBack");
        return;
    }
    struct json *member = json_new_object();
    json_put_int(member, "offsets", snapshot->held_offsets);
    put_time_or_null(member, "until", snapshot->held_until_ms, 1);
    json_put(object, "heldBack", member);
}

static struct json *print_query(const struct program_view *program, size_t index) {
    const struct query_view *query = &program->queries[index];
    struct health_verdict verdict;
    health_watch_judge(program->health, index, &verdict);
    // The status before the totals: what it says was committed is in them, too.
    struct query_snapshot snapshot = query_status_read(query->status);
    struct query_totals totals = query_history_totals(query->history);
    const struct store_options *store = &query->options->store;
    struct json *object = json_new_object();
    json_put_shown(object, "name", query->options->stream->name);
    json_put_shown(object, "id", snapshot.id);
    json_put_shown(object, "runId", snapshot.run_id);
    json_put_shown(object, "state", query_state_name(snapshot.state));
    json_put_bool(object, "isActive", snapshot.is_active);
    json_put_bool(object, "isDataAvailable", snapshot.is_data_available);
    json_put_shown(object, "message", snapshot.message);
    json_put(object, "health", print_health(&verdict));
    const char *own_trigger = query->options->trigger_text;
    json_put_shown(object, "trigger",
                   own_trigger != NULL
                       ? own_trigger
                       : settings_shown(program->config, (size_t)settings_find("TRIGGER")));
    json_put_shown(object, "topic", store->topic);
    json_put_shown(object, "table", store->table);
    json_put_shown(object, "checkpoint", store->checkpoint);
    json_put_bool(object, "sinkLog", snapshot.has_sink_log);
    put_last_error(object, &snapshot);
    put_retry(object, &snapshot.retry);
    put_held(object, &snapshot);
    if (snapshot.missing_files >= 0)
        json_put_int(object, "missingFiles", snapshot.missing_files);
    else
        json_put_null(object, "missingFiles");
    if (snapshot.changed_files >= 0)
        json_put_int(object, "changedFiles", snapshot.changed_files);
    else
        json_put_null(object, "changedFiles");
    json_put(object, "care", print_care(program, query));
    put_recovered(object, &verdict);
    json_put(object, "totals", print_totals(&totals, query_view_counts_rows(query)));
    json_put(object, "freshness", print_freshness(&totals));
    put_resumed(object, &snapshot);
    put_progress(object, query, &snapshot);
    return object;
}

static void put_part(struct json *array, const char *name, int64_t bytes) {
    struct json *object = json_new_object();
    json_put_shown(object, "name", name);
    json_put_int(object, "bytes", bytes);
    json_append(array, object);
}

static struct json *print_memory(const struct program_view *program) {
    struct streaming_memory memory = program->memory(program->streaming);
    int64_t resident = process_resident();
    // The parts are counted at other moments than the pages, so the rest may come out below 0.
    int64_t rest = resident - memory.rows - memory.encoded - memory.history;
    struct json *object = json_new_object(), *parts = json_new_array();
    put_part(parts, "rows", memory.rows);
    put_part(parts, "encoded", memory.encoded);
    put_part(parts, "history", memory.history);
    put_part(parts, "prefetch and program", rest > 0 ? rest : 0);
    json_put_int(object, "budgetBytes", memory.budget);
    json_put_int(object, "residentBytes", resident);
    json_put_int(object, "prefetchMaxBytes", memory.prefetch_max);
    json_put(object, "parts", parts);
    struct health_verdict verdict;
    health_judge_memory(resident, memory.budget, &verdict);
    json_put(object, "health", print_health(&verdict));
    return object;
}

static struct json *print_disks(const struct program_view *program) {
    struct disk_look disks[DISKS_MAX];
    size_t count = disk_watch_read(program->disks, disks);
    struct json *array = json_new_array();
    for (size_t i = 0; i < count; i++) {
        struct json *object = json_new_object();
        json_put_shown(object, "place", disks[i].place);
        json_put_shown(object, "path", disks[i].path);
        json_put_int(object, "sizeBytes", disks[i].size);
        json_put_int(object, "freeBytes", disks[i].free);
        json_append(array, object);
    }
    return array;
}

static struct json *print_program(const struct program_view *program) {
    struct json *object = json_new_object();
    json_put_shown(object, "version", PROGRAM_VERSION);
    json_put_shown(object, "engine", config_engine(program->config));
    json_put_shown(object, "master", config_master_shown(program->config));
    put_time(object, "startedAt", program->started_ms);
    put_time(object, "now", clock_wall_ms());
    json_put_int(object, "pid", getpid());
    json_put_int(object, "workers", program->config->workers);
    return object;
}

void route_queries(const struct http_call *call, struct http_response *response) {
    struct json *object = json_new_object(), *array = json_new_array();
    json_put(object, "program", print_program(call->program));
    json_put(object, "memory", print_memory(call->program));
    json_put(object, "disks", print_disks(call->program));
    for (size_t i = 0; i < call->program->query_count; i++)
        json_append(array, print_query(call->program, i));
    json_put(object, "queries", array);
    http_response_json(response, HTTP_OK, object);
}

void route_query(const struct http_call *call, struct http_response *response) {
    http_response_json(response, HTTP_OK, print_query(call->program, call->query));
}
