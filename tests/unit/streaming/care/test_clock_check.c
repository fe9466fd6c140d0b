#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streaming/care/clock_check.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)

#define NOW INT64_C(1795392000000) // 2026-11-23
enum { UP = 5000 };                // the monotonic clock at the start

static void a_start_believes_nothing_until_a_record_of_the_last_day_is_read(void **state) {
    (void)state;
    struct clock_check check = {0};
    assert_false(clock_check_look(&check, NOW, UP, 0));
    assert_false(clock_check_look(&check, NOW + MINUTE, UP + MINUTE, NOW - DAY));
    assert_true(
        clock_check_look(&check, NOW + 2 * MINUTE, UP + 2 * MINUTE, NOW + 2 * MINUTE - DAY));
    // From then on the topic may be quiet.
    for (int64_t at = HOUR; at < 100 * DAY; at += HOUR)
        assert_true(clock_check_look(&check, NOW + at, UP + at, NOW));
}

static void with_a_quiet_topic_it_takes_a_day(void **state) {
    (void)state;
    struct clock_check check = {0};
    for (int64_t at = 0; at < DAY; at += 10 * MINUTE)
        assert_false(clock_check_look(&check, NOW + at, UP + at, 0));
    assert_true(clock_check_look(&check, NOW + DAY, UP + DAY, 0));
    assert_false(check.stepped);
}

static void a_clock_that_is_a_year_ahead_contradicts_the_records(void **state) {
    (void)state;
    struct clock_check check = {0};
    for (int64_t at = 0; at < DAY; at += MINUTE)
        assert_false(clock_check_look(&check, NOW + YEAR + at, UP + at, NOW + at));
    // A year back it is the records that are ahead.
    check = (struct clock_check){0};
    assert_false(clock_check_look(&check, NOW - YEAR, UP, NOW));
}

static void a_step_ends_the_belief_until_a_record_or_a_day_gives_it_back(void **state) {
    (void)state;
    struct clock_check check = {0};
    assert_true(clock_check_look(&check, NOW, UP, NOW));
    assert_true(clock_check_look(&check, NOW + HOUR + MINUTE, UP + MINUTE, NOW)); // a small one
    assert_false(clock_check_look(&check, NOW + YEAR, UP + 2 * MINUTE, NOW));
    assert_true(check.stepped);
    assert_false(clock_check_look(&check, NOW + YEAR + MINUTE, UP + 3 * MINUTE, NOW + MINUTE));
    assert_true(check.stepped);
    // Set right again, which is a step, too.
    assert_true(clock_check_look(&check, NOW + 4 * MINUTE, UP + 4 * MINUTE, NOW + 2 * MINUTE));
    assert_false(check.stepped);

    // After months in suspension the clock is right, and nothing says so.
    assert_false(clock_check_look(&check, NOW + 90 * DAY, UP + 5 * MINUTE, NOW));
    assert_false(clock_check_look(&check, NOW + 91 * DAY - 1, UP + DAY + 5 * MINUTE - 1, NOW));
    assert_true(clock_check_look(&check, NOW + 91 * DAY, UP + DAY + 5 * MINUTE, NOW));
}

static void a_record_settles_a_step_that_is_within_a_day_of_it(void **state) {
    (void)state;
    struct clock_check check = {0};
    assert_true(clock_check_look(&check, NOW, UP, NOW));
    assert_true(clock_check_look(&check, NOW + 20 * HOUR, UP + MINUTE, NOW));
    assert_true(clock_check_look(&check, NOW - 20 * HOUR, UP + 2 * MINUTE, NOW));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_believes_nothing_until_a_record_of_the_last_day_is_read),
        cmocka_unit_test(with_a_quiet_topic_it_takes_a_day),
        cmocka_unit_test(a_clock_that_is_a_year_ahead_contradicts_the_records),
        cmocka_unit_test(a_step_ends_the_belief_until_a_record_or_a_day_gives_it_back),
        cmocka_unit_test(a_record_settles_a_step_that_is_within_a_day_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
