#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "surfaces/rows/newest_rows.h"

static void the_newest_of_many_stay_no_matter_the_order(void **state) {
    (void)state;
    static const char *const paths[] = {"a", "b", "c", "d", "e", "f", "g"};
    enum { OFFERED = 5000, KEPT = 137 };
    struct error err;
    struct newest_rows newest;
    assert_true(newest_rows_init(&newest, KEPT, &err));
    for (int64_t i = 0; i < OFFERED; i++) { // 1009 and 5000 have no common divisor
        int64_t age = i * 1009 % OFFERED;
        assert_int_equal(newest_rows_are_full(&newest), i >= KEPT);
        newest_rows_offer(&newest, &(struct newest_row){.batch = age / 1000,
                                                        .micros = age % 1000 / 100,
                                                        .partition = (int32_t)(age % 100 / 10),
                                                        .offset = age % 10,
                                                        .path = paths[age % 7],
                                                        .row = age});
    }
    newest_rows_sort_by_place(&newest);
    for (size_t i = 1; i < newest.count; i++) {
        int order = strcmp(newest.items[i - 1].path, newest.items[i].path);
        assert_true(order <= 0);
        if (order == 0)
            assert_true(newest.items[i - 1].row < newest.items[i].row);
    }
    newest_rows_sort_by_age(&newest);
    assert_int_equal(newest.count, KEPT);
    for (size_t i = 0; i < KEPT; i++)
        assert_int_equal(newest.items[i].row, OFFERED - KEPT + i);
    newest_rows_deinit(&newest);
}

static void nothing_is_kept_where_nothing_is_wanted(void **state) {
    (void)state;
    struct error err;
    struct newest_rows newest;
    assert_true(newest_rows_init(&newest, 0, &err));
    newest_rows_offer(&newest, &(struct newest_row){.batch = 1});
    assert_true(newest_rows_are_full(&newest));
    assert_int_equal(newest.count, 0);
    newest_rows_sort_by_age(&newest);
    newest_rows_deinit(&newest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_many_stay_no_matter_the_order),
        cmocka_unit_test(nothing_is_kept_where_nothing_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
