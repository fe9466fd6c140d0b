#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "surfaces/rows/picks.h"

static void the_newest_of_many_stay_whatever_order_they_come_in(void **state) {
    (void)state;
    enum { OFFERED = 5000, KEPT = 137 };
    struct picks picks;
    picks_init(&picks, KEPT);
    for (int64_t i = 0; i < OFFERED; i++) { // 1009 and 5000 have no common divisor
        int64_t age = i * 1009 % OFFERED;
        assert_int_equal(picks_are_full(&picks), i >= KEPT);
        picks_offer(&picks, &(struct pick){.batch = age / 1000,
                                           .micros = age % 1000 / 100,
                                           .partition = (int32_t)(age % 100 / 10),
                                           .offset = age % 10,
                                           .file = (size_t)(age % 7),
                                           .row = age});
    }
    picks_sort_by_place(&picks);
    for (size_t i = 1; i < picks.count; i++) {
        assert_true(picks.items[i - 1].file <= picks.items[i].file);
        if (picks.items[i - 1].file == picks.items[i].file)
            assert_true(picks.items[i - 1].row < picks.items[i].row);
    }
    picks_sort_by_age(&picks);
    assert_int_equal(picks.count, KEPT);
    for (size_t i = 0; i < KEPT; i++)
        assert_int_equal(picks.items[i].row, OFFERED - KEPT + i);
    picks_deinit(&picks);
}

static void nothing_is_kept_where_nothing_is_wanted(void **state) {
    (void)state;
    struct picks picks;
    picks_init(&picks, 0);
    picks_offer(&picks, &(struct pick){.batch = 1});
    assert_true(picks_are_full(&picks));
    assert_int_equal(picks.count, 0);
    picks_sort_by_age(&picks);
    picks_deinit(&picks);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_many_stay_whatever_order_they_come_in),
        cmocka_unit_test(nothing_is_kept_where_nothing_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
