/* test_crash.c: a query is stopped at every single call that it makes to the disk, in every way a
 * call can go wrong, and started again: nothing may be lost, twice or left behind. */
#include "faulty_disk.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "tree.h"

#include <limits.h>

#include "base/disk/disk_error.h"
#include "base/json.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/coverage.h"
#include "streaming/store/store.h"

static struct fixture fixture;
static char snapshot[300], graveyard[300];
static int64_t sparks_batch = -1; // this one is Spark's: no manifest, no rejects
static size_t orphans;            // files that must be set aside

/* ---- a driver that treats errors as the engine does ---- */

enum { ATTEMPTS = 4 }; // more than one fault can need

struct driver {
    struct store *store;
    unsigned attempt; // makes every file name new
    struct error err;
};

static bool may_retry(const struct driver *driver, int attempt) {
    return disk_error_may_pass(&driver->err) && attempt < ATTEMPTS && !faulty.dead;
}

static bool drive_batch(struct driver *driver, const struct plan *plan) {
    const char *table, *rejects;
    struct manifest manifest = {0};
    for (int i = 0;; i++) {
        if (store_begin_batch(driver->store, plan->batch_id, &table, &rejects, &driver->err) &&
            fixture_write_batch(plan, driver->attempt++, table, rejects, &manifest, &driver->err) &&
            store_commit(driver->store, &manifest, &driver->err))
            break;
        manifest_deinit(&manifest);
        if (!may_retry(driver, i))
            return false;
        // "Try again" is a promise that the batch is not committed.
        struct file_path log = file_join(fixture.checkpoint, "manifests");
        struct stat status;
        assert_int_not_equal(
            disk_real.stat(file_join_number(log.text, plan->batch_id).text, &status), 0);
        store_discard_batch(driver->store, plan->batch_id);
    }
    bool ok = store_roll_forward(driver->store, &manifest, &driver->err);
    for (int i = 0; !ok && may_retry(driver, i); i++)
        ok = store_roll_forward(driver->store, &manifest, &driver->err);
    manifest_deinit(&manifest);
    // What a thread does between two batches; the next one must be right in any case.
    sink_log_upkeep_work(&driver->store->sink_log.upkeep);
    return ok;
}

static bool drive_plan(struct driver *driver, int64_t batch) {
    struct offset_range ranges[2];
    struct plan plan = fixture_plan(batch, ranges);
    bool ok = store_write_plan(driver->store, &plan, &driver->err);
    for (int i = 0; !ok && may_retry(driver, i); i++)
        ok = store_write_plan(driver->store, &plan, &driver->err);
    return ok && drive_batch(driver, &plan);
}

static bool drive_open(struct driver *driver) {
    bool ok = recovery_open(&fixture.options, &driver->store, &driver->err);
    for (int i = 0; !ok && may_retry(driver, i); i++)
        ok = recovery_open(&fixture.options, &driver->store, &driver->err);
    return ok;
}

static bool drive_start(struct driver *driver, struct recovery *recovery) {
    bool ok = recover(driver->store, recovery, &driver->err);
    for (int i = 0; !ok && may_retry(driver, i); i++)
        ok = recover(driver->store, recovery, &driver->err);
    if (!ok || !recovery->new_query)
        return ok;
    struct offset_range ranges[2];
    struct plan first = fixture_plan(0, ranges);
    ok = store_write_initial(driver->store, first.ranges, first.count, &driver->err);
    for (int i = 0; !ok && may_retry(driver, i); i++)
        ok = store_write_initial(driver->store, first.ranges, first.count, &driver->err);
    return ok;
}

/* Runs the query until batch `last` is committed, or something ends it. */
static bool drive(struct driver *driver, int64_t last) {
    struct recovery recovery = {0};
    bool ok = drive_open(driver) && drive_start(driver, &recovery);
    int64_t batch = recovery.next_batch;
    if (ok && recovery.has_open_plan)
        ok = drive_batch(driver, &recovery.open_plan), batch++;
    for (; ok && batch <= last; batch++)
        ok = drive_plan(driver, batch);
    recovery_deinit(&recovery);
    store_close(driver->store);
    driver->store = NULL;
    return ok;
}

/* ---- what must be true afterwards ---- */

static bool has_end(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Every file that a reader could take is complete, no matter what happened and before any recovery.
 */
static void assert_no_partial_file(void) {
    struct tree tree;
    tree_init(&tree, fixture.root);
    for (size_t i = 0; i < tree.count; i++) {
        if (!has_end(tree.paths[i], ".parquet"))
            continue;
        scoped(scope_free) char *content = fixture_read(&fixture, tree.paths[i]);
        const char *name = strstr(tree.paths[i], "part-");
        assert_non_null(name);
        scoped(scope_free) char *expected =
            fixture_text("batch %lld ", strtoll(name + 5, NULL, 10));
        assert_memory_equal(content, expected, strlen(expected));
        assert_true(strlen(content) > strlen(expected) ||
                    strstr(tree.paths[i], "rejected/") != NULL);
    }
    tree_deinit(&tree);
}

/* The paths of a sink log file's entries, relative to the root, appended to `tree`. */
static void add_logged(struct tree *tree, const char *name) {
    scoped(scope_free) char *text = fixture_read(&fixture, name);
    if (text == NULL)
        fail_msg("'%s' is missing", name);
    assert_memory_equal(text, "v1", 2);
    char *rest = text;
    for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strcmp(line, "v1") == 0)
            continue;
        struct error err;
        struct json *entry = json_parse(line, strlen(line), &err);
        assert_non_null(entry);
        char *path = strdup(json_member_text(entry, "path"));
        json_free(entry);
        size_t skip = strlen("file://") + strlen(fixture.root) + 1;
        char *out = path;
        for (const char *in = path + skip; *in != '\0'; in++) {
            const char digits[3] = {in[1], in[1] != '\0' ? in[2] : '\0', '\0'};
            *out++ = *in == '%' ? (char)strtoul(digits, NULL, 16) : *in;
            in += *in == '%' ? 2 : 0;
        }
        *out = '\0';
        tree->paths[tree->count++] = path;
    }
}

static void assert_sink_log_lists(const struct tree *tree, int64_t last) {
    struct tree logged = {0};
    int64_t compact = (last + 1) / 10 * 10 - 1;
    for (int64_t batch = compact < 0 ? 0 : compact; batch <= last; batch++) {
        scoped(scope_free) char *name =
            fixture_text("processed/matches/_spark_metadata/%" PRId64 "%s", batch,
                         (batch + 1) % 10 == 0 ? ".compact" : "");
        add_logged(&logged, name);
    }
    qsort(logged.paths, logged.count, sizeof(char *), tree_compare);
    size_t at = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (strncmp(tree->paths[i], "processed/", 10) == 0 && has_end(tree->paths[i], ".parquet")) {
            assert_true(at < logged.count);
            assert_string_equal(tree->paths[i], logged.paths[at++]);
        }
    assert_int_equal(at, logged.count);
    tree_deinit(&logged);
}

static size_t count_under(const struct tree *tree, const char *start, const char *end) {
    size_t count = 0;
    for (size_t i = 0; i < tree->count; i++)
        count += strncmp(tree->paths[i], start, strlen(start)) == 0 && has_end(tree->paths[i], end);
    return count;
}

/* The newest batch that is folded; what is folded says what its manifests said. */
static int64_t assert_folded(void) {
    struct store *store;
    struct coverage coverage;
    struct error err;
    bool found;
    check(store_open_to_read(&fixture.options, &store, &err));
    if (!coverage_read(store, &coverage, &found, &err))
        fail_msg("%s", err.message);
    int64_t through = coverage.through, end = 3 * (through + 1);
    assert_int_equal(coverage.count, through >= 0 ? 2 : 0);
    for (size_t i = 0; i < coverage.count; i++) {
        const struct range_outcome *outcome = &coverage.ranges[i];
        assert_int_equal(outcome->range.partition, i);
        assert_int_equal(outcome->range.start, 0);
        assert_int_equal(outcome->range.end, end);
        assert_int_equal(outcome->rows, 2 * (through + 1));
        assert_int_equal(outcome->rejects, through + 1);
    }
    coverage_deinit(&coverage);
    store_close(store);
    return through;
}

/* Batches 0..last are in the table and in the rejects once, in every log, and nothing else is. */
static void assert_exactly_once(int64_t last) {
    struct tree tree;
    tree_init(&tree, fixture.root);
    int64_t folded = assert_folded();
    for (int64_t batch = 0; batch <= last; batch++) {
        static const char *const places[] = {"processed/matches/status=live/part-",
                                             "processed/matches/status=a%2Fb c/part-",
                                             "rejected/matches/part-"};
        bool ours = batch != sparks_batch;
        for (size_t i = 0; i < 3; i++) {
            const char *place = fixture_is_flat && i < 2 ? "processed/matches/part-" : places[i];
            size_t wanted = fixture_is_flat && i < 2 ? 2 : i < 2 || ours ? 1 : 0;
            scoped(scope_free) char *start = fixture_text("%s%05" PRId64 "-", place, batch);
            if (count_under(&tree, start, ".parquet") != wanted)
                fail_msg("%zu files %s", count_under(&tree, start, ".parquet"), start);
        }
        static const char *const logs[] = {"offsets", "commits", "manifests"};
        for (size_t i = 0; i < 3; i++) {
            scoped(scope_free) char *name =
                fixture_text("checkpoints/match_stream/%s/%" PRId64, logs[i], batch);
            bool kept = i < 2 ? batch >= last - CHECKPOINT_BATCHES_KEPT : ours && batch > folded;
            bool there = fixture_has(&fixture, name);
            if (there != kept && (i < 2 || kept)) // a folded manifest may wait for the next fold
                fail_msg("'%s' should%s be there", name, kept ? "" : " not");
        }
    }
    size_t expected = 3 * (size_t)(last + 1) - (sparks_batch >= 0 ? 1 : 0);
    assert_int_equal(count_under(&tree, "", ".parquet"), expected);
    assert_int_equal(count_under(&tree, "", ".tmp"), 0);
    assert_int_equal(count_under(&tree, "", ".staged"), 0);
    assert_int_equal(count_under(&tree, "processed/matches/_orphans/", ".orphan"), orphans);
    if (fixture.options.sink_log != SINK_LOG_OFF)
        assert_sink_log_lists(&tree, last);
    tree_deinit(&tree);
    assert_no_partial_file();
}

static void assert_no_staging(const char *table) {
    struct file_path path = file_join(file_join(fixture.root, table).text, "_staging");
    int64_t *batches = NULL;
    size_t count;
    struct error err;
    assert_true(file_list_numbers(path.text, "", &batches, &count, &err));
    free(batches);
    assert_int_equal(count, 0);
}

/* ---- the loop ---- */

/* From the snapshot, runs up to batch `last` with a fault at call `at`, then restarts without one
 * and runs one batch more. Returns false when there are fewer calls than `at`. */
static bool try_fault(enum fault fault, int error_number, long at, int64_t last) {
    struct driver driver = {.attempt = 10};
    tree_copy(snapshot, fixture.root);
    faulty_begin(fault, error_number, at, graveyard);
    bool done = drive(&driver, last);
    bool reached = faulty.calls >= at;
    bool dead = faulty.dead;
    faulty_end();
    if (!dead && !done && driver.err.kind != ERROR_RESTART) // for which it is restarted
        fail_msg("call %ld: gave up: %s", at, driver.err.message);
    assert_no_partial_file();

    driver.attempt += 100;
    if (!drive(&driver, last + 1))
        fail_msg("restart after %s at call %ld: %s", faulty_names[fault], at, driver.err.message);
    assert_exactly_once(last + 1);
    assert_no_staging("processed/matches");
    assert_no_staging("rejected/matches");
    return reached;
}

/* All faults from `fault` on, at every call from number `first` on. */
static void survive_from(const char *scenario, enum fault fault, long first, int64_t last) {
    long points = 0;
    for (; fault < FAULT_COUNT; fault++)
        for (long at = first - 1 + faulty_first(fault);
             try_fault(fault, fault == FAULT_ERROR ? ENOSPC : EIO, at, last); at += FAULTY_STEP)
            points++;
    print_message("%s: %ld faults survived\n", scenario, points);
}

static void survive(const char *scenario, enum fault fault, int64_t last) {
    tree_copy(fixture.root, snapshot);
    survive_from(scenario, fault, 1, last);
}

/* From the snapshot, a process is killed at call `kill`, and the power fails at call `cut` of the
 * next one, which has built on what the first has not synced. *reached: there are so many calls. */
static void try_kill_and_cut(long kill, long cut, int64_t last, bool reached[static 2]) {
    struct driver driver = {.attempt = 10};
    tree_copy(snapshot, fixture.root);
    faulty_begin(FAULT_KILL, EIO, kill, graveyard);
    (void)drive(&driver, last);
    reached[0] = faulty.calls >= kill;
    faulty_restart(FAULT_POWER_CUT, cut);
    driver.attempt += 100;
    (void)drive(&driver, last);
    reached[1] = faulty.calls >= cut;
    faulty_end();
    assert_no_partial_file();

    driver.attempt += 100;
    if (!drive(&driver, last + 1))
        fail_msg("restart after a kill at call %ld and a power cut at call %ld: %s", kill, cut,
                 driver.err.message);
    assert_exactly_once(last + 1);
}

/* Every kill with every `stride`th power cut; the next kill begins with another cut. */
static void survive_two(const char *scenario, int64_t last, long stride) {
    long points = 0;
    bool reached[2] = {true, true};
    tree_copy(fixture.root, snapshot);
    for (long kill = 1; reached[0]; kill += FAULTY_STEP) {
        reached[1] = true;
        for (long cut = 1 + kill % stride; reached[0] && reached[1]; cut += stride, points++)
            try_kill_and_cut(kill, cut, last, reached);
    }
    print_message("%s: %ld kills before a power cut survived\n", scenario, points);
}

/* Runs from where the disk is, without a fault. */
static void reach(int64_t last) {
    struct driver driver = {0};
    if (!drive(&driver, last))
        fail_msg("%s", driver.err.message);
}

/* What Spark leaves of a batch that it ran: its own files, and with `log` their sink log entry. */
static void run_by_spark(int64_t batch, bool log) {
    static const char *const values[] = {"live", "a%2Fb c"};
    static const char *const quoted[] = {"live", "a%252Fb%20c"};
    scoped(scope_free) char *entries = fixture_text("v1");
    for (size_t i = 0; i < 2; i++) {
        scoped(scope_free) char *name =
            fixture_text("processed/matches/status=%s/part-%05" PRId64 "-spark.c000.snappy.parquet",
                         values[i], batch);
        scoped(scope_free) char *content = fixture_text("batch %" PRId64 " of Spark", batch);
        fixture_write(&fixture, name, content);
        char *longer = fixture_text(
            "%s\n{\"path\":\"file://%s/status=%s/part-%05" PRId64 "-spark.c000.snappy.parquet\","
            "\"size\":%zu,\"isDir\":false,\"modificationTime\":1,\"blockReplication\":1,"
            "\"blockSize\":33554432,\"action\":\"add\"}",
            entries, fixture.table, quoted[i], batch, strlen(content));
        free(entries);
        entries = longer;
    }
    scoped(scope_free) char *log_name =
        fixture_text("processed/matches/_spark_metadata/%" PRId64, batch);
    scoped(scope_free) char *commit =
        fixture_text("checkpoints/match_stream/commits/%" PRId64, batch);
    scoped(scope_free) char *checksum =
        fixture_text("checkpoints/match_stream/commits/.%" PRId64 ".crc", batch);
    if (log)
        fixture_write(&fixture, log_name, entries);
    fixture_write(&fixture, commit, "v1\n{\"nextBatchWatermarkMs\":0}");
    fixture_write(&fixture, checksum, "crc");
}

static void a_new_query_survives_any_fault(void **state) {
    (void)state;
    survive("new query", FAULT_READ_ERROR, 0);
}

static void a_kill_before_a_power_cut_is_survived(void **state) {
    (void)state;
    survive_two("new query", 0, 13);
    reach(1);
    survive_two("next batch", 2, 13);
}

static void a_compaction_batch_survives_any_fault(void **state) {
    (void)state;
    reach(7); // batch 8 lets the compact file be begun, 9 publishes it
    survive("compaction", FAULT_READ_ERROR, 9);
}

static void a_roll_forward_survives_any_fault(void **state) {
    (void)state;
    reach(1);
    fixture_leave_open(&fixture, 2, true);
    survive("roll-forward", FAULT_ERROR, 2);
}

static void an_uncommitted_batch_survives_any_fault(void **state) {
    (void)state;
    reach(1);
    fixture_leave_open(&fixture, 2, false);
    survive("uncommitted batch", FAULT_ERROR, 2);
}

static void a_batch_taken_over_by_spark_survives_any_fault(void **state) {
    (void)state;
    reach(1);
    fixture_leave_open(&fixture, 2, true);
    run_by_spark(2, true);
    sparks_batch = 2;
    survive("batch taken over by Spark", FAULT_ERROR, 2);
}

static void a_table_without_sink_log_survives_any_fault(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    reach(1);
    survive("no sink log", FAULT_ERROR, 2);
}

static void a_table_without_partition_columns_survives_any_fault(void **state) {
    (void)state;
    fixture_is_flat = true;
    fixture.options.partition_by_count = 0;
    reach(1);
    fixture_leave_open(&fixture, 2, false);
    fixture_write(&fixture, "processed/matches/part-00002-torn.parquet", "batch 2 torn");
    orphans = 1;
    survive("no partition columns", FAULT_ERROR, 2);
}

static void a_file_set_aside_survives_any_fault(void **state) {
    (void)state;
    reach(1);
    fixture_leave_open(&fixture, 2, false);
    fixture_write(&fixture, "processed/matches/status=live/part-00002-torn.parquet",
                  "batch 2 torn");
    orphans = 1;
    survive("file to set aside", FAULT_ERROR, 2);
}

static void a_fold_of_old_manifests_survives_any_fault(void **state) {
    (void)state;
    struct driver driver = {0};
    log_configure(LOG_ERROR, false); // a fold that fails is a warning
    reach(108);
    tree_copy(fixture.root, snapshot);
    faulty_begin(FAULT_ERROR, EIO, LONG_MAX, graveyard);
    assert_true(drive(&driver, 109));
    long calls = faulty.calls;
    faulty_end();
    assert_int_equal(assert_folded(), 8);
    survive_from("fold", FAULT_ERROR, calls - 24, 109); // it is the last that the batch does
}

static int set_up(void **state) {
    (void)state;
    sparks_batch = -1;
    orphans = 0;
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
        SURVIVES(a_new_query_survives_any_fault),
        SURVIVES(a_kill_before_a_power_cut_is_survived),
        SURVIVES(a_compaction_batch_survives_any_fault),
        SURVIVES(a_roll_forward_survives_any_fault),
        SURVIVES(an_uncommitted_batch_survives_any_fault),
        SURVIVES(a_batch_taken_over_by_spark_survives_any_fault),
        SURVIVES(a_file_set_aside_survives_any_fault),
        SURVIVES(a_table_without_sink_log_survives_any_fault),
        SURVIVES(a_table_without_partition_columns_survives_any_fault),
        SURVIVES(a_fold_of_old_manifests_survives_any_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
