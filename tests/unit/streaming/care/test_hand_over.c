#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streaming/care/hand_over.h"

#define SECOND INT64_C(1000)
#define BEGAN INT64_C(1000)

static void while_a_batch_makes_progress_there_is_no_limit(void **state) {
    (void)state;
    struct hand_over wait = {.began_ms = BEGAN};
    int said = 0;
    for (int64_t at = 0; at <= 10000 * SECOND; at += 500) {
        enum hand_over_verdict verdict = hand_over_judge(&wait, BEGAN + at, QUERY_RUNNING);
        assert_int_not_equal(verdict, HAND_OVER_GIVE_UP);
        if (verdict == HAND_OVER_SAY)
            assert_int_equal(at, 10 * SECOND);
        said += verdict == HAND_OVER_SAY;
    }
    assert_int_equal(said, 1);
}

static void without_progress_the_limit_is_two_minutes(void **state) {
    (void)state;
    struct hand_over wait = {.began_ms = BEGAN};
    assert_int_equal(hand_over_judge(&wait, BEGAN, QUERY_RETRYING), HAND_OVER_WAIT);
    assert_int_equal(hand_over_judge(&wait, BEGAN + 10 * SECOND, QUERY_RETRYING), HAND_OVER_SAY);
    assert_int_equal(hand_over_judge(&wait, BEGAN + 119 * SECOND, QUERY_RETRYING), HAND_OVER_WAIT);
    assert_int_equal(hand_over_judge(&wait, BEGAN + 120 * SECOND, QUERY_RETRYING),
                     HAND_OVER_GIVE_UP);
}

static void with_progress_the_two_minutes_start_again(void **state) {
    (void)state;
    struct hand_over wait = {.began_ms = BEGAN, .said = true};
    assert_int_equal(hand_over_judge(&wait, BEGAN, QUERY_RETRYING), HAND_OVER_WAIT);
    assert_int_equal(hand_over_judge(&wait, BEGAN + 119 * SECOND, QUERY_RUNNING), HAND_OVER_WAIT);
    assert_int_equal(hand_over_judge(&wait, BEGAN + 121 * SECOND, QUERY_RETRYING), HAND_OVER_WAIT);
    assert_int_equal(hand_over_judge(&wait, BEGAN + 240 * SECOND, QUERY_RETRYING), HAND_OVER_WAIT);
    assert_int_equal(hand_over_judge(&wait, BEGAN + 241 * SECOND, QUERY_RETRYING),
                     HAND_OVER_GIVE_UP);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_a_batch_makes_progress_there_is_no_limit),
        cmocka_unit_test(without_progress_the_limit_is_two_minutes),
        cmocka_unit_test(with_progress_the_two_minutes_start_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
