/* test_operations_crash.c: adopt, release, relocate and rewind are stopped at every call that they
 * make to the disk, in every way a call can go wrong, and run again. */
#include "faulty_disk.h"
#include "operate.h"

static char snapshot[300], graveyard[300];
static bool go_on; // also check that the query continues: costs more than all the rest

static const char *const fault_names[FAULT_COUNT] = {
    "none", "read error", "error", "late error", "kill", "power cut", "power cut, half synced"};

/* With a fault at call `at`, then again without one. False: there are fewer calls. */
static bool try_fault(enum operation operation, enum fault fault, long at, void (*verify)(void)) {
    struct error err = {0};
    scoped(scope_free) char *said = NULL;
    scoped(scope_free) char *again = NULL;
    tree_copy(snapshot, fixture.root);
    faulty_begin(fault, fault == FAULT_ERROR ? ENOSPC : EIO, at, graveyard);
    bool ok = operate(operation, &said, &err);
    bool reached = faulty.calls >= at, dead = faulty.dead;
    faulty_end();
    if (!ok && !dead && err.kind == ERROR_NONE)
        fail_msg("%s at call %ld: gave up without an error", fault_names[fault], at);
    if (!operate(operation, &again, &err))
        fail_msg("again, after %s at call %ld: %s", fault_names[fault], at, err.message);
    // A call that failed without an effect leaves little that the second run does not see.
    go_on = fault >= FAULT_LATE_ERROR || at % 8 == 0;
    verify();
    return reached;
}

static void survive(const char *name, enum operation operation, void (*verify)(void)) {
    tree_copy(fixture.root, snapshot);
    long points = 0;
    for (enum fault fault = FAULT_READ_ERROR; fault < FAULT_COUNT; fault++)
        for (long at = faulty_first(fault); try_fault(operation, fault, at, verify);
             at += FAULTY_STEP)
            points++;
    print_message("%s: %ld faults survived\n", name, points);
}

static void verify_adopted(void) {
    assert_int_equal(listed(10), 22);
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata_new"));
    if (!go_on)
        return;
    fixture_must_advance(&fixture, 11, 1);
    assert_int_equal(listed(11), 24);
    assert_table(11);
}

static void adopting_survives_any_fault(void **state) {
    (void)state;
    write_unlogged(10);
    survive("adopt", ADOPT, verify_adopted);
}

static void verify_released(void) {
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata"));
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata_released"));
    if (!go_on)
        return;
    fixture_must_advance(&fixture, 3, 1);
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata"));
    assert_table(3);
}

static void releasing_survives_any_fault(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 2, 0);
    survive("release", RELEASE, verify_released);
}

static void verify_relocated(void) {
    if (!go_on)
        return;
    fixture_must_advance(&fixture, 10, 1);
    assert_int_equal(count_files("moved here/matches/status", ".parquet"), 22);
    scoped(scope_free) char *log =
        fixture_read(&fixture, "moved here/matches/_spark_metadata/9.compact");
    assert_null(strstr(log, "processed"));
}

static void relocating_survives_any_fault(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 9, 0);
    move_lake();
    survive("relocate", RELOCATE, verify_relocated);
}

/* No fault leaves the old cluster's ids with the new cluster's name. */
static void verify_of_new_cluster(void) {
    struct topic_identity noted;
    struct error err;
    check(kafka_note_read(fixture.checkpoint, &noted, &err));
    assert_string_equal(noted.cluster_id, NEW_CLUSTER);
    assert_string_equal(noted.topic_id, "");
    assert_topic_id("");
    if (!go_on)
        return;
    fixture_must_advance(&fixture, 3, 1);
    assert_table(3);
}

static void adopting_another_cluster_survives_any_fault(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 2, 0);
    write_topic_ids(2);
    survive("adopt --cluster", ADOPT_KAFKA, verify_of_new_cluster);
}

static void verify_rewound(void) {
    assert_table(8);
    assert_int_equal(listed(8), 18);
    assert_int_equal(count_files(TABLE "_rewound/", ".rewound"), 4);
    if (!go_on)
        return;
    fixture_must_advance(&fixture, 10, 1);
    assert_table(10);
    assert_int_equal(listed(10), 22);
}

static void rewinding_survives_any_fault(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 10, 0);
    to_batch = 8;
    survive("rewind", REWIND, verify_rewound);
}

/* Between a fault and the second run, a start must continue without harm or refuse: never half. */
static void nothing_starts_on_a_rewind_that_is_not_finished(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 6, 0);
    to_batch = 3;
    tree_copy(fixture.root, snapshot);
    long refused = 0, before = 0, after = 0;
    for (long at = 1;; at++) {
        struct error err = {0};
        scoped(scope_free) char *said = NULL;
        tree_copy(snapshot, fixture.root);
        faulty_begin(FAULT_KILL, EIO, at, graveyard);
        bool ok = operate(REWIND, &said, &err);
        bool reached = faulty.calls >= at;
        faulty_end();
        if (!reached) {
            assert_true(ok);
            break;
        }
        if (fixture_has(&fixture, CHECKPOINT "rewind")) {
            start_refuses("rewind` again");
            refused++;
        } else if (fixture_has(&fixture, CHECKPOINT "commits/4")) {
            fixture_must_advance(&fixture, 7, 1);
            assert_table(7);
            before++;
        } else {
            fixture_must_advance(&fixture, 7, 1);
            assert_table(7);
            after++;
        }
    }
    assert_true(before > 0 && refused > 0 && after > 0);
}

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    (void)snprintf(snapshot, sizeof snapshot, "%s.snapshot", fixture.root);
    (void)snprintf(graveyard, sizeof graveyard, "%s.graveyard", fixture.root);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    disk = &disk_real;
    fixture_clear(&fixture);
    (void)nftw(snapshot, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    (void)nftw(graveyard, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(adopting_survives_any_fault),
        ON_DISK(adopting_another_cluster_survives_any_fault),
        ON_DISK(releasing_survives_any_fault),
        ON_DISK(relocating_survives_any_fault),
        ON_DISK(rewinding_survives_any_fault),
        ON_DISK(nothing_starts_on_a_rewind_that_is_not_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
