/* test_kept_files.c: a reader that has listed the files of a table finds each of them at any moment
 * of a change, and can pin them. */
#include "change_fixture.h"

#include "base/scope.h"
#include "streaming/changes/kept_files.h"
#include "streaming/changes/live_files.h"

enum { LAST = 10 }; // batches 0 to 9 are in a compact file of the sink log

static struct fixture fixture;
static const struct change_wish compaction = {.kind = CHANGE_COMPACTION};

/* A disk on which nothing gets another name from call number `at` on, as if the process had ended.
 */
static long calls, at;

static bool has_ended(void) {
    errno = EIO;
    return ++calls >= at;
}

static int stopping_exchange(const char *a, const char *b) {
    return has_ended() ? -1 : disk_real.exchange(a, b);
}

static int stopping_link(const char *from, const char *to) {
    return has_ended() ? -1 : disk_real.link(from, to);
}

static int stopping_rename(const char *from, const char *to) {
    return has_ended() ? -1 : disk_real.rename(from, to);
}

static int stopping_rename_new(const char *from, const char *to) {
    return has_ended() ? -1 : disk_real.rename_new(from, to);
}

static int stopping_unlink(const char *path) {
    return has_ended() ? -1 : disk_real.unlink(path);
}

static void stop_at(long call) {
    static struct disk_ops stopping;
    stopping = disk_real;
    stopping.exchange = stopping_exchange;
    stopping.link = stopping_link;
    stopping.rename = stopping_rename;
    stopping.rename_new = stopping_rename_new;
    stopping.unlink = stopping_unlink;
    calls = 0;
    at = call;
    disk = &stopping;
}

static struct store *open_to_read(void) {
    struct store *store;
    struct error err;
    if (!store_open_to_read(&fixture.options, &store, &err))
        fail_msg("%s", err.message);
    return store;
}

/* Compacts what may be, up to the fault. */
static bool compact(const struct change_wish *wish, struct error *err) {
    struct store *store = NULL;
    struct recovery recovery;
    struct change change = {0};
    bool recorded;
    if (!recovery_open(&fixture.options, &store, err))
        return false;
    bool ok = recover(store, &recovery, err);
    if (ok) {
        recovery_deinit(&recovery);
        ok = change_prepare(store, wish, 0, &change, err) &&
             change_publish(store, &change, &recorded, err);
        change_deinit(&change);
    }
    store_close(store);
    return ok;
}

static void must_compact(const struct change_wish *wish) {
    struct error err;
    if (!compact(wish, &err))
        fail_msg("%s", err.message);
}

static void assert_found(const struct store *store, const struct file_list *files) {
    struct kept_files kept;
    struct error err;
    kept_files_init(&kept, store);
    for (size_t i = 0; i < files->count; i++) {
        struct file_path place;
        bool there;
        if (!kept_files_find(&kept, false, files->files[i].path, &place, &there, &err))
            fail_msg("%s", err.message);
        if (!there)
            fail_msg("'%s' is not found", files->files[i].path);
        int64_t size = -1;
        assert_int_equal(file_exists(place.text, &size, &err), 1);
        assert_int_equal(size, files->files[i].size);
    }
    kept_files_deinit(&kept);
}

static void a_listed_file_is_found_at_any_moment_of_a_change(void **state) {
    (void)state;
    for (int flat = 0; flat < 2; flat++)
        for (long step = 1;; step++) {
            fixture_clear(&fixture);
            fixture_init(&fixture);
            fixture_is_flat = flat == 1;
            fixture.options.partition_by_count = flat == 1 ? 0 : 1;
            fixture_must_advance(&fixture, LAST, 0);
            struct store *store = open_to_read();
            struct live_files before, now;
            struct error err;
            assert_true(live_files_read(store, false, &before, &err));
            stop_at(step);
            bool done = compact(&compaction, &err) && calls < at;
            disk = &disk_real;
            assert_found(store, &before.files);
            if (!live_files_read(store, false, &now, &err)) // what the log says in the middle of it
                fail_msg("%s", err.message);
            assert_found(store, &now.files);
            live_files_deinit(&before);
            live_files_deinit(&now);
            store_close(store);
            if (done)
                break;
        }
}

static void files_that_left_before_they_were_pinned_are_pinned_where_they_are_kept(void **state) {
    (void)state;
    fixture_must_advance(&fixture, LAST, 0);
    struct store *store = open_to_read();
    struct live_files live;
    struct error err;
    struct rows before = rows_by_log(&fixture), pinned = {0};
    assert_true(live_files_read(store, false, &live, &err));
    must_compact(&compaction);
    if (!live_files_pin(&live, &err))
        fail_msg("%s", err.message);
    assert_true(live.pinned);
    assert_non_null(strstr(live.root.text, "/.matches.aside/reads/"));
    for (size_t i = 0; i < live.files.count; i++)
        rows_add_file(&pinned, file_join(live.root.text, live.files.files[i].path).text);
    rows_sort(&pinned);
    assert_false(pinned.missing);
    assert_true(rows_equal(&before, &pinned));
    rows_deinit(&before);
    rows_deinit(&pinned);

    // A file that somebody has deleted is an error, and nothing is left.
    live_files_deinit(&live);
    assert_true(live_files_read(store, false, &live, &err));
    assert_int_equal(unlink(file_join(fixture.table, live.files.files[0].path).text), 0);
    assert_false(live_files_pin(&live, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, live.files.files[0].path));
    assert_string_equal(live.root.text, fixture.table);
    live_files_deinit(&live);
    store_close(store);
}

static void what_is_not_kept_any_more_has_successors_over_several_changes(void **state) {
    (void)state;
    fixture_must_advance(&fixture, LAST, 0);
    struct store *store = open_to_read();
    struct live_files before, now;
    struct error err;
    assert_true(live_files_read(store, false, &before, &err));
    must_compact(&(struct change_wish){.kind = CHANGE_COMPACTION, .pieces = 3});
    must_compact(&compaction);
    struct file_path aside = change_aside(store, false);
    file_discard_tree(aside.text);
    assert_true(live_files_read(store, false, &now, &err));

    struct kept_files kept;
    kept_files_init(&kept, store);
    for (size_t i = 0; i < before.files.count; i++) {
        const char *path = before.files.files[i].path;
        struct path_list successors = {0};
        enum file_fate fate;
        assert_true(kept_files_fate(&kept, false, path, &fate, &successors, &err));
        if (fate == FILE_STAYED) { // of the newest batch, which was not eligible
            assert_int_equal(successors.count, 0);
            continue;
        }
        assert_int_equal(fate, FILE_COMPACTED);
        assert_int_equal(successors.count, 1); // of its directory
        assert_true(change_same_directory(successors.paths[0], path));
        struct file_path place;
        bool there;
        assert_true(kept_files_find(&kept, false, path, &place, &there, &err));
        assert_false(there);
        assert_true(kept_files_find(&kept, false, successors.paths[0], &place, &there, &err));
        assert_true(there);
        path_list_deinit(&successors);
    }
    kept_files_deinit(&kept);
    live_files_deinit(&before);
    live_files_deinit(&now);
    store_close(store);
}

static void without_a_sink_log_uncommitted_files_are_left_out(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, 3, 0);
    struct store *store = open_to_read();
    struct live_files live;
    struct error err;
    assert_true(live_files_read(store, false, &live, &err));
    assert_int_equal(live.files.count, 8);
    live_files_deinit(&live);
    assert_true(live_files_read(store, true, &live, &err));
    assert_int_equal(live.files.count, 4);
    live_files_deinit(&live);
    // Batch 3 is in place and not committed.
    assert_int_equal(unlink(file_join(fixture.checkpoint, "commits/3").text), 0);
    assert_true(live_files_read(store, false, &live, &err));
    assert_int_equal(live.files.count, 6);
    live_files_deinit(&live);
    store_close(store);
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

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_listed_file_is_found_at_any_moment_of_a_change),
        CASE(files_that_left_before_they_were_pinned_are_pinned_where_they_are_kept),
        CASE(what_is_not_kept_any_more_has_successors_over_several_changes),
        CASE(without_a_sink_log_uncommitted_files_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
