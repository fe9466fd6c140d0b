/* test_replay_crash.c: a replay of rejects is stopped at every call that it makes to the disk, in
 * every way a call can go wrong; then the query starts, or not; then it is run again. */
#include "faulty_disk.h"
#include "replay_fixture.h"
#include "streaming/declare/stream.h"

static char snapshot[300], graveyard[300];

static const char *const fault_names[FAULT_COUNT] = {
    "none", "read error", "error", "late error", "kill", "power cut", "power cut, half synced"};

static int64_t rows_before; // without rejects

/* With a fault at call `at`, then again without one. False: there are fewer calls. */
static bool try_fault(enum fault fault, long at) {
    struct error err = {0};
    tree_copy(snapshot, fixture.root);
    faulty_begin(fault, fault == FAULT_ERROR ? ENOSPC : EIO, at, graveyard);
    bool ok = replay(PARSE_PERMISSIVE, 0, &err);
    bool reached = faulty.calls >= at, dead = faulty.dead;
    int64_t first = replayed.batches > 0 ? replayed.rows : 0;
    faulty_end();
    if (!ok && !dead && err.kind == ERROR_NONE)
        fail_msg("%s at call %ld: gave up without an error", fault_names[fault], at);
    if (at % 2 == 0 && !run_query(0, &err))
        fail_msg("a start after %s at call %ld: %s", fault_names[fault], at, err.message);
    if (!replay(PARSE_PERMISSIVE, 0, &err))
        fail_msg("again, after %s at call %ld: %s", fault_names[fault], at, err.message);
    if (replayed.rows != 0 && replayed.rows != FIRST_PERMISSIVE)
        fail_msg("%s at call %ld: half of it was done", fault_names[fault], at);
    assert_true(!ok || first == FIRST_PERMISSIVE);
    assert_int_equal(replayed.still_rejected, 2);
    assert_once(rows_before + FIRST_PERMISSIVE, 2);
    assert_int_equal(count_files("", ".tmp") + count_files("", ".staged"), 0);
    return reached;
}

/* Every fault from `fault` on. A failed read changes nothing: one in five of them is enough. */
static void survive(const char *name, enum fault fault) {
    tree_copy(fixture.root, snapshot);
    long points = 0;
    for (; fault < FAULT_COUNT; fault++) {
        long step = fault == FAULT_READ_ERROR ? 5 : 1;
        for (long at = faulty_first(fault); try_fault(fault, at); at += step * FAULTY_STEP)
            points++;
    }
    print_message("%s: %ld faults survived\n", name, points);
}

static void a_replay_survives_any_fault(void **state) {
    (void)state;
    must_run_query(0);
    rows_before = FIRST_ROWS;
    survive("replay", FAULT_READ_ERROR);
}

static void a_replay_without_sink_log_survives_any_fault(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    must_run_query(0);
    fixture.options.sink_log = SINK_LOG_AUTO;
    rows_before = FIRST_ROWS;
    survive("replay without sink log", FAULT_KILL);
}

static void a_replay_that_compacts_the_log_survives_any_fault(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) {
        must_run_query(0);
        append_lines(1, "{\"match_id\":\"d\",\"status\":\"live\"}\n");
    }
    must_run_query(0);
    rows_before = FIRST_ROWS + 8;
    assert_true(fixture_has(&fixture, CHECKPOINT "commits/8"));
    survive("replay that compacts", FAULT_KILL);
    assert_true(fixture_has(&fixture, SINK_LOG "9.compact"));
}

static int set_up(void **state) {
    replay_set_up(state);
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
        SURVIVES(a_replay_survives_any_fault),
        SURVIVES(a_replay_without_sink_log_survives_any_fault),
        SURVIVES(a_replay_that_compacts_the_log_survives_any_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
