#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "streaming/kafka/planner.h"

static struct partition_offsets four[] = {{0, 0, 1000}, {1, 0, 500}, {2, 0, 3}, {3, 0, 0}};
static const struct topic_offsets topic = {.count = 4, .partitions = four};

struct planned {
    struct offset_range *ranges;
    size_t count;
    struct data_loss loss;
};

static struct planned plan(const struct offset_range *starts, size_t start_count,
                           const struct topic_offsets *offsets, int64_t limit) {
    struct planned planned;
    planner_next(starts, start_count, offsets, limit, &planned.ranges, &planned.count,
                 &planned.loss);
    return planned;
}

static void assert_range(const struct offset_range *range, int32_t partition, int64_t start,
                         int64_t end) {
    assert_int_equal(range->partition, partition);
    assert_int_equal(range->start, start);
    assert_int_equal(range->end, end);
}

static void without_limit_a_batch_takes_everything(void **state) {
    (void)state;
    const struct offset_range starts[] = {{0, 10, 10}, {1, 500, 500}, {2, 0, 0}, {3, 0, 0}};
    struct planned planned = plan(starts, 4, &topic, 0);
    assert_int_equal(planned.count, 4);
    assert_range(&planned.ranges[0], 0, 10, 1000);
    assert_range(&planned.ranges[1], 1, 500, 500);
    assert_range(&planned.ranges[2], 2, 0, 3);
    assert_range(&planned.ranges[3], 3, 0, 0);
    assert_int_equal(planner_size(planned.ranges, planned.count), 993);
    assert_int_equal(planned.loss.texts.count, 0);
    free(planned.ranges);
}

static void a_limit_is_split_by_backlog_and_starves_nobody(void **state) {
    (void)state;
    const struct offset_range starts[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {3, 0, 0}};
    struct planned planned = plan(starts, 4, &topic, 100);
    // 100 * 1000/1503 = 66.5, 100 * 500/1503 = 33.3, 100 * 3/1503 = 0.2: down, down, up
    assert_range(&planned.ranges[0], 0, 0, 66);
    assert_range(&planned.ranges[1], 1, 0, 33);
    assert_range(&planned.ranges[2], 2, 0, 1);
    assert_range(&planned.ranges[3], 3, 0, 0);
    free(planned.ranges);
}

static void a_part_of_one_and_a_half_offsets_is_one(void **state) {
    (void)state;
    struct partition_offsets listed[] = {{0, 0, 15}, {1, 0, 5}};
    struct planned planned = plan(NULL, 0, &(struct topic_offsets){2, listed, ""}, 2);
    assert_range(&planned.ranges[0], 0, 0, 1); // 2 * 15/20
    assert_range(&planned.ranges[1], 1, 0, 1); // 2 * 5/20
    free(planned.ranges);
}

/* 22 * (15/22) is a little less than 15 in floating point, and would be rounded down. */
static void a_limit_that_is_not_exceeded_takes_everything(void **state) {
    (void)state;
    struct partition_offsets listed[] = {{0, 0, 15}, {1, 0, 7}};
    for (int64_t limit = 22; limit <= 22 + 1; limit++) {
        struct planned planned = plan(NULL, 0, &(struct topic_offsets){2, listed, ""}, limit);
        assert_range(&planned.ranges[0], 0, 0, 15);
        assert_range(&planned.ranges[1], 1, 0, 7);
        free(planned.ranges);
    }
}

static void partitions_of_either_side_are_planned_in_their_order(void **state) {
    (void)state;
    struct partition_offsets listed[] = {{1, 0, 9}, {3, 0, 4}};
    const struct offset_range starts[] = {{0, 7, 7}, {2, 5, 5}};
    struct planned planned = plan(starts, 2, &(struct topic_offsets){2, listed, ""}, 6);
    assert_int_equal(planned.count, 4);
    assert_range(&planned.ranges[0], 0, 7, 7); // the topic does not list it: it stays
    assert_range(&planned.ranges[1], 1, 0, 4); // 6 * 9/13
    assert_range(&planned.ranges[2], 2, 5, 5);
    assert_range(&planned.ranges[3], 3, 0, 1); // 6 * 4/13
    free(planned.ranges);
}

static void a_new_partition_is_read_from_its_start(void **state) {
    (void)state;
    const struct offset_range starts[] = {{0, 1000, 1000}};
    struct planned planned = plan(starts, 1, &topic, 0);
    assert_int_equal(planned.count, 4);
    assert_range(&planned.ranges[1], 1, 0, 500);
    assert_int_equal(planned.loss.texts.count, 0);
    free(planned.ranges);
}

static void what_retention_took_is_reported_and_counted(void **state) {
    (void)state;
    struct partition_offsets cut[] = {{0, 600, 1000}};
    const struct offset_range starts[] = {{0, 100, 100}};
    struct planned planned = plan(starts, 1, &(struct topic_offsets){1, cut}, 0);
    assert_int_equal(planned.loss.texts.count, 1);
    assert_int_equal(planned.loss.offsets, 500);
    assert_string_equal(planned.loss.texts.text,
                        "partition 0 begins at offset 600; retention deleted offsets 100 to 599");
    assert_range(&planned.ranges[0], 0, 100, 1000);
    free(planned.ranges);
}

static void every_partition_that_lost_something_is_named(void **state) {
    (void)state;
    struct partition_offsets cut[] = {{0, 600, 1000, -1}, {1, 0, 9, -1}, {2, 7, 9, -1}};
    const struct offset_range starts[] = {{0, 100, 100}, {1, 3, 3}, {2, 4, 4}};
    struct planned planned = plan(starts, 3, &(struct topic_offsets){3, cut, ""}, 0);
    assert_int_equal(planned.loss.offsets, 503);
    assert_non_null(strstr(planned.loss.texts.text, "partition 0"));
    assert_null(strstr(planned.loss.texts.text, "partition 1"));
    assert_non_null(strstr(planned.loss.texts.text, "partition 2"));
    free(planned.ranges);
}

static void a_position_behind_the_end_stays(void **state) {
    (void)state;
    struct partition_offsets listed[] = {{0, 0, 5, 200}, {1, 0, 8, -1}};
    const struct offset_range starts[] = {{0, 100, 100}, {1, 3, 3}};
    struct planned planned = plan(starts, 2, &(struct topic_offsets){2, listed, ""}, 0);
    assert_int_equal(planned.loss.texts.count, 0);
    assert_range(&planned.ranges[0], 0, 100, 100);
    assert_range(&planned.ranges[1], 1, 3, 8);
    free(planned.ranges);
}

static void clipping_tells_how_many_offsets_of_each_range_are_lost(void **state) {
    (void)state;
    struct partition_offsets cut[] = {
        {0, 600, 1000, -1}, {1, 2000, 2000, -1}, {2, 0, 50, -1}, {3, 0, 9, 12}, {4, 0, 9, 20}};
    const struct topic_offsets topic_now = {5, cut, ""};
    const struct offset_range planned[] = {{0, 100, 900}, {1, 10, 20}, {2, 5, 6}, {3, 8, 15},
                                           {4, 8, 15},    {5, 0, 3},   {6, 7, 7}};
    struct offset_range ranges[7];
    int64_t lost[7];
    struct data_loss loss;
    memcpy(ranges, planned, sizeof ranges);
    planner_clip(ranges, 7, &topic_now, false, lost, &loss);
    const int64_t expected[] = {500, 10, 0, 7, 0, 3, 0}; // 3: the log ends at 12; 5: it is gone
    assert_memory_equal(lost, expected, sizeof lost);
    assert_range(&ranges[0], 0, 600, 900);
    assert_range(&ranges[1], 1, 20, 20);
    assert_range(&ranges[3], 3, 15, 15);
    assert_range(&ranges[4], 4, 8, 15); // an open transaction is not a loss
    assert_int_equal(loss.offsets, 520);
    assert_int_equal(loss.texts.count, 4);

    memcpy(ranges, planned, sizeof ranges);
    planner_clip(ranges, 7, &topic_now, true, lost, &loss); // of another topic nothing is taken
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(lost[i], planned[i].end - planned[i].start);
}

static void clipping_leaves_a_range_that_the_log_still_has(void **state) {
    (void)state;
    struct partition_offsets listed[] = {{0, 5, 9, -1}, {1, 6, 9, -1}};
    struct offset_range ranges[] = {{0, 5, 9}, {1, 5, 9}};
    int64_t lost[2];
    struct data_loss loss;
    planner_clip(ranges, 2, &(struct topic_offsets){2, listed, ""}, false, lost, &loss);
    assert_int_equal(lost[0], 0);
    assert_int_equal(lost[1], 1);
    assert_int_equal(loss.texts.count, 1);
    assert_string_equal(loss.texts.text, "partition 1: offsets 5 to 5 of the planned batch are "
                                         "gone from the topic");
    assert_range(&ranges[0], 0, 5, 9);
    assert_range(&ranges[1], 1, 6, 9);
}

/* Every offset of the plan is in exactly one share. */
static void assert_covered(const struct offset_range *ranges, size_t count,
                           const struct task_share *shares, size_t share_count) {
    for (size_t i = 0; i < count; i++)
        for (int64_t offset = ranges[i].start; offset < ranges[i].end; offset++) {
            int found = 0;
            for (size_t s = 0; s < share_count; s++)
                for (size_t r = 0; r < shares[s].count; r++) {
                    const struct offset_range *range = &shares[s].ranges[r];
                    found += range->partition == ranges[i].partition && offset >= range->start &&
                             offset < range->end;
                }
            assert_int_equal(found, 1);
        }
}

static void any_cut_covers_every_offset_once(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 500; round++) {
        struct offset_range ranges[7];
        size_t count = 1 + (size_t)rand() % 7, workers = 1 + (size_t)rand() % 6;
        for (size_t i = 0; i < count; i++) {
            int64_t start = rand() % 100;
            int64_t size = rand() % 4 == 0 ? rand() % 300 : rand() % 10;
            ranges[i] = (struct offset_range){(int32_t)i, start, start + size};
        }
        struct task_share shares[6];
        size_t share_count = planner_cut(ranges, count, 1, workers, 1 + rand() % 100, shares);
        assert_in_range(share_count, 1, workers);
        assert_covered(ranges, count, shares, share_count);
        for (size_t i = 0; i < share_count; i++)
            task_share_deinit(&shares[i]);
    }
}

static void a_small_batch_is_one_task(void **state) {
    (void)state;
    const struct offset_range ranges[] = {{0, 0, 10}, {1, 0, 10}};
    struct task_share shares[4];
    assert_int_equal(planner_cut(ranges, 2, 700, 4, 1 << 20, shares), 1);
    assert_int_equal(shares[0].count, 2);
    task_share_deinit(&shares[0]);
}

static void a_hot_partition_is_split(void **state) {
    (void)state;
    const struct offset_range ranges[] = {{0, 0, 10000}, {1, 0, 100}};
    struct task_share shares[2];
    assert_int_equal(planner_cut(ranges, 2, 700, 2, 1 << 20, shares), 2);
    int64_t first = planner_size(shares[0].ranges, shares[0].count);
    int64_t second = planner_size(shares[1].ranges, shares[1].count);
    assert_in_range(first, 5000, 5100);
    assert_in_range(second, 5000, 5100);
    task_share_deinit(&shares[0]);
    task_share_deinit(&shares[1]);
}

/* Cuts ranges of these sizes, one per partition, each from offset 100 on, into `workers` shares. */
static void cut(const int64_t *sizes, size_t count, size_t workers, struct task_share *shares) {
    struct offset_range ranges[24];
    assert_true(count <= sizeof ranges / sizeof ranges[0]);
    for (size_t i = 0; i < count; i++)
        ranges[i] = (struct offset_range){(int32_t)i, 100, 100 + sizes[i]};
    assert_int_equal(planner_cut(ranges, count, 1e6, workers, 1, shares), workers);
}

static void discard(struct task_share *shares, size_t count) {
    for (size_t i = 0; i < count; i++)
        task_share_deinit(&shares[i]);
}

static void the_end_of_the_largest_range_moves_to_the_smallest_share(void **state) {
    (void)state;
    struct task_share shares[3];
    cut((const int64_t[]){10, 80, 20, 20}, 4, 3, shares); // shares of 30, 80, 20; average 43
    assert_int_equal(shares[0].count, 3);
    assert_range(&shares[0].ranges[0], 0, 100, 110);
    assert_range(&shares[0].ranges[1], 3, 100, 120);
    assert_range(&shares[0].ranges[2], 1, 144, 157); // then 13 of the 14 that are still too many
    assert_int_equal(shares[1].count, 1);
    assert_range(&shares[1].ranges[0], 1, 100, 144);
    assert_int_equal(shares[2].count, 2);
    assert_range(&shares[2].ranges[0], 2, 100, 120);
    assert_range(&shares[2].ranges[1], 1, 157, 180); // first 23, the room of the smallest
    discard(shares, 3);
}

static void no_more_moves_than_is_too_much_and_from_the_larger_range(void **state) {
    (void)state;
    struct task_share shares[3];
    cut((const int64_t[]){60, 40, 5}, 3, 3, shares); // average 35
    assert_range(&shares[0].ranges[0], 0, 100, 135);
    assert_range(&shares[1].ranges[0], 1, 100, 140);
    assert_int_equal(shares[2].count, 2);
    assert_range(&shares[2].ranges[1], 0, 135, 160); // though there is room for 30
    discard(shares, 3);
    cut((const int64_t[]){10, 20, 90, 0}, 4, 2, shares); // shares of 100 and 20
    assert_range(&shares[0].ranges[0], 0, 100, 110);
    assert_range(&shares[0].ranges[1], 2, 100, 150);
    assert_range(&shares[1].ranges[1], 2, 150, 190);
    discard(shares, 2);
    assert_int_equal(shares[0].count, 0);
    assert_null(shares[0].ranges);
}

static void of_equal_shares_and_ranges_the_first_is_taken(void **state) {
    (void)state;
    struct task_share shares[4];
    cut((const int64_t[]){40, 40, 0, 0, 40, 40}, 6, 4, shares); // 80, 80, 0, 0; average 40
    assert_range(&shares[0].ranges[0], 0, 100, 100);
    assert_range(&shares[0].ranges[1], 4, 100, 140);
    assert_range(&shares[1].ranges[0], 1, 100, 100);
    assert_range(&shares[1].ranges[1], 5, 100, 140);
    assert_int_equal(shares[2].count, 1);
    assert_range(&shares[2].ranges[0], 0, 100, 140);
    assert_int_equal(shares[3].count, 1);
    assert_range(&shares[3].ranges[0], 1, 100, 140);
    discard(shares, 4);
}

static void a_share_may_exceed_the_average_by_a_quarter(void **state) {
    (void)state;
    struct task_share shares[2];
    cut((const int64_t[]){50, 30}, 2, 2, shares); // 50 == 1.25 * 40
    assert_range(&shares[0].ranges[0], 0, 100, 150);
    assert_int_equal(shares[1].count, 1);
    discard(shares, 2);
    cut((const int64_t[]){51, 29}, 2, 2, shares);
    assert_range(&shares[0].ranges[0], 0, 100, 140);
    assert_range(&shares[1].ranges[1], 0, 140, 151);
    discard(shares, 2);
}

static void a_single_offset_moves_and_none_makes_no_range(void **state) {
    (void)state;
    struct task_share shares[2];
    cut((const int64_t[]){3, 1}, 2, 2, shares);
    assert_range(&shares[0].ranges[0], 0, 100, 102);
    assert_range(&shares[1].ranges[1], 0, 102, 103);
    discard(shares, 2);
    cut((const int64_t[]){1, 0}, 2, 2, shares); // half an offset is none
    assert_int_equal(shares[0].count, 1);
    assert_int_equal(shares[1].count, 0);
    discard(shares, 2);
}

/* Ranges of one offset each, all in the first share: a step can move no more than one of them. */
static void evening_out_takes_as_many_steps_as_there_are_shares(void **state) {
    (void)state;
    int64_t sizes[20];
    struct task_share shares[2];
    for (size_t i = 0; i < 20; i++)
        sizes[i] = i % 2 == 0 ? 1 : 0;
    cut(sizes, 20, 2, shares);
    assert_int_equal(shares[0].count, 10);
    assert_int_equal(planner_size(shares[0].ranges, shares[0].count), 8);
    assert_int_equal(shares[1].count, 2);
    assert_int_equal(planner_size(shares[1].ranges, shares[1].count), 2);
    discard(shares, 2);
}

static void a_batch_becomes_as_many_tasks_as_it_takes(void **state) {
    (void)state;
    assert_int_equal(planner_task_count(0, 4, 100), 1);
    assert_int_equal(planner_task_count(100, 4, 100), 1);
    assert_int_equal(planner_task_count(101, 4, 100), 2);
    assert_int_equal(planner_task_count(250, 4, 100), 3);
    assert_int_equal(planner_task_count(299, 4, 100), 3);
    assert_int_equal(planner_task_count(300, 4, 100), 4);
    assert_int_equal(planner_task_count(100000, 4, 100), 4);
    assert_int_equal(planner_task_count(100000, 1, 100), 1);
}

static void a_records_size_is_learned_from_records_and_the_more_the_more_there_were(void **state) {
    (void)state;
    assert_true(planner_weigh(700, 0, 0) == 700); // transaction markers, or what was compacted
    double few = planner_weigh(700, 10, 1000000),
           many = planner_weigh(700, 100000, INT64_C(100) << 20);
    assert_true(few > 700 && few < 2000);
    assert_true(many > 1000 && many < 1100);
    assert_true(planner_weigh(700, 1000, 900000) == 800);
    double one = planner_weigh(700, 1, 701400); // its weight is 1/1001
    assert_true(one > 1399.99 && one < 1400.01);
    // So a large batch after one without records is still cut.
    assert_int_equal(planner_task_count(1e6 * planner_weigh(700, 0, 0), 4, PLANNER_TASK_BYTES), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_records_size_is_learned_from_records_and_the_more_the_more_there_were),
        cmocka_unit_test(without_limit_a_batch_takes_everything),
        cmocka_unit_test(a_limit_is_split_by_backlog_and_starves_nobody),
        cmocka_unit_test(a_part_of_one_and_a_half_offsets_is_one),
        cmocka_unit_test(a_limit_that_is_not_exceeded_takes_everything),
        cmocka_unit_test(partitions_of_either_side_are_planned_in_their_order),
        cmocka_unit_test(clipping_leaves_a_range_that_the_log_still_has),
        cmocka_unit_test(the_end_of_the_largest_range_moves_to_the_smallest_share),
        cmocka_unit_test(no_more_moves_than_is_too_much_and_from_the_larger_range),
        cmocka_unit_test(of_equal_shares_and_ranges_the_first_is_taken),
        cmocka_unit_test(a_share_may_exceed_the_average_by_a_quarter),
        cmocka_unit_test(a_single_offset_moves_and_none_makes_no_range),
        cmocka_unit_test(evening_out_takes_as_many_steps_as_there_are_shares),
        cmocka_unit_test(a_batch_becomes_as_many_tasks_as_it_takes),
        cmocka_unit_test(a_new_partition_is_read_from_its_start),
        cmocka_unit_test(what_retention_took_is_reported_and_counted),
        cmocka_unit_test(every_partition_that_lost_something_is_named),
        cmocka_unit_test(a_position_behind_the_end_stays),
        cmocka_unit_test(clipping_tells_how_many_offsets_of_each_range_are_lost),
        cmocka_unit_test(any_cut_covers_every_offset_once),
        cmocka_unit_test(a_small_batch_is_one_task),
        cmocka_unit_test(a_hot_partition_is_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
