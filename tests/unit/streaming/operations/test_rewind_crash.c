/* test_rewind_crash.c: a rewind to a batch whose plan and manifest are gone, over files with rows
 * of both sides, is stopped at every call that it makes to the disk, and run again. */
#include "faulty_disk.h"
#include "rewind_fixture.h"

static char snapshot[300], graveyard[300];

static const char *const fault_names[FAULT_COUNT] = {
    "none", "read error", "error", "late error", "kill", "power cut", "power cut, half synced"};

static int64_t rows_then, rejects_then; // of batches 0 to 3

static void rewind_again(enum fault fault, long at) {
    struct error err = {0};
    scoped(scope_free) char *said = NULL;
    if (!operate(REWIND, &said, &err))
        fail_msg("again, after %s at call %ld: %s", fault_names[fault], at, err.message);
    assert_false(fixture_has(&fixture, CHECKPOINT "rewind"));
    assert_true(fixture_has(&fixture, CHECKPOINT "commits/3"));
    assert_false(fixture_has(&fixture, CHECKPOINT "commits/4"));
    assert_int_equal(count_files("", ".tmp"), 0);
}

/* With a fault at call `at`; then a start, which is refused once the rewind has begun; then again.
 * False: there are fewer calls. */
static bool try_fault(enum fault fault, long at) {
    struct error err = {0};
    scoped(scope_free) char *said = NULL;
    tree_copy(snapshot, fixture.root);
    faulty_begin(fault, fault == FAULT_ERROR ? ENOSPC : EIO, at, graveyard);
    bool ok = operate(REWIND, &said, &err);
    bool reached = faulty.calls >= at, dead = faulty.dead;
    faulty_end();
    if (!ok && !dead && err.kind == ERROR_NONE)
        fail_msg("%s at call %ld: gave up without an error", fault_names[fault], at);
    if (at % 4 == 0 && fixture_has(&fixture, CHECKPOINT "rewind"))
        start_refuses("rewind` again");
    rewind_again(fault, at);
    if (at % 8 == 0) // costs more than all the rest
        assert_once(rows_then, rejects_then);
    if (at % 8 == 4) {
        must_run_query(0);
        assert_whole(0);
    }
    return reached;
}

static void survive(const char *name) {
    tree_copy(fixture.root, snapshot);
    long points = 0;
    for (enum fault fault = FAULT_READ_ERROR; fault < FAULT_COUNT; fault++) {
        long step = fault >= FAULT_KILL ? 1 : 7; // a call that only failed leaves less to be found
        for (long at = faulty_first(fault); try_fault(fault, at); at += step * FAULTY_STEP)
            points++;
    }
    print_message("%s: %ld faults survived\n", name, points);
}

/* Batches 0 to 3 stay; 4 to 7 go, of which 4 and 5 are folded. */
static void write_batches(void) {
    run_batches(3, 5);
    rows_then = FIRST_ROWS + line_count - appended_rejects();
    rejects_then = FIRST_REJECTS + appended_rejects();
    run_batches(4, 5);
    to_batch = 3;
}

static void a_rewind_to_a_forgotten_batch_survives_any_fault(void **state) {
    (void)state;
    write_batches();
    forget_batches(5);
    survive("rewind");
}

static void without_a_sink_log_too(void **state) {
    (void)state;
    must_operate(RELEASE, "");
    write_batches();
    forget_batches(5);
    survive("rewind without sink log");
}

/* Both tables have files with rows of both sides, and the first of the two changes may be all that
 * was done. */
static void splitting_compacted_files_survives_any_fault(void **state) {
    (void)state;
    must_operate(RELEASE, ""); // so that all files may leave
    write_batches();
    compact(false);
    compact(true);
    forget_batches(5);
    survive("rewind that splits");
}

static int set_up(void **state) {
    (void)rewind_set_up(state);
    (void)snprintf(snapshot, sizeof snapshot, "%s.snapshot", fixture.root);
    (void)snprintf(graveyard, sizeof graveyard, "%s.graveyard", fixture.root);
    return 0;
}

static int tear_down(void **state) {
    disk = &disk_real;
    replay_tear_down(state);
    (void)nftw(snapshot, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    (void)nftw(graveyard, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

#define SURVIVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        SURVIVES(a_rewind_to_a_forgotten_batch_survives_any_fault),
        SURVIVES(without_a_sink_log_too),
        SURVIVES(splitting_compacted_files_survives_any_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
