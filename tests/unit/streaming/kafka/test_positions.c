#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "streaming/kafka/positions.h"

static void the_state_of_a_position_follows_from_end_and_high_watermark(void **state) {
    (void)state;
    static const struct {
        int64_t position;
        struct partition_offsets listed;
        enum position_state state;
    } cases[] = {
        {0, {0, 0, 0, BROKER_NOT_ASKED}, POSITION_READY},
        {9, {0, 0, 10, BROKER_NOT_ASKED}, POSITION_READY},
        {10, {0, 0, 10, BROKER_NOT_ASKED}, POSITION_READY},
        {5, {0, 7, 10, BROKER_NOT_ASKED}, POSITION_READY}, // retention: the planner tells
        {11, {0, 0, 10, 11}, POSITION_WAITS},
        {30, {0, 0, 10, 45}, POSITION_WAITS},
        {11, {0, 0, 10, 10}, POSITION_AHEAD},
        {46, {0, 0, 10, 45}, POSITION_AHEAD},
        {1, {0, 0, 0, 0}, POSITION_AHEAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(position_state(cases[i].position, &cases[i].listed), cases[i].state);
    assert_int_equal(position_state(0, NULL), POSITION_GONE);
}

static struct partition_offsets listed[] = {{0, 0, 100, 100}, {1, 0, 10, 40}, {2, 0, 7, 8}};
static const struct topic_offsets topic = {3, listed, ""};
static const struct offset_range starts[] = {{0, 90, 90}, {1, 30, 30}, {2, 50, 50}, {4, 3, 3}};

static void each_partition_is_named(void **state) {
    (void)state;
    struct positions_view view;
    positions_view(starts, 4, &topic, &view);
    assert_int_equal(view.waiting.count, 1);
    assert_string_equal(view.waiting.text,
                        "partition 1 can be read up to offset 10, but the next offset is 30");
    assert_int_equal(view.broken.count, 2);
    assert_int_equal(view.gone.count, 1);
    assert_string_equal(view.gone.text, "partition 4 is not listed (its next offset is 3)");
    assert_string_equal(view.broken.text,
                        "partition 2 ends at offset 8, before the next offset 50; "
                        "partition 4 is gone (its next offset was 3)");
    assert_true(positions_want_high(starts, 4, &topic));
    assert_false(positions_want_high(starts, 1, &topic));
}

static void of_many_partitions_the_first_are_named_and_the_others_counted(void **state) {
    (void)state;
    struct partition_texts texts = {0};
    for (int i = 0; i < 1000; i++)
        partition_texts_add(&texts, "partition %d is gone (its next offset was 12345)", i);
    assert_non_null(strstr(texts.text, "partition 3 is gone"));
    size_t length = strlen(texts.text), named = 0;
    assert_in_range(length, 400, sizeof texts.text - 1);
    for (const char *at = texts.text; (at = strstr(at, "partition ")) != NULL; at++)
        named++;
    assert_int_equal(named, texts.named);
    char end[32];
    (void)snprintf(end, sizeof end, "; and %zu more", 1000 - named);
    assert_string_equal(texts.text + length - strlen(end), end);
}

static void texts_are_named_as_long_as_they_fit(void **state) {
    (void)state;
    struct partition_texts texts = {0};
    partition_texts_add(&texts, "a");
    partition_texts_add(&texts, "b");
    assert_string_equal(texts.text, "a; b");
    for (int size = 473; size <= 474; size++) { // with "a; b; " and the terminator in 480 bytes
        struct partition_texts more = texts;
        partition_texts_add(&more, "%0*d", size, 0);
        assert_int_equal(more.named, size == 473 ? 3 : 2);
        partition_texts_add(&more, "d");
        assert_int_equal(more.count, 4);
        assert_non_null(strstr(more.text, size == 473 ? "0; and 1 more" : "a; b; and 2 more"));
    }
}

static void a_partition_that_the_query_has_not_met_begins_at_0(void **state) {
    (void)state;
    assert_int_equal(positions_next(starts, 4, 4), 3);
    assert_int_equal(positions_next(starts, 4, 3), 0);
}

static void the_high_watermark_is_wanted_if_an_end_lies_before_its_position(void **state) {
    (void)state;
    static const struct offset_range at_its_end = {0, 100, 100};
    assert_false(positions_want_high(&at_its_end, 1, &topic));
    assert_true(positions_want_high(&starts[1], 1, &topic));
}

static void what_is_ready_needs_no_words(void **state) {
    (void)state;
    struct positions_view view;
    positions_view(starts, 1, &topic, &view);
    assert_int_equal(view.waiting.count + view.broken.count + view.gone.count, 0);
    assert_string_equal(view.waiting.text, "");
    positions_view(&starts[1], 1, &topic, &view);
    assert_int_equal(view.waiting.count, 1);
}

static void what_open_transactions_hold_back_is_counted(void **state) {
    (void)state;
    assert_int_equal(positions_held_back(starts, 4, &topic), 10);
    assert_int_equal(positions_held_back(&starts[1], 1, &topic), 10);
    assert_int_equal(positions_held_back(starts, 1, &topic), 0);
}

static void assert_moved(bool renewed, struct offsets lowest, const char *expected) {
    size_t count;
    struct offset_range *moved = positions_move(starts, 4, &topic, renewed, &lowest, &count);
    char text[128] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%d:%lld ", moved[i].partition,
                       (long long)moved[i].end);
        assert_int_equal(moved[i].start, moved[i].end);
    }
    assert_string_equal(text, expected);
    free(moved);
}

static void only_what_is_ahead_moves_unless_the_topic_is_another(void **state) {
    (void)state;
    static struct partition_offset low[] = {{0, 85}, {2, 5}};
    const struct offsets lowest = {low, 2};
    assert_moved(false, (struct offsets){0}, "0:90 1:30 2:7 4:3 "); // to the end that can be read
    assert_moved(false, lowest, "0:85 1:30 2:5 4:3 ");              // or that was seen before
    assert_moved(true, lowest, "0:0 1:0 2:0 ");
}

static void a_low_end_at_or_above_the_position_says_nothing(void **state) {
    (void)state;
    static struct partition_offset low[] = {{0, 95}, {2, 50}};
    const struct offsets lowest = {low, 2};
    assert_moved(false, lowest, "0:90 1:30 2:7 4:3 ");
}

static void positions_of_listed_and_gone_partitions_are_in_one_order(void **state) {
    (void)state;
    static struct partition_offsets two[] = {{1, 0, 10, 10}, {3, 0, 10, 10}};
    static const struct offset_range mixed[] = {{0, 9, 9}, {1, 8, 8}, {2, 7, 7}};
    const struct offsets none = {0};
    size_t count;
    struct offset_range *moved =
        positions_move(mixed, 3, &(struct topic_offsets){2, two, ""}, false, &none, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(moved[i].partition, i);
    assert_int_equal(moved[0].end, 9);
    assert_int_equal(moved[3].end, 0);
    free(moved);
}

static void where_a_log_was_shortest_is_kept(void **state) {
    (void)state;
    struct offsets lowest = {0};
    positions_note_lowest(starts, 4, &topic, &lowest);
    assert_int_equal(lowest.count, 1); // of what is ahead alone
    static struct partition_offsets other[] = {{0, 0, 80, 80}, {2, 0, 20, 20}};
    static const struct topic_offsets later = {2, other, ""};
    positions_note_lowest(starts, 4, &later, &lowest);
    assert_int_equal(lowest.count, 2);
    assert_int_equal(offsets_find(&lowest, 0)->offset, 80);
    assert_int_equal(offsets_find(&lowest, 2)->offset, 7);
    other[0].end = other[0].high = 70;
    positions_note_lowest(starts, 4, &later, &lowest);
    assert_int_equal(lowest.count, 2);
    assert_int_equal(offsets_find(&lowest, 0)->offset, 70);
    static const struct offset_range both[] = {{0, 80, 80}, {2, 30, 30}};
    positions_keep_lowest(both, 2, &lowest);
    assert_int_equal(lowest.count, 2);
    static const struct offset_range moved[] = {{0, 70, 70}, {2, 30, 30}};
    positions_keep_lowest(moved, 2, &lowest);
    assert_int_equal(lowest.count, 1);
    assert_int_equal(lowest.entries[0].partition, 2);
    positions_keep_lowest(moved, 1, &lowest); // the query is not in that partition any more
    assert_int_equal(lowest.count, 0);
    offsets_deinit(&lowest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_of_a_position_follows_from_end_and_high_watermark),
        cmocka_unit_test(each_partition_is_named),
        cmocka_unit_test(of_many_partitions_the_first_are_named_and_the_others_counted),
        cmocka_unit_test(texts_are_named_as_long_as_they_fit),
        cmocka_unit_test(a_partition_that_the_query_has_not_met_begins_at_0),
        cmocka_unit_test(the_high_watermark_is_wanted_if_an_end_lies_before_its_position),
        cmocka_unit_test(what_is_ready_needs_no_words),
        cmocka_unit_test(what_open_transactions_hold_back_is_counted),
        cmocka_unit_test(a_low_end_at_or_above_the_position_says_nothing),
        cmocka_unit_test(positions_of_listed_and_gone_partitions_are_in_one_order),
        cmocka_unit_test(only_what_is_ahead_moves_unless_the_topic_is_another),
        cmocka_unit_test(where_a_log_was_shortest_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
