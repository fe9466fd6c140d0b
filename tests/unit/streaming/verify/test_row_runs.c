#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "streaming/verify/row_runs.h"

static struct row_runs runs;
static char text[4096];

/* "log:offset[outer/start-end)" or "log:offset reject", sorted. */
static const char *print_runs(void) {
    struct row_run run;
    size_t used = 0;
    text[0] = '\0';
    row_runs_sort(&runs);
    for (size_t at = 0; row_runs_next(&runs, &at, &run);) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u:%lld", used > 0 ? " " : "",
                                 run.log, (long long)run.offset);
        if (run.reject) {
            used += (size_t)snprintf(text + used, sizeof text - used, "x");
            continue;
        }
        for (size_t i = 0; i + 1 < runs.level_count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "/%u", run.levels[i]);
        used += (size_t)snprintf(text + used, sizeof text - used, "[%u-%u)", run.start, run.end);
    }
    return text;
}

static void rows_that_follow_each_other_are_one_run(void **state) {
    (void)state;
    struct row_pen pen;
    row_runs_init(&runs, 1, 0);
    row_pen_init(&pen, &runs);
    for (int32_t i = 0; i < 5; i++)
        row_pen_add(&pen, 1, (int64_t)1 << 40, &(int32_t){i});
    row_pen_add(&pen, 1, 7, &(int32_t){-1}); // OUTER's
    row_pen_add(&pen, 1, 7, &(int32_t){0});  // never joined with it
    row_pen_add(&pen, 0, 9, &(int32_t){1});
    row_pen_add(&pen, 0, 9, &(int32_t){0});
    row_pen_add_reject(&pen, 0, 9);
    row_pen_add_reject(&pen, 0, 8);
    row_pen_finish(&pen);
    assert_string_equal(print_runs(),
                        "0:8x 0:9[1-2) 0:9[2-3) 0:9x 1:7[0-1) 1:7[1-2) 1:1099511627776[1-6)");
    assert_false(row_runs_full(&runs));
    row_runs_clear(&runs);
    assert_string_equal(print_runs(), "");
    row_runs_deinit(&runs);
}

static void each_outer_position_has_runs_of_its_own(void **state) {
    (void)state;
    struct row_pen pen;
    row_runs_init(&runs, 3, 0);
    row_pen_init(&pen, &runs);
    static const int32_t rows[][3] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}, {1, 0, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        row_pen_add(&pen, 0, 3, rows[i]);
    row_pen_finish(&pen);
    assert_string_equal(print_runs(), "0:3/1/1[1-3) 0:3/1/2[1-2) 0:3/2/1[1-3)");
    row_runs_deinit(&runs);
}

static void runs_beyond_the_room_are_noticed(void **state) {
    (void)state;
    struct row_pen pens[2];
    struct row_run run;
    size_t count = 0;
    row_runs_init(&runs, 1, 0);
    row_pen_init(&pens[0], &runs);
    row_pen_init(&pens[1], &runs);
    for (size_t i = 0; i < runs.capacity; i++)
        row_pen_add(&pens[i % 2], 0, (int64_t)i, &(int32_t){0});
    row_pen_finish(&pens[0]);
    row_pen_finish(&pens[1]);
    assert_false(row_runs_full(&runs));
    row_pen_add(&pens[0], 0, 0, &(int32_t){0});
    row_pen_finish(&pens[0]);
    assert_true(row_runs_full(&runs));
    row_runs_sort(&runs);
    for (size_t at = 0; row_runs_next(&runs, &at, &run);)
        assert_int_equal(run.offset, count++);
    assert_int_equal(count, runs.capacity);
    row_runs_deinit(&runs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_follow_each_other_are_one_run),
        cmocka_unit_test(each_outer_position_has_runs_of_its_own),
        cmocka_unit_test(runs_beyond_the_room_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
