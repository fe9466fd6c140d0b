#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "streaming/cluster/engine/spark_progress.h"
#include "streaming/cluster/engine/stream_plan.h"

/* A report of Spark 4.2.0, with other numbers. */
static const char real[] =
    "{\"id\": \"c900bf41-22fc-4dd2-94ad-56fe197963c7\", \"runId\": \"b49f6ad1-d0eb-4e6f-83f6-"
    "a8126da334a9\", \"name\": null, \"timestamp\": \"2026-11-25T18:16:58.370Z\", \"batchId\": 7, "
    "\"batchDuration\": 2863, \"durationMs\": {\"triggerExecution\": 2863, \"queryPlanning\": 23, "
    "\"getBatch\": 0, \"commitOffsets\": 87, \"latestOffset\": 5, \"addBatch\": 2707, "
    "\"walCommit\": 42}, \"eventTime\": {}, \"stateOperators\": [], \"sources\": [], \"sink\": "
    "{\"description\": \"FileSink[file:/lake]\", \"numOutputRows\": -1}, \"observedMetrics\": "
    "{\"records\": {\"values\": [20000, 882, 70, 18, [1099511627783, 0, 1, 9]], \"schema\": "
    "{\"type\": "
    "\"struct\", \"fields\": []}}, \"rows\": {\"values\": [19048, 19030], \"schema\": {\"type\": "
    "\"struct\", "
    "\"fields\": []}}}}";

static void a_report_of_spark_s_is_understood(void **state) {
    (void)state;
    struct spark_progress progress;
    struct error err;
    assert_true(spark_progress_parse(real, &progress, &err));
    assert_int_equal(progress.batch_id, 7);
    assert_int_equal(progress.duration_ms, 2863);
    assert_int_equal(progress.latest_offset_ms, 5);
    assert_int_equal(progress.wal_commit_ms, 42);
    assert_int_equal(progress.records, 20000);
    assert_int_equal(progress.rejects, 882);
    assert_int_equal(progress.empty, 70);
    assert_int_equal(progress.filtered, 18);
    assert_int_equal(progress.exploded, 19048);
    assert_int_equal(progress.rows, 19030);
    assert_int_equal(progress.window_count, 4);
    spark_progress_deinit(&progress);
}

/* One of the two observations says nothing. */
static const char records_only[] = "{\"batchId\":7,\"durationMs\":{},\"observedMetrics\":"
                                   "{\"records\":{\"values\":[1,0,0,0,[]]}}}";

static void an_idle_trigger_counts_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"batchId\":7,\"durationMs\":{\"latestOffset\":3}}",
        "{\"batchId\":7,\"durationMs\":{},\"observedMetrics\":{}}",
        "{\"batchId\":7,\"durationMs\":{},\"observedMetrics\":{\"other\":{\"values\":[1]}}}",
        records_only,
        "{\"batchId\":7,\"durationMs\":{},\"observedMetrics\":{\"rows\":{\"values\":[1,1]}}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct spark_progress progress;
        struct error err;
        assert_true(spark_progress_parse(texts[i], &progress, &err));
        assert_int_equal(progress.records, -1);
        spark_progress_deinit(&progress);
    }
}

static void an_invalid_report_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "{\"batchId\":7}",
                                        "{\"batchId\":\"7\",\"durationMs\":{}}",
                                        ("{\"batchId\":7,\"durationMs\":{},\"observedMetrics\":{"
                                         "\"records\":{\"values\":[1,2,0,0,[\"x\"]]},"
                                         "\"rows\":{\"values\":[1,1]}}}"),
                                        ("{\"batchId\":7,\"durationMs\":{},\"observedMetrics\":{"
                                         "\"records\":{\"values\":[1,2,0,0,[]]},"
                                         "\"rows\":{\"values\":[1,\"1\"]}}}")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct spark_progress progress;
        struct error err;
        if (spark_progress_parse(texts[i], &progress, &err))
            fail_msg("accepted %s", texts[i]);
        assert_int_equal(err.kind, ERROR_CLUSTER);
    }
}

static void windows_are_cut_to_the_plan_and_joined(void **state) {
    (void)state;
    struct offset_range planned[] = {{0, 500, 50000}, {1, 0, 7500}, {2, 10, 20}};
    const struct plan plan = {.count = 3, .ranges = planned};
    int64_t windows[] = {PLAN_WINDOW_PARTITION + 7,     1, 0, 4, 14, 47,
                         2 * PLAN_WINDOW_PARTITION + 3, // beyond the plan, as is the next
                         9 * PLAN_WINDOW_PARTITION};
    const struct spark_progress progress = {.windows = windows,
                                            .window_count = sizeof windows / sizeof windows[0]};
    struct offset_range *ranges;
    size_t count;
    spark_progress_ranges(&progress, &plan, &ranges, &count);
    static const struct offset_range expected[] = {
        {0, 500, 5120},    // windows 0, 1 and 4, with what is between
        {0, 14336, 15360}, // 14, nine windows behind
        {0, 48128, 50000}, // 47, and on to the plan's end
        {1, 7168, 7500},
    };
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ranges[i].partition, expected[i].partition);
        assert_int_equal(ranges[i].start, expected[i].start);
        assert_int_equal(ranges[i].end, expected[i].end);
    }
    free(ranges);
}

static void a_report_is_kept_until_its_batch_is_asked_for(void **state) {
    (void)state;
    struct progress_book book = {0};
    for (int64_t batch_id = 3; batch_id <= 6; batch_id++) {
        struct spark_progress progress = {.batch_id = batch_id,
                                          .records = batch_id == 6 ? -1 : 10 * batch_id,
                                          .windows = malloc(8)};
        struct spark_progress again = {.batch_id = batch_id, .windows = malloc(8)};
        progress_book_add(&book, 4, &progress);
        progress_book_add(&book, 4, &again);
    }
    assert_int_equal(book.count, 3); // 3 is past, and 6 counted nothing at first
    struct spark_progress found;
    assert_false(progress_book_take(&book, 3, &found));
    assert_true(progress_book_take(&book, 4, &found));
    assert_int_equal(found.records, 40);
    spark_progress_deinit(&found);
    assert_false(progress_book_take(&book, 4, &found));
    assert_true(progress_book_take(&book, 6, &found));
    assert_int_equal(found.records, 0);
    spark_progress_deinit(&found);
    progress_book_deinit(&book);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_of_spark_s_is_understood),
        cmocka_unit_test(an_idle_trigger_counts_nothing),
        cmocka_unit_test(an_invalid_report_is_refused),
        cmocka_unit_test(a_report_is_kept_until_its_batch_is_asked_for),
        cmocka_unit_test(windows_are_cut_to_the_plan_and_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
