#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/calendar.h"

static void days_and_dates_are_each_others_inverse(void **state) {
    (void)state;
    struct date before = calendar_date(-1000001);
    for (int64_t days = -1000000; days <= 1000000; days++) {
        struct date date = calendar_date(days);
        assert_int_equal(calendar_days(date), days);
        bool next_day = date.day == before.day + 1 && date.month == before.month;
        bool next_month =
            date.day == 1 && before.day == calendar_days_of_month(before.year, before.month);
        assert_true(next_day || next_month);
        before = date;
    }
}

static void known_days_are_where_they_belong(void **state) {
    (void)state;
    static const struct {
        struct date date;
        int64_t days;
        int weekday;
    } cases[] = {
        {{1970, 1, 1}, 0, 4},     {{1969, 12, 31}, -1, 3}, {{2000, 2, 29}, 11016, 2},
        {{2024, 3, 5}, 19787, 2}, {{0, 3, 1}, -719468, 3}, {{-1, 12, 31}, -719529, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(calendar_days(cases[i].date), cases[i].days);
        assert_int_equal(calendar_weekday(cases[i].days), cases[i].weekday);
    }
}

static void centuries_are_leap_every_fourth_time(void **state) {
    (void)state;
    assert_true(calendar_is_leap(2000));
    assert_true(calendar_is_leap(0));
    assert_true(calendar_is_leap(-4));
    assert_false(calendar_is_leap(1900));
    assert_false(calendar_is_leap(2023));
    assert_int_equal(calendar_days_of_month(2024, 2), 29);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_dates_are_each_others_inverse),
        cmocka_unit_test(known_days_are_where_they_belong),
        cmocka_unit_test(centuries_are_leap_every_fourth_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
