/* What a query reports about its batches: sums, rings that forget the oldest, and copies that stay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "streaming/report/query_history.h"

static struct query_history history;

static int set_up(void **state) {
    (void)state;
    query_history_init(&history);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    query_history_deinit(&history);
    return 0;
}

/* Batch `id`, committed at `second`, of `rows` rows. */
static void add_batch(int64_t id, int64_t second, int64_t rows, size_t ranges) {
    struct report_range *all = must_alloc(ranges + 1, sizeof *all);
    for (size_t i = 0; i < ranges; i++)
        all[i] = (struct report_range){.partition = (int32_t)i, .end = rows};
    struct batch_report draft = {.batch_id = id,
                                 .committed_ms = second * 1000,
                                 .rows = rows,
                                 .accepted = rows,
                                 .files = 1,
                                 .total_us = 1500000,
                                 .since_trigger_us = id == 0 ? 0 : 2000000,
                                 .stage_us = {[STAGE_DECODE] = 1500000},
                                 .lag_after = 100 + id,
                                 .range_count = ranges,
                                 .ranges = all};
    struct data_file file = {.size = rows};
    struct file_list files = {.files = &file, .count = 1};
    struct tally tally = {0};
    tally.counts.field_faults[2] = 1;
    query_history_add(&history, batch_report_create(&draft), &files, &tally);
    free(all);
}

static void add_delayed(int64_t oldest_ms, int64_t committed_ms) {
    struct batch_report draft = {.oldest_ms = oldest_ms, .committed_ms = committed_ms};
    struct file_list files = {0};
    struct tally tally = {0};
    query_history_add(&history, batch_report_create(&draft), &files, &tally);
}

static void add_newest(int64_t newest_ms, int64_t committed_ms) {
    struct batch_report draft = {.newest_ms = newest_ms, .committed_ms = committed_ms};
    struct file_list files = {0};
    struct tally tally = {0};
    query_history_add(&history, batch_report_create(&draft), &files, &tally);
}

static void a_batch_with_a_timestamp_from_the_future_does_not_tell_the_time(void **state) {
    (void)state;
    const int64_t day_ms = 24LL * 60 * 60 * 1000;
    add_newest(0, day_ms);
    assert_int_equal(query_history_totals(&history).witness_ms, 0);
    add_newest(2 * day_ms, day_ms); // a producer whose clock is a bit ahead
    assert_int_equal(query_history_totals(&history).witness_ms, 2 * day_ms);
    add_newest(4 * day_ms + 1, 3 * day_ms);
    assert_int_equal(query_history_totals(&history).witness_ms, 2 * day_ms);
    assert_int_equal(query_history_totals(&history).newest_record_ms, 3 * day_ms);
    add_newest(day_ms, 3 * day_ms);
    assert_int_equal(query_history_totals(&history).witness_ms, 2 * day_ms);
}

static void delays_run_from_the_oldest_record_to_the_commit(void **state) {
    (void)state;
    add_delayed(10000, 10250);    // the bound itself is in its class
    add_delayed(10000, 12000);    // 2 s
    add_delayed(0, 12000);        // no row has a timestamp
    add_delayed(20000, 15000);    // a producer whose clock is ahead
    add_delayed(10000, 99999999); // more than the last bound
    struct query_totals totals = query_history_totals(&history);
    assert_int_equal(totals.delay_ms, 250 + 2000 + 0 + 99989999);
    assert_int_equal(totals.committed_ms, 99999999);
    assert_int_equal(totals.delays[0], 2);
    assert_int_equal(totals.delays[3], 1); // up to 2.5 s
    assert_int_equal(totals.delays[DELAY_BOUNDS], 1);
}

static void totals_are_sums(void **state) {
    (void)state;
    add_batch(0, 100, 10, 1);
    add_batch(1, 101, FILE_SIZE_SMALLEST, 1);
    add_batch(2, 102, (int64_t)FILE_SIZE_SMALLEST * 4 + 1, 1);
    add_batch(3, 103, INT64_C(5) << 30, 1);
    struct query_totals totals = query_history_totals(&history);
    assert_int_equal(totals.batches, 4);
    assert_int_equal(totals.field_faults[2], 4);
    assert_int_equal(totals.file_sizes[0], 2); // a bound belongs to its class
    assert_int_equal(totals.file_sizes[1], 0);
    assert_int_equal(totals.file_sizes[2], 1);
    assert_int_equal(totals.file_sizes[FILE_SIZES - 1], 1);
    assert_int_equal(totals.small_files, 3);
    assert_int_equal(totals.duration_us[DURATION_TOTAL], 6000000);
    assert_int_equal(totals.durations[DURATION_TOTAL][8], 4); // 1 s < 1.5 s <= 2.5 s
    assert_int_equal(totals.durations[STAGE_FETCH][0], 4);
}

static void the_newest_batches_are_kept_and_a_reference_outlives_them(void **state) {
    (void)state;
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    add_batch(0, 1, 7, 2);
    assert_int_equal(query_history_batches(&history, -1, HISTORY_REPORTS_MAX, batches), 1);
    struct batch_report *first = batches[0];
    for (int64_t id = 1; id < 1500; id++)
        add_batch(id, 1 + id, 1, 2);
    assert_int_equal(query_history_batches(&history, -1, HISTORY_REPORTS_MAX, batches),
                     HISTORY_REPORTS_MAX);
    for (size_t i = 0; i < HISTORY_REPORTS_MAX; i++) {
        assert_int_equal(batches[i]->batch_id, 500 + (int64_t)i);
        batch_report_release(batches[i]);
    }
    assert_int_equal(query_history_batches(&history, 1490, HISTORY_REPORTS_MAX, batches), 9);
    for (size_t i = 0; i < 9; i++)
        batch_report_release(batches[i]);
    assert_int_equal(query_history_batches(&history, -1, 2, batches), 2);
    assert_int_equal(batches[0]->batch_id, 1498);
    batch_report_release(batches[0]);
    batch_report_release(batches[1]);

    assert_int_equal(first->rows, 7);
    assert_int_equal(first->ranges[1].end, 7);
    batch_report_release(first);
}

static void batches_of_many_partitions_share_their_room(void **state) {
    (void)state;
    enum { PARTITIONS = 1000 };
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    for (int64_t id = 0; id < 200; id++)
        add_batch(id, id, 1, PARTITIONS);
    size_t kept = query_history_batches(&history, -1, HISTORY_REPORTS_MAX, batches);
    assert_in_range(kept, 10, 40);
    assert_int_equal(batches[kept - 1]->batch_id, 199);
    assert_in_range(query_history_memory(&history), HISTORY_REPORT_BYTES / 2,
                    HISTORY_REPORT_BYTES + (1 << 20));
    for (size_t i = 0; i < kept; i++)
        batch_report_release(batches[i]);
}

static void a_batch_larger_than_the_room_is_kept_alone(void **state) {
    (void)state;
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    add_batch(0, 0, 1, 1);
    add_batch(1, 1, 1, 60000);
    assert_int_equal(query_history_batches(&history, -1, HISTORY_REPORTS_MAX, batches), 1);
    assert_int_equal(batches[0]->batch_id, 1);
    batch_report_release(batches[0]);
}

static void points_are_sums_of_their_seconds_and_empty_between(void **state) {
    (void)state;
    struct history_point points[HISTORY_POINTS_MAX];
    add_batch(0, 1009, 5, 1);
    add_batch(1, 1010, 6, 1);
    add_batch(2, 1019, 7, 1);
    add_batch(3, 1039, 8, 1);
    query_history_points(&history, HISTORY_10_S, 1045, 5, points);
    const int64_t rows[] = {5, 13, 0, 8, 0};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(points[i].begin_s, 1000 + 10 * (int64_t)i);
        assert_int_equal(points[i].rows, rows[i]);
    }
    assert_int_equal(points[0].since_trigger_us, 0); // the first batch had no trigger before it
    assert_int_equal(points[1].batches, 2);
    assert_int_equal(points[1].lag_after, 102); // of the newer one
    assert_int_equal(points[1].input_records, 13);
    assert_int_equal(points[1].since_trigger_us, 4000000);
    assert_int_equal(points[1].stage_us[STAGE_DECODE], 3000000);
    query_history_points(&history, HISTORY_60_S, 1045, 2, points);
    assert_int_equal(points[0].begin_s, 960);
    assert_int_equal(points[0].rows, 18);
    assert_int_equal(points[1].rows, 8);
}

static void a_point_of_long_ago_is_forgotten(void **state) {
    (void)state;
    struct history_point points[HISTORY_POINTS_MAX];
    add_batch(0, 1000, 5, 1);
    query_history_points(&history, HISTORY_10_S, 1000 + 3600, 360, points);
    for (size_t i = 0; i < 360; i++)
        assert_int_equal(points[i].rows, 0);
}

static void note(struct tally *tally, int64_t offset, const char *value, size_t size) {
    struct record record = {.offset = offset, .value = value, .value_size = size};
    struct reject reject = {.reason = REJECT_MALFORMED, .detail = "because"};
    reject_samples_note(&tally->samples, &record, &reject, 42);
    tally->rejects[REJECT_MALFORMED]++;
}

static void the_newest_rejects_are_kept_with_the_beginning_of_their_bytes(void **state) {
    (void)state;
    char large[REJECT_SAMPLE_BYTES_MAX + 1000];
    memset(large, 'x', sizeof large);
    struct tally batch = {0}, tasks[2] = {{{{0}}}};
    for (int64_t i = 0; i < 130; i++)
        note(&tasks[0], i, large, sizeof large);
    note(&tasks[1], 1000, NULL, 0);
    note(&tasks[1], 1001, "", 0);
    tally_add(&batch, &tasks[0]);
    tally_add(&batch, &tasks[1]);
    assert_int_equal(batch.rejects[REJECT_MALFORMED], 132);
    struct batch_report draft = {.batch_id = 1};
    query_history_add(&history, batch_report_create(&draft), &(struct file_list){0}, &batch);

    struct reject_sample *samples[REJECT_SAMPLES_MAX];
    assert_int_equal(query_history_rejects(&history, samples), REJECT_SAMPLES_MAX);
    assert_int_equal(samples[0]->offset, 1001);
    assert_int_equal(samples[0]->batch_id, 1);
    assert_int_equal(samples[0]->value_size, 0);
    assert_int_equal(samples[1]->offset, 1000);
    assert_true(samples[1]->value_size == SIZE_MAX);
    assert_int_equal(samples[2]->offset, 129);
    assert_int_equal(samples[2]->value_size, sizeof large);
    assert_int_equal(samples[2]->kept, REJECT_SAMPLE_BYTES_MAX);
    assert_memory_equal(samples[2]->value, large, REJECT_SAMPLE_BYTES_MAX);
    assert_int_equal(samples[99]->offset, 32);
    for (size_t i = 0; i < REJECT_SAMPLES_MAX; i++)
        reject_sample_release(samples[i]);
    tally_deinit(&batch);
}

enum { RACED_BATCHES = 3000 };

static void *add_many(void *argument) {
    (void)argument;
    for (int64_t id = 0; id < RACED_BATCHES; id++) {
        struct tally tally = {0};
        note(&tally, id, "nonsense", 8);
        struct report_range range = {.end = id};
        struct batch_report draft = {
            .batch_id = id, .committed_ms = id * 1000, .range_count = 1, .ranges = &range};
        query_history_add(&history, batch_report_create(&draft), &(struct file_list){0}, &tally);
    }
    return NULL;
}

static void readers_see_whole_batches_while_they_are_added(void **state) {
    (void)state;
    pthread_t driver;
    struct batch_report *batches[HISTORY_REPORTS_MAX];
    struct reject_sample *samples[REJECT_SAMPLES_MAX];
    assert_int_equal(pthread_create(&driver, NULL, add_many, NULL), 0);
    for (int64_t seen = 0; seen < RACED_BATCHES;) {
        seen = query_history_totals(&history).batches;
        size_t count = query_history_batches(&history, -1, HISTORY_REPORTS_MAX, batches);
        int64_t first = count > 0 ? batches[0]->batch_id : 0;
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(batches[i]->batch_id, first + (int64_t)i);
            assert_int_equal(batches[i]->ranges[0].end, batches[i]->batch_id);
            batch_report_release(batches[i]);
        }
        count = query_history_rejects(&history, samples);
        for (size_t i = 0; i < count; i++) {
            assert_memory_equal(samples[i]->value, "nonsense", 8);
            reject_sample_release(samples[i]);
        }
    }
    pthread_join(driver, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(delays_run_from_the_oldest_record_to_the_commit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(totals_are_sums, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_batches_are_kept_and_a_reference_outlives_them,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(batches_of_many_partitions_share_their_room, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_batch_larger_than_the_room_is_kept_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(points_are_sums_of_their_seconds_and_empty_between, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_point_of_long_ago_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_batch_with_a_timestamp_from_the_future_does_not_tell_the_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_newest_rejects_are_kept_with_the_beginning_of_their_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_see_whole_batches_while_they_are_added, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
