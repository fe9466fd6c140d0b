#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streaming/query/retry.h"

static void each_pause_is_twice_the_one_before_up_to_ten_seconds(void **state) {
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
    assert_int_equal(retry_pause_ms(&retry, 5000, 0), -1); // no time at all: one attempt
}

/* A clock that has just begun is no mark of a retry that has not. */
static void a_failure_at_the_clocks_first_moment_is_one(void **state) {
    (void)state;
    struct retry retry = {0};
    assert_int_equal(retry_pause_ms(&retry, 1, 1000), 200);
    assert_int_equal(retry_pause_ms(&retry, 1000, 1000), 400);
    assert_int_equal(retry_pause_ms(&retry, 1001, 1000), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pause_is_twice_the_one_before_up_to_ten_seconds),
        cmocka_unit_test(the_time_limit_counts_from_the_first_failure),
        cmocka_unit_test(a_failure_at_the_clocks_first_moment_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
