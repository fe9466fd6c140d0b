/* test_rewind.c: a rewind to batches whose plans and manifests are gone, and across compactions,
 * replays and batches of Spark's, on real Parquet files. What is read again makes the same table.
 */
#include "rewind_fixture.h"

#include "base/system/clock.h"
#include "streaming/changes/changes.h"
#include "streaming/changes/live_files.h"
#include "streaming/changes/rewind_watch.h"
#include "streaming/history/history.h"
#include "streaming/operations/rewind_target.h"
#include "streaming/recovery/inspect.h"
#include "streaming/table/origin_reader.h"

/* ---- deep ---- */

static void the_plans_are_gone_but_the_batches_can_be_undone(void **state) {
    (void)state;
    run_batches(230, 2);
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/100"));
    assert_whole(0);
    must_rewind(150, "rewound to batch 150"); // its plan is there
    run_batches(1, 0);
    assert_whole(0);
    must_rewind(40, "rewound to batch 40");
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/39"));
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/40"));
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/41"));
    must_run_query(0);
    assert_whole(0);
    run_batches(1, 2);
    must_rewind(3, "rewound to batch 3");
    must_run_query(7);
    assert_whole(0);
}

static void without_a_sink_log_too(void **state) {
    (void)state;
    must_operate(RELEASE, "");
    run_batches(140, 2);
    assert_false(fixture_has(&fixture, SINK_LOG));
    must_rewind(20, "rewound to batch 20");
    must_run_query(0);
    assert_whole(0);
}

/* Rows of a replay have old offsets, and are of a later batch. */
static void what_was_replayed_after_the_batch_is_a_reject_again(void **state) {
    (void)state;
    run_batches(30, 2);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE + appended_rejects(), 2);
    run_batches(130, 2);
    assert_whole(FIRST_PERMISSIVE + 6);
    must_rewind(10, "rewound to batch 10");
    must_run_query(0);
    assert_whole(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE + appended_rejects(), 2);
    must_rewind(10, "rewound to batch 10");
    must_run_query(0);
    assert_whole(0);
}

/* ---- compactions ---- */

static void compactions_and_replays_are_rewound_past(void **state) {
    (void)state;
    run_batches(12, 5);
    compact(false);
    assert_whole(0);
    assert_false(fixture_has(&fixture, CHECKPOINT "changes/1"));
    must_rewind(7, "rewound to batch 7");
    assert_true(
        fixture_has(&fixture, CHECKPOINT "changes/1")); // files with rows of both were split
    must_run_query(0);
    assert_whole(0);
    run_batches(5, 5);
    compact(false);
    compact(true);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE + appended_rejects(), 2);
    run_batches(12, 5);
    assert_whole(FIRST_PERMISSIVE + 8);
    compact(false);
    compact(true);
    assert_whole(FIRST_PERMISSIVE + 8);
    must_rewind(5, "rewound to batch 5");
    must_run_query(0);
    assert_whole(0);
    run_batches(12, 1);
    compact(false);
    must_rewind(8, "rewound to batch 8");
    must_run_query(0);
    assert_whole(0);
}

static void compactions_are_rewound_past_to_where_no_plans_are(void **state) {
    (void)state;
    run_batches(125, 2);
    compact(false);
    compact(true);
    run_batches(12, 2);
    compact(false);
    must_rewind(30, "rewound to batch 30");
    must_run_query(0);
    assert_whole(0);
    must_rewind(8, "rewound to batch 8");
    must_run_query(0);
    assert_whole(0);
}

/* The log then has no compact file, and lists a file with rows of both sides in one of a batch. */
static void a_split_file_is_split_again_before_the_log_has_a_compact_file(void **state) {
    (void)state;
    run_batches(12, 5);
    compact(false);
    compact(true);
    must_rewind(6, "rewound to batch 6");
    assert_int_equal(count_files(SINK_LOG, ".compact"), 0);
    must_rewind(3, "rewound to batch 3");
    assert_int_equal(count_files(SINK_LOG, ".compact"), 0);
    must_run_query(0);
    assert_whole(0);
    run_batches(12, 1);
    compact(false);
    assert_whole(0);
}

/* ---- while others read ---- */

static long rewind_at, calls; // before call `rewind_at` of a reader a rewind begins and ends
static _Thread_local bool rewinds;

static void count_call(void) {
    if (rewinds || ++calls != rewind_at)
        return;
    struct error err = {0};
    scoped(scope_free) char *said = NULL;
    rewinds = true;
    if (!operate(REWIND, &said, &err))
        fail_msg("%s", err.message);
    rewinds = false;
}

static int counted_open(const char *path, int flags, mode_t mode) {
    count_call();
    return disk_real.open(path, flags, mode);
}

static int counted_stat(const char *path, struct stat *status) {
    count_call();
    return disk_real.stat(path, status);
}

static int counted_list(const char *directory, bool (*visit)(void *context, const char *name),
                        void *context) {
    count_call();
    return disk_real.list(directory, visit, context);
}

static void read_by_verify(void) {
    struct verify_report report;
    verify_lake(&report);
    assert_int_equal(report.horizon, calls < rewind_at ? 4 : 2);
    for (size_t kind = 0; kind < VERIFY_LOST; kind++)
        for (size_t i = 0; i < report.texts[kind].count; i++)
            print_error("call %ld: %s\n", rewind_at, report.texts[kind].texts[i]);
    assert_int_equal(verify_faults(&report), 0);
    verify_report_deinit(&report);
}

static void read_by_inspect(void) {
    struct inspection inspection;
    struct error err;
    assert_true(inspect(&fixture.options, &inspection, &err));
    for (size_t i = 0; i < inspection.fault_count; i++)
        print_error("call %ld: %s\n", rewind_at, inspection.faults[i]->message);
    assert_int_equal(inspection.fault_count, 0);
    assert_int_equal(inspection.commits.newest, calls < rewind_at ? 4 : 2);
    inspection_deinit(&inspection);
}

static struct live_files live;

static bool pin_files(void *context, struct error *err) {
    struct store *store = context;
    if (!live_files_read(store, false, &live, err))
        return false;
    if (live_files_pin(&live, err) && live_files_count_rows(&live, err))
        return true;
    live_files_unpin(&live);
    live_files_deinit(&live);
    return false;
}

static void forget_files(void *context) {
    (void)context;
    live_files_unpin(&live);
    live_files_deinit(&live);
}

static void read_by_files(void) {
    struct store *store;
    struct error err;
    int64_t rows = 0;
    check(store_open_to_read(&fixture.options, &store, &err));
    if (!rewind_watch_look(fixture.checkpoint, pin_files, forget_files, store, &err))
        fail_msg("call %ld: %s", rewind_at, err.message);
    for (size_t i = 0; i < live.files.count; i++)
        rows += live.files.files[i].rows;
    // Batches 0 to 4, or to 2, of which each took 10 lines with a reject among them.
    assert_int_equal(rows, FIRST_ROWS + (calls < rewind_at ? 4 : 2) * 9);
    live_files_deinit(&live);
    store_close(store);
}

static void rewind_at_each_call_of(void (*read)(void)) {
    char snapshot[300];
    static struct disk_ops counted;
    counted = disk_real;
    counted.open = counted_open;
    counted.stat = counted_stat;
    counted.list = counted_list;
    (void)snprintf(snapshot, sizeof snapshot, "%s.snapshot", fixture.root);
    tree_copy(fixture.root, snapshot);
    to_batch = 2;
    bool more = true;
    long points = 0;
    for (rewind_at = 1; more; rewind_at++, points++) {
        tree_copy(snapshot, fixture.root);
        calls = 0;
        disk = &counted;
        read();
        disk = &disk_real;
        more = calls >= rewind_at;
    }
    (void)nftw(snapshot, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    print_message("a rewind came at each of %ld calls\n", points - 1);
}

static void a_rewind_may_come_at_any_call_of_a_reader(void **state) {
    (void)state;
    run_batches(4, 10);
    rewind_at_each_call_of(read_by_verify);
    rewind_at_each_call_of(read_by_inspect);
    rewind_at_each_call_of(read_by_files);
    must_operate(RELEASE, "");
    rewind_at_each_call_of(read_by_files);
}

/* ---- what has left the table ---- */

static bool add_gone(void *context, int32_t partition, int64_t offset) {
    resolved_add(context, 0, partition, offset);
    return true;
}

/* The rows of a status leave the table. */
static void expire(const char *directory) {
    struct store *store;
    struct error err = {0};
    struct recovery recovery;
    struct file_path staging;
    struct file_list all = {0};
    struct change change = {.kind = CHANGE_EXPIRY, .made_ms = 1};
    bool recorded;
    check(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err));
    change.batch_id = recovery.next_batch - 1;
    recovery_deinit(&recovery);
    check(change_each_eligible(store, false, take_file, &all, &err));
    check(change_begin(store, false, &change.number, &staging, &err));
    for (size_t i = 0; i < all.count; i++) {
        struct data_file file = all.files[i];
        enum origin_end end;
        if (strncmp(file.path, directory, strlen(directory)) == 0) {
            check(origin_each_offset(file_join(fixture.table, file.path).text, add_gone,
                                     &change.gone, &end, &err));
            file_list_add(&change.left, file);
            all.files[i].path = NULL;
        }
    }
    qsort(change.left.files, change.left.count, sizeof *change.left.files, by_path);
    if (!change_publish(store, &change, &recorded, &err))
        fail_msg("%s", err.message);
    change_deinit(&change);
    file_list_deinit(&all);
    store_close(store);
}

static int64_t count_expired(void) {
    struct verify_report report;
    int64_t expired = 0;
    verify_lake(&report);
    assert_int_equal(verify_faults(&report), 0);
    for (size_t i = 0; i < report.partition_count; i++)
        expired += report.partitions[i].expired;
    verify_report_deinit(&report);
    return expired;
}

static void sweep(void) {
    struct store *store;
    struct recovery recovery;
    struct error err = {0};
    check(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err) &&
          change_sweep(store, INT64_MAX / 2, 0, &err));
    recovery_deinit(&recovery);
    store_close(store);
}

/* By changes/ and coverage/. */
static int64_t count_noted(void) {
    struct store *store;
    struct changes changes;
    struct coverage coverage;
    struct resolved gone = {0};
    struct error err;
    bool found;
    check(store_open_to_read(&fixture.options, &store, &err) &&
          changes_read(store, &changes, &err) && coverage_read(store, &coverage, &found, &err));
    changes_gone(&changes, CHANGE_EXPIRY, &gone);
    resolved_add_all(&gone, &coverage.expired);
    int64_t count = gone.count;
    resolved_deinit(&gone);
    changes_deinit(&changes);
    coverage_deinit(&coverage);
    store_close(store);
    return count;
}

static void offsets_that_are_read_again_have_not_expired(void **state) {
    (void)state;
    run_batches(9, 5);
    int64_t before = count_expired();
    expire("status=done/");
    int64_t all = count_expired();
    assert_true(before == 0 && all > 20);
    must_rewind(4, "rewound to batch 4");
    int64_t then = count_expired();
    assert_true(then > 0 && then < all);
    must_run_query(0);
    assert_int_equal(count_expired(), then);
    assert_int_equal(count_noted(), then);
    // Once nobody needs the record, the offsets are in coverage/.
    run_batches(125, 1);
    compact(false); // the newest record stays
    sweep();
    assert_false(fixture_has(&fixture, CHECKPOINT "changes/0"));
    assert_int_equal(count_noted(), then);
    must_rewind(2, "rewound to batch 2");
    int64_t last = count_expired();
    assert_true(last > 0 && last < then);
    must_run_query(0);
    assert_int_equal(count_expired(), last);
    assert_int_equal(count_noted(), last);
}

/* ---- a time ---- */

static const struct clock_ops *real_clock;
static int64_t behind_ms;

static int64_t wall(void) {
    return real_clock->wall_ms() - behind_ms;
}

static int64_t monotonic(void) {
    return real_clock->monotonic_us();
}

static void three_days_are_done_again(void **state) {
    static const struct clock_ops shifted = {wall, monotonic};
    enum { HOUR_MS = 3600 * 1000, HOURS = 5 * 24 };
    (void)state;
    real_clock = clock_source;
    clock_source = &shifted;
    int64_t now = real_clock->wall_ms();
    fixture_clear(&fixture); // the batch of the set-up is of now
    for (behind_ms = (int64_t)HOURS * HOUR_MS; behind_ms >= 0; behind_ms -= HOUR_MS)
        run_batches(1, 1);
    clock_source = real_clock;
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/19"));
    rewind_before_ms = now - 3LL * 24 * HOUR_MS + INT64_C(60000);
    must_operate(REWIND, "rewound to batch 48");
    rewind_before_ms = now - 119LL * HOUR_MS + INT64_C(60000);
    must_operate(REWIND, "rewound to batch 1");
    must_run_query(0);
    assert_whole(0);
}

static int64_t planned_ms(int64_t batch) {
    struct store *store;
    struct history history;
    struct error err;
    check(store_open_to_read(&fixture.options, &store, &err) &&
          history_read(store, &history, &err));
    const struct history_entry *entry = history_find(&history, batch);
    check(entry != NULL);
    int64_t ms = entry->last_ms;
    history_deinit(&history);
    store_close(store);
    return ms;
}

static void the_newest_batch_before_a_time_stays(void **state) {
    (void)state;
    run_batches(115, 1);
    rewind_before_ms = planned_ms(90) + 1;
    must_operate(REWIND, "rewound to batch 90");
    rewind_before_ms = planned_ms(7);
    char time[REWIND_TIME_MAX], text[200];
    int64_t sixth = planned_ms(6);
    (void)snprintf(text, sizeof text, "batch 6, planned at %s, is the newest before ",
                   rewind_time(sixth, time));
    must_operate(REWIND, text);
    must_operate(REWIND, "nothing to do");
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/6"));
    rewind_before_ms = planned_ms(0);
    assert_refuses(REWIND, ERROR_CONFIG, "no batch is known that was planned before ");
    rewind_before_ms = 0;
    must_run_query(0);
    assert_whole(0);
}

/* ---- what Kafka has ---- */

static int64_t log_start;
static bool is_reachable = true;

static bool list_offsets(struct broker *broker, const char *topic, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)timeout_ms;
    if (!is_reachable)
        return error_set(err, ERROR_BROKER, "no broker reached");
    assert_string_equal(topic, "t1");
    *offsets = (struct topic_offsets){
        .count = 2, .partitions = must_alloc(2, sizeof(struct partition_offsets))};
    offsets->partitions[0] = (struct partition_offsets){0, log_start, 1000};
    offsets->partitions[1] = (struct partition_offsets){1, 2, 2}; // nothing was read of it since
    return true;
}

static void offsets_that_kafka_no_longer_has_are_refused_by_name(void **state) {
    (void)state;
    static const struct broker_ops ops = {.list_offsets = list_offsets};
    static struct broker broker = {&ops};
    run_batches(20, 5);
    rewind_broker = &broker;
    to_batch = 3; // ends at offset 8 + 15
    log_start = 30;
    assert_refuses(REWIND, ERROR_CONFIG,
                   "after batch 3 of topic t1: partition 0 needs offset 23, the first that Kafka "
                   "has is 30, 7 offsets gone. The oldest batch that can stay is 5 (planned at ");
    log_start = 2000;
    assert_refuses(REWIND, ERROR_CONFIG, "The oldest batch that can stay is 20 ");
    is_reachable = false;
    assert_refuses(REWIND, ERROR_BROKER,
                   "use --no-kafka-check to rewind without knowing: no broker");
    is_reachable = true;
    log_start = 23;
    must_rewind(3, "rewound to batch 3");
    rewind_broker = NULL;
    must_run_query(0);
    assert_whole(0);
}

/* ---- what is not known ---- */

static void a_batch_that_is_not_known_is_refused_with_those_next_to_it(void **state) {
    (void)state;
    run_batches(115, 1);
    remove_path(CHECKPOINT "history/0");
    to_batch = 5;
    assert_refuses(REWIND, ERROR_CONFIG,
                   "the plan of batch 5 is no longer known (REWIND_RETENTION): choose a newer "
                   "batch; the oldest that can stay is ");
    fixture.options.rewind_retention_ms = 0;
    to_batch = 40;
    must_operate(REWIND, "rewound to batch 40");
    must_run_query(0);
    assert_whole(0);
}

/* A version without a history has folded batches. */
static void what_a_gap_has_added_is_not_guessed(void **state) {
    (void)state;
    run_batches(12, 2);
    fixture.options.rewind_retention_ms = 0;
    run_batches(150, 1);
    fixture.options.rewind_retention_ms = 7LL * 24 * 3600 * 1000;
    run_batches(2, 1);
    to_batch = 10;
    assert_refuses(REWIND, ERROR_STATE, "it is not known what the batches after 10 have added");
    assert_whole(0);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, rewind_set_up, replay_tear_down)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        ON_DISK(the_plans_are_gone_but_the_batches_can_be_undone),
        ON_DISK(without_a_sink_log_too),
        ON_DISK(what_was_replayed_after_the_batch_is_a_reject_again),
        ON_DISK(compactions_and_replays_are_rewound_past),
        ON_DISK(compactions_are_rewound_past_to_where_no_plans_are),
        ON_DISK(a_split_file_is_split_again_before_the_log_has_a_compact_file),
        ON_DISK(a_rewind_may_come_at_any_call_of_a_reader),
        ON_DISK(offsets_that_are_read_again_have_not_expired),
        ON_DISK(three_days_are_done_again),
        ON_DISK(the_newest_batch_before_a_time_stays),
        ON_DISK(offsets_that_kafka_no_longer_has_are_refused_by_name),
        ON_DISK(a_batch_that_is_not_known_is_refused_with_those_next_to_it),
        ON_DISK(what_a_gap_has_added_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
