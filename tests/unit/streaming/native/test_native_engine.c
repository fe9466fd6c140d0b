/* The driver, in the test's own thread: when a trigger fires, what its batch takes, what is tried
 * again, and how a stop ends it. */
#include "scripted_query.h"

static void more(void) {
    script.logs[0].end += 5;
}

static void triggers_fire_at_multiples_of_the_interval(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 10000;
    script.began_ms = 3000;
    SCRIPT_TOPIC(10);
    script_at(5000, more); // is there long before the next trigger
    script_at(20000, script_stop);
    must_run("0 take 0:0-10; 7000 take 0:10-15");
    assert_int_equal(script_now_ms(), 20000);
}

static void between_two_triggers_the_topic_is_looked_at_once_a_second(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 3000;
    script.tell_listings = true;
    SCRIPT_TOPIC(10);
    script_at(3500, script_stop);
    must_run("0 list; 0 list; 0 take 0:0-10; 1000 list; 2000 list; 3000 list");
}

static void available_now_takes_the_backlog_in_batches_and_ends(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.max_offsets_per_trigger = 30;
    SCRIPT_TOPIC(40, 20);
    must_run("0 take 0:0-20 1:0-10; 0 take 0:20-40 1:10-20");
    assert_int_equal(script.ended.batch_id, 1);
    assert_int_equal(script.ended.rows, 60);
    must_run("");
}

static void a_batch_that_the_broker_can_not_give_is_read_again_after_longer_pauses(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    for (int i = 0; i < 3; i++)
        script_fail(ERROR_BROKER, "refused");
    must_run("0 take 0:0-10; 1000 take 0:0-10; 3000 take 0:0-10; 7000 take 0:0-10");
}

static void a_stop_now_gives_up_the_batch_and_the_next_start_runs_its_plan(void **state) {
    (void)state;
    struct error err = {0};
    script.options.trigger.available_now = true;
    script.silent = true;
    SCRIPT_TOPIC(10);
    script_at(250, script_stop_now);
    assert_false(script_run(&err));
    assert_int_equal(err.kind, ERROR_STOPPED);
    assert_string_equal(script.said, "0 take 0:0-10");
    assert_in_range(script_now_ms(), 250, 400);
    script.silent = false;
    SCRIPT_TOPIC(15);
    must_run("0 take 0:0-10; 0 take 0:10-15");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_set_up, script_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(triggers_fire_at_multiples_of_the_interval),
        TEST(between_two_triggers_the_topic_is_looked_at_once_a_second),
        TEST(available_now_takes_the_backlog_in_batches_and_ends),
        TEST(a_batch_that_the_broker_can_not_give_is_read_again_after_longer_pauses),
        TEST(a_stop_now_gives_up_the_batch_and_the_next_start_runs_its_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
