/* test_incarnation.c: what is counted by incarnation of the topic, no matter what else happens: a
 * crash, a clock that goes back, folding, batches of Spark's. Every tenth record is a reject. */
#include "fake_topic.h"

#include "base/check.h"
#include "base/system/clock.h"
#include "streaming/declare/stream.h"
#include "streaming/recovery/inspect.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/store.h"

/* ---- batches of Spark's ---- */

/* Plans batches that take nothing, or move positions, and commits them as Spark does. */
static void spark_run(int64_t count, const int64_t *ends) {
    struct store *store = NULL;
    struct recovery recovery = {0};
    struct error err = {0};
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err))
        fail_msg("%s", err.message);
    check(recovery.start_count == 1);
    for (int64_t i = 0; i < count; i++) {
        struct offset_range range = recovery.starts[0];
        struct plan plan = {recovery.next_batch + i, clock_wall_ms() + i, 1, &range};
        range.end = ends == NULL ? range.end : ends[i];
        scoped(scope_free) char *crc =
            fixture_text(CHECKPOINT "commits/.%lld.crc", (long long)plan.batch_id);
        if (!store_write_plan(store, &plan, &err) ||
            !checkpoint_write_commit(&store->checkpoint, plan.batch_id, &err))
            fail_msg("%s", err.message);
        fixture_write(&fixture, crc, "crc");
    }
    recovery_deinit(&recovery);
    store_close(store);
}

static void spark_plan(int64_t batch_id, int64_t end) {
    scoped(scope_free) char *path = fixture_text(CHECKPOINT "offsets/%lld", (long long)batch_id);
    scoped(scope_free) char *text =
        fixture_text("v1\n{\"batchTimestampMs\":%lld,\"conf\":{}}\n{\"t1\":{\"0\":%lld}}",
                     (long long)clock_wall_ms() + 1000, (long long)end);
    fixture_write(&fixture, path, text);
}

/* A run on a cluster that did not end cleanly, whose rejects from this batch on are not written.
 */
static void leave_run(int64_t first_batch) {
    struct error err = {0};
    struct run_note note = {.first_batch = first_batch, .parse_mode = PARSE_REJECT};
    (void)snprintf(note.master, sizeof note.master, "sc://spark");
    if (!run_note_write(fixture.options.checkpoint, &note, &err))
        fail_msg("%s", err.message);
}

static void the_id_of_the_topic_before_spark_moved_is_not_compared(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    strcpy(fake.id, "one");
    FAKE_SET('A', 100);
    must_take();
    strcpy(fake.id, "two");
    FAKE_SET('B', 30);
    spark_run(1, (int64_t[]){20});
    fixture_write(&fixture, CHECKPOINT "offsets/.1.crc", "crc");

    struct inspection inspection;
    struct error err;
    assert_true(
        inspect(&fixture.options, &inspection, &err)); // for doctor; verify has it there, too
    assert_string_equal(inspection.topic_id, "");
    inspection_deinit(&inspection);
    if (!fake_run(true, true, &err))
        fail_msg("%s", err.message);
    assert_seen('B', 10); // what Spark has not read

    strcpy(fake.id, "three");
    FAKE_SET('C', 40);
    assert_refused("its id is three, not two");
}

static void rejects_behind_a_topic_that_was_created_again_are_lost(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    FAKE_SET('A', 100);
    must_take();
    leave_run(1);
    spark_run(2, (int64_t[]){150, 0}); // the second knows of the new topic
    FAKE_SET('B', 30);
    must_take();
    assert_seen('A', 100);
    assert_seen('B', 30);
}

/* The topic goes away while the rejects of batch 1 are read. */
static void go_away(void) {
    if (fake.logs[0].letter == 'A')
        fake.absent = true;
}

static void come_back(int number) {
    if (fake.absent && number >= 4) {
        fake.absent = false;
        FAKE_SET('B', 30);
    }
}

static void a_topic_created_again_has_rejects_as_soon_as_spark_goes_back(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    FAKE_SET('A', 100);
    must_take();
    leave_run(1);
    spark_run(3, (int64_t[]){150, 0, 30});
    fake.logs[0].end = 150;
    fake.on_open = go_away;
    fake.on_listing = come_back;
    must_take();
    assert_seen('A', 100); // and nothing of batch 1
    assert_seen('B', 3);   // the rejects: Spark's rows are not here
}

static void a_batch_before_an_incarnation_does_not_begin_it(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    FAKE_SET('A', 100);
    must_take();
    leave_run(1);
    spark_run(1, NULL);
    spark_plan(2, 0); // open
    FAKE_SET('B', 0);
    must_take();
    scoped(scope_free) char *before = fixture_read(&fixture, CHECKPOINT "manifests/1");
    assert_null(strstr(before, "incarnation"));
    scoped(scope_free) char *moves = fixture_read(&fixture, CHECKPOINT "manifests/2");
    assert_non_null(strstr(moves, "\"incarnation\":{\"number\":1"));
    fake.logs[0].end = 30;
    must_take();
    assert_verified("0/0: 0..100=90+10; 1/0: 0..30=27+3");
}

static void a_rewind_among_batches_of_spark_keeps_what_is_folded(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 30);
    must_take();
    spark_run(120, NULL);
    fake.limit = 1;
    fake.logs[0].end = 60;
    must_take();
    assert_true(fixture_has(&fixture, CHECKPOINT "coverage/2"));
    to_batch = 110;
    must_operate(REWIND, "rewound to batch 110");
    fake.limit = 0;
    must_take();
    assert_verified("0/0: 0..100=90+10; 1/0: 0..60=54+6");
}

static void committed_rows_of_an_earlier_incarnation_are_not_orphans(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    FAKE_SET('A', 30);
    must_take();
    fake.logs[0].end = 60;
    must_take();
    remove_path(CHECKPOINT "manifests"); // as if Spark had run them
    spark_run(1, (int64_t[]){30});
    spark_plan(3, 60); // open
    fake.logs[0].letter = 'B';
    must_take();
    assert_seen('A', 60);
    assert_seen('B', 30);
}

/* ---- the clock ---- */

static int64_t shift_ms;
static const struct clock_ops *real_clock;

static int64_t shifted_wall(void) {
    return real_clock->wall_ms() + shift_ms;
}

static int64_t same_monotonic(void) {
    return real_clock->monotonic_us();
}

static void a_clock_that_falls_behind_does_not_mix_incarnations(void **state) {
    (void)state;
    static const struct clock_ops shifted = {shifted_wall, same_monotonic};
    real_clock = clock_source;
    clock_source = &shifted;
    FAKE_SET('A', 100);
    must_take();
    shift_ms = 3600000;
    FAKE_SET('B', 30);
    must_take();
    shift_ms = 0;
    must_replay(13);
    fake.logs[0].end = 60;
    fake.limit = 10;
    must_take();
    must_replay(3);
    clock_source = real_clock;
    assert_verified("0/0: 0..100=100+0; 1/0: 0..60=60+0");
    int64_t before_ms = 0;
    for (int64_t batch_id = 0;; batch_id++) { // ascending
        scoped(scope_free) char *path =
            fixture_text(CHECKPOINT "offsets/%lld", (long long)batch_id);
        if (!fixture_has(&fixture, path)) {
            assert_int_equal(batch_id, 9);
            break;
        }
        scoped(scope_free) char *plan = fixture_read(&fixture, path);
        int64_t now_ms = strtoll(strstr(plan, "TimestampMs\":") + 13, NULL, 10);
        assert_true(now_ms > before_ms);
        before_ms = now_ms;
    }
}

/* ---- what was never read ---- */

/* More comes than is read, the topic goes away, and another is there. */
static void lose(int number) {
    if (number == 3)
        FAKE_SET('A', 170, 40);
    fake.absent = number == 4;
    if (number == 5)
        FAKE_SET('B', 30, 10);
    if (number == 12)
        stop_request(running->stop, STOP_AFTER_BATCH);
}

static void what_was_never_read_is_known_after_a_refusal(void **state) {
    (void)state;
    struct error err = {0};
    FAKE_SET('A', 100);
    must_take();
    fake.limit = 10;
    fake.on_listing = lose;
    assert_false(fake_run(true, false, &err));
    assert_int_equal(err.kind, ERROR_DATA_LOSS);
    fake.limit = 0;
    must_take();
    assert_seen('B', 30 + 10);
    assert_verified("0/0: 0..170=96+10-64; 0/1: 0..40=3+0-37; 1/0: 0..30=27+3; 1/1: 0..10=9+1");
}

static void a_partition_of_which_nothing_was_planned_is_lost(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    scoped(scope_free) char *plan = fixture_text(
        "v1\n{\"batchTimestampMs\":%lld,\"conf\":{},\"knownEnds\":{\"0\":120,\"1\":7}}\n"
        "{\"t1\":{\"0\":0}}",
        (long long)clock_wall_ms() + 1);
    fixture_write(&fixture, CHECKPOINT "offsets/1", plan);
    FAKE_SET('B', 30);
    must_take();
    assert_verified("0/0: 0..120=90+10-20; 0/1: 0..7=0+0-7; 1/0: 0..30=27+3");
}

static void rejects_of_an_incarnation_beyond_the_horizon_do_not_count(void **state) {
    (void)state;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 30);
    must_take();
    remove_path(CHECKPOINT "commits/1");
    remove_path(CHECKPOINT "commits/2");
    assert_verified("0/0: 0..100=90+10");
    remove_path(SINK_LOG "2"); // files of a Spark that is about to write it
    remove_path(CHECKPOINT "manifests/2");
    assert_verified("0/0: 0..100=90+10");
}

/* Whether the first note of a verification has the text; no note: NULL. */
static void assert_noted(const char *text) {
    struct verify_report report;
    fake_verify(&report);
    const struct verify_texts *notes = &report.texts[VERIFY_NOTE];
    if (text == NULL ? notes->count > 0
                     : notes->count == 0 || strstr(notes->texts[0], text) == NULL)
        fail_msg("%zu notes, not '%s'", notes->count, text == NULL ? "" : text);
    verify_report_deinit(&report);
}

static void that_spark_went_back_is_noted(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    FAKE_SET('A', 100);
    must_take();
    FAKE_SET('B', 30);
    must_take();
    assert_noted(NULL); // it is known why
    spark_run(1, (int64_t[]){10});
    fixture_write(&fixture, CHECKPOINT "offsets/.3.crc", "crc");
    static const char note[] =
        "in batch 3, Spark went back to lower offsets; incarnation 2 of the topic";
    assert_noted(note);
    fake.limit = 1;
    fake.logs[0].end = 150;
    must_take(); // it is in a manifest, and then in the coverage file
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/3"));
    assert_false(fixture_has(&fixture, CHECKPOINT "manifests/4"));
    assert_noted(note);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        TEST(the_id_of_the_topic_before_spark_moved_is_not_compared),
        TEST(rejects_behind_a_topic_that_was_created_again_are_lost),
        TEST(a_topic_created_again_has_rejects_as_soon_as_spark_goes_back),
        TEST(a_batch_before_an_incarnation_does_not_begin_it),
        TEST(a_rewind_among_batches_of_spark_keeps_what_is_folded),
        TEST(committed_rows_of_an_earlier_incarnation_are_not_orphans),
        TEST(a_clock_that_falls_behind_does_not_mix_incarnations),
        TEST(what_was_never_read_is_known_after_a_refusal),
        TEST(a_partition_of_which_nothing_was_planned_is_lost),
        TEST(that_spark_went_back_is_noted),
        TEST(rejects_of_an_incarnation_beyond_the_horizon_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
