/* test_history.c: what is noted of batches, and forgotten. */
#include "drop_checksum.h"
#include "store_fixture.h"

#include "base/scope.h"
#include "streaming/history/coverage_cut.h"
#include "streaming/history/history.h"
#include "streaming/history/history_text.h"
#include "streaming/history/history_thin.h"

static struct fixture fixture;

#define CHECKPOINT "checkpoints/match_stream/"
#define HISTORY CHECKPOINT "history/"

static const struct manifest_origin origin = {.query_id = "4d1b3c1e-0000-4000-8000-000000000000",
                                              .topic = "t1"};

/* The batch [10 * id, 10 * id + 10) of partition 0, planned at `ms`. */
static struct history_entry entry_at(int64_t id, int64_t ms) {
    struct history_entry entry = {.first = id,
                                  .last = id,
                                  .first_ms = ms,
                                  .last_ms = ms,
                                  .has_ends = true,
                                  .outcome = {.through = -1}};
    struct range_outcome outcome = {.range = {0, 10 * id, 10 * id + 10}, .rejects = 1};
    struct error err;
    range_outcome_set_records(&outcome, 9);
    check(coverage_add(&entry.outcome, &outcome, &err));
    offsets_add(&entry.ends, 0, 10 * id + 10);
    return entry;
}

static void fill(struct history *history, struct history_entry *entries, size_t count) {
    *history = (struct history){
        .entries = must_alloc(count, sizeof *entries), .count = count, .capacity = count};
    memcpy(history->entries, entries, count * sizeof *entries);
}

/* ---- text ---- */

static void a_history_is_read_as_it_was_written(void **state) {
    (void)state;
    struct history history, copy;
    struct error err;
    struct history_entry entries[] = {entry_at(3, 1000), entry_at(4, 2000), entry_at(7, 3000)};
    entries[1].incarnation = entries[2].incarnation = 1;
    entries[1].outcome.ranges[0].incarnation = entries[2].outcome.ranges[0].incarnation = 1;
    offsets_add(&entries[1].known_ends, 0, 77);
    resolved_add(&entries[1].outcome.replayed, 0, 0, 5);
    replay_counts_add(&entries[1].outcome.replay_counts, 0, 0, 5, 3, 2);
    entries[2].of_spark = true;
    entries[2].has_ends = false;
    fill(&history, entries, 3);
    size_t size;
    scoped(scope_free) char *text = history_print(&history, &origin, &size);
    assert_true(history_parse(text, size, &origin, &copy, &err));
    scoped(scope_free) char *again = history_print(&copy, &origin, &size);
    // What has no ends has none to be read back.
    assert_true(copy.entries[2].ends.count == 0 && copy.entries[2].of_spark);
    assert_string_equal(text, again);
    assert_int_equal(copy.entries[1].outcome.replay_counts.sums[0].rows, 2);
    struct manifest_origin other = {.query_id = "other", .topic = "t1"};
    struct history none;
    assert_false(history_parse(text, size, &other, &none, &err));
    for (size_t cut = 1; cut < size; cut++)
        assert_false(history_parse(text, size - cut, &origin, &none, &err));
    history_deinit(&history);
    history_deinit(&copy);
}

static void what_cannot_be_calculated_with_is_refused(void **state) {
    (void)state;
    static const char *const entries[] = {
        "{\"first\":0,\"batch\":0,\"firstMs\":-9223372036854775808,\"timestampMs\":1}",
        "{\"first\":0,\"batch\":0,\"firstMs\":1,\"timestampMs\":9223372036854775807}",
        "{\"first\":0,\"batch\":0,\"firstMs\":1,\"timestampMs\":1,\"ends\":[[]]}",
        "{\"first\":0,\"batch\":0,\"firstMs\":1,\"timestampMs\":1,\"ends\":\"first\"}",
    };
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        scoped(scope_free) char *text =
            text_format("v1\n{\"query\":\"%s\",\"topic\":\"%s\",\"entries\":[%s]}", origin.query_id,
                        origin.topic, entries[i]);
        struct history none;
        struct error err = {0};
        assert_false(history_parse(text, strlen(text), &origin, &none, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        assert_null(strstr(err.message, "checksum"));
    }
}

/* ---- thinning ---- */

static void batches_within_a_minute_become_one_entry(void **state) {
    (void)state;
    struct history history;
    struct history_entry entries[] = {
        entry_at(0, 1000000), entry_at(1, 1030000), entry_at(2, 1059999),
        entry_at(3, 1060000), entry_at(5, 1060001), entry_at(6, 1060002),
    };
    entries[5].incarnation = entries[5].outcome.ranges[0].incarnation = 1;
    fill(&history, entries, 6);
    history_thin(&history);
    assert_int_equal(history.count, 4); // 0-2, 3, 5 (4 is not known), 6 (another topic)
    const struct history_entry *first = &history.entries[0];
    assert_int_equal(first->first, 0);
    assert_int_equal(first->last, 2);
    assert_int_equal(first->first_ms, 1000000);
    assert_int_equal(first->last_ms, 1059999);
    assert_int_equal(first->ends.entries[0].offset, 30);
    assert_int_equal(first->outcome.count, 1);
    assert_int_equal(first->outcome.ranges[0].rows, 27);
    assert_non_null(history_find(&history, 2));
    assert_null(history_find(&history, 1));
    size_t count = history.count;
    history_thin(&history);
    assert_int_equal(history.count, count);
    history_deinit(&history);
}

/* ---- the cut ---- */

static void coverage_without_later_batches_is_what_it_was(void **state) {
    (void)state;
    struct coverage total = {.through = -1};
    struct history_entry entries[] = {entry_at(0, 1), entry_at(1, 2), entry_at(2, 3)};
    struct error err;
    resolved_add(&entries[2].outcome.replayed, 0, 0, 5);
    replay_counts_add(&entries[2].outcome.replay_counts, 0, 0, 5, 1, 1);
    for (size_t i = 0; i < 3; i++) {
        check(coverage_add(&total, &entries[i].outcome.ranges[0], &err));
        resolved_add_all(&total.replayed, &entries[i].outcome.replayed);
        replay_counts_add_all(&total.replay_counts, &entries[i].outcome.replay_counts);
    }
    // The newest first: another order is refused, and so is what was never added.
    assert_false(coverage_take_out(&total, &entries[1].outcome, &err));
    assert_true(coverage_take_out(&total, &entries[2].outcome, &err));
    assert_false(coverage_end_at(&total, 0, &entries[0].ends, 1, &err));
    assert_true(coverage_take_out(&total, &entries[1].outcome, &err));
    assert_true(coverage_end_at(&total, 0, &entries[0].ends, 1, &err));
    assert_int_equal(total.count, 1);
    assert_int_equal(total.ranges[0].range.end, 10);
    assert_int_equal(total.ranges[0].rows, 9);
    assert_int_equal(total.ranges[0].rejects, 1);
    assert_int_equal(total.replayed.count, 0);
    assert_int_equal(total.replay_counts.count, 0);
    assert_true(coverage_take_out(&total, &entries[0].outcome, &err));
    assert_int_equal(total.count, 0);
    for (size_t i = 0; i < 3; i++) {
        offsets_deinit(&entries[i].ends);
        coverage_deinit(&entries[i].outcome);
    }
    coverage_deinit(&total);
}

static void offsets_are_taken_out_of_a_set(void **state) {
    (void)state;
    struct resolved set = {0}, some = {0};
    const int64_t high = (int64_t)1 << 33;
    for (int64_t i = 0; i < 5; i++) {
        resolved_add(&set, 0, 1, i);
        resolved_add(&set, 0, 1, high + i);
        resolved_add(&set, 1, 1, i);
    }
    resolved_add(&some, 0, 1, 2);
    resolved_add(&some, 0, 1, 99);
    resolved_add(&some, 0, 2, 2);
    resolved_drop_all(&set, &some);
    assert_int_equal(set.count, 14);
    assert_false(resolved_has(&set, 0, 1, 2));
    resolved_drop_from(&set, 0, 1, 3);
    assert_int_equal(set.count, 7);
    assert_true(resolved_has(&set, 0, 1, 1) && !resolved_has(&set, 0, 1, 3));
    assert_false(resolved_has(&set, 0, 1, high));
    assert_true(resolved_has(&set, 1, 1, 4));
    resolved_deinit(&set);
    resolved_deinit(&some);
}

/* ---- on the disk ---- */

static void read_history(struct history *history) {
    struct store *store = NULL;
    struct error err;
    check(store_open_to_read(&fixture.options, &store, &err) && history_read(store, history, &err));
    store_close(store);
}

enum { WIDE = 6000 }; // partitions: two batches of them are more than a file may have

/* The fixture's plan, of so many partitions. */
static struct plan plan_of(int64_t batch, size_t partitions, struct offset_range ranges[WIDE]) {
    for (size_t i = 0; i < partitions; i++)
        ranges[i] = (struct offset_range){(int32_t)i, 3 * batch, 3 * batch + 3};
    return (struct plan){.batch_id = batch,
                         .timestamp_ms = 1795366883120 + batch,
                         .count = partitions,
                         .ranges = ranges};
}

/* As the driver does. */
static void advance_wide(int64_t last, size_t partitions) {
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    struct offset_range ranges[WIDE];
    check(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err));
    int64_t batch = recovery.next_batch;
    if (recovery.new_query) {
        struct plan first = plan_of(0, partitions, ranges);
        check(store_write_initial(store, first.ranges, first.count, &err));
    }
    recovery_deinit(&recovery);
    for (; batch <= last; batch++) {
        struct plan plan = plan_of(batch, partitions, ranges);
        if (!store_write_plan(store, &plan, &err) || !fixture_run(store, &plan, 0, false, &err))
            fail_msg("%s", err.message);
        history_note(store, batch);
    }
    history_keep(store, false);
    store_close(store);
}

static void advance(int64_t last) {
    advance_wide(last, 2);
}

/* One entry per batch from 0 to `last`, with ends and outcome. */
static void assert_complete(int64_t last) {
    struct history history;
    read_history(&history);
    assert_int_equal(history.count, last + 1);
    for (int64_t i = 0; i <= last; i++) {
        const struct history_entry *entry = &history.entries[i];
        assert_int_equal(entry->last, i);
        assert_int_equal(entry->last_ms, 1795366883120 + i);
        assert_int_equal(entry->ends.entries[1].offset, 3 * i + 3);
        assert_int_equal(entry->outcome.ranges[1].range.start, 3 * i);
        assert_int_equal(entry->outcome.ranges[1].rejects, 1);
    }
    history_deinit(&history);
}

static void the_history_knows_what_the_checkpoint_has_forgotten(void **state) {
    (void)state;
    advance(234);
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/133"));
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/134"));
    assert_complete(234);
    assert_true(fixture_has(&fixture, HISTORY "0") && fixture_has(&fixture, HISTORY "200"));
}

static void a_killed_program_loses_nothing_of_the_history(void **state) {
    (void)state;
    advance(12);
    fixture_leave_open(&fixture, 13, true);
    advance(16);
    assert_complete(16);
}

static void a_damaged_history_keeps_nothing_from_starting(void **state) {
    (void)state;
    advance(220);
    scoped(scope_free) char *old = fixture_read(&fixture, HISTORY "100");
    fixture_write(&fixture, HISTORY "100", "v1\n{\"query\":");
    fixture_write(&fixture, HISTORY "200", "");
    advance(222);
    struct history history;
    read_history(&history);
    // All is known again that the checkpoint still has.
    assert_int_equal(history.entries[99].last, 99);
    assert_in_range(history.entries[100].last, 110, 121);
    assert_int_equal(history.entries[history.count - 1].last, 222);
    history_deinit(&history);
    fixture_write(&fixture, HISTORY "100", old);
    assert_complete(222);
}

/* A version without a history has rewound, and other batches have the numbers. */
static void batches_that_are_no_more_are_forgotten(void **state) {
    (void)state;
    advance(120);
    for (int64_t batch = 116; batch <= 120; batch++) {
        static const char *const logs[] = {"offsets", "commits", "manifests"};
        for (size_t i = 0; i < 3; i++) {
            scoped(scope_free) char *name = fixture_text(CHECKPOINT "%s/%" PRId64, logs[i], batch);
            (void)remove(file_join(fixture.root, name).text);
        }
    }
    scoped(scope_free) char *plan = fixture_read(&fixture, CHECKPOINT "offsets/115");
    char *ms = strstr(plan, "1795366883235");
    assert_non_null(ms);
    ms[12] = '9';
    drop_checksum(plan);
    fixture_write(&fixture, CHECKPOINT "offsets/115", plan);
    struct store *store = NULL;
    struct error err;
    check(store_open_to_read(&fixture.options, &store, &err));
    history_keep(store, true);
    store_close(store);
    struct history history;
    read_history(&history);
    assert_int_equal(history.count, 116);
    assert_int_equal(history.entries[115].last, 115);
    assert_int_equal(history.entries[115].last_ms, 1795366883239);
    history_deinit(&history);
}

/* The fixture plans a batch each millisecond. */
static void a_week_of_short_batches_stays_small(void **state) {
    (void)state;
    advance(1350);
    struct history history;
    read_history(&history);
    // 0 to 399 were planned within a minute; 400 and later are in the newest ten slots.
    assert_int_equal(history.count, 1 + 951);
    assert_int_equal(history.entries[0].first, 0);
    assert_int_equal(history.entries[0].last, 399);
    assert_int_equal(history.entries[0].outcome.ranges[0].rows, 2 * 400);
    history_deinit(&history);
    assert_false(fixture_has(&fixture, HISTORY "100"));
    fixture.options.rewind_retention_ms = 100;
    advance(1350);
    assert_false(fixture_has(&fixture, HISTORY "0"));
    assert_false(fixture_has(&fixture, HISTORY "1100"));
    assert_true(fixture_has(&fixture, HISTORY "1200"));
}

/* Read and written as a whole, each takes memory. */
static void many_partitions_make_more_files_not_larger_ones(void **state) {
    (void)state;
    advance_wide(1, WIDE);
    advance_wide(3, WIDE);
    assert_complete(3);
    for (int64_t batch = 0; batch <= 3; batch++) {
        scoped(scope_free) char *name = fixture_text(HISTORY "%" PRId64, batch);
        assert_true(fixture_has(&fixture, name));
        scoped(scope_free) char *text = fixture_read(&fixture, name);
        assert_null(strstr(strstr(text, "\"batch\":") + 1, "\"batch\":")); // one is all it has
    }
}

/* A file with one entry, of a batch of so many partitions. */
static void write_entry(const struct store *store, int64_t batch, int32_t partitions) {
    struct history_entry entry = entry_at(batch, 1795366883120 + batch);
    struct error err;
    for (int32_t i = 1; i < partitions; i++) {
        struct range_outcome outcome = {.range = {i, 10 * batch, 10 * batch + 10}, .rejects = 10};
        check(coverage_add(&entry.outcome, &outcome, &err));
    }
    struct history history;
    fill(&history, &entry, 1);
    struct manifest_origin of_store = store_origin(store);
    size_t size;
    scoped(scope_free) char *text = history_print(&history, &of_store, &size);
    scoped(scope_free) char *name = fixture_text(HISTORY "%" PRId64, batch);
    fixture_write(&fixture, name, text);
    history_deinit(&history);
}

static void files_of_many_partitions_are_thinned_into_one(void **state) {
    (void)state;
    advance(3);
    struct store *store = NULL;
    struct error err;
    check(store_open_to_read(&fixture.options, &store, &err));
    for (int64_t batch = 0; batch < 5; batch++)
        write_entry(store, batch, WIDE);
    write_entry(store, 1100, 1);
    fixture_write(&fixture, CHECKPOINT "commits/1100", "v1\n{}");
    history_keep(store, true);
    struct history history;
    check(history_read(store, &history, &err));
    store_close(store);
    assert_int_equal(history.count, 2);
    assert_int_equal(history.entries[0].last, 4);
    assert_int_equal(history.entries[0].outcome.count, WIDE);
    history_deinit(&history);
    assert_true(fixture_has(&fixture, HISTORY "0"));
    for (int64_t batch = 1; batch < 5; batch++) {
        scoped(scope_free) char *name = fixture_text(HISTORY "%" PRId64, batch);
        assert_false(fixture_has(&fixture, name));
    }
}

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    fixture.options.rewind_retention_ms = 7LL * 24 * 3600 * 1000;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_history_is_read_as_it_was_written),
        cmocka_unit_test(what_cannot_be_calculated_with_is_refused),
        cmocka_unit_test(batches_within_a_minute_become_one_entry),
        cmocka_unit_test(coverage_without_later_batches_is_what_it_was),
        cmocka_unit_test(offsets_are_taken_out_of_a_set),
        ON_DISK(the_history_knows_what_the_checkpoint_has_forgotten),
        ON_DISK(a_killed_program_loses_nothing_of_the_history),
        ON_DISK(a_damaged_history_keeps_nothing_from_starting),
        ON_DISK(batches_that_are_no_more_are_forgotten),
        ON_DISK(a_week_of_short_batches_stays_small),
        ON_DISK(many_partitions_make_more_files_not_larger_ones),
        ON_DISK(files_of_many_partitions_are_thinned_into_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
