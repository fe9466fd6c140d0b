/* test_change_crash.c: a query that changes its table is stopped at every single call that it makes
 * to the disk, and started again. At every moment a reader of the sink log sees exactly the right
 * rows or misses a file, and a reader of a directory sees all its old files or all its new ones. */
#include "change_fixture.h"
#include "faulty_disk.h"

#include <limits.h>

#include "base/disk/disk_error.h"
#include "base/log/log.h"
#include "base/scope.h"

static struct fixture fixture;
static char snapshot[300], graveyard[300];
static struct change_wish wish;
static int64_t first_batch;              // that runs behind the change
static bool with_thread;                 // the upkeep of the sink log has one
static int64_t sparks_first, sparks_end; // batches that Spark runs: they have no rejects

/* ---- a driver that treats errors as the engine does ---- */

enum { ATTEMPTS = 4 };

struct driver {
    struct store *store;
    unsigned attempt; // makes every file name new
    bool elsewhere;   // it failed, but not in what is tested here
    struct error err;
};

static bool may_retry(const struct driver *driver, int attempt) {
    return disk_error_may_pass(&driver->err) && attempt < ATTEMPTS && !faulty.dead;
}

static bool finish(struct driver *driver) {
    for (int i = 0; !change_finish(driver->store, &driver->err); i++)
        if (!may_retry(driver, i))
            return false;
    return true;
}

static bool drive_change(struct driver *driver) {
    for (int i = 0;; i++) {
        struct change change;
        bool recorded = false;
        bool ok = change_prepare(driver->store, &wish, driver->attempt++, &change, &driver->err) &&
                  change_publish(driver->store, &change, &recorded, &driver->err);
        if (!ok && !recorded && !faulty.dead) // "not recorded" is a promise
            assert_false(fixture_has(&fixture, "checkpoints/match_stream/changes/0.open"));
        if (!ok && !recorded)
            change_discard(driver->store, wish.of_rejects, change.number);
        change_deinit(&change);
        if (ok)
            return true;
        if (recorded)
            return may_retry(driver, i) && finish(driver);
        if (!may_retry(driver, i))
            return false;
    }
}

static bool is_changed(const struct store *store, bool *changed, struct error *err) {
    int64_t *numbers;
    size_t count;
    bool ok = changes_numbers(store, &numbers, &count, err);
    *changed = ok && count > 0;
    if (ok)
        free(numbers);
    return ok;
}

static bool drive_batch(struct driver *driver, int64_t batch, const struct plan *open_plan) {
    struct offset_range ranges[2];
    struct plan plan = fixture_plan(batch, ranges);
    bool ok = open_plan != NULL || store_write_plan(driver->store, &plan, &driver->err);
    for (int i = 0; !ok && may_retry(driver, i); i++)
        ok = store_write_plan(driver->store, &plan, &driver->err);
    return ok && fixture_run(driver->store, open_plan != NULL ? open_plan : &plan,
                             driver->attempt++, false, &driver->err);
}

static bool drive_open(struct driver *driver) {
    for (int i = 0; !recovery_open(&fixture.options, &driver->store, &driver->err); i++)
        if (!may_retry(driver, i))
            return false;
    return true;
}

static bool drive_recover(struct driver *driver, struct recovery *recovery) {
    for (int i = 0; !recover(driver->store, recovery, &driver->err); i++)
        if (!may_retry(driver, i))
            return false;
    return true;
}

/* A start, the change if it was never recorded, and batches up to `last`. */
static bool drive_on(struct driver *driver, int64_t last) {
    struct recovery recovery = {0};
    bool changed = false;
    if (!drive_recover(driver, &recovery))
        return false;
    bool ok = (!with_thread || store_start_upkeep(driver->store, &driver->err)) &&
              is_changed(driver->store, &changed, &driver->err);
    driver->elsewhere = !ok;
    ok = ok && (changed || drive_change(driver));
    driver->elsewhere = driver->elsewhere || ok; // test_crash.c does batches
    for (int64_t batch = recovery.next_batch; ok && batch <= last; batch++)
        ok = drive_batch(
            driver, batch,
            recovery.has_open_plan && batch == recovery.next_batch ? &recovery.open_plan : NULL);
    recovery_deinit(&recovery);
    return ok;
}

static bool drive(struct driver *driver, int64_t last) {
    bool ok = drive_open(driver) && drive_on(driver, last);
    store_close(driver->store);
    driver->store = NULL;
    return ok;
}

/* ---- what must be true at every moment ---- */

static const char *const values[] = {"live", "a%2Fb c"};

/* "batch 3 status=live": counted in seen[batch]. */
static void count_lines(const struct rows *rows, const char *end, size_t seen[64]) {
    memset(seen, 0, 64 * sizeof *seen);
    for (size_t i = 0; i < rows->count; i++) {
        char *rest;
        long batch = strtol(rows->lines[i] + strlen("batch "), &rest, 10);
        assert_true(batch >= 0 && batch < 64);
        if (strcmp(rest, end) == 0)
            seen[batch]++;
    }
}

/* Batches 0 to `last` once each, of later ones none twice; an expiry takes all before batch 10, or
 * none of them. */
static void assert_each_once(const struct rows *rows, const char *end, bool may_expire,
                             int64_t last, const char *when) {
    size_t seen[64];
    count_lines(rows, end, seen);
    bool expired = may_expire && seen[0] == 0;
    for (int64_t batch = 0; batch < 64; batch++) {
        bool sparks = strcmp(end, " ") == 0 && batch >= sparks_first && batch < sparks_end;
        size_t least = batch <= last && !(expired && batch < 10) && !sparks;
        size_t most = least > 0 || batch > last ? 1 : 0;
        if (seen[batch] < least || seen[batch] > most)
            fail_msg("%s: batch %" PRId64 "'%s' is there %zu times", when, batch, end, seen[batch]);
    }
}

static bool may_expire(const char *value) {
    return wish.kind == CHANGE_EXPIRY &&
           (wish.directory == NULL || strstr(wish.directory, value) != NULL);
}

static bool is_open(void) {
    return fixture_has(&fixture, "checkpoints/match_stream/changes/0.open");
}

static void assert_readers(int64_t last, const char *when) {
    struct rows listed = rows_by_listing(&fixture, false);
    struct rows rejects = rows_by_listing(&fixture, true);
    struct rows logged = {.missing = true};
    if (fixture.options.sink_log != SINK_LOG_OFF)
        logged = rows_by_log(&fixture);
    for (size_t i = 0; i < 2; i++) {
        scoped(scope_free) char *end = fixture_text(" status=%s", values[i]);
        assert_each_once(&listed, end, may_expire(values[i]), last, when);
        if (!logged.missing)
            assert_each_once(&logged, end, may_expire(values[i]), last, when);
    }
    if (fixture.options.sink_log != SINK_LOG_OFF && logged.missing && !is_open())
        fail_msg("%s: a file of the log is missing, and no change is open", when);
    assert_each_once(&rejects, " ", wish.of_rejects && wish.kind == CHANGE_EXPIRY, last, when);
    rows_deinit(&listed);
    rows_deinit(&rejects);
    rows_deinit(&logged);
}

/* ---- and at the end ---- */

static void assert_no_name(const struct tree *tree, const char *part) {
    for (size_t i = 0; i < tree->count; i++)
        if (strstr(tree->paths[i], part) != NULL &&
            strstr(tree->paths[i], ".aside/0/left/") == NULL)
            fail_msg("'%s' is left", tree->paths[i]);
}

/* What left is kept, once each, and no name of it is in the table. */
static void assert_changed(const char *when) {
    struct store *store;
    struct changes changes;
    struct error err;
    check(store_open_to_read(&fixture.options, &store, &err));
    if (!changes_read(store, &changes, &err))
        fail_msg("%s", err.message);
    assert_int_equal(changes.count, 1);
    assert_int_equal(changes.unfinished, -1);
    const struct change *change = &changes.changes[0];
    const char *root = wish.of_rejects ? fixture.rejects : fixture.table;
    assert_true(change->left.count > 0);
    for (size_t i = 0; i < change->left.count; i++) {
        struct file_path kept;
        bool there;
        const char *path = change->left.files[i].path;
        assert_false(access(file_join(root, path).text, F_OK) == 0);
        check(changes_kept_path(store, change, path, &kept, &there, &err));
        // Without its promise the disk may lose the old directory, but never the new one.
        if (!there && faulty.fault != FAULT_POWER_APART)
            fail_msg("%s: '%s' was not kept", when, path);
    }
    for (size_t i = 0; i < change->added.count; i++)
        assert_true(access(file_join(root, change->added.files[i].path).text, F_OK) == 0);
    assert_true(store->table.owner_changed);
    changes_deinit(&changes);
    store_close(store);
}

static void assert_tidy(void) {
    struct tree tree;
    tree_init(&tree, fixture.root);
    assert_no_name(&tree, ".tmp");
    assert_no_name(&tree, ".staged");
    assert_no_name(&tree, "/_orphans/");
    tree_deinit(&tree);
}

/* ---- the loop ---- */

/* A start without faults finishes the change and runs another batch. */
static void assert_restart(struct driver *driver, const char *when) {
    driver->attempt += 100;
    driver->elsewhere = false;
    if (!drive(driver, first_batch + 1))
        fail_msg("restart after %s: %s", when, driver->err.message);
    assert_readers(first_batch + 1, when);
    assert_changed(when);
    assert_tidy();
}

static bool try_fault(enum fault fault, int error_number, long at) {
    struct driver driver = {.attempt = 10};
    scoped(scope_free) char *when = fixture_text("%s at call %ld", faulty_names[fault], at);
    tree_copy(snapshot, fixture.root);
    faulty_begin(fault, error_number, at, graveyard);
    bool done = drive(&driver, first_batch);
    bool reached = faulty.calls >= at;
    bool dead = faulty.dead;
    faulty_end();
    if (!dead && !done && !driver.elsewhere)
        fail_msg("%s: gave up: %s", when, driver.err.message);
    assert_readers(first_batch - 1, when);

    assert_restart(&driver, when);
    return reached;
}

static void survive(const char *scenario, enum fault fault) {
    long points = 0;
    tree_copy(fixture.root, snapshot);
    for (; fault < FAULT_COUNT_MOVES; fault++)
        for (long at = faulty_first(fault);
             try_fault(fault, fault == FAULT_ERROR ? ENOSPC : EIO, at); at += FAULTY_STEP)
            points++;
    print_message("%s: %ld faults survived\n", scenario, points);
}

/* A process is killed at call `kill`, and the power fails at call `cut` of the next one, which has
 * built on what the first has not synced. *reached: there are so many calls. */
static void try_kill_and_cut(enum fault fault, long kill, long cut, bool reached[static 2]) {
    struct driver driver = {.attempt = 10};
    scoped(scope_free) char *when =
        fixture_text("a kill at call %ld and a %s at call %ld", kill, faulty_names[fault], cut);
    tree_copy(snapshot, fixture.root);
    faulty_begin(FAULT_KILL, EIO, kill, graveyard);
    (void)drive(&driver, first_batch);
    reached[0] = faulty.calls >= kill;
    faulty_restart(fault, cut);
    driver.attempt += 100;
    (void)drive(&driver, first_batch);
    reached[1] = faulty.calls >= cut;
    faulty_end();
    assert_readers(first_batch - 1, when);

    assert_restart(&driver, when);
}

/* From the snapshot: every kill with every `stride`th power cut; the next kill begins with another
 * cut. */
static void survive_two(const char *scenario, enum fault fault, long stride) {
    long points = 0;
    bool reached[2] = {true, true};
    for (long kill = 1; reached[0]; kill += FAULTY_STEP) {
        reached[1] = true;
        for (long cut = 1 + kill % stride; reached[0] && reached[1]; cut += stride, points++)
            try_kill_and_cut(fault, kill, cut, reached);
    }
    print_message("%s: %ld kills before a %s survived\n", scenario, points, faulty_names[fault]);
}

static void reach(int64_t last) {
    fixture_must_advance(&fixture, last, 0);
    first_batch = last + 1;
}

static void a_compaction_survives_any_fault(void **state) {
    (void)state;
    reach(10); // 9.compact, and a batch behind it
    wish = (struct change_wish){.kind = CHANGE_COMPACTION};
    survive("compaction", FAULT_READ_ERROR);
}

static void a_compaction_without_a_sink_log_survives_any_fault(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    reach(2);
    wish = (struct change_wish){.kind = CHANGE_COMPACTION, .most = 4};
    survive("compaction without a sink log", FAULT_ERROR);
}

static void a_compaction_of_a_table_without_partition_columns_survives_any_fault(void **state) {
    (void)state;
    fixture_is_flat = true;
    fixture.options.partition_by_count = 0;
    reach(10);
    wish = (struct change_wish){.kind = CHANGE_COMPACTION};
    survive("compaction of the root", FAULT_ERROR);
}

static void a_compaction_of_the_rejects_survives_any_fault(void **state) {
    (void)state;
    reach(3);
    wish = (struct change_wish){.kind = CHANGE_COMPACTION, .of_rejects = true};
    survive("compaction of the rejects", FAULT_ERROR);
}

static void an_expiry_of_a_directory_survives_any_fault(void **state) {
    (void)state;
    reach(9);
    wish = (struct change_wish){.kind = CHANGE_EXPIRY, .directory = "status=a%2Fb c"};
    survive("expiry", FAULT_ERROR);
}

static void a_kill_before_a_power_cut_is_survived(void **state) {
    (void)state;
    reach(10);
    wish = (struct change_wish){.kind = CHANGE_COMPACTION};
    tree_copy(fixture.root, snapshot);
    survive_two("compaction", FAULT_POWER_CUT, 101);
    survive_two("compaction", FAULT_POWER_APART, 101);
}

/* ---- Spark in between ---- */

static int64_t newest_plan(void) {
    int64_t newest;
    struct error err;
    struct file_path offsets = file_join(fixture.checkpoint, "offsets");
    check(checkpoint_newest(&offsets, &newest, &err));
    return newest;
}

/* The process is killed at call `at`, Spark runs two batches of which the first is compacted, and
 * then the query starts again. False: there are fewer calls. */
static bool try_spark(long at) {
    struct driver driver = {.attempt = 10};
    scoped(scope_free) char *when = fixture_text("Spark after a kill at call %ld", at);
    tree_copy(snapshot, fixture.root);
    faulty_begin(FAULT_KILL, EIO, at, graveyard);
    (void)drive(&driver, first_batch - 1);
    bool reached = faulty.calls >= at;
    faulty_end();
    sparks_first = first_batch;
    sparks_end = first_batch + 2;
    assert_int_equal(newest_plan(), first_batch - 1);
    bool open = is_open();
    for (int64_t batch = sparks_first; batch < sparks_end; batch++)
        spark_run(&fixture, batch);
    assert_readers(sparks_end - 1, when);

    driver.attempt += 100;
    if (!drive(&driver, sparks_end))
        fail_msg("restart, %s: %s", when, driver.err.message);
    assert_readers(sparks_end, when);
    assert_changed(when);
    assert_tidy();
    if (open && fixture.options.sink_log != SINK_LOG_OFF) // its checksum is of other bytes
        assert_false(fixture_has(&fixture, "processed/matches/_spark_metadata/.9.compact.crc"));
    return reached;
}

static void survive_spark(const char *scenario) {
    long points = 0;
    tree_copy(fixture.root, snapshot);
    for (long at = 1; try_spark(at); at += FAULTY_STEP)
        points++;
    print_message("%s: Spark came next in %ld states\n", scenario, points);
}

static void spark_may_come_next_in_any_state_of_a_compaction(void **state) {
    (void)state;
    reach(18); // Spark's first batch is 19
    wish = (struct change_wish){.kind = CHANGE_COMPACTION};
    survive_spark("compaction");
}

static void spark_may_come_next_in_any_state_of_a_compaction_of_the_root(void **state) {
    (void)state;
    fixture_is_flat = true;
    fixture.options.partition_by_count = 0;
    reach(18);
    wish = (struct change_wish){.kind = CHANGE_COMPACTION};
    survive_spark("compaction of the root");
}

static void spark_may_come_next_in_any_state_without_a_log(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    reach(2);
    wish = (struct change_wish){.kind = CHANGE_COMPACTION};
    survive_spark("compaction without a sink log");
}

static void spark_may_come_next_in_any_state_of_an_expiry(void **state) {
    (void)state;
    reach(18);
    // Not what is Spark's, if the expiry comes after it.
    wish = (struct change_wish){.kind = CHANGE_EXPIRY, .directory = "status=a%2Fb c", .most = 10};
    survive_spark("expiry");
}

static int set_up(void **state) {
    (void)state;
    with_thread = false;
    sparks_first = sparks_end = -1;
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

#define SURVIVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SURVIVES(a_compaction_survives_any_fault),
        SURVIVES(a_compaction_without_a_sink_log_survives_any_fault),
        SURVIVES(a_compaction_of_a_table_without_partition_columns_survives_any_fault),
        SURVIVES(a_compaction_of_the_rejects_survives_any_fault),
        SURVIVES(an_expiry_of_a_directory_survives_any_fault),
        SURVIVES(a_kill_before_a_power_cut_is_survived),
        SURVIVES(spark_may_come_next_in_any_state_of_a_compaction),
        SURVIVES(spark_may_come_next_in_any_state_of_a_compaction_of_the_root),
        SURVIVES(spark_may_come_next_in_any_state_without_a_log),
        SURVIVES(spark_may_come_next_in_any_state_of_an_expiry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
