/* The clock that asks for end offsets: next to a scripted driver, and on its own thread. */
#include "scripted_query.h"

#include <semaphore.h>
#include <stdatomic.h>

#include "streaming/declare/stream.h"
#include "streaming/query/lag_clock.h"

/* ---- next to a driver ---- */

static int64_t ask(void) {
    const struct lag_question question = {script_broker(), script.options.store.topic,
                                          &script.query.report.status.lag,
                                          script.options.lag_interval_ms};
    return lag_question_ask(&question);
}

static void ask_clock(void) {
    (void)ask();
}

static void grow(void) {
    script.logs[0].end += 50000;
}

static struct topic_lag lag_now(void) {
    return query_status_read(&script.query.report.status).lag;
}

static void assert_lag_is(int64_t records) {
    struct topic_lag lag = lag_now();
    if (!lag.is_known || lag.records != records)
        fail_msg("at %lld ms: known=%d, %lld records", (long long)script_now_ms(), lag.is_known,
                 (long long)lag.records);
}

static void assert_nothing_waits(void) {
    assert_lag_is(0);
}

static void assert_many_wait(void) {
    assert_lag_is(50000);
}

static void assert_many_more_wait(void) {
    assert_lag_is(50010);
}

/* The committed position is known, the topic's end is not. */
static void assert_unknown(void) {
    struct topic_lag lag = lag_now();
    assert_false(lag.is_known);
    assert_int_equal(lag.partition_count, 1);
    assert_non_null(strstr(lag.error, "no broker reached"));
}

static void lose_kafka(void) {
    script.unreachable = true;
}

static void find_kafka(void) {
    script.unreachable = false;
}

/* From a moment on at which a trigger fires. */
static void every_15_minutes(void) {
    script.options.trigger.interval_ms = 900000;
    script.began_ms = 900000 - script_wall_ms % 900000;
}

static void with_a_trigger_of_15_minutes_what_waits_is_known(void **state) {
    (void)state;
    every_15_minutes();
    SCRIPT_TOPIC(10);
    script_at(2500, assert_nothing_waits);
    script_at(3500, grow);
    script_at(5000, assert_many_wait);
    script_at(600000, assert_many_wait);
    script_at(700000, script_stop);
    must_run("0 take 0:0-10");
}

/* Between two triggers nobody needs the topic, so nobody reports that it can't be listed. */
static void with_kafka_gone_before_a_trigger_of_15_minutes_the_lag_is_unknown(void **state) {
    (void)state;
    every_15_minutes();
    SCRIPT_TOPIC(10);
    script_at(3500, lose_kafka);
    script_at(15000, ask_clock);
    script_at(17000, assert_nothing_waits); // as of the look at 3 s
    script_at(18500, assert_unknown);
    script_at(500000, grow);
    script_at(600000, assert_unknown);
    script_at(650000, find_kafka);
    script_at(652000, assert_many_wait);
    script_at(700000, script_stop);
    must_run("0 take 0:0-10");
}

static void fill_disk(void) {
    script.refused = "/manifests/";
}

static void assert_has_no_pace(void) {
    assert_many_more_wait();
    struct query_snapshot shown = query_status_read(&script.query.report.status);
    assert_int_equal(shown.state, QUERY_RETRYING);
}

/* The driver writes again and again, and lists nothing meanwhile. */
static void with_a_full_disk_the_lag_grows(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    script.options.write_retry_timeout_ms = 600000;
    fill_disk();
    SCRIPT_TOPIC(10);
    script_at(3000, grow);
    script_at(10000, ask_clock);
    script_at(10001, assert_has_no_pace);
    script_at(20000, ask_clock);
    script_at(30000, ask_clock);
    script_at(40000, assert_has_no_pace);
    script_at(50000, script_stop_now);
    struct error err = {0};
    assert_false(script_run(&err));
    assert_int_equal(err.kind, ERROR_STOPPED);
    assert_int_equal(script_logged("; retrying"), 10);
}

/* The driver does not list while a worker is busy. */
static void while_a_batch_runs_the_lag_grows(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    script.task_ms = 30000;
    SCRIPT_TOPIC(10);
    script_at(3000, grow);
    script_at(10000, ask_clock);
    script_at(12000, assert_many_more_wait);
    script_at(29000, script_stop);
    must_run("0 take 0:0-10");
}

static void assert_driver_has_asked(void) {
    script.tell_listings = true;
    assert_in_range(ask(), 9000, 10000); // one look a second
    script.tell_listings = false;
}

static void the_clock_does_not_ask_what_the_driver_has_asked(void **state) {
    (void)state;
    every_15_minutes();
    SCRIPT_TOPIC(10);
    script_at(20500, assert_driver_has_asked);
    script_at(30000, script_stop);
    must_run("0 take 0:0-10");
}

static void assert_waits_for_positions(void) {
    assert_int_equal(ask(), 2000);
    assert_false(lag_now().has_positions);
}

/* A start that waits for Kafka has no positions yet. */
static void a_query_that_starts_is_not_asked_for(void **state) {
    (void)state;
    script.absent = true;
    SCRIPT_TOPIC(10);
    script_at(3000, assert_waits_for_positions);
    must_fail(ERROR_BROKER, "gave up after KAFKA_STARTUP_TIMEOUT", "");
}

/* ---- on its own thread ---- */

static struct {
    sem_t asked;
    atomic_int count;
} kafka;

/* One record more with each listing; every other question has no answer. */
static bool list(struct broker *broker, const char *topic, int timeout_ms,
                 struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)topic;
    assert_int_equal(timeout_ms, 3000);
    int count = atomic_fetch_add(&kafka.count, 1);
    *offsets = (struct topic_offsets){.count = 1, .partitions = must_alloc(1, 1024)};
    offsets->partitions[0] = (struct partition_offsets){.end = count, .high = BROKER_NOT_ASKED};
    sem_post(&kafka.asked);
    if (count % 2 == 0)
        return true;
    topic_offsets_deinit(offsets);
    return error_set(err, ERROR_BROKER, "no answer");
}

static struct broker *fake_kafka(void) {
    static const struct broker_ops ops = {.list_offsets = list};
    static struct broker broker = {&ops};
    return &broker;
}

static void the_thread_asks_for_every_query_until_it_is_stopped(void **state) {
    (void)state;
    struct lag_book books[2];
    struct lag_question questions[2];
    struct lag_clock clock = {0};
    struct error err = {0};
    clock_source = script_real_clock;
    sem_init(&kafka.asked, 0, 0);
    kafka.count = 0;
    for (int i = 0; i < 2; i++) {
        lag_book_init(&books[i]);
        lag_book_set_positions(&books[i], &(struct offset_range){0}, 1);
        questions[i] = (struct lag_question){fake_kafka(), "t", &books[i], 1};
    }
    assert_true(lag_clock_start(&clock, questions, 2, &err));
    for (int i = 0; i < 20; i++)
        sem_wait(&kafka.asked);
    lag_clock_stop(&clock);
    int count = kafka.count;
    assert_true(topic_lag_read(&books[0], NULL).is_known);
    assert_int_equal(topic_lag_read(&books[0], NULL).records, count - 1 - (count - 1) % 2);
    lag_clock_stop(&clock); // of a stopped one
    assert_int_equal(kafka.count, count);
    for (int i = 0; i < 2; i++)
        lag_book_deinit(&books[i]);
    sem_destroy(&kafka.asked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_set_up, script_tear_down)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        TEST(with_a_trigger_of_15_minutes_what_waits_is_known),
        TEST(with_kafka_gone_before_a_trigger_of_15_minutes_the_lag_is_unknown),
        TEST(with_a_full_disk_the_lag_grows),
        TEST(while_a_batch_runs_the_lag_grows),
        TEST(the_clock_does_not_ask_what_the_driver_has_asked),
        TEST(a_query_that_starts_is_not_asked_for),
        TEST(the_thread_asks_for_every_query_until_it_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
