#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "streaming/verify/offset_map.h"

static void set_window(struct offset_map *map, uint32_t log, int64_t start, int64_t end) {
    struct offset_window window = {.log = log, .start = start, .end = end};
    offset_map_set_windows(map, &window, 1);
}

static void an_offset_outside_of_all_windows_is_reported(void **state) {
    (void)state;
    struct offset_map map;
    struct offset_pen pen;
    offset_map_init(&map);
    set_window(&map, 3, 100, 200);
    offset_pen_init(&pen, &map);
    assert_false(offset_pen_add(&pen, 0, 150)); // a new pen is at no log
    assert_false(offset_pen_add(&pen, 3, 99));
    assert_true(offset_pen_add(&pen, 3, 100));
    assert_true(offset_pen_add(&pen, 3, 199));
    assert_false(offset_pen_add(&pen, 3, 200));
    assert_false(offset_pen_add(&pen, 3, INT64_MIN));
    assert_false(offset_pen_add(&pen, 3, INT64_MAX));
    assert_false(offset_pen_add(&pen, 4, 150));
    offset_pen_finish(&pen);
    offset_map_deinit(&map);
}

static void gaps_and_duplicates_are_those_of_a_plain_count(void **state) {
    (void)state;
    enum { START = 1000, COUNT = 777 };
    srandom(7);
    for (int round = 0; round < 200; round++) {
        struct offset_map map;
        struct offset_pen pen;
        int times[COUNT] = {0};
        int64_t duplicates = 0;
        offset_map_init(&map);
        set_window(&map, 0, START, START + COUNT);
        offset_pen_init(&pen, &map);
        for (int i = 0; i < 1 + round * 5; i++) {
            int from = (int)(random() % COUNT);
            for (int at = from; at < COUNT && at < from + random() % 200; at++) {
                assert_true(offset_pen_add(&pen, 0, START + at));
                duplicates += times[at]++ > 0;
            }
            if (i % 3 == 0)
                offset_pen_finish(&pen);
        }
        offset_pen_finish(&pen);
        assert_int_equal(map.windows[0].duplicates, duplicates);
        assert_int_equal(map.duplicate_count, duplicates);
        int64_t start = START, end;
        for (; offset_map_gap(&map, &map.windows[0], START + COUNT, &start, &end); start = end)
            for (int64_t at = start; at < end; at++)
                assert_int_equal(times[at - START]--, 0);
        for (int at = 0; at < COUNT; at++)
            assert_int_not_equal(times[at], 0);
        offset_map_deinit(&map);
    }
}

enum { THREADS = 4, EACH = 100000 };

/* Every offset that is not a multiple of 1,000, and those that are a multiple of 5,000 twice. */
static void *write_share(void *argument) {
    struct offset_pen *pen = argument;
    int64_t share = pen->log;
    pen->log = 0;
    for (int64_t offset = share; offset < (int64_t)THREADS * EACH; offset += THREADS) {
        if (offset % 1000 != 0 || offset % 5000 == 0)
            (void)offset_pen_add(pen, 0, offset);
        if (offset % 5000 == 0)
            (void)offset_pen_add(pen, 0, offset);
    }
    offset_pen_finish(pen);
    return NULL;
}

static void threads_may_write_to_one_word(void **state) {
    (void)state;
    struct offset_map map;
    struct offset_pen pens[THREADS];
    pthread_t threads[THREADS];
    offset_map_init(&map);
    set_window(&map, 0, 0, (int64_t)THREADS * EACH);
    for (int i = 0; i < THREADS; i++) {
        offset_pen_init(&pens[i], &map);
        pens[i].log = (uint32_t)i; // its share
        assert_int_equal(pthread_create(&threads[i], NULL, write_share, &pens[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(map.windows[0].duplicates, THREADS * EACH / 5000);
    assert_int_equal(map.duplicate_count, THREADS * EACH / 5000);
    int64_t start = 0, end, gaps = 0;
    for (; offset_map_gap(&map, &map.windows[0], (int64_t)THREADS * EACH, &start, &end);
         start = end, gaps++) {
        assert_int_equal(start % 1000, 0);
        assert_int_equal(end, start + 1);
    }
    assert_int_equal(gaps, THREADS * EACH / 1000 - THREADS * EACH / 5000);
    offset_map_deinit(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_outside_of_all_windows_is_reported),
        cmocka_unit_test(gaps_and_duplicates_are_those_of_a_plain_count),
        cmocka_unit_test(threads_may_write_to_one_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
