#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/system/clock.h"
#include "streaming/care/pace.h"

#define MS INT64_C(1000000)

static void a_pause_leaves_the_share_that_is_not_ours(void **state) {
    (void)state;
    assert_int_equal(pace_pause_ns(5 * MS, 50), 5 * MS);
    assert_int_equal(pace_pause_ns(5 * MS, 25), 15 * MS);
    assert_int_equal(pace_pause_ns(5 * MS, 99), 5 * MS / 99);
    assert_int_equal(pace_pause_ns(5 * MS, 100), 0);
    assert_int_equal(pace_pause_ns(5 * MS, 200), 0);
    assert_int_equal(pace_pause_ns(5 * MS, 1), 495 * MS);
    assert_int_equal(pace_pause_ns(500 * MS, 1), 500 * MS); // a stop is noticed
    assert_int_equal(pace_pause_ns(5 * MS, 0), 500 * MS);
}

static bool ends_after(void *context) {
    int *left = context;
    return (*left)-- > 0;
}

static void work_ends_when_it_is_told_to(void **state) {
    (void)state;
    int left = 2;
    struct pace pace = {.percent = 100, .goes_on = ends_after, .context = &left};
    pace_begin(&pace);
    assert_true(pace_breathe(&pace));
    while (pace_breathe(&pace))
        assert_true(left >= -1);
    assert_false(pace_breathe(&pace));
}

static void only_work_counts(void **state) {
    (void)state;
    struct pace pace = {.percent = 50};
    pace_begin(&pace);
    int64_t begun_ns = pace.used_ns;
    assert_true(pace_breathe(&pace)); // hardly any work: no pause
    assert_int_equal(pace.used_ns, begun_ns);
    while (clock_thread_cpu_ns() - begun_ns < 6 * MS)
        ;
    assert_true(pace_breathe(&pace));
    assert_true(pace.used_ns >= begun_ns + 6 * MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_leaves_the_share_that_is_not_ours),
        cmocka_unit_test(work_ends_when_it_is_told_to),
        cmocka_unit_test(only_work_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
