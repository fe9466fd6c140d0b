/* What is known of a query's lag, by positions and end offsets that come from different threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "lag_fixture.h"
#include "streaming/report/query_pace.h"

static _Atomic int64_t now_ms;
static struct lag_book book;
static const struct clock_ops *real_clock;

static int64_t wall_ms(void) {
    return 1700000000000 + now_ms;
}

static int64_t monotonic_us(void) {
    return 1000 * now_ms;
}

static int set_up(void **state) {
    static const struct clock_ops clock = {wall_ms, monotonic_us};
    (void)state;
    real_clock = clock_source;
    clock_source = &clock;
    now_ms = 1000;
    lag_book_init(&book);
    lag_book_set_interval(&book, 10000);
    setenv("TZ", "UTC", 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    lag_book_deinit(&book);
    clock_source = real_clock;
    return 0;
}

static void list_at(int64_t asked_ms, int64_t end) {
    struct partition_offsets partition = {.end = end, .high = BROKER_NOT_ASKED};
    lag_book_set_topic(&book, &(struct topic_offsets){.count = 1, .partitions = &partition},
                       asked_ms);
}

static void stand_at(int64_t position) {
    lag_book_set_positions(&book, &(struct offset_range){0, position, position}, 1);
}

static void assert_known(int64_t records) {
    struct topic_lag lag = topic_lag_read(&book, NULL);
    assert_true(lag.is_known);
    assert_int_equal(lag.records, records);
}

static void assert_unknown(const char *text) {
    char printed[LAG_TEXT_MAX];
    struct topic_lag lag = topic_lag_read(&book, NULL);
    assert_false(lag.is_known);
    assert_int_equal(lag.records, 0);
    topic_lag_print(&lag, printed);
    assert_string_equal(printed, text);
}

static void before_positions_and_end_offsets_the_lag_is_unknown_since_the_start(void **state) {
    (void)state;
    now_ms = 4000;
    assert_unknown("unknown since 22:13:21");
    stand_at(5);
    assert_unknown("unknown since 22:13:21");
    assert_int_equal(topic_lag_read(&book, NULL).age_ms, 3000);
    assert_int_equal(topic_lag_read(&book, NULL).partition_count, 0);
    list_at(4000, 12);
    assert_known(7);
}

static void end_offsets_alone_are_not_a_lag(void **state) {
    (void)state;
    struct partition_lag *lines;
    list_at(1000, 12);
    assert_unknown("unknown since 22:13:21");
    assert_int_equal(topic_lag_read(&book, &lines).partition_count, 0);
    free(lines);
    stand_at(12);
    assert_known(0);
}

static void a_lag_is_known_for_the_interval_and_the_time_of_an_answer(void **state) {
    (void)state;
    stand_at(5);
    list_at(1000, 12);
    now_ms = 16000;
    assert_known(7);
    now_ms = 16001;
    assert_unknown("unknown since 22:13:21");
    stand_at(12); // a commit says nothing new about the topic
    assert_unknown("unknown since 22:13:21");
    list_at(16001, 15);
    assert_known(3);
}

static void an_older_listing_changes_nothing(void **state) {
    (void)state;
    stand_at(0);
    list_at(3000, 100);
    list_at(2000, 50); // asked for earlier, answered later
    assert_known(100);
    list_at(3000, 110);
    assert_known(110);
}

static void an_error_stays_until_the_topic_is_listed(void **state) {
    (void)state;
    stand_at(5);
    list_at(1000, 12);
    lag_book_note_error(&book, "no answer");
    assert_known(7); // it is still recent
    assert_string_equal(topic_lag_read(&book, NULL).error, "no answer");
    list_at(1000, 12);
    assert_string_equal(topic_lag_read(&book, NULL).error, "");
}

static void what_an_open_transaction_holds_back_waits(void **state) {
    (void)state;
    struct partition_offsets partition = {.end = 5, .high = BROKER_NOT_ASKED};
    struct topic_offsets topic = {.count = 1, .partitions = &partition};
    stand_at(10);
    assert_true(lag_book_wants_high(&book, &topic));
    partition.high = 12;
    lag_book_set_topic(&book, &topic, 1000);
    assert_known(2);
    partition.end = 10;
    assert_false(lag_book_wants_high(&book, &topic));
}

static void partitions_are_copied(void **state) {
    (void)state;
    struct partition_lag *copy;
    const struct partition_lag partitions[] = {{0, 10, 5}, {1, 20, 20}};
    lag_fixture_set(&book, partitions, 2);
    assert_int_equal(topic_lag_read(&book, &copy).partition_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(copy[i].partition, partitions[i].partition);
        assert_int_equal(copy[i].topic_end, partitions[i].topic_end);
        assert_int_equal(copy[i].position, partitions[i].position);
    }
    free(copy);
    assert_known(5);
}

/* ---- threads ---- */

enum { ROUNDS = 5000 };

static atomic_bool done;

/* Every set has as many partitions as each of them says in `position`. */
static void *set_many(void *argument) {
    (void)argument;
    struct partition_lag partitions[LAG_FIXTURE_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = 1 + (size_t)round % (LAG_FIXTURE_MAX - 1);
        for (size_t i = 0; i < count; i++)
            partitions[i] = (struct partition_lag){(int32_t)i, 1000, (int64_t)count};
        lag_fixture_set(&book, partitions, count);
    }
    done = true;
    return NULL;
}

static void *list_many(void *argument) {
    (void)argument;
    for (int round = 0; !done; round++) {
        lag_book_note_error(&book, "no answer");
    }
    return NULL;
}

static void readers_see_whole_sets_of_partitions(void **state) {
    (void)state;
    pthread_t driver, clock;
    done = false;
    assert_int_equal(pthread_create(&driver, NULL, set_many, NULL), 0);
    assert_int_equal(pthread_create(&clock, NULL, list_many, NULL), 0);
    while (!done) {
        struct partition_lag *partitions;
        struct topic_lag lag = topic_lag_read(&book, &partitions);
        int64_t records = 0;
        for (size_t i = 0; i < lag.partition_count; i++) {
            assert_int_equal(partitions[i].partition, i);
            records += partition_lag_records(&partitions[i]);
        }
        assert_int_equal(records, lag.records);
        free(partitions);
    }
    pthread_join(driver, NULL);
    pthread_join(clock, NULL);
}

/* ---- the pace ---- */

static void rates_are_those_of_a_query_that_moves(void **state) {
    (void)state;
    const struct batch_report newest = {
        .accepted = 100, .committed_ms = 100000, .total_us = 1000000, .since_trigger_us = 10000000};
    const struct { // NOLINT(clang-analyzer-optin.performance.Padding): in the order of reading
        enum query_state state;
        bool is_known, has_batch;
        int64_t now_ms, records;
        bool is_moving;
        int64_t catch_up_ms;
    } cases[] = {
        {QUERY_RUNNING, true, true, 100000, 500, true, 5000},
        {QUERY_WAITING, true, true, 132000, 500, true, 5000}, // two triggers, two batches, 10 s
        {QUERY_WAITING, true, true, 132001, 500, false, -1},
        {QUERY_WAITING, true, true, 132001, 0, false, 0},
        {QUERY_WAITING, false, true, 100000, 0, false, -1},
        {QUERY_RETRYING, true, true, 100000, 500, false, -1},
        {QUERY_STARTING, true, false, 100000, 500, false, -1},
        {QUERY_FAILED, true, true, 100000, 500, false, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct query_snapshot shown = {
            .state = cases[i].state,
            .lag = {.is_known = cases[i].is_known, .records = cases[i].records}};
        struct query_pace pace =
            query_pace_of(&shown, cases[i].has_batch ? &newest : NULL, 10000, cases[i].now_ms);
        if (pace.is_moving != cases[i].is_moving || pace.catch_up_ms != cases[i].catch_up_ms)
            fail_msg("case %zu: %d, %lld ms", i, pace.is_moving, (long long)pace.catch_up_ms);
        assert_true(pace.input_rate == (pace.is_moving ? 10 : 0));
        assert_true(pace.process_rate == (pace.is_moving ? 100 : 0));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(before_positions_and_end_offsets_the_lag_is_unknown_since_the_start),
        TEST(end_offsets_alone_are_not_a_lag),
        TEST(a_lag_is_known_for_the_interval_and_the_time_of_an_answer),
        TEST(an_older_listing_changes_nothing),
        TEST(an_error_stays_until_the_topic_is_listed),
        TEST(what_an_open_transaction_holds_back_waits),
        TEST(partitions_are_copied),
        TEST(readers_see_whole_sets_of_partitions),
        TEST(rates_are_those_of_a_query_that_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
