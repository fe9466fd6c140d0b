/* What each path answers for made-up queries. tests/stories/test_http.py checks the same for real
 * queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../streaming/lag_fixture.h"
#include "base/check.h"
#include "base/disk/file.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/declare/stream.h"
#include "surfaces/api/http_api.h"
#include "surfaces/health/disk_watch.h"
#include "surfaces/program/command_line.h"
#include "surfaces/settings/config_load.h"

static struct config config;
static struct schema schema;
static struct query_options options;
static struct query_status status;
static struct query_history history;
static struct care_status care;
static struct program_view program;
static struct http_response response;
static struct json *answer; // the newest one, parsed

static struct streaming_memory some_memory(struct streaming *streaming) {
    (void)streaming;
    return (struct streaming_memory){
        .budget = 1 << 30, .rows = 100, .encoded = 20, .history = 3, .prefetch_max = 4};
}

static size_t some_sources(struct streaming *streaming, size_t most, bool *found,
                           struct kafka_statistics *statistics) {
    (void)streaming;
    assert_true(most >= 2);
    found[0] = true;
    statistics[0] = (struct kafka_statistics){
        .received_bytes = 12345, .round_trip_count = 1, .round_trips = {{1, 1500, 20000}}};
    return 2;
}

static struct webhook_counts no_notifications(struct alerts *alerts) {
    (void)alerts;
    return (struct webhook_counts){0};
}

/* One clock for both: the wall's. */
static int64_t now_ms;

static int64_t test_wall_ms(void) {
    return now_ms;
}

static int64_t test_monotonic_us(void) {
    return 1000 * now_ms;
}

static const struct clock_ops test_clock = {test_wall_ms, test_monotonic_us};
static const struct clock_ops *real_clock;

static int set_up(void **state) {
    (void)state;
    real_clock = clock_source;
    clock_source = &test_clock;
    now_ms = 1700000000000;
    char *arguments[] = {"esports-stream", "--kafka-bootstrap-servers",
                         "kafka:9092",     "--trigger",
                         "10 seconds",     NULL};
    setenv("KAFKA_SASL_PASSWORD", "hunter2", 1);
    setenv("KAFKA_SASL_USERNAME", "fred", 1);
    setenv("SPARK_MASTER_URL", "sc://there/;use_ssl=true;token=hunter2", 1);
    setenv("SPARK_CONF_spark_sql_x_password", "hunter2", 1);
    assert_int_equal(command_line_load(&config, 5, arguments, stderr), EXIT_CODE_OK);
    stream_schema(stream_of("matches"), &schema);
    options = (struct query_options){
        .stream = stream_of("matches"),
        .store = {.topic = "t1", .table = "/lake/processed/matches", .checkpoint = "/lake/c\xff"}};
    query_status_init(&status, "match_stream");
    lag_book_set_interval(&status.lag, 10000);
    query_history_init(&history);
    care_status_init(&care);
    program = (struct program_view){.config = &config,
                                    .started_ms = 1,
                                    .query_count = 1,
                                    .queries = {{&options, &schema, &status, &history, &care}},
                                    .memory = some_memory,
                                    .sources = some_sources,
                                    .notifications = no_notifications};
    program.health = health_watch_open(&config, program.queries, 1);
    struct error err;
    assert_true(disk_watch_open(&config, &program.disks, &err));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    json_free(answer);
    answer = NULL;
    http_response_deinit(&response);
    health_watch_close(program.health);
    disk_watch_close(program.disks);
    query_history_deinit(&history);
    care_status_deinit(&care);
    query_status_deinit(&status);
    config_deinit(&config);
    clock_source = real_clock;
    return 0;
}

static bool from_network; // where the request comes from, rather than this machine

static void ask_with(const char *path, const char *host, const char *authorization) {
    struct http_request request = {
        .path = path, .host = host, .authorization = authorization, .from_loopback = !from_network};
    http_response_deinit(&response);
    http_api_answer(&program, &request, &response);
}

static const struct json *parse_answer(void) {
    struct error err = {0};
    json_free(answer);
    answer = json_parse(response.body, response.size, &err);
    if (answer == NULL)
        fail_msg("%s in %s", err.message, response.body);
    return answer;
}

static const struct json *ask(const char *path) {
    ask_with(path, "localhost:4040", NULL);
    assert_int_equal(response.status, HTTP_OK);
    return parse_answer();
}

/* "queries.0.lag" */
static const struct json *at(const struct json *value, const char *path) {
    char copy[256], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path);
    for (const char *step; (step = strsep(&rest, ".")) != NULL;) {
        const struct json *member = json_member(value, step);
        value = member != NULL ? member : json_at(value, strtoul(step, NULL, 10));
        if (value == NULL)
            fail_msg("no '%s' of %s in %s", step, path, response.body);
    }
    return value;
}

static int64_t number_at(const struct json *value, const char *path) {
    int64_t number;
    assert_true(json_int(at(value, path), &number));
    return number;
}

static const char *text_at(const struct json *value, const char *path) {
    const char *text = json_text(at(value, path));
    assert_non_null(text);
    return text;
}

static int64_t rowless; // records of batch 7 that WHERE has left out, each one row

/* Batch 7 of two partitions, the second one without anything; a reject. */
static void commit_batch(void) {
    const struct report_range ranges[] = {
        {.partition = 0,
         .start = 15,
         .end = 45,
         .topic_end = 80,
         .counts = {.records = 27,
                    .exploded = 27 + rowless,
                    .rows = 27,
                    .rejects = 2,
                    .filtered = rowless,
                    .absent = 1,
                    .filtered_rows = rowless}},
        {.partition = 1, .start = 15, .end = 15, .topic_end = 15}};
    const struct report_faults faults[] = {{13, 4}};
    struct batch_report draft = {.batch_id = 7,
                                 .timestamp_ms = 1700000000000,
                                 .started_ms = 1700000000100,
                                 .committed_ms = 1700000001111,
                                 .rows = 27,
                                 .accepted = 27 + rowless,
                                 .filtered = rowless,
                                 .filtered_rows = rowless,
                                 .rejects = 2,
                                 .absent = 1,
                                 .files = 3,
                                 .bytes = 100000,
                                 .input_bytes = 20000,
                                 .unknown_keys = 5,
                                 .lag_after = 35,
                                 .rejects_by = {[REJECT_MALFORMED] = 2},
                                 .since_trigger_us = 2900000,
                                 .total_us = 580000,
                                 .stage_us = {[STAGE_PLAN] = 80000, [STAGE_DECODE] = 500000},
                                 .latest_offset_us = 60000,
                                 .query_planning_us = 1000,
                                 .wal_commit_us = 19000,
                                 .commit_offsets_us = 30000,
                                 .range_count = 2,
                                 .ranges = ranges,
                                 .fault_count = 1,
                                 .faults = faults,
                                 .name_count = 1,
                                 .names =
                                     (const struct unknown_name[]){{.text = "colour", .count = 3}}};
    struct tally tally = {0};
    struct record record = {.partition = 0,
                            .offset = 20,
                            .timestamp_ms = 1700000000001,
                            .value = "\xff{\"<script>",
                            .value_size = 11};
    struct reject reject = {.reason = REJECT_MALFORMED, .position = 3, .detail = "bad"};
    reject_samples_note(&tally.samples, &record, &reject, draft.timestamp_ms);
    record = (struct record){.partition = 0, .offset = 21, .timestamp_ms = -1};
    reject.reason = REJECT_NULL_VALUE;
    reject_samples_note(&tally.samples, &record, &reject, draft.timestamp_ms);
    tally.counts.field_faults[13] = 4;
    struct data_file file = {.size = 100000};
    struct file_list files = {.files = &file, .count = 1};
    query_history_add(&history, batch_report_create(&draft), &files, &tally);
    query_status_add_batch(&status, 7, 27, 2);
}

static void a_query_that_has_not_started_has_no_numbers(void **state) {
    (void)state;
    const struct json *all = ask("/api/v1/queries");
    assert_string_equal(text_at(all, "program.engine"), "spark");
    assert_string_equal(text_at(all, "program.master"), "sc://there/;use_ssl=true;token=********");
    assert_int_equal(number_at(all, "program.workers"), config.workers);
    assert_int_equal(number_at(all, "memory.budgetBytes"), 1 << 30);
    assert_true(number_at(all, "memory.residentBytes") > 1 << 20);
    assert_string_equal(text_at(all, "queries.0.state"), "starting");
    assert_string_equal(text_at(all, "queries.0.message"), "Initializing sources");
    assert_string_equal(text_at(all, "queries.0.trigger"), "10 seconds");
    assert_string_equal(text_at(all, "queries.0.checkpoint"), "/lake/c\xef\xbf\xbd");
    assert_non_null(strstr(response.body, "\"lastError\":null"));
    assert_non_null(strstr(response.body, "\"newestBatch\":null"));
    assert_non_null(strstr(response.body, "\"lag\":{\"records\":null,\"ageSeconds\":0,"));
    assert_string_equal(text_at(all, "queries.0.lag.unknownSince"), "2023-11-14T22:13:20.000Z");
    assert_non_null(strstr(response.body, "\"unknownBecause\":null,\"catchUpSeconds\":null,"
                                          "\"partitions\":[]}"));
}

static void memory_parts_add_up_to_the_resident_memory(void **state) {
    (void)state;
    const struct json *memory = at(ask("/api/v1/queries"), "memory");
    int64_t sum = 0;
    for (size_t i = 0; i < json_count(at(memory, "parts")); i++) {
        int64_t bytes;
        assert_true(json_member_int(json_at(at(memory, "parts"), i), "bytes", &bytes));
        sum += bytes;
    }
    assert_int_equal(sum, number_at(memory, "residentBytes"));
}

static void lag_is_listed_per_partition_with_the_largest_first(void **state) {
    (void)state;
    const struct partition_lag partitions[] = {{0, 10, 10}, {1, 30, 10}, {2, 50, 45}, {3, 5, 9}};
    lag_fixture_set(&status.lag, partitions, 4);
    const struct json *lag = at(ask("/api/v1/queries/match_stream"), "lag");
    assert_int_equal(number_at(lag, "records"), 25);
    const int64_t order[] = {1, 2, 0, 3};
    for (size_t i = 0; i < 4; i++) {
        const struct json *one = json_at(at(lag, "partitions"), i);
        assert_int_equal(number_at(one, "partition"), order[i]);
        assert_int_equal(number_at(one, "topicEnd"), partitions[order[i]].topic_end);
        assert_int_equal(number_at(one, "position"), partitions[order[i]].position);
    }
    assert_int_equal(number_at(lag, "partitions.0.lag"), 20);
    assert_int_equal(number_at(lag, "partitions.3.lag"), 0); // the topic was created again
}

static void a_batch_is_returned_in_full(void **state) {
    (void)state;
    commit_batch();
    ask("/api/v1/queries/match_stream/batches");
    assert_string_equal(
        response.body,
        "{\"batches\":[{\"batchId\":7,\"timestamp\":\"2023-11-14T22:13:20.000Z\","
        "\"startedAt\":\"2023-11-14T22:13:20.100Z\",\"committedAt\":\"2023-11-14T22:13:21.111Z\","
        "\"durationMs\":{\"plan\":80.0,\"fetch\":0.0,\"decode\":500.0,\"derive\":0.0,"
        "\"encode\":0.0,\"write\":0.0,\"commit\":0.0,\"total\":580.0},"
        "\"ranges\":[{\"partition\":0,\"start\":15,\"end\":45,\"rows\":27,\"rejects\":2,"
        "\"absent\":1,\"lost\":0}],\"rows\":27,\"rejects\":2,\"absent\":1,\"lost\":0,\"files\":3,"
        "\"bytes\":100000,\"inputBytes\":20000,\"inputRowsPerSecond\":10.0,"
        "\"processedRowsPerSecond\":50.0,\"fieldFaults\":{\"match_duration\":4},"
        "\"unknownKeys\":{\"colour\":3,\"(others)\":2},\"trailingBytes\":0,"
        "\"rejectsByReason\":{\"malformed_json\":2},\"lagAfter\":35,\"oldestRecordAt\":null,"
        "\"newestRecordAt\":null}]}");
    assert_int_equal(number_at(ask("/api/v1/queries/match_stream"), "newestBatch.batchId"), 7);
    assert_int_equal(number_at(answer, "totals.rows"), 27);
    assert_int_equal(number_at(answer, "totals.unknownKeys"), 5);
}

/* And only then: see the test before. */
static void a_query_with_where_counts_records_and_rows(void **state) {
    (void)state;
    static const struct expr condition;
    struct stream filtering = *stream_of("matches");
    filtering.plan.where = &condition;
    options.stream = &filtering;
    rowless = 29;
    commit_batch();
    rowless = 0;
    ask("/api/v1/queries/match_stream/batches");
    assert_non_null(strstr(response.body,
                           "\"rows\":27,\"rejects\":2,\"absent\":1,\"lost\":0,\"records\":27,"
                           "\"empty\":0,\"filtered\":29,\"exploded\":56,\"filteredRows\":29}]"));
    assert_non_null(strstr(response.body, "\"lost\":0,\"accepted\":56,\"empty\":0,"
                                          "\"filtered\":29,\"filteredRows\":29,\"files\":3"));
    assert_non_null(strstr(response.body, "\"processedRowsPerSecond\":100.0"));
    ask("/api/v1/queries/match_stream");
    assert_int_equal(number_at(answer, "totals.rows"), 27);
    assert_int_equal(number_at(answer, "totals.accepted"), 56);
    assert_int_equal(number_at(answer, "totals.filtered"), 29);
    assert_int_equal(number_at(answer, "totals.filteredRows"), 29);
    ask_with("/metrics", "localhost:4040", NULL);
    assert_non_null(strstr(response.body,
                           "esports_stream_accepted_records_total{query=\"match_stream\"} 56\n"));
    assert_non_null(strstr(response.body,
                           "esports_stream_filtered_records_total{query=\"match_stream\"} 29\n"));
    assert_non_null(
        strstr(response.body, "esports_stream_filtered_rows_total{query=\"match_stream\"} 29\n"));
    assert_non_null(
        strstr(response.body, "esports_stream_empty_records_total{query=\"match_stream\"} 0\n"));
}

static void assert_sample(const char *sample) {
    char line[512];
    snprintf(line, sizeof line, "\n%s\n", sample);
    if (strstr(response.body, line) == NULL)
        fail_msg("no sample '%s' in %s", sample, response.body);
}

static void metrics_agree_with_the_api(void **state) {
    (void)state;
    const struct partition_lag partitions[] = {{0, 80, 45}, {1, 15, 20}};
    lag_fixture_set(&status.lag, partitions, 2);
    commit_batch();
    query_status_fault(&status, QUERY_RETRYING, true, "Waiting", "no space");
    ask_with("/metrics", "localhost:4040", NULL);
    assert_int_equal(response.status, HTTP_OK);
    assert_string_equal(response.type, "text/plain; version=0.0.4; charset=utf-8");
    assert_int_equal(response.size, strlen(response.body));
    assert_sample("esports_stream_rows_total{query=\"match_stream\"} 27");
    assert_sample(
        "esports_stream_rejects_total{query=\"match_stream\",reason=\"malformed_json\"} 2");
    assert_sample("esports_stream_rejects_total{query=\"match_stream\",reason=\"null_value\"} 0");
    assert_sample("esports_stream_field_faults_total{query=\"match_stream\",column=\"match_"
                  "duration\"} 4");
    assert_sample("esports_stream_lag_records{query=\"match_stream\",partition=\"0\"} 35");
    assert_sample("esports_stream_lag_records{query=\"match_stream\",partition=\"1\"} 0");
    assert_sample("esports_stream_committed_offset{query=\"match_stream\",partition=\"1\"} 20");
    assert_sample("esports_stream_query_state{query=\"match_stream\",state=\"retrying\"} 1");
    assert_sample("esports_stream_query_state{query=\"match_stream\",state=\"running\"} 0");
    assert_sample("esports_stream_query_up{query=\"match_stream\"} 1");
    assert_sample("esports_stream_retries_total{query=\"match_stream\"} 1");
    assert_sample("esports_stream_batch_duration_seconds_sum{query=\"match_stream\"} 0.58");
    assert_sample("esports_stream_batch_operation_duration_seconds_bucket{query=\"match_stream\","
                  "operation=\"decode\",le=\"0.25\"} 0");
    assert_sample("esports_stream_batch_operation_duration_seconds_bucket{query=\"match_stream\","
                  "operation=\"decode\",le=\"0.5\"} 1");
    assert_sample("esports_stream_file_size_bytes_bucket{query=\"match_stream\",le=\"262144\"} 1");
    assert_sample("esports_stream_last_commit_timestamp_seconds{query=\"match_stream\"} "
                  "1700000001.111");
    assert_sample("esports_stream_end_to_end_delay_seconds_count{query=\"match_stream\"} 0");
    assert_sample("esports_stream_memory_budget_bytes 1073741824");
    assert_sample("esports_stream_memory_bytes{part=\"encoded\"} 20");
    assert_sample("esports_stream_kafka_received_bytes_total{worker=\"0\"} 12345");
    assert_sample("esports_stream_kafka_round_trip_seconds{worker=\"0\",broker=\"1\"} 0.0015");
    assert_sample("esports_stream_query_info{query=\"match_stream\",topic=\"t1\",table=\"/lake/"
                  "processed/matches\",checkpoint=\"/lake/c\xef\xbf\xbd\"} 1");
    assert_null(strstr(response.body, "worker=\"1\"")); // it has not reported anything yet
}

static void without_a_commit_the_commit_time_is_that_of_the_start(void **state) {
    (void)state;
    ask_with("/metrics", "localhost:4040", NULL);
    assert_sample("esports_stream_last_commit_timestamp_seconds{query=\"match_stream\"} 0.001");
    assert_sample("esports_stream_batch_id{query=\"match_stream\"} -1");
    assert_null(strstr(response.body, "esports_stream_lag_records{")); // it is not known yet
}

/* ---- what is not known ---- */

static const struct partition_lag some_lag[] = {{0, 80, 45}, {1, 15, 20}};

/* The query makes progress: 35 records wait after a batch that took 50 per second. */
static void commit_and_wait(void) {
    lag_fixture_set(&status.lag, some_lag, 2);
    now_ms = 1700000001111;
    commit_batch();
    query_status_say(&status, QUERY_WAITING, true, "Waiting for next trigger");
}

static void assert_unknown(const char *since) {
    const struct json *query = ask("/api/v1/queries/match_stream");
    assert_string_equal(text_at(query, "lag.unknownSince"), since);
    assert_non_null(strstr(response.body, "\"lag\":{\"records\":null,"));
    assert_non_null(strstr(response.body, "\"catchUpSeconds\":null"));
    assert_non_null(strstr(response.body, "{\"partition\":0,\"topicEnd\":null,\"position\":45,"
                                          "\"lag\":null}"));
    assert_non_null(strstr(response.body, "\"rates\":{\"inputRowsPerSecond\":null,"
                                          "\"processedRowsPerSecond\":null}"));
}

static void a_query_that_makes_progress_has_rates_and_a_time_to_catch_up(void **state) {
    (void)state;
    commit_and_wait();
    const struct json *query = ask("/api/v1/queries/match_stream");
    assert_int_equal(number_at(query, "lag.records"), 35);
    assert_int_equal(number_at(query, "lag.catchUpSeconds"), 0); // 0.7 s
    assert_non_null(strstr(response.body, "\"unknownSince\":null,\"unknownBecause\":null,"));
    assert_non_null(strstr(response.body, "\"rates\":{\"inputRowsPerSecond\":10.0,"
                                          "\"processedRowsPerSecond\":50.0}"));
}

/* Kafka is gone. With a trigger of 15 minutes, no batch has noticed. */
static void
without_answers_from_kafka_the_lag_and_everything_based_on_it_are_unknown(void **state) {
    (void)state;
    options.trigger.interval_ms = 900000;
    commit_and_wait();
    now_ms += 13000; // 14.111 s since the listing; LAG_INTERVAL and 5 s are 15
    assert_int_equal(number_at(ask("/api/v1/queries/match_stream"), "lag.records"), 35);
    lag_book_note_error(&status.lag, "no answer from Kafka");
    now_ms += 1000;
    assert_unknown("2023-11-14T22:13:20.000Z");
    assert_string_equal(text_at(answer, "lag.unknownBecause"), "no answer from Kafka");
    assert_int_equal(number_at(answer, "lag.ageSeconds"), 15);
    ask_with("/metrics", "localhost:4040", NULL);
    assert_null(strstr(response.body, "esports_stream_lag_records{"));
    assert_null(strstr(response.body, "esports_stream_topic_end_offset{"));
    assert_sample("esports_stream_committed_offset{query=\"match_stream\",partition=\"0\"} 45");
    assert_sample("esports_stream_lag_age_seconds{query=\"match_stream\"} 15.111");
    lag_fixture_set(&status.lag, some_lag, 2);
    assert_int_equal(number_at(ask("/api/v1/queries/match_stream"), "lag.records"), 35);
}

/* The lag is known, but nothing is written: no rate, and no time to catch up. */
static void while_a_batch_is_retried_the_lag_has_no_rate(void **state) {
    (void)state;
    commit_and_wait();
    query_status_fault(&status, QUERY_RETRYING, true, "Waiting to retry", "no space");
    const struct json *query = ask("/api/v1/queries/match_stream");
    assert_int_equal(number_at(query, "lag.records"), 35);
    assert_non_null(strstr(response.body, "\"catchUpSeconds\":null"));
    assert_non_null(strstr(response.body, "\"rates\":{\"inputRowsPerSecond\":null,"));
}

static void an_old_batch_gives_no_rate(void **state) {
    (void)state;
    options.trigger.interval_ms = 10000;
    commit_and_wait();
    now_ms += 31160; // two triggers, twice 580 ms, and 10 s
    lag_fixture_set(&status.lag, some_lag, 2);
    ask("/api/v1/queries/match_stream");
    assert_non_null(strstr(response.body, "\"rates\":{\"inputRowsPerSecond\":10.0,"));
    now_ms++;
    ask("/api/v1/queries/match_stream");
    assert_non_null(strstr(response.body, "\"rates\":{\"inputRowsPerSecond\":null,"));
    assert_non_null(strstr(response.body, "\"catchUpSeconds\":null"));
}

static void freshness_is_the_age_of_the_newest_row_by_its_kafka_timestamp(void **state) {
    (void)state;
    ask("/api/v1/queries/match_stream");
    assert_non_null(strstr(response.body, "\"freshness\":{\"newestRecordAt\":null,"
                                          "\"ageSeconds\":null}"));
    struct tally none = {0};
    const struct file_list no_files = {0};
    struct batch_report draft = {.committed_ms = now_ms, .newest_ms = now_ms - 2000};
    query_history_add(&history, batch_report_create(&draft), &no_files, &none);
    draft.newest_ms = now_ms - 3000; // an older record arrives later
    query_history_add(&history, batch_report_create(&draft), &no_files, &none);
    now_ms += 500;
    const struct json *query = ask("/api/v1/queries/match_stream");
    assert_string_equal(text_at(query, "freshness.newestRecordAt"), "2023-11-14T22:13:18.000Z");
    assert_int_equal(number_at(query, "freshness.ageSeconds"), 2);
    ask_with("/metrics", "localhost:4040", NULL);
    assert_sample("esports_stream_newest_record_age_seconds{query=\"match_stream\"} 2.5");
    draft.newest_ms = INT64_MAX; // a producer's clock is wrong
    query_history_add(&history, batch_report_create(&draft), &no_files, &none);
    now_ms += 4500;
    assert_int_equal(number_at(ask("/api/v1/queries/match_stream"), "freshness.ageSeconds"), 5);
}

static void after_a_restart_the_api_returns_the_checkpoints_newest_batch(void **state) {
    (void)state;
    ask("/api/v1/queries/match_stream");
    assert_non_null(strstr(response.body, "\"resumedAfter\":null,"));
    query_status_resume(&status, 715, now_ms - 180000);
    const struct json *query = ask("/api/v1/queries/match_stream");
    assert_int_equal(number_at(query, "resumedAfter.batchId"), 715);
    assert_string_equal(text_at(query, "resumedAfter.committedAt"), "2023-11-14T22:10:20.000Z");
    assert_non_null(strstr(response.body, "\"newestBatch\":null"));
}

/* The same figures as in /metrics. */
static void the_api_returns_the_free_space_on_the_disks_of_the_lake(void **state) {
    (void)state;
    disk_watch_close(program.disks);
    free(config.data_lake_path);
    config.data_lake_path = text_copy("/tmp");
    struct error err;
    assert_true(disk_watch_open(&config, &program.disks, &err));
    const struct json *program_told = ask("/api/v1/queries");
    assert_string_equal(text_at(program_told, "disks.0.place"), "data_lake");
    assert_string_equal(text_at(program_told, "disks.0.path"), "/tmp");
    int64_t size = number_at(program_told, "disks.0.sizeBytes");
    assert_in_range(number_at(program_told, "disks.0.freeBytes"), 0, size);
    char sample[128];
    snprintf(sample, sizeof sample, "esports_stream_disk_size_bytes{place=\"data_lake\"} %" PRId64,
             size);
    ask_with("/metrics", "localhost:4040", NULL);
    assert_sample(sample);
}

static bool same_names(void *context, const char *name, const struct json *value) {
    (void)value;
    return json_member(context, name) != NULL;
}

static void assert_same_members(const struct json *ours, const struct json *sparks) {
    assert_int_equal(json_count(ours), json_count(sparks));
    assert_true(json_each(ours, same_names, (void *)sparks));
}

static void progress_has_exactly_sparks_fields(void **state) {
    (void)state;
    char *text = NULL;
    size_t size;
    struct error err;
    assert_true(file_read(TEST_DATA "/spark4-progress.json", 1 << 20, &text, &size, &err));
    struct json *examples = json_parse(text, size, &err);
    assert_non_null(examples);
    const struct json *sparks = json_at(examples, 1);
    commit_batch();
    const struct json *ours = json_at(ask("/api/v1/queries/match_stream/progress"), 0);
    assert_same_members(ours, sparks);
    assert_same_members(at(ours, "durationMs"), at(sparks, "durationMs"));
    assert_same_members(at(ours, "sources.0"), at(sparks, "sources.0"));
    assert_same_members(at(ours, "sources.0.metrics"), at(sparks, "sources.0.metrics"));
    assert_same_members(at(ours, "sources.0.startOffset.t1"),
                        at(sparks, "sources.0.startOffset.t1"));
    assert_same_members(at(ours, "sink"), at(sparks, "sink"));
    assert_string_equal(text_at(ours, "sink.description"), text_at(sparks, "sink.description"));
    assert_string_equal(text_at(ours, "sources.0.description"),
                        text_at(sparks, "sources.0.description"));
    json_free(examples);
    free(text);
}

static void progress_has_the_values_that_spark_would_give(void **state) {
    (void)state;
    commit_batch();
    const struct json *ours = json_at(ask("/api/v1/queries/match_stream/progress"), 0);
    assert_string_equal(text_at(ours, "timestamp"), "2023-11-14T22:13:20.100Z");
    assert_int_equal(number_at(ours, "batchDuration"), 580);
    assert_int_equal(number_at(ours, "numInputRows"), 29);
    assert_int_equal(number_at(ours, "durationMs.addBatch"), 470);
    assert_int_equal(number_at(ours, "durationMs.latestOffset"), 60);
    assert_int_equal(number_at(ours, "durationMs.walCommit"), 19);
    const struct json *source = at(ours, "sources.0");
    assert_int_equal(number_at(source, "startOffset.t1.0"), 15);
    assert_int_equal(number_at(source, "endOffset.t1.0"), 45);
    assert_int_equal(number_at(source, "latestOffset.t1.0"), 80);
    assert_int_equal(number_at(source, "latestOffset.t1.1"), 15);
    assert_string_equal(text_at(source, "metrics.avgOffsetsBehindLatest"), "17.5");
    assert_string_equal(text_at(source, "metrics.maxOffsetsBehindLatest"), "35");
    assert_string_equal(text_at(source, "metrics.minOffsetsBehindLatest"), "0");
}

static void samples_of_rejects_are_safely_encoded(void **state) {
    (void)state;
    commit_batch();
    const struct json *rejects = ask("/api/v1/queries/match_stream/rejects");
    assert_int_equal(number_at(rejects, "byReason.malformed_json"), 2);
    assert_int_equal(json_count(at(rejects, "samples")), 2);
    const struct json *null_value = at(rejects, "samples.0"), *bytes = at(rejects, "samples.1");
    assert_int_equal(number_at(bytes, "batchId"), 7);
    assert_int_equal(number_at(bytes, "offset"), 20);
    assert_string_equal(text_at(bytes, "kafkaTimestamp"), "2023-11-14T22:13:20.001Z");
    assert_int_equal(number_at(bytes, "valueSize"), 11);
    assert_string_equal(text_at(bytes, "valueBase64"), "/3siPHNjcmlwdD4=");
    assert_null(json_text(at(null_value, "valueBase64")));
    assert_string_equal(text_at(null_value, "kafkaTimestamp"), "1969-12-31T23:59:59.999Z");
    assert_int_equal(number_at(null_value, "offset"), 21);
}

static void base64_is_that_of_rfc_4648(void **state) {
    (void)state;
    static const char *const texts[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const wanted[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                         "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = base64_encode(texts[i], strlen(texts[i]));
        assert_string_equal(text, wanted[i]);
        free(text);
    }
}

static void the_schema_counts_the_field_faults(void **state) {
    (void)state;
    commit_batch();
    const struct json *all = ask("/api/v1/queries/match_stream/schema");
    assert_int_equal(json_count(at(all, "columns")), schema.count);
    const struct json *duration = at(all, "columns.13");
    assert_string_equal(text_at(duration, "name"), "match_duration");
    assert_string_equal(text_at(duration, "type"), "INT");
    assert_int_equal(number_at(duration, "faults"), 4);
    bool derived = true;
    assert_true(json_member_bool(duration, "derived", &derived) && !derived);
}

static void files_are_counted_by_size(void **state) {
    (void)state;
    commit_batch();
    const struct json *files = ask("/api/v1/queries/match_stream/files");
    assert_int_equal(number_at(files, "count"), 3);
    assert_int_equal(number_at(files, "buckets.1.upToBytes"), 262144);
    assert_int_equal(number_at(files, "buckets.1.files"), 1);
    assert_int_equal(number_at(files, "small.files"), 1);
    assert_int_equal(json_count(at(files, "buckets")), FILE_SIZES);
}

static void history_does_not_reach_back_before_the_start(void **state) {
    (void)state;
    const struct json *hour = ask("/api/v1/queries/match_stream/history");
    assert_int_equal(number_at(hour, "stepSeconds"), 10);
    assert_int_equal(json_count(at(hour, "points")), 360);
    assert_int_equal(number_at(hour, "points.359.rows"), 0);
    program.started_ms = INT64_MAX / 2; // the clock was set back
    assert_int_equal(json_count(at(ask("/api/v1/queries/match_stream/history"), "points")), 360);
}

static void arguments_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *path, *name, *value;
        enum http_status status;
    } cases[] = {
        {"history", "minutes", "60", HTTP_OK},
        {"history", "minutes", "61", HTTP_OK},
        {"history", "minutes", "1440", HTTP_OK},
        {"history", "minutes", "1441", HTTP_BAD_REQUEST},
        {"history", "minutes", "0", HTTP_BAD_REQUEST},
        {"history", "minutes", "x", HTTP_BAD_REQUEST},
        {"history", "minutes", "", HTTP_BAD_REQUEST},
        {"history", "minutes", "99999999999999999999", HTTP_BAD_REQUEST},
        {"batches", "after", "-1", HTTP_OK},
        {"batches", "after", "-2", HTTP_BAD_REQUEST},
        {"batches", "after", " 7", HTTP_BAD_REQUEST},
        {"batches", "after", "7;", HTTP_BAD_REQUEST},
        {"batches", "limit", "1001", HTTP_BAD_REQUEST},
        {"batches", "another", "x", HTTP_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/api/v1/queries/match_stream/%s", cases[i].path);
        struct http_request request = {.path = path,
                                       .argument_count = 1,
                                       .names = {cases[i].name},
                                       .values = {cases[i].value}};
        http_response_deinit(&response);
        http_api_answer(&program, &request, &response);
        if (response.status != cases[i].status)
            fail_msg("%s=%s gave %d", cases[i].name, cases[i].value, response.status);
        parse_answer();
    }
}

static void an_unknown_path_is_not_found(void **state) {
    (void)state;
    static const char *const paths[] = {"/api",
                                        "/api/v1/queries/",
                                        "/api/v1/queries/match",
                                        "/api/v1/queries/match_stream/",
                                        "/api/v1/queries/match_stream/batches/7",
                                        "/api/v1/queries/%s",
                                        "/healthz/",
                                        "/../etc/passwd",
                                        ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ask_with(paths[i], NULL, NULL);
        assert_int_equal(response.status, HTTP_NOT_FOUND);
        assert_non_null(json_member_text(parse_answer(), "error"));
    }
}

static void ready_until_action_is_needed(void **state) {
    (void)state;
    ask_with("/readyz", NULL, NULL);
    assert_int_equal(response.status, HTTP_OK);
    query_status_fault(&status, QUERY_RETRYING, true, "Waiting for Kafka", "no broker at k:9092");
    ask_with("/readyz", NULL, NULL);
    assert_int_equal(response.status, HTTP_UNAVAILABLE);
    assert_string_equal(response.body, "match_stream: retrying: no broker at k:9092\n");
    ask_with("/healthz", NULL, NULL);
    assert_int_equal(response.status, HTTP_OK);

    query_status_say(&status, QUERY_RUNNING, true, "Processing new data");
    ask_with("/readyz", NULL, NULL);
    assert_int_equal(response.status, HTTP_OK);
    bool retrying = true;
    const struct json *error = at(ask("/api/v1/queries/match_stream"), "lastError");
    assert_string_equal(text_at(error, "text"), "no broker at k:9092");
    assert_true(json_member_bool(error, "retrying", &retrying) && !retrying);

    query_status_fault(&status, QUERY_FAILED, false, "gone", "offsets are gone");
    ask_with("/readyz", NULL, NULL);
    assert_int_equal(response.status, HTTP_UNAVAILABLE);
    assert_string_equal(response.body, "match_stream: failed: offsets are gone\n");
    ask_with("/healthz", NULL, NULL);
    assert_int_equal(response.status, HTTP_OK);
}

static void the_verdict_is_the_same_in_every_response(void **state) {
    (void)state;
    const struct json *health = at(ask("/api/v1/queries/match_stream"), "health");
    assert_string_equal(text_at(health, "state"), "starting");
    assert_string_equal(text_at(health, "severity"), "none");
    assert_string_equal(text_at(health, "action"), "");
    query_status_fault(&status, QUERY_FAILED, false, "gone", "offsets are gone");
    health = at(ask("/api/v1/queries"), "queries.0.health");
    assert_string_equal(text_at(health, "state"), "failed");
    assert_string_equal(text_at(health, "severity"), "critical");
    assert_string_equal(text_at(health, "reason"), "offsets are gone");
    assert_non_null(strstr(text_at(health, "action"), "start the program"));
    assert_int_equal(strlen(text_at(health, "since")), strlen("2026-11-22T17:47:55.322Z"));
    assert_string_equal(text_at(answer, "memory.health.state"), "healthy");
    ask_with("/metrics", "localhost:4040", NULL);
    assert_sample("esports_stream_health{query=\"match_stream\",state=\"failed\"} 1");
    assert_sample("esports_stream_health{query=\"match_stream\",state=\"healthy\"} 0");
    assert_sample("esports_stream_health_cause{query=\"match_stream\",cause=\"failed\"} 1");
    assert_sample("esports_stream_health_cause{query=\"match_stream\",cause=\"no_batch\"} 0");
}

static void with_a_token_only_health_is_open(void **state) {
    (void)state;
    free(config.ui_token);
    config.ui_token = strdup("0123456789abcdef");
    static const char *const wrong[] = {NULL,
                                        "",
                                        "Bearer",
                                        "Bearer ",
                                        "Bearer 0123456789abcde",
                                        "Bearer 0123456789abcdef0",
                                        "Bearer 0123456789abcdef0123456789abcdef",
                                        "Bearer 0123456789abcdeF",
                                        "Basic 0123456789abcdef",
                                        "0123456789abcdef"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ask_with("/api/v1/queries", NULL, wrong[i]);
        assert_int_equal(response.status, HTTP_UNAUTHORIZED);
        ask_with("/api/v1/queries/nobody", NULL, wrong[i]); // does not reveal which queries run
        assert_int_equal(response.status, HTTP_UNAUTHORIZED);
    }
    ask_with("/api/v1/queries", NULL, "bearer 0123456789abcdef");
    assert_int_equal(response.status, HTTP_OK);
    ask_with("/healthz", NULL, NULL);
    assert_int_equal(response.status, HTTP_OK);
    query_status_fault(&status, QUERY_RETRYING, true, "Waiting", "/secret/path");
    ask_with("/readyz", NULL, NULL);
    assert_string_equal(response.body, "match_stream: retrying\n");
    ask_with("/readyz", NULL, "Bearer 0123456789abcdef");
    assert_string_equal(response.body, "match_stream: retrying: /secret/path\n");
}

static void a_page_of_another_site_cannot_read_what_is_shown_without_a_token(void **state) {
    (void)state;
    static const char *const own[] = {NULL,         "localhost",         "LOCALHOST:8080",
                                      "127.0.0.1",  "127.0.0.1:4040",    "127.1.2.3:4040",
                                      "[::1]:4040", "192.168.1.5:4040",  "[fd00::1]",
                                      "lake",       "Lake.example:4040", "lake.example."};
    static const char *const foreign[] = {"evil.example",
                                          "localhost.evil.example",
                                          "127.0.0.1.evil.example",
                                          "",
                                          "lake.example.evil",
                                          "ake.example",
                                          ".",
                                          "[::1",
                                          "[::1]x",
                                          "[evil]",
                                          "esports-stream:4040"};
    free(config.ui_hosts);
    config.ui_hosts = text_copy("lake.example,lake");
    for (int loopback = 0; loopback < 2; loopback++) {
        program.is_loopback = loopback != 0;
        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
            ask_with("/api/v1/queries", own[i], NULL);
            assert_int_equal(response.status, HTTP_OK);
        }
        for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
            ask_with("/api/v1/queries", foreign[i], NULL);
            assert_int_equal(response.status, HTTP_FORBIDDEN);
            ask_with("/nothing", foreign[i], NULL);
            assert_int_equal(response.status, HTTP_FORBIDDEN);
            ask_with("/healthz", foreign[i], NULL);
            assert_int_equal(response.status, HTTP_OK);
            ask_with("/metrics", foreign[i], NULL);
            assert_int_equal(response.status, HTTP_OK);
        }
    }
}

static const struct json *setting(const struct json *all, const char *name) {
    for (size_t i = 0; i < json_count(all); i++)
        if (strcmp(json_member_text(json_at(all, i), "name"), name) == 0)
            return json_at(all, i);
    fail_msg("no setting %s", name);
    return NULL;
}

static void settings_show_their_origin_but_no_secret(void **state) {
    (void)state;
    const struct json *all = ask("/api/v1/settings");
    assert_string_equal(text_at(setting(all, "TRIGGER"), "value"), "10 seconds");
    assert_string_equal(text_at(setting(all, "TRIGGER"), "origin"), "option");
    assert_string_equal(text_at(setting(all, "PARSE_MODE"), "origin"), "default");
    assert_string_equal(text_at(setting(all, "KAFKA_SASL_USERNAME"), "value"), "fred");
    assert_string_equal(text_at(setting(all, "KAFKA_SASL_PASSWORD"), "value"), "********");
    assert_string_equal(text_at(setting(all, "KAFKA_SASL_PASSWORD"), "origin"), "environment");
    assert_string_equal(text_at(setting(all, "SPARK_MASTER_URL"), "value"),
                        "sc://there/;use_ssl=true;token=********");
    assert_string_equal(text_at(setting(all, "SPARK_CONF_spark_sql_x_password"), "value"),
                        "********");
    bool secret = false;
    assert_true(json_member_bool(setting(all, "UI_TOKEN"), "secret", &secret) && secret);
    assert_string_equal(text_at(setting(all, "UI_TOKEN"), "value"), ""); // empty: there is none
    assert_null(strstr(response.body, "hunter2"));
}

/* If the port is open to the network and no token is set. */
static void without_a_token_records_are_shown_only_to_this_machine(void **state) {
    (void)state;
    static const char rejects[] = "/api/v1/queries/match_stream/rejects";
    static const char *const rest[] = {"/",
                                       "/healthz",
                                       "/metrics",
                                       "/api/v1/queries",
                                       "/api/v1/queries/match_stream",
                                       "/api/v1/settings",
                                       "/api/v1/queries/match_stream/batches"};
    program.is_loopback = false;
    from_network = true;
    ask_with(rejects, "10.0.0.7:4040", NULL);
    assert_int_equal(response.status, HTTP_FORBIDDEN);
    assert_non_null(strstr(text_at(parse_answer(), "error"), "set UI_TOKEN"));
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        ask_with(rest[i], "10.0.0.7:4040", NULL);
        assert_int_equal(response.status, HTTP_OK);
    }
    from_network = false;
    ask_with(rejects, "127.0.0.1:4040", NULL);
    assert_int_equal(response.status, HTTP_OK);
    // A page of another site whose name resolves to this machine.
    ask_with(rejects, "elsewhere.example:4040", NULL);
    assert_int_equal(response.status, HTTP_FORBIDDEN);
    free(config.ui_token);
    config.ui_token = strdup("0123456789abcdef");
    from_network = true;
    ask_with(rejects, "10.0.0.7:4040", "Bearer 0123456789abcdef");
    assert_int_equal(response.status, HTTP_OK);
    from_network = false;
}

static const struct json *care_of(void) {
    return json_member(ask("/api/v1/queries/match_stream"), "care");
}

static void what_is_not_known_of_the_table_s_files_is_null(void **state) {
    (void)state;
    (void)care_of();
    assert_non_null(strstr(response.body, "\"files\":null,\"rejectFiles\":null,\"forecast\":null"));
    assert_non_null(strstr(response.body, "\"rows\":0,\"newest\":null},"));
    assert_non_null(strstr(response.body, "\"nextLookAt\":null,\"waiting\":null,"));
    assert_non_null(strstr(response.body, "\"errors\":0,\"error\":null}"));
    (void)ask("/api/v1/queries/match_stream/files");
    assert_non_null(strstr(response.body, "\"table\":null,\"rejects\":null}"));
}

static int64_t number_of(const struct json *object, const char *name) {
    int64_t number = -1;
    assert_true(json_member_int(object, name, &number));
    return number;
}

static void files_of_the_table_are_shown_by_size_age_and_directory(void **state) {
    (void)state;
    struct file_counter *counter = file_counter_create(128 << 20, now_ms);
    struct file_counts counts;
    file_counter_add(counter, "status=live/a", 1000, now_ms);
    file_counter_add(counter, "status=live/b", 1000, now_ms - INT64_C(2) * 3600 * 1000);
    file_counter_add(counter, "status=over/c", 200 << 20, now_ms);
    file_counter_read(counter, &counts);
    file_counter_free(counter);
    care_status_set_files(&care, false, &counts);
    const struct json *files = json_member(care_of(), "files");
    assert_int_equal(number_of(files, "files"), 3);
    assert_int_equal(number_of(files, "small"), 2);
    assert_int_equal(number_of(files, "afterCompaction"), 2);
    assert_int_equal(number_of(files, "directories"), 2);
    const struct json *table = json_member(ask("/api/v1/queries/match_stream/files"), "table");
    const struct json *ages = json_member(table, "byAge");
    assert_int_equal(number_of(json_at(ages, 0), "files"), 2);
    assert_int_equal(number_of(json_at(ages, 1), "files"), 1);
    assert_non_null(strstr(response.body, "{\"upToSeconds\":null,\"files\":0,"));
    assert_int_equal(number_of(json_at(json_member(table, "bySize"), 0), "files"), 2);
    const struct json *first = json_at(json_member(table, "byDirectory"), 0);
    assert_string_equal(json_member_text(first, "name"), "status=live");
    assert_int_equal(number_of(first, "small"), 2);
}

static void compactions_expiries_and_errors_are_shown(void **state) {
    (void)state;
    const struct care_gain gain = {120, 2, 5000, 3000, 44};
    care_status_set_on(&care, true, true);
    care_status_add_compaction(&care, &gain, 1200);
    care_status_add_compaction(&care, &gain, 900);
    care_status_add_expiry(&care, 9, 90);
    care_status_set_error(&care, "No space left on device");
    care_status_set_passed(&care, true, 1);
    care_status_set_passed(&care, true, 1);
    const struct json *found = care_of(), *compactions = json_member(found, "compactions");
    assert_int_equal(number_of(compactions, "count"), 2);
    assert_int_equal(number_of(compactions, "filesBefore"), 240);
    assert_int_equal(number_of(json_member(compactions, "newest"), "durationMs"), 900);
    assert_int_equal(number_of(json_member(compactions, "newest"), "filesAfter"), 2);
    assert_int_equal(number_of(json_member(found, "expiries"), "rows"), 90);
    assert_non_null(strstr(response.body, "\"waitForClock\":null"));
    assert_int_equal(number_of(found, "unmergeable"), 1);
    assert_int_equal(number_of(found, "errors"), 1);
    assert_int_equal(number_of(json_member(found, "error"), "failedAttempts"), 2);
    care_status_set_error(&care, "");
    care_status_set_passed(&care, false, 1);
    care_status_set_expiry_waits(&care, "day=2026-01-01");
    found = care_of();
    assert_string_equal(json_member_text(json_member(found, "expiries"), "waitForClock"),
                        "day=2026-01-01");
    assert_non_null(strstr(response.body, "\"errors\":1,\"error\":null}"));
}

int main(void) {
    streams_load();
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_query_that_has_not_started_has_no_numbers),
        CASE(what_is_not_known_of_the_table_s_files_is_null),
        CASE(files_of_the_table_are_shown_by_size_age_and_directory),
        CASE(compactions_expiries_and_errors_are_shown),
        CASE(memory_parts_add_up_to_the_resident_memory),
        CASE(lag_is_listed_per_partition_with_the_largest_first),
        CASE(a_query_that_makes_progress_has_rates_and_a_time_to_catch_up),
        CASE(without_answers_from_kafka_the_lag_and_everything_based_on_it_are_unknown),
        CASE(while_a_batch_is_retried_the_lag_has_no_rate),
        CASE(an_old_batch_gives_no_rate),
        CASE(freshness_is_the_age_of_the_newest_row_by_its_kafka_timestamp),
        CASE(after_a_restart_the_api_returns_the_checkpoints_newest_batch),
        CASE(the_api_returns_the_free_space_on_the_disks_of_the_lake),
        CASE(a_batch_is_returned_in_full),
        CASE(a_query_with_where_counts_records_and_rows),
        CASE(metrics_agree_with_the_api),
        CASE(without_a_commit_the_commit_time_is_that_of_the_start),
        CASE(progress_has_exactly_sparks_fields),
        CASE(progress_has_the_values_that_spark_would_give),
        CASE(samples_of_rejects_are_safely_encoded),
        CASE(base64_is_that_of_rfc_4648),
        CASE(the_schema_counts_the_field_faults),
        CASE(files_are_counted_by_size),
        CASE(history_does_not_reach_back_before_the_start),
        CASE(arguments_are_checked),
        CASE(an_unknown_path_is_not_found),
        CASE(ready_until_action_is_needed),
        CASE(the_verdict_is_the_same_in_every_response),
        CASE(with_a_token_only_health_is_open),
        CASE(a_page_of_another_site_cannot_read_what_is_shown_without_a_token),
        CASE(without_a_token_records_are_shown_only_to_this_machine),
        CASE(settings_show_their_origin_but_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
