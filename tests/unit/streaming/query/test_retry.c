#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/declare/stream.h"
#include "streaming/query/retry.h"

/* ---- the schedule ---- */

static void each_pause_is_twice_the_previous_one_up_to_ten_seconds(void **state) {
    (void)state;
    static const int64_t pauses_ms[] = {200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    struct retry retry = {0};
    int64_t now_ms = 5000;
    for (size_t i = 0; i < sizeof pauses_ms / sizeof pauses_ms[0]; i++) {
        assert_int_equal(retry_pause_ms(&retry, now_ms, 60000), pauses_ms[i]);
        now_ms += pauses_ms[i];
    }
}

static void the_time_limit_counts_from_the_first_failure(void **state) {
    (void)state;
    struct retry retry = {0};
    assert_int_equal(retry_pause_ms(&retry, 5000, 1000), 200);
    assert_int_equal(retry_pause_ms(&retry, 5999, 1000), 400);
    assert_int_equal(retry_pause_ms(&retry, 6000, 1000), -1);
    retry = (struct retry){0};
    assert_int_equal(retry_pause_ms(&retry, 5000, 0), -1); // no time: a single attempt
}

/* A clock near 0 does not mean that the retry has not started. */
static void a_failure_at_time_zero_counts(void **state) {
    (void)state;
    struct retry retry = {0};
    assert_int_equal(retry_pause_ms(&retry, 1, 1000), 200);
    assert_int_equal(retry_pause_ms(&retry, 1000, 1000), 400);
    assert_int_equal(retry_pause_ms(&retry, 1001, 1000), -1);
}

/* ---- with a fake clock ---- */

static struct {
    int64_t now_ms, slept_ms;
    int64_t stop_at_ms; // when a stop is requested; 0: never
    struct stop stop;
    struct schema schema;
    struct query_report report;
    struct retrier retrier;
} scene;

static int64_t scene_wall(void) {
    return 1700000000000 + scene.now_ms;
}

static int64_t scene_monotonic(void) {
    return scene.now_ms * 1000;
}

static bool scene_sleep(struct stop *stop, int64_t ms) {
    scene.now_ms += ms;
    scene.slept_ms += ms;
    if (scene.stop_at_ms > 0 && scene.now_ms >= scene.stop_at_ms)
        stop_request(stop, STOP_AFTER_BATCH);
    return stop_read(stop) != STOP_NOT;
}

static const struct clock_ops *real_clock;

static int set_up(void **state) {
    static const struct clock_ops clock = {scene_wall, scene_monotonic};
    (void)state;
    log_configure(LOG_CRITICAL + 1, false);
    memset(&scene, 0, sizeof scene);
    scene.now_ms = 5000;
    stop_init(&scene.stop);
    scene.stop.sleep = scene_sleep;
    stream_schema(stream_of("matches"), &scene.schema);
    query_report_init(&scene.report, "match_stream", "matches", &scene.schema);
    scene.retrier = (struct retrier){&scene.report, &scene.stop, 1000};
    real_clock = clock_source;
    clock_source = &clock;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    clock_source = real_clock;
    query_report_deinit(&scene.report);
    stop_deinit(&scene.stop);
    return 0;
}

/* Runs a step that always fails with `kind`. Returns the number of attempts; *err is the final
 * error. */
static int try_often(enum error_kind kind, struct error *err) {
    struct retry retry = {0};
    for (int tries = 1; tries < 100; tries++) {
        *err = (struct error){0};
        (void)error_set(err, kind, "no space");
        if (!retry_again(&scene.retrier, &retry, err))
            return tries;
    }
    fail_msg("tried without end");
    return 0;
}

static void only_errors_that_may_pass_are_retried(void **state) {
    (void)state;
    for (enum error_kind kind = ERROR_RETRY; kind <= ERROR_STOPPED; kind++) {
        struct error err;
        scene.slept_ms = 0;
        bool may_pass = kind == ERROR_RETRY || kind == ERROR_LIMIT;
        assert_int_equal(try_often(kind, &err), may_pass ? 4 : 1);
        assert_int_equal(scene.slept_ms, may_pass ? 200 + 400 + 800 : 0);
        assert_int_equal(err.kind, kind);
        if (!may_pass)
            assert_string_equal(err.message, "no space");
    }
}

static void it_gives_up_with_the_last_error_and_the_time_limit(void **state) {
    (void)state;
    struct error err;
    scene.retrier.limit_ms = 60000;
    assert_int_equal(try_often(ERROR_RETRY, &err), 12); // 200 ms to 6.4 s, then 10 s, five times
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_string_equal(err.message, "gave up after WRITE_RETRY_TIMEOUT (60 s): no space");
}

static void without_time_a_step_is_tried_once(void **state) {
    (void)state;
    struct error err;
    scene.retrier.limit_ms = 0;
    assert_int_equal(try_often(ERROR_RETRY, &err), 1);
    assert_int_equal(scene.slept_ms, 0);
}

static void a_stop_ends_the_wait(void **state) {
    (void)state;
    struct error err;
    scene.stop_at_ms = 5600;
    assert_int_equal(try_often(ERROR_RETRY, &err), 2);
    assert_int_equal(scene.now_ms, 5600);
    assert_int_equal(err.kind, ERROR_STOPPED);
    assert_string_equal(err.message, "stopped while waiting to retry");
}

static void the_status_shows_the_error_and_how_long_the_query_rests(void **state) {
    (void)state;
    struct error err = {0};
    struct retry retry = {0};
    (void)error_set(&err, ERROR_RETRY, "no space");
    assert_true(retry_again(&scene.retrier, &retry, &err));
    struct query_snapshot status = query_status_read(&scene.report.status);
    assert_int_equal(status.state, QUERY_RETRYING);
    assert_string_equal(status.message, "Waiting to retry after an error");
    assert_string_equal(status.error, "no space");
    assert_true(status.is_data_available);
    assert_int_equal(status.retries, 1);
    assert_int_equal(status.rest_until_ms, 5200);
}

static void the_status_shows_the_start_of_the_failure_the_next_attempt_and_the_limit(void **state) {
    (void)state;
    struct retry retry = {0};
    for (int i = 0; i < 2; i++) {
        struct error err = {0};
        (void)error_set(&err, ERROR_RETRY, "no space");
        assert_true(retry_again(&scene.retrier, &retry, &err));
    }
    struct query_retry shown = query_status_read(&scene.report.status).retry;
    assert_int_equal(shown.since_ms, 1700000005000);
    assert_int_equal(shown.attempts, 2);
    assert_int_equal(shown.next_ms, 1700000005600);
    assert_int_equal(shown.until_ms, 1700000006000);
    assert_string_equal(shown.limit, "WRITE_RETRY_TIMEOUT");
    query_status_say(&scene.report.status, QUERY_RUNNING, true, "Processing new data");
    assert_int_equal(query_status_read(&scene.report.status).retry.since_ms, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pause_is_twice_the_previous_one_up_to_ten_seconds),
        cmocka_unit_test(the_time_limit_counts_from_the_first_failure),
        cmocka_unit_test(a_failure_at_time_zero_counts),
        TEST(only_errors_that_may_pass_are_retried),
        TEST(it_gives_up_with_the_last_error_and_the_time_limit),
        TEST(without_time_a_step_is_tried_once),
        TEST(a_stop_ends_the_wait),
        TEST(the_status_shows_the_error_and_how_long_the_query_rests),
        TEST(the_status_shows_the_start_of_the_failure_the_next_attempt_and_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
