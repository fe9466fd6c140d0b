#include "faulty_disk.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "tree.h"

#include "base/scope.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

static void a_new_query_runs_and_a_restart_continues(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    fixture_must_advance(&fixture, 3, 1);
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/commits/3"));
    assert_true(fixture_has(&fixture, "processed/matches/_spark_metadata/3"));
    assert_false(fixture_has(&fixture, "processed/matches/_staging/3"));
}

/* A store with batches 0 and 1 done, 2 planned and staged. */
struct running {
    struct store *store;
    struct plan plan;
    struct offset_range ranges[2];
    struct manifest manifest;
};

static void run_to_commit(struct running *running) {
    struct error err;
    struct recovery recovery;
    const char *table, *rejects;
    fixture_must_advance(&fixture, 1, 0);
    running->plan = fixture_plan(2, running->ranges);
    check(recovery_open(&fixture.options, &running->store, &err) &&
          recover(running->store, &recovery, &err));
    recovery_deinit(&recovery);
    check(store_write_plan(running->store, &running->plan, &err) &&
          store_begin_batch(running->store, 2, &table, &rejects, &err) &&
          fixture_write_batch(&running->plan, 0, table, rejects, &running->manifest, &err));
}

static void end(struct running *running) {
    manifest_deinit(&running->manifest);
    store_close(running->store);
}

static void a_plan_that_somebody_else_made_is_not_overwritten(void **state) {
    (void)state;
    struct running running;
    struct error err = {0};
    run_to_commit(&running);
    fixture_write(&fixture, "checkpoints/match_stream/offsets/3", "v1\nSpark's");
    struct plan next = fixture_plan(3, running.ranges);
    assert_false(store_write_plan(running.store, &next, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    scoped(scope_free) char *text = fixture_read(&fixture, "checkpoints/match_stream/offsets/3");
    assert_string_equal(text, "v1\nSpark's");
    assert_non_null(strstr(err.message, "checkpoints/match_stream/offsets/3' already exists"));
    assert_non_null(strstr(err.message, "Spark, or another instance of this program"));
    end(&running);
}

static void a_batch_that_does_not_add_up_is_not_committed(void **state) {
    (void)state;
    struct running running;
    struct error err = {0};
    run_to_commit(&running);
    running.manifest.outcomes[0].rows++;
    assert_false(store_commit(running.store, &running.manifest, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_false(fixture_has(&fixture, "checkpoints/match_stream/manifests/2"));
    end(&running);
}

static void a_batch_whose_file_is_not_there_is_not_committed(void **state) {
    (void)state;
    struct running running;
    struct error err = {0};
    run_to_commit(&running);
    running.manifest.files.files[1].size++;
    assert_false(store_commit(running.store, &running.manifest, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_false(fixture_has(&fixture, "checkpoints/match_stream/manifests/2"));
    end(&running);
}

static void a_foreign_file_with_the_same_name_stops_the_query_and_stays(void **state) {
    (void)state;
    struct running running;
    struct error err = {0};
    run_to_commit(&running);
    scoped(scope_free) char *name =
        fixture_text("processed/matches/%s", running.manifest.files.files[0].path);
    assert_true(store_commit(running.store, &running.manifest, &err));
    fixture_write(&fixture, name, "somebody's");
    assert_false(store_roll_forward(running.store, &running.manifest, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    scoped(scope_free) char *text = fixture_read(&fixture, name);
    assert_string_equal(text, "somebody's");
    assert_false(fixture_has(&fixture, "processed/matches/_spark_metadata/2"));

    assert_int_equal(unlink(file_join(fixture.root, name).text), 0);
    end(&running);
    fixture_must_advance(&fixture, 2, 1);
    assert_true(fixture_has(&fixture, name));
}

static void a_committed_file_that_is_gone_stops_the_query(void **state) {
    (void)state;
    struct running running;
    struct error err = {0};
    run_to_commit(&running);
    assert_true(store_commit(running.store, &running.manifest, &err));
    scoped(scope_free) char *staged =
        fixture_text("processed/matches/_staging/2/%s", running.manifest.files.files[0].staged);
    assert_int_equal(unlink(file_join(fixture.root, staged).text), 0);
    assert_false(store_roll_forward(running.store, &running.manifest, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    end(&running);
}

static void rolling_forward_again_changes_nothing(void **state) {
    (void)state;
    struct running running;
    struct error err = {0};
    run_to_commit(&running);
    assert_true(store_commit(running.store, &running.manifest, &err));
    assert_true(store_roll_forward(running.store, &running.manifest, &err));
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    assert_true(store_roll_forward(running.store, &running.manifest, &err));
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_string_equal(before, after);
    end(&running);
}

static void a_discarded_batch_leaves_nothing(void **state) {
    (void)state;
    struct running running;
    run_to_commit(&running);
    store_discard_batch(running.store, 2);
    assert_false(fixture_has(&fixture, "processed/matches/_staging/2"));
    assert_false(fixture_has(&fixture, "rejected/matches/_staging/2"));
    end(&running);
}

static void paths_that_logs_cannot_hold_are_refused(void **state) {
    (void)state;
    char long_path[2000] = "/";
    memset(long_path + 1, 'x', sizeof long_path - 2);
    long_path[sizeof long_path - 1] = '\0';
    const char *const cases[] = {"relative",  "/a/../b",       "/a/./b", "/not\xffutf8",
                                 "/\xc0\xaf", "/\xed\xa0\x80", long_path};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store *store;
        struct error err = {0};
        fixture.options.table = cases[i];
        assert_false(recovery_open(&fixture.options, &store, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
    }
}

/* Opens the store with one call that fails; the kind it fails with, ERROR_NONE if it does not.
 * *reached: there are as many calls. */
static enum error_kind open_with_fault(int error_number, long at, bool *reached) {
    struct store *store = NULL;
    struct error err = {0};
    scoped(scope_free) char *graveyard = fixture_text("%s/graveyard", fixture.root);
    faulty_begin(FAULT_READ_ERROR, error_number, at, graveyard);
    bool ok = recovery_open(&fixture.options, &store, &err);
    *reached = faulty.calls >= at;
    store_close(store);
    faulty_end();
    assert_true(ok || err.message[0] != '\0');
    return ok ? ERROR_NONE : err.kind;
}

static void a_start_waits_for_what_passes_and_refuses_what_lasts(void **state) {
    (void)state;
    static const struct {
        int error_number;
        enum error_kind kind;
    } cases[] = {{ENOSPC, ERROR_RETRY}, {EDQUOT, ERROR_RETRY},       {EIO, ERROR_RETRY},
                 {ESTALE, ERROR_RETRY}, {EMFILE, ERROR_LIMIT},       {EACCES, ERROR_CONFIG},
                 {EROFS, ERROR_CONFIG}, {ENAMETOOLONG, ERROR_CONFIG}};
    for (int round = 0; round < 2; round++) { // without a checkpoint, and with one
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            int failures = 0;
            bool reached = true;
            for (long at = 1; reached; at++) {
                enum error_kind kind = open_with_fault(cases[i].error_number, at, &reached);
                if (kind != ERROR_NONE && kind != cases[i].kind)
                    fail_msg("call %ld, %s: kind %d", at, strerror(cases[i].error_number), kind);
                failures += kind != ERROR_NONE;
            }
            assert_true(failures >= 5); // the others, such as a close, are for nothing
        }
        fixture_must_advance(&fixture, 1, 0);
    }
}

static void slashes_too_many_do_not_make_another_table(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 0, 0);
    char table[400];
    (void)snprintf(table, sizeof table, "%s//processed/matches/", fixture.root);
    fixture.options.table = table;
    fixture_must_advance(&fixture, 1, 0);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void a_query_that_never_had_a_batch_still_knows_where_it_began(void **state) {
    (void)state;
    struct error err = {0};
    for (int start = 0; start < 2; start++) {
        struct store *store = NULL;
        assert_true(recovery_open(&fixture.options, &store, &err));
        struct recovery recovery;
        assert_true(recover(store, &recovery, &err));
        assert_int_equal(recovery.new_query, start == 0);
        assert_int_equal(recovery.next_batch, 0);
        if (start == 0) {
            struct offset_range began = {.partition = 0, .start = 7, .end = 7};
            assert_true(store_write_initial(store, &began, 1, &err));
        } else {
            assert_int_equal(recovery.start_count, 1);
            assert_int_equal(recovery.starts[0].start, 7);
        }
        recovery_deinit(&recovery);
        store_close(store);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(a_new_query_runs_and_a_restart_continues),
        ON_DISK(a_query_that_never_had_a_batch_still_knows_where_it_began),
        ON_DISK(a_plan_that_somebody_else_made_is_not_overwritten),
        ON_DISK(a_batch_that_does_not_add_up_is_not_committed),
        ON_DISK(a_batch_whose_file_is_not_there_is_not_committed),
        ON_DISK(a_foreign_file_with_the_same_name_stops_the_query_and_stays),
        ON_DISK(a_committed_file_that_is_gone_stops_the_query),
        ON_DISK(rolling_forward_again_changes_nothing),
        ON_DISK(a_discarded_batch_leaves_nothing),
        ON_DISK(paths_that_logs_cannot_hold_are_refused),
        ON_DISK(slashes_too_many_do_not_make_another_table),
        ON_DISK(a_start_waits_for_what_passes_and_refuses_what_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
