/* test_replay.c: rejects are parsed again and become rows exactly once, no matter which other
 * operations run before, during or after the replay. */
#include "drop_checksum.h"
#include "replay_fixture.h"

#include <sys/mman.h>

#include "base/log/log.h"

#include "pipeline/parquet/read/reader.h"
#include "pipeline/sink/reject_table.h"
#include "sql/syntax/parse.h"
#include "streaming/changes/rejects.h"
#include "streaming/declare/stream.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "streaming/store/resolved.h"
#include "streaming/store/store.h"
#include "streaming/tasks/row_maker.h"

static void assert_resolved(const char *expected) {
    struct store *store;
    struct resolved_rejects resolved;
    struct error err = {0};
    if (!store_open_to_read(&fixture.options, &store, &err) ||
        !resolved_rejects_read(store, &resolved, &err))
        fail_msg("%s", err.message);
    struct json *array = resolved_print(&resolved.set);
    scoped(scope_free) char *text = json_print(array);
    assert_string_equal(text, expected);
    json_free(array);
    resolved_rejects_deinit(&resolved);
    store_close(store);
}

static const char all_five[] = "[{\"partition\":0,\"offsets\":\"1,3,5,7\"},"
                               "{\"partition\":1,\"offsets\":\"1\"}]";

static void rejects_become_rows_once(void **state) {
    (void)state;
    must_run_query(0);
    assert_once(FIRST_ROWS, FIRST_REJECTS);
    must_replay(PARSE_REJECT, 0, FIRST_REJECTS); // nothing has changed: no batch
    assert_int_equal(replayed.batches, 0);
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/1"));

    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    assert_int_equal(replayed.unresolved, FIRST_REJECTS);
    assert_int_equal(replayed.rows_by[REJECT_MALFORMED], 1);
    assert_int_equal(replayed.rows_by[REJECT_MISSING_IDENTIFIER], 2);
    assert_int_equal(replayed.rejected_by[REJECT_NULL_VALUE], 1);
    assert_int_equal(replayed.rejected_by[REJECT_BLANK_VALUE], 1);
    assert_int_equal(replayed.first_batch, 1);
    assert_int_equal(count_files("rejected/matches/", ".parquet"), 1); // not written twice
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
    assert_resolved(all_five);

    must_replay(PARSE_PERMISSIVE, 0, 2);
    append_lines(0, "{\"match_id\":\"d\",\"status\":\"live\"}\n");
    must_run_query(0);
    assert_true(fixture_has(&fixture, CHECKPOINT "commits/2"));
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE + 1, 2);
    assert_resolved(all_five);
}

/* A replay does not ask Kafka. */
static void the_line_of_a_replayed_batch_has_no_lag(void **state) {
    (void)state;
    char text[4096] = "";
    int log = memfd_create("log", MFD_CLOEXEC);
    must_run_query(0);
    log_configure(LOG_INFO, false);
    log_output_set(log);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    log_output_set(STDOUT_FILENO);
    log_configure(LOG_CRITICAL, false);
    check(pread(log, text, sizeof text - 1, 0) > 0 && close(log) == 0);
    const char *line = strstr(text, "Batch 1 written successfully");
    assert_non_null(line);
    assert_non_null(strstr(line, " | rows_per_second="));
    assert_null(strstr(line, "lag"));
    assert_null(strstr(line, "filtered")); // only of a query that can filter
}

static bool is_in_partition_1(const void *context, const struct reject_row *row) {
    (void)context;
    return row->record.partition == 1;
}

static void only_chosen_rejects_are_replayed(void **state) {
    (void)state;
    struct error err = {0};
    must_run_query(0);
    assert_true(replay_chosen(PARSE_PERMISSIVE, 0, false, is_in_partition_1, &err));
    assert_int_equal(replayed.unresolved, FIRST_REJECTS);
    assert_int_equal(replayed.rows, 1);
    assert_int_equal(replayed.still_rejected, 0);
    assert_once(FIRST_ROWS + 1, FIRST_REJECTS - 1);
    assert_resolved("[{\"partition\":1,\"offsets\":\"1\"}]");
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE - 1, 2);
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
}

static void a_dry_run_only_says_what_would_happen(void **state) {
    (void)state;
    struct error err = {0};
    struct store *store;
    must_run_query(0);
    check(recovery_open(&fixture.options, &store, &err)); // the query is running
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    assert_true(replay_chosen(PARSE_PERMISSIVE, 2, true, NULL, &err));
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_string_equal(before, after);
    assert_int_equal(replayed.rows, FIRST_PERMISSIVE);
    assert_int_equal(replayed.still_rejected, 2);
    assert_int_equal(replayed.batches, 0);
    assert_true(replay_chosen(PARSE_FAILFAST, 0, true, NULL, &err)); // stops at none
    assert_int_equal(replayed.still_rejected, FIRST_REJECTS);

    assert_false(replay(PARSE_PERMISSIVE, 0, &err));
    assert_int_equal(err.kind, ERROR_LOCKED);
    store_close(store);
}

static void many_rejects_are_several_batches(void **state) {
    (void)state;
    struct error err = {0};
    must_run_query(4); // several reject files, too
    int64_t next = 0;
    while (fixture_has(&fixture, file_join_number("checkpoints/match_stream/offsets", next).text))
        next++;
    assert_true(next > 2);
    assert_true(replay(PARSE_PERMISSIVE, 2, &err));
    assert_int_equal(replayed.rows, FIRST_PERMISSIVE);
    assert_int_equal(replayed.first_batch, next);
    assert_int_equal(replayed.batches, 3);
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
    assert_resolved(all_five);
}

static void failfast_stops_at_the_first_reject_that_fails_again(void **state) {
    (void)state;
    struct error err = {0};
    must_run_query(0);
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    assert_false(replay(PARSE_FAILFAST, 0, &err));
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_int_equal(err.kind, ERROR_RECORD);
    assert_non_null(strstr(err.message, "partition 0, offset 1"));
    assert_string_equal(before, after);
    assert_int_equal(replayed.batches, 0);
}

/* As if an older program had rejected records that this one can read. */
static void write_rejects(const char *staging, int64_t planned_ms, struct file_list *files) {
    struct error err;
    const struct sink_options options = {
        .staging_directory = staging,
        .parquet = {.codec = CODEC_SNAPPY, .timestamp = TIMESTAMP_AS_INT96},
        .memory_max = 1 << 20};
    struct reject_sink *sink = reject_sink_create("t1", planned_ms, &options);
    const struct reject reject = {.reason = REJECT_MALFORMED, .detail = "too new"};
    for (int64_t offset = 0; offset < 3; offset++) {
        char value[100];
        int size = snprintf(value, sizeof value,
                            "{\"match_id\":\"m%" PRId64 "\",\"status\":\"live\","
                            "\"started_at\":\"10:30:00\"}",
                            offset);
        const struct record record = {.partition = 0,
                                      .offset = offset,
                                      .timestamp_ms = offset == 1 ? -1 : 1500 + offset,
                                      .value = value,
                                      .value_size = (size_t)size,
                                      .key = "k",
                                      .key_size = 1};
        check(reject_sink_append(sink, &record, &reject, &err));
    }
    check(reject_sink_finish(sink, files, &err));
    reject_sink_destroy(sink);
}

static void commit_rejects(int64_t planned_ms) {
    struct store *store = NULL;
    struct error err = {0};
    struct recovery recovery;
    struct offset_range ranges[2] = {{0, 0, 3}, {1, 0, 0}};
    const struct plan plan = {.timestamp_ms = planned_ms, .count = 2, .ranges = ranges};
    struct manifest manifest = {.timestamp_ms = planned_ms, .outcome_count = 1};
    const char *table, *rejects;
    manifest.outcomes = must_alloc(1, sizeof *manifest.outcomes);
    manifest.outcomes[0] = (struct range_outcome){.range = ranges[0], .rejects = 3};
    check(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err) &&
          store_write_initial(store, ranges, 2, &err) && store_write_plan(store, &plan, &err) &&
          store_begin_batch(store, 0, &table, &rejects, &err));
    write_rejects(rejects, planned_ms, &manifest.rejects);
    check(store_commit(store, &manifest, &err) && store_roll_forward(store, &manifest, &err));
    recovery_deinit(&recovery);
    manifest_deinit(&manifest);
    store_close(store);
}

/* The values of a column of the only file below status=live. */
static void read_column(const char *name, struct vector *vector, struct parquet_reader *reader,
                        struct parquet_cursor *cursor) {
    struct error err;
    struct tree tree;
    tree_init(&tree, file_join(fixture.table, "status=live").text);
    assert_int_equal(tree.count, 1);
    struct file_path directory = file_join(fixture.table, "status=live");
    check(parquet_reader_open(reader, file_join(directory.text, tree.paths[0]).text, &err));
    tree_deinit(&tree);
    int column = file_metadata_find(&reader->metadata, name);
    check(column >= 0);
    size_t index = (size_t)column, rows;
    parquet_cursor_open(cursor, reader, &index, 1);
    check(parquet_cursor_next(cursor, &rows, &err));
    assert_int_equal(rows, 3);
    *vector = cursor->vectors[0];
}

static void a_record_is_read_as_in_its_original_batch(void **state) {
    (void)state;
    const int64_t planned_ms = 1000000LL * 86400 * 15; // 2011-01-30T00:00:00Z
    struct vector vector;
    struct parquet_reader reader;
    struct parquet_cursor cursor;
    commit_rejects(planned_ms);
    must_replay(PARSE_REJECT, 3, 0);

    read_column("started_at", &vector, &reader, &cursor);
    for (size_t i = 0; i < 3; i++) // the day of the reject's batch, not of the replay's
        assert_int_equal(vector.int64s[i], planned_ms * 1000 + (int64_t)(10 * 60 + 30) * 60000000);
    parquet_cursor_close(&cursor);
    parquet_reader_close(&reader);
    read_column("kafka_timestamp", &vector, &reader, &cursor);
    assert_int_equal(vector.int64s[0], 1500000);
    assert_int_equal(vector.int64s[1], -1000); // no timestamp: -1 ms, as in Spark
    assert_int_equal(vector.int64s[2], 1502000);
    parquet_cursor_close(&cursor);
    parquet_reader_close(&reader);
    read_column("processing_timestamp", &vector, &reader, &cursor);
    assert_true(vector.int64s[0] > planned_ms * 1000);
    parquet_cursor_close(&cursor);
    parquet_reader_close(&reader);
}

/* ---- plans without offsets ---- */

/* Writes plan 1: a copy of plan 0 with `value` after `name`. */
static void plan_again(const char *name, const char *value) {
    scoped(scope_free) char *plan = fixture_read(&fixture, CHECKPOINT "offsets/0");
    const char *at = strstr(plan, name);
    check(at != NULL);
    int before = (int)(at - plan + (ptrdiff_t)strlen(name));
    scoped(scope_free) char *changed =
        fixture_text("%.*s%s%s", before, plan, value, plan + before + strlen(value));
    drop_checksum(changed);
    fixture_write(&fixture, CHECKPOINT "offsets/1", changed);
}

/* As after a replay that was killed just after its plan. */
static void plan_a_replay(void) {
    plan_again("\"batchTimestampMs\":", "1234567890123");
}

static void the_next_replay_continues_with_an_open_plan(void **state) {
    (void)state;
    must_run_query(0);
    plan_a_replay();
    must_replay(PARSE_REJECT, 0, FIRST_REJECTS); // still open
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    assert_int_equal(replayed.first_batch, 1);
    scoped(scope_free) char *manifest = fixture_read(&fixture, CHECKPOINT "manifests/1");
    assert_non_null(strstr(manifest, "\"timestampMs\":1234567890123"));
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
}

static void the_query_commits_an_open_plan_as_an_empty_batch(void **state) {
    (void)state;
    must_run_query(0);
    plan_a_replay();
    append_lines(1, "{\"match_id\":\"d\",\"status\":\"live\"}\n");
    must_run_query(0);
    assert_true(fixture_has(&fixture, CHECKPOINT "commits/2"));
    scoped(scope_free) char *log = fixture_read(&fixture, SINK_LOG "1");
    assert_string_equal(log, "v1");
    assert_once(FIRST_ROWS + 1, FIRST_REJECTS);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    assert_int_equal(replayed.first_batch, 3);
    assert_once(FIRST_ROWS + 1 + FIRST_PERMISSIVE, 2);
}

static void a_planned_batch_of_the_topic_runs_first(void **state) {
    (void)state;
    struct error err = {0};
    must_run_query(0);
    plan_again("\"1\":", "3");
    assert_false(replay(PARSE_PERMISSIVE, 0, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "run the query once"));
    append_lines(1, "{\"match_id\":\"d\",\"status\":\"live\"}\n");
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    assert_once(FIRST_ROWS + 1 + FIRST_PERMISSIVE, 2);
}

/* ---- Spark ---- */

static void a_replay_that_spark_overtook_is_rolled_back(void **state) {
    (void)state;
    for (int log = 1; log >= 0; log--) {
        fixture.options.sink_log = log ? SINK_LOG_AUTO : SINK_LOG_OFF;
        must_run_query(0);
        must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
        if (log) // Spark ran the batch before our files were in its log, and had no files itself
            fixture_write(&fixture, SINK_LOG "1", "v1");
        fixture_write(&fixture, CHECKPOINT "commits/.1.crc", "crc");
        must_run_query(0);
        assert_true(fixture_has(&fixture, CHECKPOINT "manifests/1.overtaken"));
        assert_once(FIRST_ROWS, FIRST_REJECTS);
        assert_resolved("[]");
        must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
        assert_int_equal(replayed.first_batch, 2);
        assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
        fixture_clear(&fixture);
    }
}

static void spark_may_commit_a_replay_that_it_finds_in_the_log(void **state) {
    (void)state;
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    fixture_write(&fixture, CHECKPOINT "commits/.1.crc", "crc");
    must_run_query(0);
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
    assert_resolved(all_five);
}

/* ---- other operations ---- */

static void a_rewind_past_a_replay_makes_its_rows_rejects_again(void **state) {
    (void)state;
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    append_lines(1, "{\"match_id\":\"d\",\"status\":\"live\"}\n");
    must_run_query(0);
    to_batch = 1;
    must_operate(REWIND, "rewound to batch 1");
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
    to_batch = 0;
    must_operate(REWIND, "rewound to batch 0");
    assert_once(FIRST_ROWS, FIRST_REJECTS);
    assert_resolved("[]");
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    assert_once(FIRST_ROWS + 1 + FIRST_PERMISSIVE, 2);
}

/* Judged by the rows in its files, a replay would belong to the original batches of its rejects. */
static void a_rewind_by_rows_recognises_a_replay_by_its_manifest(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    must_run_query(0);
    append_lines(1, "{\"match_id\":\"d\",\"status\":\"live\"}\n");
    must_run_query(0);
    remove_path(CHECKPOINT "manifests/1"); // as if the foreachBatch job had run it
    fixture_write(&fixture, CHECKPOINT "commits/.1.crc", "crc");
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    fixture.options.sink_log = SINK_LOG_AUTO;
    to_batch = 0;
    must_operate(REWIND, "rewound to batch 0");
    assert_once(FIRST_ROWS, FIRST_REJECTS);
    must_operate(ADOPT, "as of batch 0");
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    must_operate(RELEASE, "no longer has a sink log");
    assert_once(FIRST_ROWS + 1 + FIRST_PERMISSIVE, 2);
}

static void a_moved_lake_keeps_the_resolved_rejects(void **state) {
    (void)state;
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    move_lake();
    must_operate(RELOCATE, "2 manifests");
    assert_resolved(all_five);
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
    must_replay(PARSE_PERMISSIVE, 0, 2);
}

static void folded_manifests_keep_the_resolved_rejects(void **state) {
    (void)state;
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    enum { MORE = CHECKPOINT_BATCHES_KEPT + 8 }; // up to batch 109, which folds 0 to 8
    for (int i = 0; i < MORE; i++)
        append_lines(1, "{\"match_id\":\"d\",\"status\":\"live\"}\n");
    must_run_query(1);
    assert_false(fixture_has(&fixture, CHECKPOINT "manifests/1"));
    scoped(scope_free) char *coverage = fixture_read(&fixture, CHECKPOINT "coverage/8");
    assert_non_null(coverage);
    assert_memory_equal(coverage, "v2\n", 3);
    assert_resolved(all_five);
    must_replay(PARSE_PERMISSIVE, 0, 2);
    assert_once(FIRST_ROWS + FIRST_PERMISSIVE + MORE, 2);
}

/* ---- verify ---- */

static void a_replay_that_is_not_committed_causes_no_false_alarm(void **state) {
    (void)state;
    for (int log = 1; log >= 0; log--) {
        fixture.options.sink_log = log ? SINK_LOG_AUTO : SINK_LOG_OFF;
        must_run_query(0);
        must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
        remove_path(CHECKPOINT "commits/1"); // its files are in place, but it is not committed yet
        assert_once(FIRST_ROWS, FIRST_REJECTS);
        must_run_query(0);
        assert_once(FIRST_ROWS + FIRST_PERMISSIVE, 2);
        fixture_clear(&fixture);
    }
}

static size_t faults_of(enum verify_kind kind, const char *part) {
    struct verify_report report;
    verify_lake(&report);
    size_t count = report.texts[kind].count;
    if (count > 0 && strstr(report.texts[kind].texts[0], part) == NULL)
        fail_msg("expected '%s', not: %s", part, report.texts[kind].texts[0]);
    verify_report_deinit(&report);
    return count;
}

static void verify_reports_a_resolved_record_that_is_not_in_the_table(void **state) {
    (void)state;
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    scoped(scope_free) char *log = fixture_read(&fixture, SINK_LOG "1");
    fixture_write(&fixture, SINK_LOG "1", "v1");
    assert_int_not_equal(faults_of(VERIFY_MISSING, "the broker has a record there"), 0);
    fixture_write(&fixture, SINK_LOG "1", log);
    assert_int_equal(faults_of(VERIFY_MISSING, ""), 0);
}

static void verify_reports_a_reject_that_is_a_row_without_a_replay(void **state) {
    (void)state;
    must_run_query(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    assert_int_equal(faults_of(VERIFY_DUPLICATE, ""), 0);
    scoped(scope_free) char *manifest = fixture_read(&fixture, CHECKPOINT "manifests/1");
    remove_path(CHECKPOINT "manifests/1");
    assert_int_equal(faults_of(VERIFY_DUPLICATE, "the rejects'"), FIRST_PERMISSIVE);
    fixture_write(&fixture, CHECKPOINT "manifests/1", manifest);
}

#define ON_CAPTURE(test) cmocka_unit_test_setup_teardown(test, replay_set_up, replay_tear_down)

/* A table without the matches that are over. */
static const char live_only[] =
    "CREATE TABLE r (match_id STRING, status STRING) USING kafka "
    "OPTIONS (subscribe '${KAFKA_TOPIC_MATCHES:-t1}');\n"
    "CREATE STREAMING TABLE matches (match_id STRING NOT NULL, status STRING) "
    "PARTITIONED BY (status) AS SELECT match_id, status FROM STREAM r WHERE status = 'live'";

static void make_stream(const char *text, struct stream *stream) {
    struct sql_file file;
    struct query_plan plan;
    struct error err;
    if (!sql_parse("live.sql", text, strlen(text), &file, &err) ||
        !plan_make(&file, 0, &plan, &err) || !stream_make(&plan, stream, &err))
        fail_msg("%s", err.message);
    sql_file_deinit(&file);
}

/* Of the five rejects that permissive mode accepts, WHERE leaves out three. */
static void a_reject_that_becomes_no_row_is_resolved_all_the_same(void **state) {
    (void)state;
    struct stream stream;
    struct verify_report report;
    make_stream(live_only, &stream);
    replay_stream = &stream;
    must_run_query(0);
    scoped(scope_free) char *first = fixture_read(&fixture, CHECKPOINT "manifests/0");
    assert_memory_equal(first, "v5\n", 3);
    assert_non_null(strstr(first, "\"rows\":1,\"rejects\":6,\"absent\":0,\"lost\":0,\"records\":1,"
                                  "\"empty\":0,\"filtered\":1,\"exploded\":2,\"filteredRows\":1"));

    int log = memfd_create("log", MFD_CLOEXEC);
    char text[4096] = "";
    log_configure(LOG_INFO, false);
    log_output_set(log);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE, 2);
    log_output_set(STDOUT_FILENO);
    log_configure(LOG_CRITICAL, false);
    check(pread(log, text, sizeof text - 1, 0) > 0 && close(log) == 0);
    assert_non_null(strstr(text, "| rows=2 | rejects=0 | absent=0 | lost=0 | records=2 | empty=0 | "
                                 "filtered=3 | filtered_rows=3 | files=1 |"));
    scoped(scope_free) char *second = fixture_read(&fixture, CHECKPOINT "manifests/1");
    assert_non_null(strstr(
        second, "\"replayed\":[{\"partition\":0,\"offsets\":\"1,3,5,7\"},"
                "{\"partition\":1,\"offsets\":\"1\"}],"
                "\"replayedCounts\":[{\"partition\":0,\"records\":2,\"empty\":0,\"filtered\":2,"
                "\"exploded\":4,\"filteredRows\":2,\"rows\":2},{\"partition\":1,\"records\":0,"
                "\"empty\":0,\"filtered\":1,\"exploded\":1,\"filteredRows\":1,\"rows\":0}],"
                "\"replayedWithoutRows\":[{\"partition\":0,\"offsets\":\"1,5\"},"
                "{\"partition\":1,\"offsets\":\"1\"}]"));
    must_replay(PARSE_PERMISSIVE, 0, 2);
    assert_resolved(all_five);
    verify_lake(&report);
    assert_int_equal(verify_faults(&report), 0);
    assert_int_equal(report.partitions[0].rows, 3);
    assert_int_equal(report.partitions[0].records, 3);
    assert_int_equal(report.partitions[0].rejects, 2);
    assert_int_equal(report.partitions[0].filtered, 3);
    assert_int_equal(report.partitions[1].rows, 1);
    assert_int_equal(report.partitions[1].filtered, 1);
    assert_int_equal(report.partitions[0].missing + report.partitions[0].unproven, 0);
    verify_report_deinit(&report);
    replay_stream = NULL;
    stream_deinit(&stream);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        ON_CAPTURE(rejects_become_rows_once),
        ON_CAPTURE(the_line_of_a_replayed_batch_has_no_lag),
        ON_CAPTURE(only_chosen_rejects_are_replayed),
        ON_CAPTURE(a_dry_run_only_says_what_would_happen),
        ON_CAPTURE(many_rejects_are_several_batches),
        ON_CAPTURE(failfast_stops_at_the_first_reject_that_fails_again),
        ON_CAPTURE(a_record_is_read_as_in_its_original_batch),
        ON_CAPTURE(the_next_replay_continues_with_an_open_plan),
        ON_CAPTURE(the_query_commits_an_open_plan_as_an_empty_batch),
        ON_CAPTURE(a_planned_batch_of_the_topic_runs_first),
        ON_CAPTURE(a_replay_that_spark_overtook_is_rolled_back),
        ON_CAPTURE(spark_may_commit_a_replay_that_it_finds_in_the_log),
        ON_CAPTURE(a_rewind_past_a_replay_makes_its_rows_rejects_again),
        ON_CAPTURE(a_rewind_by_rows_recognises_a_replay_by_its_manifest),
        ON_CAPTURE(a_moved_lake_keeps_the_resolved_rejects),
        ON_CAPTURE(folded_manifests_keep_the_resolved_rejects),
        ON_CAPTURE(a_replay_that_is_not_committed_causes_no_false_alarm),
        ON_CAPTURE(verify_reports_a_resolved_record_that_is_not_in_the_table),
        ON_CAPTURE(verify_reports_a_reject_that_is_a_row_without_a_replay),
        ON_CAPTURE(a_reject_that_becomes_no_row_is_resolved_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
