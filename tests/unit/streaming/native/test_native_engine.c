/* The driver, in the test's own thread: when a trigger fires, what its batch takes, what is
 * retried, and how a stop ends the query. */
#include "scripted_query.h"
#include "streaming/declare/stream.h"

static void more(void) {
    script.logs[0].end += 5;
}

static void triggers_fire_at_multiples_of_the_interval(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 10000;
    script.began_ms = 3000;
    SCRIPT_TOPIC(10);
    script_at(5000, more); // long before the next trigger
    script_at(20000, script_stop);
    must_run("0 take 0:0-10; 7000 take 0:10-15");
    assert_int_equal(script_now_ms(), 20000);
}

static void a_first_trigger_at_a_multiple_is_followed_by_the_next_multiple(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 10000;
    SCRIPT_TOPIC(10);
    script_at(5000, more);
    script_at(10001, script_stop);
    must_run("0 take 0:0-10; 10000 take 0:10-15");
}

static void the_engine_waits_for_a_trigger_that_is_a_millisecond_away(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 10000;
    script.began_ms = 9999;
    script.tell_listings = true;
    SCRIPT_TOPIC(10);
    script_at(2, script_stop);
    must_run("0 list; 0 list; 0 take 0:0-10; 1 list");
}

static void take_no_longer(void) {
    script.task_ms = 0;
    more();
}

/* The interval after a late batch counts from the beginning of that batch. */
static void after_an_overrun_a_trigger_fires_at_once_and_then_at_a_multiple_again(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    script.task_ms = 2500;
    SCRIPT_TOPIC(10);
    script_at(2400, take_no_longer);
    script_at(2700, more);
    script_at(3500, script_stop);
    must_run("0 take 0:0-10; 2400 take 0:10-15; 3000 take 0:15-20");
}

static void without_an_interval_an_idle_topic_is_polled_less_and_less_often(void **state) {
    (void)state;
    script.tell_listings = true;
    SCRIPT_TOPIC(0);
    script_at(1500, more);
    script_at(1890, script_stop);
    must_run("0 list; 0 list; 20 list; 60 list; 140 list; 300 list; 620 list; 1020 list; "
             "1420 list; 1820 list; 1820 take 0:0-5; 1820 list; 1840 list; 1880 list");
}

static void without_an_interval_a_batch_follows_the_previous_one_at_once(void **state) {
    (void)state;
    script.options.max_offsets_per_trigger = 4;
    script.task_ms = 7;
    SCRIPT_TOPIC(10);
    script_at(30, script_stop);
    must_run("0 take 0:0-4; 7 take 0:4-8; 14 take 0:8-10");
}

/* So that a row's processing_timestamp tells its batch. */
static void a_batch_is_later_than_all_before_it_though_the_clock_went_back(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.max_offsets_per_trigger = 5;
    script.began_ms = 100000;
    SCRIPT_TOPIC(5);
    must_run("0 take 0:0-5");
    script.began_ms = 0;
    SCRIPT_TOPIC(15);
    must_run("0 take 0:5-10; 0 take 0:10-15");
    assert_int_equal(script_planned_ms(1), script_wall_ms + 100001);
    assert_int_equal(script_planned_ms(2), script_wall_ms + 100002);
    assert_int_equal(script_logged("The clock is behind the newest batch"), 1);
    assert_int_equal(script_logged("behind=100.0 s"), 1);
}

static void appear(void) {
    script.count = 2;
    script.logs[1] = (struct partition_offsets){.partition = 1, .end = 7};
}

static void a_partition_that_appears_is_read_from_its_beginning(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(500, appear);
    script_at(1500, script_stop);
    must_run("0 take 0:0-10; 1000 take 1:0-7");
    ASSERT_TAKEN_ONCE(10, 7);
}

static void between_two_triggers_the_topic_is_polled_once_a_second(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 3000;
    script.tell_listings = true;
    SCRIPT_TOPIC(10);
    script_at(3500, script_stop);
    must_run("0 list; 0 list; 0 take 0:0-10; 1000 list; 2000 list; 3000 list");
}

/* ---- availableNow ---- */

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

static void a_limit_is_split_by_backlog_until_the_rest_fits(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.max_offsets_per_trigger = 40;
    SCRIPT_TOPIC(100, 10, 1);
    must_run("0 take 0:0-36 1:0-3 2:0-1; 0 take 0:36-72 1:3-6; 0 take 0:72-100 1:6-10");
    ASSERT_TAKEN_ONCE(100, 10, 1);
}

/* The status shows how many records remain after each batch. */
static void the_lag_is_what_a_batch_leaves(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    script.options.max_offsets_per_trigger = 4;
    SCRIPT_TOPIC(10);
    script_at(500, script_stop);
    must_run("0 take 0:0-4");
    assert_int_equal(script.ended.lag.records, 6);
    assert_int_equal(script_logged(" | lag=6\n"), 1);
}

static void grow_by_a_batch_and_a_partition(void) {
    more();
    appear();
}

static void records_behind_an_open_transaction_count_as_lag(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10, 10);
    must_run("0 take 0:0-10 1:0-10");
    script.logs[0].end = 5; // read_committed from now on
    script.logs[0].high = 12;
    script.logs[1].end = 13;
    must_run("0 take 1:10-13");
    assert_int_equal(script.ended.lag.records, 2);
    assert_int_equal(script_logged("Ended at the last stable offset"), 1);
}

static void records_that_arrive_during_a_retry_are_left_to_the_next_start(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.max_offsets_per_trigger = 6;
    SCRIPT_TOPIC(10);
    script_fail(ERROR_BROKER, "refused");
    script_at(500, grow_by_a_batch_and_a_partition);
    must_run("0 take 0:0-6; 1000 take 0:0-6; 1000 take 0:6-10");
    assert_int_equal(script.ended.lag.records, 5 + 7);
    script.options.max_offsets_per_trigger = 0;
    must_run("0 take 0:10-15 1:0-7");
    ASSERT_TAKEN_ONCE(15, 7);
}

static void grow_and_lose_all_that_was(void) {
    script.logs[0].end = 30;
    script.logs[0].high = 30;
    script.logs[0].log_start = 20;
}

static void records_deleted_beyond_the_ends_of_a_run_are_a_loss_of_the_next_start(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.max_offsets_per_trigger = 6;
    SCRIPT_TOPIC(10);
    script_fail(ERROR_BROKER, "refused");
    script_at(500, grow_and_lose_all_that_was);
    must_run("0 take 0:0-6; 1000 take; 1000 take"); // both are lost
    assert_int_equal(script_logged("10 to 19"), 0);
    script.options.fail_on_data_loss = true;
    must_fail(ERROR_DATA_LOSS, "retention deleted offsets 10 to 19", "");
}

static void open_transaction_at_third(int number) {
    if (number == 3) {
        script.logs[0].end = 5;
        script.logs[0].high = 12;
    }
}

static void end_transaction(void) {
    script.logs[0].end = 12;
}

static void assert_waits_in_batch(void) {
    struct query_snapshot status = query_status_read(&script.query.report.status);
    assert_int_equal(status.state, QUERY_RETRYING);
    assert_string_equal(status.message, "Waiting for a transaction to end");
}

/* No matter why the batch is retried. */
static void a_batch_whose_end_is_no_longer_stable_waits_for_it(void **state) {
    static const struct {
        enum error_kind kind;
        int64_t again_ms;
    } cases[] = {{ERROR_DATA_LOSS, 900}, {ERROR_BROKER, 1900}};
    for (size_t i = 0; i < 2; i++) {
        script.options.trigger.available_now = true;
        SCRIPT_TOPIC(10);
        script.on_listing = open_transaction_at_third;
        script_fail(cases[i].kind, "for a moment");
        script_at(cases[i].again_ms - 150, assert_waits_in_batch);
        script_at(cases[i].again_ms - 100, end_transaction);
        char expected[80];
        (void)snprintf(expected, sizeof expected, "0 take 0:0-10; %lld take 0:0-10",
                       (long long)cases[i].again_ms);
        must_run(expected);
        ASSERT_TAKEN_ONCE(10);
        (void)script_tear_down(state);
        (void)script_set_up(state);
    }
}

static void be_renewed(void) {
    strcpy(script.id, "two");
    SCRIPT_TOPIC(20);
}

/* The ends of the old topic do not apply to the new one. */
static void a_topic_created_again_during_a_retry_is_read_to_its_own_ends(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    strcpy(script.id, "one");
    SCRIPT_TOPIC(10);
    must_run("0 take 0:0-10");
    script.logs[0].end = 12;
    script_fail(ERROR_BROKER, "refused");
    script_at(500, be_renewed);
    must_run("0 take 0:10-12; 1000 take; 1000 take; 1000 take 0:0-20");
}

static void be_renewed_with_the_same_ends(void) {
    strcpy(script.id, "two");
}

/* What failed may have been the old topic, so that the id is asked for though nothing seems new. */
static void a_topic_created_again_with_the_same_ends_during_a_retry_is_another_one(void **state) {
    static const enum error_kind kinds[] = {ERROR_DATA_LOSS, ERROR_BROKER};
    for (size_t i = 0; i < 2; i++) {
        script.options.trigger.available_now = true;
        script.task_ms = 100;
        strcpy(script.id, "one");
        SCRIPT_TOPIC(10);
        script_fail(kinds[i], "refused");
        script_at(50, be_renewed_with_the_same_ends);
        must_run(kinds[i] == ERROR_BROKER ? "0 take 0:0-10; 1100 take; 1200 take; 1300 take 0:0-10"
                                          : "0 take 0:0-10; 100 take; 200 take; 300 take 0:0-10");
        (void)script_tear_down(state);
        (void)script_set_up(state);
    }
}

static void open_transaction_below_the_plan(void) {
    script.logs[0].end = 12;
    script.logs[0].high = 15;
}

static void end_transaction_below_the_plan(void) {
    script.logs[0].end = 15;
}

/* The table has no record to compare. The batch waits for a transaction, and looks at the topic
 * every 300 ms meanwhile. */
static void what_is_unknown_of_a_topic_is_said_once_while_a_batch_waits(void **state) {
    (void)state;
    struct error err = {0};
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    must_run("0 take 0:0-10");
    SCRIPT_TOPIC(15);
    script.silent = true;
    script_at(250, script_stop_now);
    assert_false(script_run(&err));
    script.silent = false;
    open_transaction_below_the_plan();
    script_at(130000, end_transaction_below_the_plan);
    script.comparisons = 0;
    must_run("130200 take 0:10-15");
    assert_int_equal(script_logged("It is unknown whether the topic was deleted"), 1);
    assert_int_equal(script_logged("cannot be read completely yet. Waiting for a transaction to "
                                   "end"),
                     3);
    assert_int_equal(script_logged("attempt=1 |"), 1);
    assert_int_equal(script.comparisons, 1);
}

static void be_absent_twice(int listing) {
    script.absent = listing == 3 || listing == 6;
    if (listing == 9)
        script_stop();
}

static void what_is_unknown_of_a_topic_is_said_once_in_a_start(void **state) {
    (void)state;
    SCRIPT_TOPIC(10);
    script_at(500, script_stop);
    must_run("0 take 0:0-10");
    script.listings = 0;
    script.on_listing = be_absent_twice;
    must_run("");
    assert_int_equal(script_logged("It is unknown whether the topic was deleted"), 1);
}

static void be_renewed_after_the_ends(int listing) {
    if (listing == 1)
        strcpy(script.id, "two"); // asked for after the old topic's ends
    else
        SCRIPT_TOPIC(3);
}

/* The id is asked for after the ends: an answer with the ends may be slow. */
static void
a_topic_created_again_between_its_ends_and_its_id_is_read_to_its_own_ends(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    strcpy(script.id, "one");
    SCRIPT_TOPIC(10);
    must_run("0 take 0:0-10");
    script.logs[0].end = 12;
    script.listings = 0;
    script.on_listing = be_renewed_after_the_ends;
    must_run("600 take; 600 take 0:0-3");
}

/* What begins at the end of the old topic would be behind that of the new one. */
static void the_first_offsets_are_of_the_topic_whose_id_is_known(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.starting_offsets = "latest";
    strcpy(script.id, "one");
    SCRIPT_TOPIC(10);
    script.on_listing = be_renewed_after_the_ends;
    must_run("");
    script.on_listing = NULL;
    SCRIPT_TOPIC(5);
    must_run("0 take 0:3-5");
}

/* ---- retries ---- */

static void a_batch_that_the_broker_refuses_is_retried_after_increasing_pauses(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    for (int i = 0; i < 3; i++)
        script_fail(ERROR_BROKER, "refused");
    must_run("0 take 0:0-10; 1000 take 0:0-10; 3000 take 0:0-10; 7000 take 0:0-10");
}

static void assert_says(const char *message, const char *error) {
    struct query_snapshot status = query_status_read(&script.query.report.status);
    assert_int_equal(status.state, QUERY_RETRYING);
    assert_string_equal(status.message, message);
    assert_string_equal(status.error, error);
}

static void assert_says_refused(void) {
    assert_says("Waiting for Kafka", "refused");
}

static void a_broker_is_retried_without_limit_at_most_ten_seconds_apart(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    for (int i = 0; i < 7; i++)
        script_fail(ERROR_BROKER, "refused");
    script_at(44000, assert_says_refused);
    must_run("0 take 0:0-10; 1000 take 0:0-10; 3000 take 0:0-10; 7000 take 0:0-10; "
             "15000 take 0:0-10; 25000 take 0:0-10; 35000 take 0:0-10; 45000 take 0:0-10");
    assert_int_equal(script.ended.retries, 7);
    ASSERT_TAKEN_ONCE(10);
}

/* With nine failures, the last one is a minute after the first. */
static int log_lines_of(int failures) {
    script.options.trigger.available_now = true;
    script.task_ms = 625;
    SCRIPT_TOPIC(10);
    struct error err = {0};
    for (int i = 0; i < failures; i++)
        script_fail(ERROR_BROKER, "refused");
    if (!script_run(&err))
        fail_msg("%s", err.message);
    return script_logged("refused; retrying the batch");
}

static void an_error_of_the_broker_is_logged_once_a_minute_while_it_does_not_change(void **state) {
    assert_int_equal(log_lines_of(8), 1);
    (void)script_tear_down(state);
    (void)script_set_up(state);
    assert_int_equal(log_lines_of(9), 2);
    SCRIPT_TOPIC(20);
    script_fail(ERROR_BROKER, "refused");
    script_fail(ERROR_BROKER, "away");
    struct error err = {0};
    assert_true(script_run(&err));
    assert_int_equal(script_logged("; retrying the batch"), 2);
}

static void records_come(void) {
    script.query.report.status.records_read++;
}

static void during_a_batch_without_records_the_topic_is_polled_every_three_seconds(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.silent = script.tell_listings = true;
    SCRIPT_TOPIC(10);
    script_at(4050, records_come);
    script_at(7250, script_stop_now);
    must_fail(ERROR_STOPPED, "", "0 list; 0 list; 0 take 0:0-10; 3100 list; 7100 list");
}

static void assert_says_no_records(void) {
    assert_says("Waiting for records", "the broker answers, but sends no records");
}

static void assert_says_nothing(void) {
    assert_int_equal(query_status_read(&script.query.report.status).state, QUERY_RUNNING);
}

static void a_batch_without_records_is_logged_once_a_minute(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.silent = true;
    SCRIPT_TOPIC(10);
    script_at(60050, assert_says_nothing);
    script_at(60150, assert_says_no_records);
    script_at(120150, records_come);
    script_at(120250, assert_says_nothing);
    script_at(180150, script_stop_now); // nearly a minute after the records
    struct error err = {0};
    assert_false(script_run(&err));
    assert_int_equal(script_logged("No record arrived for the running batch"), 2);
    assert_int_equal(script_logged("seconds=60 "), 1);
    assert_int_equal(script_logged("seconds=120 "), 1);
}

static void be_silent_from_now_on(void) {
    script.silent = true;
}

static void lose_the_end(void) {
    script.logs[0].end = 12;
}

static void be_answered(void) {
    script.silent = false;
}

static void a_batch_whose_end_is_gone_is_abandoned(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 10000;
    strcpy(script.id, "one");
    SCRIPT_TOPIC(10);
    script_at(9000, more);
    script_at(10000, be_silent_from_now_on);
    script_at(11000, lose_the_end);
    script_at(13150, be_answered);
    script_at(15000, script_stop);
    must_run("0 take 0:0-10; 10000 take 0:10-15; 14700 take");
    assert_int_equal(script_logged("ends before the planned batch; retrying the batch"), 1);
}

static void data_that_is_damaged_three_times_ends_the_query(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    for (int i = 0; i < 3; i++)
        script_fail(ERROR_DAMAGED, "the place");
    must_fail(ERROR_DAMAGED, "gave up after 3 attempts: the place",
              "0 take 0:0-10; 1000 take 0:0-10; 3000 take 0:0-10");
    must_run("0 take 0:0-10");
    ASSERT_TAKEN_ONCE(10);
}

static void data_that_is_damaged_twice_is_read(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    script_fail(ERROR_DAMAGED, "the place");
    script_fail(ERROR_DAMAGED, "the place");
    must_run("0 take 0:0-10; 1000 take 0:0-10; 3000 take 0:0-10");
}

static void an_error_that_no_retry_can_fix_ends_the_query_at_once(void **state) {
    (void)state;
    static const enum error_kind kinds[] = {ERROR_CONFIG, ERROR_STATE, ERROR_RECORD, ERROR_RESTART};
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        script_fail(kinds[i], "so it is");
        must_fail(kinds[i], "so it is", "0 take 0:0-10");
        // The files of a batch are kept that is perhaps committed, or that someone else has.
        assert_int_equal(fixture_has(&fixture, "processed/matches/_staging/0"),
                         kinds[i] == ERROR_STATE || kinds[i] == ERROR_RESTART);
    }
    must_run("0 take 0:0-10");
    ASSERT_TAKEN_ONCE(10);
}

static void have_room(void) {
    script.refused = NULL;
}

/* Each pause is twice as long as the previous one. No row counts before the manifest exists. */
static void a_batch_that_cannot_be_committed_is_run_again(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.refused = "/manifests/";
    SCRIPT_TOPIC(10);
    script_at(1500, have_room);
    must_run("0 take 0:0-10; 200 take 0:0-10; 600 take 0:0-10; 1400 take 0:0-10; "
             "3000 take 0:0-10");
    ASSERT_TAKEN_ONCE(10);
}

static void a_full_disk_is_retried_up_to_the_time_limit(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.refused = "/manifests/";
    SCRIPT_TOPIC(10);
    must_fail(ERROR_RETRY, "gave up after WRITE_RETRY_TIMEOUT (5 s)",
              "0 take 0:0-10; 200 take 0:0-10; 600 take 0:0-10; 1400 take 0:0-10; "
              "3000 take 0:0-10; 6200 take 0:0-10");
    have_room();
    must_run("0 take 0:0-10");
    ASSERT_TAKEN_ONCE(10);
}

static void no_task_is_sent_before_its_plan_is_durable(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.refused = "/offsets/";
    SCRIPT_TOPIC(10);
    script_at(1000, have_room);
    must_run("1400 take 0:0-10");
    ASSERT_TAKEN_ONCE(10);
}

static void after_the_manifest_nothing_is_done_twice(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.refused = "/commits/";
    SCRIPT_TOPIC(10);
    must_fail(ERROR_RETRY, "gave up after WRITE_RETRY_TIMEOUT", "0 take 0:0-10");
    assert_int_equal(script_now_ms(), 6200);
    have_room();
    must_run("");
    ASSERT_TAKEN_ONCE(10);
}

/* The store was recovered by then: what that found goes with the start. */
static void a_start_that_cannot_note_the_declaration_loses_nothing(void **state) {
    (void)state;
    struct stream own = *stream_of("matches");
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    must_run("0 take 0:0-10");
    own.is_builtin = false; // the declarations of others are noted
    script.options.store.stream = &own;
    script.refused = "declaration";
    more();
    must_fail(ERROR_RETRY, "gave up after WRITE_RETRY_TIMEOUT (5 s)", "");
    have_room();
    must_run("0 take 0:10-15");
    ASSERT_TAKEN_ONCE(15);
}

/* From the creation of the store's first directory to the last commit. */
static void any_disk_operation_that_fails_once_is_retried(void **state) {
    int calls = 1;
    for (int at = 1; at <= calls; at++) {
        struct error err = {0};
        script.options.trigger.available_now = true;
        script.options.max_offsets_per_trigger = 8;
        script.refuse_at = at;
        SCRIPT_TOPIC(10, 2);
        if (!script_run(&err))
            fail_msg("call %d: %s", at, err.message);
        calls = script.calls;
        script.refuse_at = 0;
        ASSERT_TAKEN_ONCE(10, 2);
        (void)script_tear_down(state);
        (void)script_set_up(state);
    }
    assert_in_range(calls, 20, 200);
}

/* ---- the topic ---- */

static void be_reachable(void) {
    script.unreachable = false;
}

static void be_unreachable(void) {
    script.unreachable = true;
}

static void a_start_waits_for_kafka_up_to_the_time_limit(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.unreachable = true;
    SCRIPT_TOPIC(10);
    must_fail(ERROR_BROKER, "gave up after KAFKA_STARTUP_TIMEOUT (5 s)", "");
    assert_int_equal(script_now_ms(), 5000);
    script_at(4800, be_reachable);
    must_run("5000 take 0:0-10");
}

static void a_start_logs_every_five_seconds_that_it_waits(void **state) {
    (void)state;
    script.options.kafka_startup_timeout_ms = 15000;
    script.options.trigger.available_now = true;
    script.unreachable = true;
    SCRIPT_TOPIC(10);
    must_fail(ERROR_BROKER, "gave up", "");
    assert_int_equal(script_logged("Waiting for Kafka"), 3);
    assert_int_equal(script_logged("attempt=1 | retry_in_ms=500 | until=2"), 1);
    assert_int_equal(script_logged("attempt=11 | retry_in_ms=500 | until=2"), 1);
    assert_int_equal(script_logged(" (KAFKA_STARTUP_TIMEOUT)\n"), 3);
}

static void after_the_start_a_query_logs_once_a_minute_that_it_waits(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(500, be_unreachable);
    script_at(120900, script_stop);
    must_fail(ERROR_STOPPED, "stopped while waiting for Kafka", "0 take 0:0-10");
    assert_int_equal(script_logged("Waiting for Kafka"), 2);
}

static void assert_says_unreachable(void) {
    assert_says("Waiting for Kafka", "no broker reached");
}

static void after_the_start_a_query_waits_for_kafka_without_limit(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(500, be_unreachable);
    script_at(700, more);
    script_at(3000000, assert_says_unreachable);
    script_at(3600000, be_reachable);
    script_at(3600600, script_stop);
    must_run("0 take 0:0-10; 3600000 take 0:10-15");
}

static void assert_waits_for_trigger(void) {
    struct query_snapshot status = query_status_read(&script.query.report.status);
    assert_int_equal(status.state, QUERY_WAITING);
    assert_string_equal(status.message, "Waiting for next trigger");
}

static void assert_waits_for_data(void) {
    struct query_snapshot status = query_status_read(&script.query.report.status);
    assert_int_equal(status.state, QUERY_WAITING);
    assert_string_equal(status.message, "Waiting for data to arrive");
}

static void open_transaction(void) {
    script.logs[0].end = 5;
    script.logs[0].high = 12;
}

static void assert_waits_for_transaction(void) {
    assert_says("Waiting for a transaction to end",
                "partition 0 can be read up to offset 5, but the next offset is 10");
}

static void between_two_triggers_the_status_says_what_the_query_waits_for(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(500, assert_waits_for_trigger);
    script_at(1500, assert_waits_for_data);
    script_at(1600, open_transaction);
    script_at(2500, assert_waits_for_transaction);
    script_at(2600, script_stop);
    must_run("0 take 0:0-10");
}

/* ---- MIN_OFFSETS_PER_TRIGGER ---- */

static void hold_back(int64_t offsets, int64_t delay_ms) {
    script.options.trigger.interval_ms = 1000;
    script.options.min_offsets_per_trigger = offsets;
    script.options.max_trigger_delay_ms = delay_ms;
}

static void the_first_trigger_of_a_start_takes_what_there_is(void **state) {
    (void)state;
    hold_back(8, 60000);
    SCRIPT_TOPIC(3);
    script_at(500, more);
    script_at(2500, more);
    script_at(3500, script_stop);
    must_run("0 take 0:0-3; 3000 take 0:3-13");
    script.logs[0].end++;
    script_at(500, script_stop);
    must_run("0 take 0:13-14");
    ASSERT_TAKEN_ONCE(14);
}

/* The first trigger finds nothing and passes, so the delay counts from it. */
static void the_delay_counts_from_the_last_trigger_that_was_not_held_back(void **state) {
    (void)state;
    hold_back(8, 10000);
    SCRIPT_TOPIC(0);
    script_at(8500, more);
    script_at(12500, more);
    script_at(15500, more);
    script_at(19500, more);
    script_at(21500, script_stop);
    must_run("10000 take 0:0-5; 16000 take 0:5-15");
    assert_int_equal(script.ended.lag.records, 5);
}

/* So a delay that is over while nothing waits begins again. */
static void a_delay_that_passes_without_records_begins_again(void **state) {
    (void)state;
    hold_back(8, 10000);
    SCRIPT_TOPIC(0);
    script_at(10500, more);
    script_at(20500, script_stop);
    must_run("20000 take 0:0-5");
}

static void without_a_delay_nothing_is_held_back(void **state) {
    (void)state;
    hold_back(8, 0);
    SCRIPT_TOPIC(1);
    script_at(500, more);
    script_at(1500, script_stop);
    must_run("0 take 0:0-1; 1000 take 0:1-6");
}

static void available_now_is_not_held_back(void **state) {
    (void)state;
    hold_back(4, 60000);
    script.options.trigger.available_now = true;
    script.options.max_offsets_per_trigger = 4;
    SCRIPT_TOPIC(10);
    must_run("0 take 0:0-4; 0 take 0:4-8; 0 take 0:8-10");
}

static void what_waits_is_limited_after_it_was_counted(void **state) {
    (void)state;
    hold_back(4, 60000);
    script.options.max_offsets_per_trigger = 4;
    SCRIPT_TOPIC(1);
    script_at(500, more);
    script_at(4500, script_stop);
    must_run("0 take 0:0-1; 1000 take 0:1-5");
    assert_int_equal(script.ended.lag.records, 1);
}

static void delete_two(void) {
    script.logs[0].log_start = 12;
    script.logs[0].end = 13;
}

static void a_loss_and_a_new_topic_are_not_held_back(void **state) {
    (void)state;
    hold_back(8, 60000);
    script.options.fail_on_data_loss = false;
    SCRIPT_TOPIC(10);
    script_at(1500, delete_two);
    script_at(2500, script_stop);
    must_run("0 take 0:0-10; 2000 take 0:12-13");
    assert_int_equal(script.ended.batch_id, 1);
}

static void assert_says_what_it_waits_for(void) {
    char message[QUERY_MESSAGE_MAX], clock[16];
    struct query_snapshot status = query_status_read(&script.query.report.status);
    int64_t until_ms = script_wall_ms + 60000;
    time_t seconds = (time_t)(until_ms / 1000);
    assert_true(strftime(clock, sizeof clock, "%H:%M:%S", localtime(&seconds)) > 0);
    (void)snprintf(message, sizeof message, "Waiting for 3 more offsets or until %s", clock);
    assert_string_equal(status.message, message);
    assert_int_equal(status.state, QUERY_WAITING);
    assert_int_equal(status.held_offsets, 3);
    assert_int_equal(status.held_until_ms, until_ms);
}

static void assert_says_no_hold(void) {
    struct query_snapshot status = query_status_read(&script.query.report.status);
    assert_string_equal(status.message, "Waiting for next trigger");
    assert_int_equal(status.held_offsets, 0);
}

static void the_status_says_what_a_batch_waits_for(void **state) {
    (void)state;
    hold_back(8, 60000);
    SCRIPT_TOPIC(10);
    script_at(500, assert_says_no_hold);
    script_at(700, more);
    script_at(1500, assert_says_what_it_waits_for);
    script_at(1700, more);
    script_at(2500, assert_says_no_hold);
    script_at(3500, assert_waits_for_data);
    script_at(3600, script_stop);
    must_run("0 take 0:0-10; 2000 take 0:10-20");
}

static void an_empty_topic_makes_no_batch(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(0, 0);
    must_run("");
    assert_int_equal(script.ended.batch_id, -1);
    script.logs[1].end = 1;
    must_run("0 take 1:0-1");
    assert_int_equal(script.ended.batch_id, 0);
}

static void go_away(void) {
    script.absent = true;
}

static void come_back(void) {
    script.absent = false;
    more();
}

static void a_topic_that_is_missing_for_a_moment_is_read_further(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(500, go_away);
    script_at(2000, come_back);
    script_at(3100, script_stop);
    must_run("0 take 0:0-10; 2000 take 0:10-15");
    ASSERT_TAKEN_ONCE(15);
}

/* It is polled every half second from 1000 on, the last time at 2500. */
static void a_topic_that_is_missing_for_almost_two_seconds_is_read_further(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(900, go_away);
    script_at(2900, come_back);
    script_at(3100, script_stop);
    must_run("0 take 0:0-10; 3000 take 0:10-15");
    assert_int_equal(script_logged("Waiting for Kafka: "), 1);
    ASSERT_TAKEN_ONCE(15);
}

static void a_topic_that_goes_away_is_logged_once(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 5000;
    SCRIPT_TOPIC(10);
    script_at(900, go_away); // seen between two triggers, and again by the next one
    script_at(7000, come_back);
    script_at(9000, script_stop);
    must_run("0 take 0:0-10; 7000 take; 7000 take 0:0-15");
    assert_int_equal(script_logged("The topic does not exist"), 1);
    assert_int_equal(script_logged("Waiting for Kafka"), 0);
}

static void assert_all_of_the_new_one_lags(void) {
    assert_int_equal(query_status_read(&script.query.report.status).lag.records, 15);
}

static void a_topic_that_was_missing_for_two_seconds_is_another_one(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    script.task_ms = 50;
    SCRIPT_TOPIC(10);
    script_at(900, go_away);
    script_at(3400, come_back);
    script_at(3520, assert_all_of_the_new_one_lags); // while its first batch moves the positions
    script_at(3900, script_stop);
    must_run("0 take 0:0-10; 3500 take; 3550 take 0:0-15");
}

/* Readers distinguish the records of the two topics by the times of the plans, no matter how the
 * clock changes. */
static void plans_of_a_new_topic_are_later_than_all_previous_plans(void **state) {
    (void)state;
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(500, go_away);
    script_at(3400, come_back);
    script_at(4100, script_stop);
    must_run("0 take 0:0-10; 3500 take; 3500 take 0:0-15");
    assert_int_equal(script_planned_ms(0), script_wall_ms);
    assert_int_equal(script_planned_ms(1), script_wall_ms + 3500);
    assert_int_equal(script_planned_ms(2), script_wall_ms + 3501);
    script.options.trigger.available_now = true;
    more();
    must_run("0 take 0:15-20");
    assert_int_equal(script_planned_ms(3), script_wall_ms + 3502);
}

static void with_the_same_id_it_is_the_same_topic_no_matter_how_long_it_was_missing(void **state) {
    (void)state;
    strcpy(script.id, "one");
    script.options.trigger.interval_ms = 1000;
    SCRIPT_TOPIC(10);
    script_at(500, go_away);
    script_at(60000, come_back);
    script_at(60100, script_stop);
    must_run("0 take 0:0-10; 60000 take 0:10-15");
    ASSERT_TAKEN_ONCE(15);
}

/* ---- data loss ---- */

static void take_ten(size_t partitions) {
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10, 10);
    script.count = partitions;
    must_run(partitions == 1 ? "0 take 0:0-10" : "0 take 0:0-10 1:0-10");
    script.tell_listings = true;
    script.listings = 0;
}

static void records_deleted_by_retention_end_the_query_with_fail_on_data_loss(void **state) {
    (void)state;
    take_ten(1);
    script.options.fail_on_data_loss = true;
    script.logs[0].log_start = 15;
    script.logs[0].end = 30;
    must_fail(ERROR_DATA_LOSS, "retention deleted offsets 10 to 14", "0 list; 0 list");
    script.options.fail_on_data_loss = false;
    must_run("0 list; 0 list; 0 take 0:15-30");
}

static void a_shorter_log_is_checked_twice_more_before_it_is_believed(void **state) {
    (void)state;
    take_ten(1);
    script.options.fail_on_data_loss = true;
    script.logs[0].end = 6;
    must_fail(ERROR_DATA_LOSS, "was truncated below the offsets already read",
              "0 list; 0 list; 300 list; 600 list");
    script.options.fail_on_data_loss = false;
    must_run("0 list; 0 take; 0 list");
    script.logs[0].end = 8;
    must_run("0 list; 0 list; 0 take 0:6-8");
}

static void grow_again(int number) {
    if (number == 4)
        script.logs[0].end = 12;
}

static void a_log_that_is_complete_at_the_second_check_has_lost_nothing(void **state) {
    (void)state;
    strcpy(script.id, "one");
    take_ten(1);
    script.options.fail_on_data_loss = true;
    script.logs[0].end = 6;
    script.on_listing = grow_again;
    must_run("0 list; 0 list; 300 list; 600 list; 600 take 0:10-12");
    ASSERT_TAKEN_ONCE(12);
}

static void a_missing_partition_is_checked_seven_more_times(void **state) {
    (void)state;
    take_ten(2);
    script.options.fail_on_data_loss = true;
    script.count = 1;
    must_fail(ERROR_DATA_LOSS, "was deleted and created again",
              "0 list; 0 list; 300 list; 600 list; 900 list; 1200 list; 1500 list; 1800 list; "
              "2100 list");
}

static void list_all_again(int number) {
    if (number == 9)
        script.count = 2;
}

static void a_partition_that_is_back_at_the_seventh_check_was_never_lost(void **state) {
    (void)state;
    take_ten(2);
    script.options.fail_on_data_loss = true;
    script.count = 1;
    script.on_listing = list_all_again;
    must_run("0 list; 0 list; 300 list; 600 list; 900 list; 1200 list; 1500 list; 1800 list; "
             "2100 list");
}

static void a_task_that_meets_a_loss_ends_the_query_with_fail_on_data_loss(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.fail_on_data_loss = true;
    SCRIPT_TOPIC(10);
    script_fail(ERROR_DATA_LOSS, "gone");
    must_fail(ERROR_DATA_LOSS, "gone", "0 take 0:0-10");
}

static void lose_five(int number) {
    if (number == 3)
        script.logs[0].log_start = 5;
}

static void
without_fail_on_data_loss_the_rest_is_taken_at_once_and_then_after_pauses(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(10);
    script.on_listing = lose_five;
    for (int i = 0; i < 3; i++)
        script_fail(ERROR_DATA_LOSS, "gone");
    must_run("0 take 0:0-10; 0 take 0:5-10; 1000 take 0:5-10; 3000 take 0:5-10");
    assert_int_equal(script.ended.rows, 5);
}

/* The second attempt is the first one that skips the lost offsets. The seventh comes a minute
 * later. */
static int log_lines_of_loss(int failures) {
    struct error err = {0};
    script.options.trigger.available_now = true;
    script.task_ms = 5200;
    SCRIPT_TOPIC(10);
    script.on_listing = lose_five;
    for (int i = 0; i < failures; i++)
        script_fail(ERROR_BROKER, "refused");
    if (!script_run(&err))
        fail_msg("%s", err.message);
    return script_logged("Data loss");
}

static void a_loss_is_logged_once_a_minute_while_it_does_not_change(void **state) {
    assert_int_equal(log_lines_of_loss(5), 1);
    (void)script_tear_down(state);
    (void)script_set_up(state);
    assert_int_equal(log_lines_of_loss(6), 2);
}

/* ---- a stop ---- */

static void a_stop_now_abandons_the_batch_and_the_next_start_runs_its_plan(void **state) {
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

static void a_stop_after_the_batch_lets_the_batch_finish(void **state) {
    (void)state;
    script.options.trigger.available_now = true;
    script.options.max_offsets_per_trigger = 6;
    script.task_ms = 500;
    SCRIPT_TOPIC(10);
    script_at(250, script_stop);
    must_run("0 take 0:0-6");
    assert_int_equal(script_now_ms(), 500);
    assert_int_equal(script.ended.batch_id, 0);
}

/* After a stopped start, another one takes the rest and everything that has arrived since. */
static void finish_after_stop(void) {
    struct error err = {0};
    script.call_at = 0;
    script.task_ms = 0;
    script.error_count = script.event_count = 0;
    script.silent = script.unreachable = false;
    script.refused = NULL;
    script.on_listing = NULL;
    script.options.trigger.available_now = true;
    SCRIPT_TOPIC(15, 20);
    if (!script_run(&err))
        fail_msg("%s", err.message);
    ASSERT_TAKEN_ONCE(15, 20);
}

typedef void stop_fn(void);
static stop_fn *const stops[] = {script_stop, script_stop_now};

/* Two batches and a rest: at plans, files, manifests, commits, and all calls in between. */
static void a_stop_at_any_call_of_the_disk_loses_and_repeats_nothing(void **state) {
    int calls = 1;
    for (int at = 1; at <= calls; at++)
        for (size_t i = 0; i < 2; i++) {
            script.options.trigger.interval_ms = 1000;
            script.options.max_offsets_per_trigger = 8;
            SCRIPT_TOPIC(10, 2);
            script.call_at = at;
            script.on_call = stops[i];
            script_at(1500, script_stop);
            struct error err = {0};
            bool ended = script_run(&err);
            assert_true(ended || err.kind == ERROR_STOPPED);
            calls = script.calls > calls ? script.calls : calls;
            finish_after_stop();
            (void)script_tear_down(state);
            (void)script_set_up(state);
        }
    assert_in_range(calls, 20, 200);
}

static void stop_at_first_listing(int number) {
    if (number == 1)
        script_stop();
}

static void stop_now_at_first_listing(int number) {
    if (number == 1)
        script_stop_now();
}

static void stop_at_second_listing(int number) {
    if (number == 2)
        script_stop();
}

static void stop_now_at_second_listing(int number) {
    if (number == 2)
        script_stop_now();
}

static void a_stop_while_the_topic_is_listed_starts_no_batch(void **state) {
    static void (*const listings[])(int number) = {stop_at_first_listing, stop_now_at_first_listing,
                                                   stop_at_second_listing,
                                                   stop_now_at_second_listing};
    for (size_t i = 0; i < 4; i++) {
        script.options.trigger.available_now = true;
        SCRIPT_TOPIC(10, 2);
        script.on_listing = listings[i];
        must_run("");
        finish_after_stop();
        (void)script_tear_down(state);
        (void)script_set_up(state);
    }
}

/* A place where a query waits, and the events up to then. */
static void wait_for_first_listing(void) {
    script.unreachable = true;
}

static void wait_for_broker(void) {
    script_fail(ERROR_BROKER, "refused");
}

static void wait_after_loss(void) {
    script_fail(ERROR_DATA_LOSS, "gone");
    script_fail(ERROR_DATA_LOSS, "gone");
}

static void wait_for_plan(void) {
    script.refused = "/offsets/";
}

static void wait_for_manifest(void) {
    script.refused = "/manifests/";
}

static void wait_for_commit(void) {
    script.refused = "/commits/";
}

static void wait_for_task(void) {
    script.task_ms = 600;
}

static void wait_for_trigger(void) {
    script.options.trigger = (struct trigger){.interval_ms = 3000};
}

static void wait_for_records(void) {
    script.options.trigger = (struct trigger){.interval_ms = 0};
}

static void a_stop_ends_any_wait_and_loses_and_repeats_nothing(void **state) {
    static const struct {
        void (*wait)(void);
        const char *said;
        bool stopped[2]; // with ERROR_STOPPED, after the batch and now
    } cases[] = {
        {wait_for_first_listing, "", {true, true}},
        {wait_for_broker, "0 take 0:0-10 1:0-2", {true, true}},
        {wait_after_loss, "0 take 0:0-10 1:0-2; 0 take 0:0-10 1:0-2", {true, true}},
        {wait_for_plan, "", {true, true}},
        {wait_for_manifest, "0 take 0:0-10 1:0-2", {true, true}},
        {wait_for_commit, "0 take 0:0-10 1:0-2", {true, true}},
        {wait_for_task, "0 take 0:0-10 1:0-2", {false, true}},
        {wait_for_trigger, "0 take 0:0-10 1:0-2", {false, false}},
        {wait_for_records, "0 take 0:0-10 1:0-2", {false, false}},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        script.options.trigger.available_now = true;
        SCRIPT_TOPIC(10, 2);
        cases[i / 2].wait();
        script_at(150, stops[i % 2]);
        bool ended = script_run(&err);
        assert_string_equal(script.said, cases[i / 2].said);
        assert_int_equal(ended ? ERROR_NONE : err.kind,
                         cases[i / 2].stopped[i % 2] ? ERROR_STOPPED : ERROR_NONE);
        finish_after_stop();
        (void)script_tear_down(state);
        (void)script_set_up(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_set_up, script_tear_down)

static const struct CMUnitTest tests[] = {
    TEST(triggers_fire_at_multiples_of_the_interval),
    TEST(a_first_trigger_at_a_multiple_is_followed_by_the_next_multiple),
    TEST(the_engine_waits_for_a_trigger_that_is_a_millisecond_away),
    TEST(after_an_overrun_a_trigger_fires_at_once_and_then_at_a_multiple_again),
    TEST(without_an_interval_an_idle_topic_is_polled_less_and_less_often),
    TEST(without_an_interval_a_batch_follows_the_previous_one_at_once),
    TEST(a_batch_is_later_than_all_before_it_though_the_clock_went_back),
    TEST(a_partition_that_appears_is_read_from_its_beginning),
    TEST(between_two_triggers_the_topic_is_polled_once_a_second),
    TEST(available_now_takes_the_backlog_in_batches_and_ends),
    TEST(a_limit_is_split_by_backlog_until_the_rest_fits),
    TEST(the_lag_is_what_a_batch_leaves),
    TEST(records_behind_an_open_transaction_count_as_lag),
    TEST(records_deleted_beyond_the_ends_of_a_run_are_a_loss_of_the_next_start),
    TEST(records_that_arrive_during_a_retry_are_left_to_the_next_start),
    TEST(a_batch_whose_end_is_no_longer_stable_waits_for_it),
    TEST(a_topic_created_again_during_a_retry_is_read_to_its_own_ends),
    TEST(a_topic_created_again_with_the_same_ends_during_a_retry_is_another_one),
    TEST(what_is_unknown_of_a_topic_is_said_once_while_a_batch_waits),
    TEST(what_is_unknown_of_a_topic_is_said_once_in_a_start),
    TEST(a_topic_created_again_between_its_ends_and_its_id_is_read_to_its_own_ends),
    TEST(the_first_offsets_are_of_the_topic_whose_id_is_known),
    TEST(a_batch_that_the_broker_refuses_is_retried_after_increasing_pauses),
    TEST(a_broker_is_retried_without_limit_at_most_ten_seconds_apart),
    TEST(an_error_of_the_broker_is_logged_once_a_minute_while_it_does_not_change),
    TEST(during_a_batch_without_records_the_topic_is_polled_every_three_seconds),
    TEST(a_batch_without_records_is_logged_once_a_minute),
    TEST(a_batch_whose_end_is_gone_is_abandoned),
    TEST(data_that_is_damaged_three_times_ends_the_query),
    TEST(data_that_is_damaged_twice_is_read),
    TEST(an_error_that_no_retry_can_fix_ends_the_query_at_once),
    TEST(a_batch_that_cannot_be_committed_is_run_again),
    TEST(a_full_disk_is_retried_up_to_the_time_limit),
    TEST(no_task_is_sent_before_its_plan_is_durable),
    TEST(after_the_manifest_nothing_is_done_twice),
    TEST(a_start_that_cannot_note_the_declaration_loses_nothing),
    TEST(any_disk_operation_that_fails_once_is_retried),
    TEST(a_start_waits_for_kafka_up_to_the_time_limit),
    TEST(a_start_logs_every_five_seconds_that_it_waits),
    TEST(after_the_start_a_query_logs_once_a_minute_that_it_waits),
    TEST(after_the_start_a_query_waits_for_kafka_without_limit),
    TEST(between_two_triggers_the_status_says_what_the_query_waits_for),
    TEST(the_first_trigger_of_a_start_takes_what_there_is),
    TEST(the_delay_counts_from_the_last_trigger_that_was_not_held_back),
    TEST(a_delay_that_passes_without_records_begins_again),
    TEST(without_a_delay_nothing_is_held_back),
    TEST(available_now_is_not_held_back),
    TEST(what_waits_is_limited_after_it_was_counted),
    TEST(a_loss_and_a_new_topic_are_not_held_back),
    TEST(the_status_says_what_a_batch_waits_for),
    TEST(an_empty_topic_makes_no_batch),
    TEST(a_topic_that_is_missing_for_a_moment_is_read_further),
    TEST(a_topic_that_is_missing_for_almost_two_seconds_is_read_further),
    TEST(a_topic_that_goes_away_is_logged_once),
    TEST(a_topic_that_was_missing_for_two_seconds_is_another_one),
    TEST(plans_of_a_new_topic_are_later_than_all_previous_plans),
    TEST(with_the_same_id_it_is_the_same_topic_no_matter_how_long_it_was_missing),
    TEST(records_deleted_by_retention_end_the_query_with_fail_on_data_loss),
    TEST(a_shorter_log_is_checked_twice_more_before_it_is_believed),
    TEST(a_log_that_is_complete_at_the_second_check_has_lost_nothing),
    TEST(a_missing_partition_is_checked_seven_more_times),
    TEST(a_partition_that_is_back_at_the_seventh_check_was_never_lost),
    TEST(a_task_that_meets_a_loss_ends_the_query_with_fail_on_data_loss),
    TEST(without_fail_on_data_loss_the_rest_is_taken_at_once_and_then_after_pauses),
    TEST(a_loss_is_logged_once_a_minute_while_it_does_not_change),
    TEST(a_stop_now_abandons_the_batch_and_the_next_start_runs_its_plan),
    TEST(a_stop_after_the_batch_lets_the_batch_finish),
    TEST(a_stop_at_any_call_of_the_disk_loses_and_repeats_nothing),
    TEST(a_stop_while_the_topic_is_listed_starts_no_batch),
    TEST(a_stop_ends_any_wait_and_loses_and_repeats_nothing),
};

int main(void) {
    streams_load();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
