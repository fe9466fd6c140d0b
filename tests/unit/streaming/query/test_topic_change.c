/* test_topic_change.c: during a query, its topic is deleted and created again, cut, or blocked by
 * an open transaction. Every tenth record is a reject. */
#include "fake_topic.h"

#include <limits.h>

#include "base/system/clock.h"
#include "streaming/declare/stream.h"
#include "streaming/recovery/inspect.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"

static void a_topic_created_again_shorter_is_read_from_its_beginning(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 30);
    assert_data_loss("was deleted and created again (the record at partition 0, offset 29",
                     "partition 0 goes back from offset 100 to 0");
    must_take();
    assert_seen('A', 100);
    assert_seen('B', 30);
    fake.logs[0].end = 150;
    must_take();
    assert_seen('B', 150);
    assert_verified("0/0: 0..100=90+10; 1/0: 0..150=135+15");
}

static void a_log_that_was_cut_is_read_on_from_its_new_end(void **state) {
    (void)state;
    FAKE_SET('A', 100, 50);
    must_take();
    fake.logs[0].end = 30;
    assert_data_loss("was truncated below the offsets already read",
                     "partition 0 goes back from offset 100 to 30");
    must_take();
    fake.logs[0].end = 60;
    fake.logs[1].end = 70;
    must_take();
    assert_seen('A', 100 + 70 + 30);
    assert_verified("0/0: 0..100=90+10; 0/1: 0..50=45+5; 1/0: 30..60=27+3; 1/1: 50..70=18+2");
}

static void the_reason_of_a_refusal_is_known_after_the_topic_has_grown(void **state) {
    (void)state;
    FAKE_SET('A', 100, 100);
    must_take();
    FAKE_SET('B', 30, 30);
    assert_refused("was deleted and created again");
    FAKE_SET('B', 150, 100); // neither end is before its position
    assert_refused("partition 0 goes back from offset 100 to 0");
    must_take();
    assert_seen('A', 200);
    assert_seen('B', 250);
    assert_verified("0/0: 0..100=90+10; 0/1: 0..100=90+10; 1/0: 0..150=135+15; 1/1: 0..100=90+10");

    fake.logs[1].end = 40;
    assert_refused("was truncated below the offsets already read");
    fake.logs[1].end = 120;
    must_take();
    assert_seen('B', 250 + 80);
}

static void a_new_topic_that_is_empty_at_first_is_read_completely(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 0);
    must_take();
    must_take();
    fake.logs[0].end = 150;
    must_take();
    assert_seen('B', 150);
    assert_verified("0/0: 0..100=90+10; 1/0: 0..150=135+15");
}

static void a_partition_that_comes_back_is_read_from_its_beginning(void **state) {
    (void)state;
    FAKE_SET('A', 10, 20, 100);
    must_take();
    FAKE_SET('B', 5);
    assert_data_loss("partition 1 is gone (its next offset was 20); partition 2 is gone (its next "
                     "offset was 100)",
                     "goes back from offset 10 to 0; partition 1 is gone; partition 2 is gone");
    must_take();
    assert_seen('B', 5);
    FAKE_SET('B', 5, 0, 50);
    must_take();
    assert_seen('A', 130);
    assert_seen('B', 55);
    assert_verified("0/0: 0..10=9+1; 0/1: 0..20=18+2; 0/2: 0..100=90+10; "
                    "1/0: 0..5=5+0; 1/1: 0..0=0+0; 1/2: 0..50=45+5");
}

static void the_query_waits_for_an_open_transaction_below_its_position(void **state) {
    (void)state;
    FAKE_SET('A', 30, 10);
    must_take();
    fake.logs[0].end = 10; // read_committed from now on
    fake.logs[0].high = 45;
    fake.logs[1].end = 20;
    struct error err;
    assert_true(fake_run(true, true, &err));
    must_take();
    assert_seen('A', 30 + 20);
    fake.logs[0].end = 46;
    fake.logs[0].high = 0;
    assert_true(fake_run(true, true, &err));
    assert_seen('A', 46 + 20);
    assert_verified("0/0: 0..46=42+4; 0/1: 0..20=18+2");
}

static void a_longer_topic_is_recognised_by_the_last_record_that_was_read(void **state) {
    (void)state;
    FAKE_SET('A', 104);
    must_take();
    must_take(); // without new records nothing is compared
    FAKE_SET('B', 150);
    assert_data_loss("(the record at partition 0, offset 103 has timestamp",
                     "partition 0 goes back from offset 104 to 0");
    must_take();
    assert_seen('B', 150);
    fake.logs[0].end = 160;
    must_take();
    assert_verified("0/0: 0..104=94+10; 1/0: 0..160=144+16");
}

/* ---- with ids ---- */

static void by_its_id_a_longer_topic_is_recognised_as_another_one(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100);
    must_take();
    strcpy(fake.id, "two");
    FAKE_SET('B', 150);
    assert_data_loss("its id is two, not one", "goes back from offset 100 to 0");
    must_take();
    must_take();
    assert_seen('A', 100);
    assert_seen('B', 150);
    assert_verified("0/0: 0..100=90+10; 1/0: 0..150=135+15");
}

static void by_its_id_a_cut_log_is_recognised(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 40); // the same topic: records written after the cut do not prove another one
    must_take();
    assert_seen('B', 0);
    fake.logs[0].end = 45;
    must_take();
    assert_seen('B', 5);
}

static void a_topic_of_which_nothing_was_read_may_be_replaced(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 0);
    must_take();
    strcpy(fake.id, "two");
    FAKE_SET('B', 10);
    struct error err;
    assert_true(fake_run(true, true, &err));
    assert_seen('B', 10);
    assert_verified("0/0: 0..10=9+1");
}

static void by_its_id_a_topic_without_one_partition_is_the_same_topic(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100, 50);
    must_take();
    fake.count = 1; // the partition is left to the next start
    struct error err;
    assert_true(fake_run(true, true, &err));
    fake.count = 2;
    fake.logs[1].end = 60;
    assert_true(fake_run(true, true, &err));
    assert_verified("0/0: 0..100=90+10; 0/1: 0..60=54+6");
}

static void a_start_without_ids_does_not_keep_the_id_of_the_previous_topic(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100);
    must_take();
    strcpy(fake.id, ""); // another host's librdkafka; the records show the change
    FAKE_SET('B', 150);
    must_take();
    strcpy(fake.id, "two");
    fake.logs[0].end = 160;
    struct error err;
    assert_true(fake_run(true, true, &err));
    assert_seen('B', 160);

    strcpy(fake.id, "");
    FAKE_SET('C', 50);
    assert_data_loss("was deleted and created again", "goes back from offset 160 to 0");
    must_take(); // runs the plan that moves the positions
    strcpy(fake.id, "three");
    fake.logs[0].end = 60;
    assert_true(fake_run(true, true, &err));
    assert_seen('C', 60);
    assert_verified("0/0: 0..100=90+10; 1/0: 0..160=144+16; 2/0: 0..60=54+6");
}

static void a_start_without_ids_keeps_the_id_of_the_same_topic(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100);
    must_take();
    strcpy(fake.id, "");
    fake.logs[0].end = 110;
    must_take();
    strcpy(fake.id, "two");
    fake.one_time = true;
    FAKE_SET('A', 120);
    assert_refused("its id is two, not one");
}

/* ---- during a run ---- */

static void stop_when_read(char letter, int64_t end, int number) {
    if (number > 400)
        fail_msg("not read to %lld", (long long)end);
    if (running == NULL)
        return;
    struct partition_lag *partitions;
    struct topic_lag lag = topic_lag_read(&running->report.status.lag, &partitions);
    bool reached =
        lag.partition_count > 0 && partitions[0].position == end && fake.logs[0].letter == letter;
    free(partitions);
    if (reached)
        stop_request(running->stop, STOP_AFTER_BATCH);
}

static void recreate_longer(int number) {
    if (number == 3)
        fake.logs[0].end = 110; // known, but deleted before it is read
    fake.absent = number == 4 || number == 5;
    if (number == 6)
        FAKE_SET('B', 150);
    if (number > 6)
        stop_when_read('B', 150, number);
}

static void a_topic_that_was_absent_is_another_one_even_if_it_is_longer(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    must_follow(recreate_longer);
    assert_seen('A', 110);
    assert_seen('B', 150);
    assert_verified("0/0: 0..110=99+11; 1/0: 0..150=135+15");
}

static void come_and_go(int number) {
    fake.absent = number == 3;
    if (number == 5)
        fake.logs[0].end = 120;
    if (number > 5)
        stop_when_read('A', 120, number);
}

static void a_topic_that_only_seemed_absent_is_read_further(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    must_follow(come_and_go);
    assert_seen('A', 120);
    assert_verified("0/0: 0..120=108+12");
}

static void blink(int number) {
    fake.logs[0].end = number == 3 || number == 4 ? 60 : 100; // as from a broker that is behind
    if (number >= 8)
        fake.logs[0].end = 130;
    if (number > 8)
        stop_when_read('A', 130, number);
}

static void a_shorter_log_is_believed_when_it_is_seen_twice(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    must_follow(blink);
    assert_seen('A', 130);
    assert_verified("0/0: 0..130=117+13");
}

/* ---- a planned batch ---- */

static void leave_plan(int64_t end) {
    struct store *store = NULL;
    struct recovery recovery = {0};
    struct error err = {0};
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err))
        fail_msg("%s", err.message);
    check(store != NULL && recovery.starts != NULL);
    struct offset_range range = {0, recovery.starts[0].end, end};
    const struct plan plan = {recovery.next_batch, clock_wall_ms(), 1, &range};
    if (!store_write_plan(store, &plan, &err))
        fail_msg("%s", err.message);
    recovery_deinit(&recovery);
    store_close(store);
}

static void a_planned_batch_that_is_not_in_the_topic_is_lost(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    leave_plan(120);
    FAKE_SET('B', 110);
    const char *gone = "offsets 100 to 119 of the planned batch are gone";
    assert_data_loss(gone, gone);
    must_take();
    assert_seen('A', 100);
    assert_seen('B', 110);
    assert_verified("0/0: 0..120=90+10-20; 1/0: 0..110=99+11");
}

static void a_topic_of_which_nothing_was_read_is_read_from_its_beginning(void **state) {
    (void)state;
    FAKE_SET('A', 0);
    must_take();
    leave_plan(120); // of which no record is left
    FAKE_SET('B', 110);
    const char *gone = "offsets 0 to 119 of the planned batch are gone";
    assert_data_loss(gone, gone);
    must_take();
    assert_seen('B', 110);
    assert_verified("0/0: 0..120=0+0-120; 1/0: 0..110=99+11");
}

static void the_first_batch_of_an_unchanged_topic_runs_again_after_a_crash(void **state) {
    (void)state;
    FAKE_SET('A', 0);
    must_take();
    leave_plan(120);
    FAKE_SET('A', 130);
    struct error err;
    assert_true(fake_run(true, true, &err));
    assert_seen('A', 130);
    assert_verified("0/0: 0..130=117+13");
}

/* ---- which topic a plan is of ---- */

static void stop_in_batch(int number) {
    if (number >= 4)
        stop_request(running->stop, STOP_NOW);
}

/* A start plans a batch and is stopped while it reads it. Records below `reach` are sent. */
static void must_plan(int64_t batch_id, int64_t reach) {
    fake.silent = reach == 0;
    fake.reach = reach;
    must_follow(stop_in_batch);
    fake.silent = false;
    fake.reach = 0;
    scoped(scope_free) char *plan = fixture_text(CHECKPOINT "offsets/%" PRId64, batch_id);
    scoped(scope_free) char *commit = fixture_text(CHECKPOINT "commits/%" PRId64, batch_id);
    assert_true(fixture_has(&fixture, plan));
    assert_false(fixture_has(&fixture, commit));
}

/* What `checkpoint show` and `doctor` know of the topic. */
static void assert_known_id(const char *id) {
    struct inspection inspection;
    struct error err = {0};
    assert_true(inspect(&fixture.options, &inspection, &err));
    assert_string_equal(inspection.topic_id, id);
    inspection_deinit(&inspection);
}

static void the_first_plan_says_of_which_topic_it_is(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    fake.cluster_id = "cluster";
    FAKE_SET('A', 100);
    must_plan(0, 0);
    scoped(scope_free) char *plan = fixture_read(&fixture, CHECKPOINT "offsets/0");
    assert_non_null(strstr(plan, "\"clusterId\":\"cluster\",\"topicId\":\"one\""));
    assert_known_id("one");
    strcpy(fake.id, "two");
    FAKE_SET('B', 150);
    const char *gone = "offsets 0 to 99 of the planned batch are gone";
    assert_data_loss(gone, gone);
    must_take();
    assert_seen('A', 0);
    assert_seen('B', 150);
    assert_verified("0/0: 0..100=0+0-100; 1/0: 0..150=135+15");
}

static void the_first_plan_runs_again_on_the_same_topic(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100);
    must_plan(0, 0);
    struct error err;
    fake.logs[0].end = 150;
    assert_true(fake_run(true, true, &err));
    assert_seen('A', 150);
    assert_verified("0/0: 0..150=135+15");
}

/* With 100 records of the topic left out: of another one, they are not. */
static void the_first_offsets_say_of_which_topic_they_are(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    fake.cluster_id = "cluster";
    fake.starting_offsets = "latest";
    FAKE_SET('A', 100);
    must_take();
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/0"));
    assert_known_id("one");
    strcpy(fake.id, "two");
    FAKE_SET('B', 150);
    assert_refused("was deleted and created again (its id is two, not one)");
    must_take();
    assert_seen('B', 150);
}

static void a_plan_that_moves_positions_says_of_which_topic_they_are_now(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100);
    must_take();
    strcpy(fake.id, "two");
    FAKE_SET('B', 50);
    assert_refused("its id is two, not one");
    scoped(scope_free) char *plan = fixture_read(&fixture, CHECKPOINT "offsets/1");
    assert_non_null(strstr(plan, "\"topicId\":\"two\""));
    assert_known_id("one"); // until the move is committed, doctor says that the topic is another
    must_take();
    assert_seen('B', 50);
}

/* The records are the same at the same offsets, and the topic has another id. */
static void the_id_of_a_plan_goes_with_its_cluster(void **state) {
    (void)state;
    strcpy(fake.id, "one");
    fake.cluster_id = "old";
    FAKE_SET('A', 100);
    must_take();
    fake.logs[0].end = 120;
    must_plan(1, 100);
    scoped(scope_free) char *said = NULL;
    struct error err = {0};
    assert_known_id("one");
    assert_true(operate(ADOPT_KAFKA, &said, &err));
    assert_known_id("");
    fake.cluster_id = NEW_CLUSTER;
    strcpy(fake.id, "two");
    assert_true(fake_run(true, true, &err));
    assert_seen('A', 120);
    assert_verified("0/0: 0..120=108+12");
}

static void a_plan_of_an_older_version_says_nothing_of_its_topic(void **state) {
    (void)state;
    FAKE_SET('A', 0);
    must_take();
    leave_plan(120);
    strcpy(fake.id, "one");
    FAKE_SET('A', 130);
    struct error err;
    assert_true(fake_run(true, true, &err));
    assert_seen('A', 130);
}

/* Without ids. Otherwise the new topic's records would be there twice: as those of the plan, and
 * as those that are read when the missing partition is noticed. */
static void a_partition_without_offsets_in_the_plan_shows_another_topic(void **state) {
    (void)state;
    FAKE_SET('A', 10, 0);
    must_plan(0, 0);
    FAKE_SET('B', 20);
    must_take();
    assert_seen('B', 20);
    assert_verified("0/0: 0..10=0+0-10; 0/1: 0..0=0+0; 1/0: 0..20=18+2");
}

/* Without ids, and without a record that both have: retention deletes from any topic, but nothing
 * removes a partition from one. */
static void a_missing_partition_shows_more_than_deleted_records(void **state) {
    (void)state;
    FAKE_SET('A', 100, 100);
    must_take();
    fake.logs[1].end = 110;
    must_plan(1, 100);
    FAKE_SET('B', 110);
    fake.logs[0].log_start = 100;
    must_take();
    assert_seen('A', 200);
    assert_seen('B', 10);
    assert_verified("0/0: 0..100=90+10; 0/1: 0..110=90+10-10; 1/0: 0..110=9+1-100");
}

/* The log is cut while the batch of 100 to 119 is read. */
static void cut_under_way(int number) {
    if (number >= 4)
        fake.logs[0].end = 110;
    if (number == 5)
        fake.reach = 0;
    if (number >= 12) // the position has moved by then
        fake.logs[0].end = 115;
    stop_when_read('A', 115, number);
}

static void a_log_that_is_cut_during_a_batch_does_not_block_it(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    fake.logs[0].end = 120;
    fake.reach = 110; // before the batch is read
    must_follow(cut_under_way);
    assert_seen('A',
                100 + 5); // as Spark: starts at the new end as first seen
    assert_verified("0/0: 0..120=90+10-20; 1/0: 110..115=5+0");
}

static void end_transaction(int number) {
    if (number == 4)
        fake.logs[0].end = 125;
}

static void a_planned_batch_waits_for_a_transaction(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    leave_plan(120);
    fake.logs[0].end = 105;
    fake.logs[0].high = 125;
    struct error err;
    fake.on_listing = end_transaction;
    assert_true(fake_run(true, true, &err));
    assert_seen('A', 125);
    assert_verified("0/0: 0..125=113+12");
}

static void positions_planned_before_a_crash_are_moved_once(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    leave_plan(0);
    FAKE_SET('B', 20);
    must_take();
    must_take();
    assert_seen('B', 20);
    assert_verified("0/0: 0..100=90+10; 1/0: 0..20=18+2");
}

/* ---- the same topic in spite of a change ---- */

/* As after an unclean leader election: producers continue at once. */
static void write_on_after_cut(size_t partition, int64_t cut, int64_t end) {
    fake.logs[partition].from = cut;
    fake.logs[partition].later = 'B';
    fake.logs[partition].end = end;
}

static void a_log_that_was_cut_and_written_on_is_not_another_topic(void **state) {
    (void)state;
    FAKE_SET('A', 100, 50);
    must_take();
    write_on_after_cut(0, 60, 70);
    assert_data_loss("was truncated below the offsets already read",
                     "partition 0 goes back from offset 100 to 70");
    must_take();
    assert_seen('A', 150);
    fake.logs[0].end = 80;
    must_take();
    assert_seen('A', 150);
    assert_seen('B', 10);
    assert_verified("0/0: 0..100=90+10; 0/1: 0..50=45+5; 1/0: 70..80=9+1; 1/1: 50..50=0+0");
}

static void a_log_that_was_cut_and_outgrew_the_position_is_read_on_from_there(void **state) {
    (void)state;
    FAKE_SET('A', 50, 100);
    must_take();
    write_on_after_cut(1, 60, 130);
    const char *why = "has grown past the next offset again (the record at partition 1, offset 99";
    assert_data_loss(why, why);
    must_take();
    assert_seen('A', 150);
    assert_seen('B', 30);
    assert_verified("0/0: 0..50=45+5; 0/1: 0..130=117+13");
}

static void a_log_whose_oldest_records_were_compacted_is_not_another_topic(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    write_on_after_cut(0, 60, 130);
    fake.compacted_to = 5;
    const char *why = "has grown past the next offset again (the record at partition 0, offset 99";
    assert_data_loss(why, why);
    must_take();
    assert_seen('A', 100);
    assert_seen('B', 30);
}

/* From the third listing on, 30 more records each time. */
static void cut_and_grow(int number) {
    int64_t end = 60 + (number - 3) * 30;
    if (number >= 3)
        write_on_after_cut(0, 60, end < 150 ? end : 150);
    if (number >= 3)
        fake.logs[0].letter = 'B'; // the condition of stop_when_read()
    stop_when_read('B', 150, number);
    fake.logs[0].letter = 'A';
}

static void
a_log_that_is_cut_and_outgrows_the_position_is_read_from_its_shortest_end(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    must_follow(cut_and_grow);
    assert_seen('A', 100);
    assert_seen('B', 90);
    assert_verified("0/0: 0..100=90+10; 1/0: 60..150=81+9");
}

static void cut_and_grow_unseen(int number) {
    fake.unreachable = number >= 3 && number <= 5;
    if (number == 5)
        write_on_after_cut(0, 60, 150);
    if (number > 40)
        stop_request(running->stop, STOP_AFTER_BATCH);
}

static void a_log_that_is_cut_and_outgrows_the_position_while_kafka_does_not_answer(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    struct error err = {0};
    fake.on_listing = cut_and_grow_unseen;
    assert_false(fake_run(true, false, &err));
    assert_int_equal(err.kind, ERROR_DATA_LOSS);
    assert_non_null(strstr(err.message, "has grown past the next offset again"));
    must_take();
    assert_seen('A', 100);
    assert_seen('B', 50);
}

static void hide_partition(int number) {
    fake.count = number >= 3 && number <= 10 ? 1 : 2;
    if (number >= 5)
        fake.logs[0].end = 120; // read in the meantime
    if (number >= 12)
        stop_when_read('A', 120, number);
}

static void the_query_waits_for_an_unlisted_partition_of_the_same_topic(void **state) {
    (void)state;
    FAKE_SET('A', 100, 50);
    must_take();
    must_follow(hide_partition);
    fake.count = 2;
    fake.logs[1].end = 60;
    must_take();
    assert_seen('A', 120 + 60);
    assert_verified("0/0: 0..120=108+12; 0/1: 0..60=54+6");
}

static void cut_beside_backlog(int number) {
    if (number == 3)
        fake.logs[1].end = 90;
    if (number >= 4)
        fake.logs[0].end = 60;
    stop_when_read('A', 60, number);
}

static void after_a_cut_no_record_that_is_still_read_counts_as_lost(void **state) {
    (void)state;
    FAKE_SET('A', 100, 50);
    must_take();
    fake.limit = 10;
    must_follow(cut_beside_backlog);
    fake.limit = 0;
    must_take();
    assert_seen('A', 100 + 90);
    struct verify_report report;
    fake_verify(&report);
    for (size_t i = 0; i < report.partition_count; i++)
        assert_int_equal(report.partitions[i].lost, 0);
    verify_report_deinit(&report);
}

static void flap(int number) {
    fake.absent = number == 3;
    if (number == 5)
        fake.logs[0].end = 120;
    if (number > 5)
        stop_when_read('A', 120, number);
}

static void assert_flap_is_not_another_topic(const char *verified) {
    must_follow(flap);
    assert_verified(verified);
}

static void the_newest_record_is_compared_although_a_marker_follows_it(void **state) {
    (void)state;
    fake.markers = true;
    FAKE_SET('A', 100);
    must_take();
    must_follow(flap);
    assert_seen('A', 108);
}

static void one_absence_does_not_make_a_topic_with_expired_records_another_one(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    fake.logs[0].log_start = 100;
    assert_flap_is_not_another_topic("0/0: 0..120=108+12");
}

static void a_record_that_cannot_be_read_yet_is_requested_again(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    fake.refusals = 1;
    assert_flap_is_not_another_topic("0/0: 0..120=108+12");
    assert_int_equal(fake.refusals, 0);
}

static void absent_for_long(int number) {
    fake.absent = number >= 3 && number <= 8; // a listing every half second
    if (number == 9)
        FAKE_SET('B', 120);
    if (number > 9)
        stop_when_read('B', 120, number);
}

static void records_of_one_timestamp_prove_nothing(void **state) {
    (void)state;
    fake.one_time = true;
    FAKE_SET('A', 100);
    must_take();
    must_follow(absent_for_long);
    assert_verified("0/0: 0..100=90+10; 1/0: 0..120=108+12");
}

static void stop_under_check(int number) {
    fake.absent = number == 3;
    fake.silent = number >= 4;
    if (number >= 4)
        stop_request(running->stop, STOP_NOW);
}

static void a_stop_while_records_are_compared_moves_nothing(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    must_follow(stop_under_check);
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/1"));
    fake.silent = false;
    must_take();
    assert_seen('A', 100);
}

static void come_and_go_of_b(int number) {
    fake.absent = number == 3;
    if (number == 5)
        fake.logs[0].end = 120;
    if (number > 5)
        stop_when_read('B', 120, number);
}

static void a_replayed_row_of_an_earlier_incarnation_is_not_compared(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 30);
    must_take();
    must_replay(13);
    fake.logs[0].end = 100;
    must_take();
    must_follow(come_and_go_of_b);
    assert_seen('B', 120 + 3); // and three rejects that have become rows
    assert_verified("0/0: 0..100=100+0; 1/0: 0..120=111+9");
}

static void stop_without_high(int number) {
    if (number == 6)
        stop_request(running->stop, STOP_AFTER_BATCH);
    if (number == 1000)
        fake.high_refusals = 0;
}

static void a_stop_is_obeyed_while_high_watermarks_are_unavailable(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    leave_plan(120);
    fake.logs[0].end = 110;
    fake.logs[0].high = 125;
    fake.high_refusals = INT_MAX;
    must_follow(stop_without_high);
    assert_in_range(fake.listings, 6, 7);
}

/* Spark may have left such a plan: it does not notice that the topic is another one. */
static void a_plan_that_moves_positions_determines_where_the_query_continues(void **state) {
    (void)state;
    FAKE_SET('A', 100, 100);
    must_take();
    leave_plan(30); // partition 1 was not listed
    FAKE_SET('B', 60, 70);
    must_take();
    assert_seen('B', 30 + 70);
    assert_verified("0/0: 0..100=90+10; 0/1: 0..100=90+10; 1/0: 30..60=27+3; 1/1: 0..70=63+7");
}

/* ---- after a change ---- */

static void manifests_are_folded_by_incarnation(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 0);
    must_take();
    fake.logs[0].end = 130;
    fake.limit = 1;
    must_take();
    assert_true(fixture_has(&fixture, CHECKPOINT "coverage/28"));
    assert_false(fixture_has(&fixture, CHECKPOINT "manifests/1"));
    assert_verified("0/0: 0..100=90+10; 1/0: 0..130=117+13");
    FAKE_SET('C', 5);
    must_take();
    assert_verified("0/0: 0..100=90+10; 1/0: 0..130=117+13; 2/0: 0..5=5+0");
}

static void rejects_of_each_incarnation_are_replayed_once(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 50);
    must_take();
    must_replay(15);
    assert_verified("0/0: 0..100=100+0; 1/0: 0..50=50+0");
    must_replay(0);
    FAKE_SET('C', 30); // a third incarnation; the replayed rejects stay as they are
    must_take();
    must_replay(3);
    fake.logs[0].end = 150;
    fake.limit = 1;
    must_take(); // so that manifests are folded
    assert_true(fixture_has(&fixture, CHECKPOINT "coverage/18"));
    assert_verified("0/0: 0..100=100+0; 1/0: 0..50=50+0; 2/0: 0..150=138+12");
}

static void a_rewind_stays_in_its_incarnation(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 30);
    must_take();
    fake.logs[0].end = 60;
    must_take();
    to_batch = 0;
    assert_refuses(REWIND, ERROR_CONFIG, "created again");
    to_batch = 2;
    must_operate(REWIND, "rewound to batch 2");
    must_take();
    assert_verified("0/0: 0..100=90+10; 1/0: 0..60=54+6");
    must_operate(RELEASE, "no longer has a sink log");
    must_operate(ADOPT, "now has a sink log");
    fake.logs[0].end = 70;
    must_take();
    to_batch = 1; // before the log was adopted: found by the rows
    must_operate(REWIND, "rewound to batch 1");
    must_take();
    assert_verified("0/0: 0..100=90+10; 1/0: 0..70=63+7");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        TEST(a_topic_created_again_shorter_is_read_from_its_beginning),
        TEST(a_log_that_was_cut_is_read_on_from_its_new_end),
        TEST(the_reason_of_a_refusal_is_known_after_the_topic_has_grown),
        TEST(a_new_topic_that_is_empty_at_first_is_read_completely),
        TEST(a_partition_that_comes_back_is_read_from_its_beginning),
        TEST(the_query_waits_for_an_open_transaction_below_its_position),
        TEST(a_longer_topic_is_recognised_by_the_last_record_that_was_read),
        TEST(by_its_id_a_longer_topic_is_recognised_as_another_one),
        TEST(by_its_id_a_cut_log_is_recognised),
        TEST(by_its_id_a_topic_without_one_partition_is_the_same_topic),
        TEST(a_start_without_ids_does_not_keep_the_id_of_the_previous_topic),
        TEST(a_start_without_ids_keeps_the_id_of_the_same_topic),
        TEST(a_topic_of_which_nothing_was_read_may_be_replaced),
        TEST(a_topic_that_was_absent_is_another_one_even_if_it_is_longer),
        TEST(a_topic_that_only_seemed_absent_is_read_further),
        TEST(a_shorter_log_is_believed_when_it_is_seen_twice),
        TEST(a_planned_batch_that_is_not_in_the_topic_is_lost),
        TEST(a_topic_of_which_nothing_was_read_is_read_from_its_beginning),
        TEST(the_first_batch_of_an_unchanged_topic_runs_again_after_a_crash),
        TEST(the_first_plan_says_of_which_topic_it_is),
        TEST(the_first_plan_runs_again_on_the_same_topic),
        TEST(the_first_offsets_say_of_which_topic_they_are),
        TEST(a_plan_that_moves_positions_says_of_which_topic_they_are_now),
        TEST(the_id_of_a_plan_goes_with_its_cluster),
        TEST(a_plan_of_an_older_version_says_nothing_of_its_topic),
        TEST(a_partition_without_offsets_in_the_plan_shows_another_topic),
        TEST(a_missing_partition_shows_more_than_deleted_records),
        TEST(a_log_that_is_cut_during_a_batch_does_not_block_it),
        TEST(a_planned_batch_waits_for_a_transaction),
        TEST(positions_planned_before_a_crash_are_moved_once),
        TEST(a_plan_that_moves_positions_determines_where_the_query_continues),
        TEST(a_log_that_was_cut_and_written_on_is_not_another_topic),
        TEST(a_log_that_was_cut_and_outgrew_the_position_is_read_on_from_there),
        TEST(a_log_whose_oldest_records_were_compacted_is_not_another_topic),
        TEST(a_log_that_is_cut_and_outgrows_the_position_is_read_from_its_shortest_end),
        TEST(a_log_that_is_cut_and_outgrows_the_position_while_kafka_does_not_answer),
        TEST(the_query_waits_for_an_unlisted_partition_of_the_same_topic),
        TEST(after_a_cut_no_record_that_is_still_read_counts_as_lost),
        TEST(the_newest_record_is_compared_although_a_marker_follows_it),
        TEST(one_absence_does_not_make_a_topic_with_expired_records_another_one),
        TEST(a_record_that_cannot_be_read_yet_is_requested_again),
        TEST(records_of_one_timestamp_prove_nothing),
        TEST(a_stop_while_records_are_compared_moves_nothing),
        TEST(a_replayed_row_of_an_earlier_incarnation_is_not_compared),
        TEST(a_stop_is_obeyed_while_high_watermarks_are_unavailable),
        TEST(manifests_are_folded_by_incarnation),
        TEST(rejects_of_each_incarnation_are_replayed_once),
        TEST(a_rewind_stays_in_its_incarnation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
