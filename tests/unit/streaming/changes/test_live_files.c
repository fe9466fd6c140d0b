/* test_live_files.c: the files of a table are given second names, while a change carries them away
 * and deletes them at once (COMPACT_GRACE=0), at every call that this makes to the disk. */
#include "change_fixture.h"

#include "base/system/clock.h"
#include "streaming/changes/live_files.h"

static struct fixture fixture;
static struct store *store;
static long change_at, calls; // before call `change_at` the table is changed
static bool changes;

static void change_and_sweep(void) {
    struct change_wish wish = {.kind = CHANGE_COMPACTION};
    struct change change;
    struct error err;
    bool recorded;
    changes = true;
    if (!change_prepare(store, &wish, 0, &change, &err) ||
        !change_publish(store, &change, &recorded, &err) ||
        !change_sweep(store, clock_wall_ms() + 10, 0, &err))
        fail_msg("%s", err.message);
    change_deinit(&change);
    changes = false;
}

static void count_call(void) {
    if (!changes && ++calls == change_at)
        change_and_sweep();
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

static int counted_link(const char *from, const char *to) {
    count_call();
    return disk_real.link(from, to);
}

static int counted_mkdir(const char *path, mode_t mode) {
    count_call();
    return disk_real.mkdir(path, mode);
}

static void open_store(void) {
    struct error err;
    struct recovery recovery;
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err))
        fail_msg("%s", err.message);
    recovery_deinit(&recovery);
}

/* What was pinned has all rows once, also after a sweep. False: there are fewer calls. */
static bool pin_with_change(const struct rows *expected) {
    struct store *reader;
    struct live_files live;
    struct rows rows = {0};
    struct error err;
    calls = 0;
    check(store_open_to_read(&fixture.options, &reader, &err));
    if (!live_files_read(reader, false, &live, &err) || !live_files_pin(&live, &err))
        fail_msg("a change before call %ld: %s", change_at, err.message);
    bool reached = calls >= change_at;
    check(change_sweep(store, clock_wall_ms() + 10, 0, &err));
    for (size_t i = 0; i < live.files.count; i++)
        rows_add_file(&rows, file_join(live.root.text, live.files.files[i].path).text);
    rows_sort(&rows);
    assert_false(rows.missing);
    assert_true(rows_equal(&rows, expected));
    rows_deinit(&rows);
    live_files_unpin(&live);
    assert_int_not_equal(access(live.root.text, F_OK), 0);
    live_files_deinit(&live);
    store_close(reader);
    return reached;
}

static void pin_at_each_call(void) {
    char snapshot[300];
    struct disk_ops counted = disk_real;
    counted.open = counted_open;
    counted.stat = counted_stat;
    counted.list = counted_list;
    counted.link = counted_link;
    counted.mkdir = counted_mkdir;
    struct rows expected = rows_by_listing(&fixture, false);
    (void)snprintf(snapshot, sizeof snapshot, "%s.snapshot", fixture.root);
    tree_copy(fixture.root, snapshot);
    bool more = true;
    for (change_at = 1; more; change_at++) {
        tree_copy(snapshot, fixture.root);
        open_store();
        disk = &counted;
        changes = false;
        more = pin_with_change(&expected);
        disk = &disk_real;
        store_close(store);
    }
    (void)nftw(snapshot, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    rows_deinit(&expected);
    print_message("a change came at each of %ld calls\n", change_at - 2);
}

static void files_that_leave_and_are_deleted_at_once_are_not_missed(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 10, 0);
    pin_at_each_call();
}

static void nor_in_a_table_without_a_sink_log(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, 3, 0);
    pin_at_each_call();
}

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    disk = &disk_real;
    fixture_clear(&fixture);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_that_leave_and_are_deleted_at_once_are_not_missed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(nor_in_a_table_without_a_sink_log, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
