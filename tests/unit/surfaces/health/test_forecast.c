#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "surfaces/health/forecast.h"

enum { TEN_SECONDS = 10000, FIVE_MINUTES = 300000 };

static void assert_near(double found, double wanted) {
    if (found < wanted * 0.999 || found > wanted * 1.001)
        fail_msg("%f, not %f", found, wanted);
}

static struct forecast_input input_of(int64_t trigger_ms, double records_per_second) {
    return (struct forecast_input){.trigger_ms = trigger_ms,
                                   .max_offsets = 1000000,
                                   .records_per_second = records_per_second,
                                   .partition_values = 4,
                                   .row_bytes = FORECAST_ROW_BYTES,
                                   .reject_share = -1,
                                   .target_bytes = 128 << 20,
                                   .workers = 2};
}

static void a_small_batch_writes_one_file_per_partition_value(void **state) {
    (void)state;
    struct forecast_input input = input_of(TEN_SECONDS, 1000);
    struct forecast forecast = forecast_make(&input);
    assert_near(forecast.batches, 8640);
    assert_near(forecast.files, 8640.0 * 4);
    assert_near(forecast.file_bytes, 8500 + 70.0 * 2500);
    assert_true(forecast.small);
}

static void a_large_batch_is_dealt_out_to_as_many_workers_as_it_takes(void **state) {
    (void)state;
    // 100,000 records of 700 bytes a batch: 5 tasks of 16 MiB, if there are as many workers.
    struct forecast_input input = input_of(TEN_SECONDS, 10000);
    assert_near(forecast_make(&input).files, 8640.0 * 4 * 2);
    input.workers = 16;
    assert_near(forecast_make(&input).files, 8640.0 * 4 * 5);
}

static void no_batch_and_no_file_is_without_a_record(void **state) {
    (void)state;
    struct forecast_input input = input_of(TEN_SECONDS, 0.01); // 864 records a day
    struct forecast forecast = forecast_make(&input);
    assert_near(forecast.batches, 864);
    assert_near(forecast.files, 864);
    assert_false(forecast.small);   // few files hurt nobody
    input.records_per_second = 0.2; // two records a batch, four values
    assert_near(forecast_make(&input).files, 8640.0 * 2);
    input.records_per_second = 0;
    assert_true(forecast_make(&input).files == 0);
}

static void a_limit_of_offsets_makes_more_batches(void **state) {
    (void)state;
    struct forecast_input input = input_of(TEN_SECONDS, 1000);
    input.max_offsets = 1000;
    assert_near(forecast_make(&input).batches, 86400);
    input.max_offsets = 0;
    assert_near(forecast_make(&input).batches, 8640);
}

static void without_an_interval_batches_follow_one_another(void **state) {
    (void)state;
    struct forecast_input input = input_of(0, 1000);
    assert_near(forecast_make(&input).batches, 86400 * 50.0);
}

static void a_better_trigger_is_the_least_that_makes_no_small_files(void **state) {
    (void)state;
    struct forecast_input input = input_of(TEN_SECONDS, 1000);
    int64_t better_ms = forecast_better_trigger(&input);
    assert_int_equal(better_ms, INT64_C(15) * 60000);
    input.trigger_ms = better_ms;
    assert_false(forecast_make(&input).small);
    input.trigger_ms = INT64_C(10) * 60000;
    assert_true(forecast_make(&input).small);
    input = input_of(FIVE_MINUTES, 1000);
    input.partition_values = 4096;
    assert_int_equal(forecast_better_trigger(&input), 0);
}

static void a_batch_that_waits_for_more_offsets_makes_fewer_files(void **state) {
    (void)state;
    struct forecast_input input = input_of(TEN_SECONDS, 10);
    input.min_offsets = 3000; // five minutes
    input.max_delay_ms = 900000;
    assert_near(forecast_make(&input).batches, 288);
    input.max_delay_ms = 60000;
    assert_near(forecast_make(&input).batches, 1440);
    input.min_offsets = 10; // there before the trigger fires
    assert_near(forecast_make(&input).batches, 8640);
}

static void a_reject_makes_a_file_in_each_batch_at_most(void **state) {
    (void)state;
    struct forecast_input input = input_of(TEN_SECONDS, 10);
    assert_true(forecast_make(&input).reject_files < 0); // not known
    input.reject_share = 0;
    assert_true(forecast_make(&input).reject_files == 0);
    input.reject_share = 0.001; // of 100 records
    assert_near(forecast_make(&input).reject_files, 864);
    input.reject_share = 0.5;
    assert_near(forecast_make(&input).reject_files, 8640);
}

/* A day of 50 records a second: 4.32 million rows, 302 MB and what the files are themselves. */
static void merging_leaves_files_of_the_target_size_for_each_partition_value(void **state) {
    (void)state;
    struct forecast_input input = input_of(60000, 50);
    struct forecast forecast = forecast_make(&input);
    assert_near(forecast.files, 5760);
    assert_near(forecast.kept_files, 5760);
    assert_near(forecast.log_bytes, 5760.0 * 30 * 250 * 11);
    input.compact = FORECAST_CLOSED;
    forecast = forecast_make(&input);
    assert_near(forecast.kept_files, 4);
    assert_near(forecast.kept_bytes, (5760.0 * 8500 + 4320000.0 * 70) / 4);
    assert_near(forecast.log_bytes, (4.0 * 29 + 5760) * 250 * 11);
    input.target_bytes = 32 << 20;
    assert_near(forecast_make(&input).kept_files, 12);
    input.target_bytes = 1; // no more files than there were
    assert_near(forecast_make(&input).kept_files, 5760);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_batch_writes_one_file_per_partition_value),
        cmocka_unit_test(a_large_batch_is_dealt_out_to_as_many_workers_as_it_takes),
        cmocka_unit_test(no_batch_and_no_file_is_without_a_record),
        cmocka_unit_test(a_limit_of_offsets_makes_more_batches),
        cmocka_unit_test(without_an_interval_batches_follow_one_another),
        cmocka_unit_test(a_better_trigger_is_the_least_that_makes_no_small_files),
        cmocka_unit_test(a_batch_that_waits_for_more_offsets_makes_fewer_files),
        cmocka_unit_test(a_reject_makes_a_file_in_each_batch_at_most),
        cmocka_unit_test(merging_leaves_files_of_the_target_size_for_each_partition_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
