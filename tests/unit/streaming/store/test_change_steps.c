/* test_change_steps.c: what a change leaves on the disk, and what readers see of it. */
#include "change_fixture.h"

#include "base/scope.h"
#include "streaming/sink_log/sink_log_upkeep.h"
#include "streaming/store/coverage.h"

static struct fixture fixture;
static struct store *store;

static void open_store(void) {
    struct error err;
    struct recovery recovery;
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err))
        fail_msg("%s", err.message);
    recovery_deinit(&recovery);
}

static void close_store(void) {
    store_close(store);
    store = NULL;
}

/* Batches up to `last`, then the store is open. */
static void reach(int64_t last) {
    fixture_must_advance(&fixture, last, 0);
    open_store();
}

static void run_batch(int64_t batch) {
    struct error err;
    struct offset_range ranges[2];
    struct plan plan = fixture_plan(batch, ranges);
    if (!store_write_plan(store, &plan, &err) || !fixture_run(store, &plan, 0, false, &err))
        fail_msg("%s", err.message);
}

static void publish(const struct change_wish *wish, struct change *change) {
    struct error err;
    bool recorded;
    if (!change_prepare(store, wish, 0, change, &err) ||
        !change_publish(store, change, &recorded, &err))
        fail_msg("%s", err.message);
    assert_true(recorded);
}

static void publish_only(const struct change_wish *wish) {
    struct change change;
    publish(wish, &change);
    change_deinit(&change);
}

static size_t count_listed(bool of_rejects) {
    struct path_list paths = paths_by_listing(&fixture, of_rejects);
    size_t count = paths.count;
    path_list_deinit(&paths);
    return count;
}

static void assert_rows(const struct rows *before) {
    struct rows by_log = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_false(by_log.missing);
    assert_true(rows_equal(before, &by_log));
    assert_true(rows_equal(before, &listed));
    rows_deinit(&by_log);
    rows_deinit(&listed);
}

static void a_compaction_makes_few_files_of_many_and_keeps_the_rows(void **state) {
    (void)state;
    reach(11);
    struct rows before = rows_by_log(&fixture);
    struct change change;
    assert_int_equal(count_listed(false), 24);
    publish(&(struct change_wish){.kind = CHANGE_COMPACTION}, &change);
    assert_int_equal(change.left.count, 20); // 9.compact has the files of batches 0 to 9
    assert_int_equal(change.added.count, 2);
    assert_int_equal(count_listed(false), 6);
    assert_rows(&before);

    // What left is kept, and only that and the new files are named.
    struct changes changes;
    struct error err;
    assert_true(changes_read(store, &changes, &err));
    assert_int_equal(changes.count, 1);
    assert_int_equal(changes.unfinished, -1);
    for (size_t i = 0; i < change.left.count; i++) {
        const struct change *by;
        struct file_path kept;
        bool there;
        const char *path = change.left.files[i].path;
        assert_int_equal(changes_fate(&changes, false, path, &by), FILE_COMPACTED);
        assert_int_equal(changes_fate(&changes, true, path, NULL), FILE_STAYED);
        assert_true(changes_kept_path(store, by, path, &kept, &there, &err));
        assert_true(there);
    }
    const char *added = change.added.files[0].path;
    assert_int_equal(changes_fate(&changes, false, added, NULL), FILE_STAYED);
    assert_int_equal(changes_added(&changes, false, added)->size, change.added.files[0].size);
    assert_null(changes_added(&changes, false, change.left.files[0].path));
    assert_null(changes_added(&changes, true, added));
    changes_deinit(&changes);
    change_deinit(&change);

    // Batches go on, up to the next compact file and beyond.
    for (int64_t batch = 12; batch < 22; batch++)
        run_batch(batch);
    close_store();
    fixture_must_advance(&fixture, 22, 0);
    struct rows after = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_int_equal(after.count, 46);
    assert_true(rows_equal(&after, &listed));
    rows_deinit(&after);
    rows_deinit(&listed);
    rows_deinit(&before);
}

static void what_was_compacted_is_compacted_again(void **state) {
    (void)state;
    reach(9);
    struct rows before = rows_by_log(&fixture);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION, .pieces = 3, .most = 15});
    struct change second;
    publish(&(struct change_wish){.kind = CHANGE_COMPACTION}, &second);
    assert_rows(&before);
    struct changes changes;
    struct error err;
    assert_true(changes_read(store, &changes, &err));
    assert_int_equal(changes.count, 2);
    const struct change *by;
    size_t merged = 0;
    for (size_t i = 0; i < changes.changes[0].added.count; i++, merged++) {
        const char *path = changes.changes[0].added.files[i].path;
        assert_int_equal(changes_fate(&changes, false, path, &by), FILE_COMPACTED);
        assert_int_equal(by->number, 1);
        assert_null(changes_added(&changes, false, path));
    }
    assert_true(merged > 0);
    changes_deinit(&changes);
    change_deinit(&second);
    rows_deinit(&before);
    close_store();
}

static void nothing_may_leave_that_no_compact_file_lists(void **state) {
    (void)state;
    reach(4);
    struct change change;
    struct error err;
    struct change_wish wish = {.kind = CHANGE_COMPACTION};
    assert_true(change_prepare(store, &wish, 0, &change, &err));
    assert_int_equal(change.left.count, 0);
    change_discard(store, false, change.number);
    change_deinit(&change);
    close_store();
}

static void an_expiry_takes_the_rows_and_their_directory(void **state) {
    (void)state;
    reach(10);
    struct rows live = {0};
    publish_only(&(struct change_wish){.kind = CHANGE_EXPIRY, .directory = "status=a%2Fb c"});
    assert_true(fixture_has(&fixture, "processed/matches/status=a%2Fb c")); // batch 10 has files
    struct rows by_log = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_int_equal(by_log.count, 12);
    assert_true(rows_equal(&by_log, &listed));
    rows_deinit(&by_log);
    rows_deinit(&listed);
    rows_deinit(&live);
    for (int64_t batch = 11; batch < 20; batch++)
        run_batch(batch);
    publish_only(&(struct change_wish){.kind = CHANGE_EXPIRY, .directory = "status=a%2Fb c"});
    assert_false(fixture_has(&fixture, "processed/matches/status=a%2Fb c"));
    by_log = rows_by_log(&fixture);
    assert_int_equal(by_log.count, 20);
    assert_false(by_log.missing);
    rows_deinit(&by_log);

    struct changes changes;
    struct resolved gone = {0};
    struct error err;
    assert_true(changes_read(store, &changes, &err));
    changes_gone(&changes, CHANGE_EXPIRY, &gone);
    assert_int_equal(gone.count, 3);
    resolved_deinit(&gone);
    changes_gone(&changes, CHANGE_ACCEPTANCE, &gone);
    assert_int_equal(gone.count, 0);
    changes_deinit(&changes);

    run_batch(20); // a late row makes the directory again
    by_log = rows_by_log(&fixture);
    assert_int_equal(by_log.count, 22);
    rows_deinit(&by_log);
    close_store();
    fixture_must_advance(&fixture, 21, 0);
}

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    store_close(store);
    store = NULL;
    fixture_clear(&fixture);
    return 0;
}

#define STEPS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STEPS(a_compaction_makes_few_files_of_many_and_keeps_the_rows),
        STEPS(what_was_compacted_is_compacted_again),
        STEPS(nothing_may_leave_that_no_compact_file_lists),
        STEPS(an_expiry_takes_the_rows_and_their_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
