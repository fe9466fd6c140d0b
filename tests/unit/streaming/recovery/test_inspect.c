/* test_inspect.c: what a checkpoint says of itself, and which files its batches added. */
#include "store_fixture.h"

#include "base/scope.h"
#include "streaming/changes/batch_files.h"
#include "streaming/recovery/inspect.h"
#include "streaming/recovery/recover.h"

#define CHECKPOINT "checkpoints/match_stream/"
#define SINK_LOG "processed/matches/_spark_metadata/"

static struct fixture fixture;

static int setup(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

static void remove_file(const char *name) {
    assert_int_equal(unlink(file_join(fixture.root, name).text), 0);
}

/* ---- which files a batch added ---- */

/* How many files, each of which names the batch; -1: nobody knows. */
static int files_of(int64_t batch_id) {
    struct store *store = NULL;
    struct error err = {0};
    struct file_list files = {0};
    bool known = false;
    if (!store_open_to_read(&fixture.options, &store, &err) ||
        !batch_files_read(store, batch_id, &files, &known, &err))
        fail_msg("%s", err.message);
    scoped(scope_free) char *number = fixture_text("part-%05" PRId64 "-", batch_id);
    for (size_t i = 0; i < files.count; i++)
        assert_non_null(strstr(files.files[i].path, number));
    int count = known ? (int)files.count : -1;
    file_list_deinit(&files);
    store_close(store);
    return count;
}

/* ---- while a program deletes ---- */

static const char *const *going; // names that go, up to a NULL, when the first of them is opened

static int open_too_late(const char *path, int flags, mode_t mode) {
    bool is_first = going != NULL && strcmp(path, file_join(fixture.root, going[0]).text) == 0;
    for (size_t i = 0; is_first && going[i] != NULL; i++)
        remove_file(going[i]);
    if (is_first)
        going = NULL;
    return disk_real.open(path, flags, mode);
}

static const struct disk_ops *open_too_late_disk(const char *const names[]) {
    static struct disk_ops ops;
    ops = disk_real;
    ops.open = open_too_late;
    going = names;
    return &ops;
}

static void a_batch_that_is_taken_back_while_we_read_is_not_a_fault(void **state) {
    (void)state;
    static const char *const names[][5] = {
        {CHECKPOINT "manifests/2", CHECKPOINT "commits/2", CHECKPOINT "offsets/2", SINK_LOG "2"},
        {CHECKPOINT "offsets/2", CHECKPOINT "commits/2", CHECKPOINT "manifests/2", SINK_LOG "2"},
        {CHECKPOINT "commits/2", CHECKPOINT "offsets/2", CHECKPOINT "manifests/2", SINK_LOG "2"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct inspection inspection;
        struct error err;
        fixture_must_advance(&fixture, 2, (unsigned)i);
        disk = open_too_late_disk(names[i]);
        assert_true(inspect(&fixture.options, &inspection, &err));
        disk = &disk_real;
        assert_null(going);
        for (size_t j = 0; j < inspection.fault_count; j++)
            print_error("%s\n", inspection.faults[j]->message);
        assert_int_equal(inspection.fault_count, 0);
        assert_int_equal(inspection.manifests.newest, 1);
        inspection_deinit(&inspection);
    }
}

static void what_is_really_missing_stays_a_fault(void **state) {
    (void)state;
    struct inspection inspection;
    struct error err;
    fixture_must_advance(&fixture, 2, 0);
    remove_file(CHECKPOINT "offsets/2");
    assert_true(inspect(&fixture.options, &inspection, &err));
    assert_true(inspection.fault_count > 0);
    inspection_deinit(&inspection);
}

static void a_first_offset_that_can_not_be_read_counts_only_until_the_first_commit(void **state) {
    (void)state;
    struct inspection inspection;
    struct error err;
    struct recovery recovery;
    fixture_must_advance(&fixture, 0, 0);
    assert_int_equal(truncate(file_join(fixture.root, CHECKPOINT "sources/0/0").text, 0), 0);
    assert_true(inspect(&fixture.options, &inspection, &err));
    assert_int_equal(inspection.fault_count, 0);
    inspection_deinit(&inspection);

    struct store *store = NULL;
    assert_true(recovery_open(&fixture.options, &store, &err));
    assert_true(recover(store, &recovery, &err));
    assert_int_equal(recovery.next_batch, 1);
    recovery_deinit(&recovery);
    store_close(store);

    remove_file(CHECKPOINT "commits/0");
    remove_file(CHECKPOINT "manifests/0");
    remove_file(SINK_LOG "0");
    assert_true(inspect(&fixture.options, &inspection, &err));
    assert_true(inspection.fault_count > 0);
    assert_non_null(strstr(inspection.faults[0]->message, "sources/0/0"));
    inspection_deinit(&inspection);
}

static void a_manifest_that_is_folded_while_we_read_it_is_not_missed(void **state) {
    (void)state;
    static const char *const names[] = {CHECKPOINT "manifests/9", NULL};
    fixture_must_advance(&fixture, 9, 0);
    disk = open_too_late_disk(names);
    int count = files_of(9); // then by what the log had before
    disk = &disk_real;
    assert_null(going);
    assert_int_equal(count, 2);
}

static void a_batch_has_the_files_that_log_or_manifest_name(void **state) {
    (void)state;
    struct store *store = NULL;
    struct error err = {0};
    int64_t newest = -1;
    fixture_must_advance(&fixture, 12, 0);
    assert_true(store_open_to_read(&fixture.options, &store, &err));
    assert_true(batch_newest(store, &newest, &err));
    store_close(store);
    assert_int_equal(newest, 12);
    for (int64_t batch = 0; batch <= 12; batch++)
        assert_int_equal(files_of(batch), 2);
    remove_file(CHECKPOINT "manifests/12"); // as of a batch that Spark ran
    assert_int_equal(files_of(12), 2);
}

static void a_compact_batch_without_a_manifest_is_found_by_the_files_before_it(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 20, 0);
    remove_file(CHECKPOINT "manifests/19");
    assert_int_equal(files_of(19), 2);
    remove_file(CHECKPOINT "manifests/9");
    assert_int_equal(files_of(9), 2);
    remove_file(SINK_LOG "14"); // the end of the compact file still tells
    assert_int_equal(files_of(19), 2);
    remove_file(SINK_LOG "18"); // from which it would be known
    assert_int_equal(files_of(19), -1);
}

static void without_a_log_the_manifest_alone_tells(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, 1, 0);
    assert_int_equal(files_of(1), 2);
    remove_file(CHECKPOINT "manifests/1");
    assert_int_equal(files_of(1), -1);
}

/* ---- the whole ---- */

static void must_inspect(struct inspection *inspection) {
    struct error err = {0};
    if (!inspect(&fixture.options, inspection, &err))
        fail_msg("%s", err.message);
}

static void what_is_committed_and_what_comes_next_is_reported(void **state) {
    (void)state;
    struct inspection inspection;
    fixture_must_advance(&fixture, 12, 0);
    must_inspect(&inspection);
    assert_true(inspection.there);
    assert_false(inspection.locked);
    assert_int_equal(inspection.plans.count, 13);
    assert_int_equal(inspection.commits.newest, 12);
    assert_int_equal(inspection.committed, COMMIT_OURS);
    assert_int_equal(inspection.files, 2);
    assert_int_equal(inspection.rows, 4);
    assert_int_equal(inspection.rejects, 2);
    assert_int_equal(inspection.logged, 12);
    assert_int_equal(inspection.compacted, 9);
    assert_string_equal(inspection.owner, inspection.query_id);
    assert_int_equal(inspection.partition_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(inspection.partitions[i].end, 39);
        assert_int_equal(inspection.partitions[i].counts.rows, 26);
        assert_int_equal(inspection.partitions[i].counts.rejects, 13);
        assert_int_equal(inspection.partitions[i].unproven, 0);
    }
    assert_string_equal(inspection.next, "the next start plans the next batch");
    assert_int_equal(inspection.fault_count, 0);
    inspection_deinit(&inspection);

    remove_file(CHECKPOINT "manifests/4"); // as of a batch that Spark ran
    must_inspect(&inspection);
    assert_int_equal(inspection.partitions[0].unproven, 3);
    inspection_deinit(&inspection);
}

static void an_open_plan_is_reported(void **state) {
    (void)state;
    struct inspection inspection;
    fixture_must_advance(&fixture, 3, 0);
    fixture_leave_open(&fixture, 4, false);
    must_inspect(&inspection);
    assert_int_equal(inspection.plans.newest, 4);
    assert_int_equal(inspection.commits.newest, 3);
    assert_int_equal(inspection.range_count, 2);
    assert_int_equal(inspection.ranges[1].start, 12);
    assert_int_equal(inspection.ranges[1].end, 15);
    assert_string_equal(inspection.next, "the next start runs that batch again");
    inspection_deinit(&inspection);
}

static void the_holder_of_the_lock_is_named_and_keeps_it(void **state) {
    (void)state;
    struct inspection inspection;
    struct store *store = NULL;
    struct error err = {0};
    fixture_must_advance(&fixture, 1, 0);
    assert_true(recovery_open(&fixture.options, &store, &err));
    assert_true(checkpoint_note_holder(fixture.checkpoint, "http=http://here:1", &err));
    must_inspect(&inspection);
    assert_true(inspection.locked);
    scoped(scope_free) char *pid = fixture_text("pid=%ld ", (long)getpid());
    assert_non_null(strstr(inspection.holder, pid));
    assert_non_null(strstr(inspection.holder, " http=http://here:1"));
    assert_null(inspection.state);
    inspection_deinit(&inspection);
    store_close(store);
    must_inspect(&inspection);
    assert_false(inspection.locked);
    inspection_deinit(&inspection);
}

static void without_a_committed_batch_no_manifests_are_merged(void **state) {
    (void)state;
    struct inspection inspection;
    struct store *store = NULL;
    struct error err = {0};
    assert_true(recovery_open(&fixture.options, &store, &err));
    assert_true(checkpoint_create(&store->checkpoint, &err));
    store_close(store);
    must_inspect(&inspection);
    assert_true(inspection.there && inspection.outcomes_read);
    assert_int_equal(inspection.folded, -1);
    inspection_deinit(&inspection);
}

static void what_cannot_be_read_is_a_fault_and_the_rest_is_reported(void **state) {
    (void)state;
    struct inspection inspection;
    fixture_must_advance(&fixture, 3, 0);
    fixture_write(&fixture, CHECKPOINT "manifests/3", "v1\n{");
    must_inspect(&inspection);
    assert_int_equal(inspection.commits.newest, 3);
    assert_int_equal(inspection.logged, 3);
    assert_true(inspection.fault_count > 0);
    assert_non_null(strstr(inspection.faults[0]->message, "manifests/3"));
    inspection_deinit(&inspection);
}

static void a_lake_that_was_moved_is_one_fault(void **state) {
    (void)state;
    struct inspection inspection;
    fixture_must_advance(&fixture, 3, 0);
    scoped(scope_free) char *elsewhere = fixture_text("%s/elsewhere", fixture.root);
    const char *table = fixture.options.table;
    fixture.options.table = elsewhere;
    must_inspect(&inspection);
    fixture.options.table = table;
    assert_int_equal(inspection.fault_count, 1);
    assert_non_null(strstr(inspection.faults[0]->message,
                           "manifests/3': if the lake was moved, run `esports-stream relocate`"));
    inspection_deinit(&inspection);
}

static int open_no_manifest(const char *path, int flags, mode_t mode) {
    if (strstr(path, "manifests/") == NULL)
        return disk_real.open(path, flags, mode);
    errno = EMFILE;
    return -1;
}

/* It says nothing about the checkpoint, and must be fixed elsewhere. */
static void a_limit_of_the_machine_is_not_a_fault_of_the_files(void **state) {
    (void)state;
    struct inspection inspection;
    struct error err;
    fixture_must_advance(&fixture, 3, 0);
    struct disk_ops ops = disk_real;
    ops.open = open_no_manifest;
    disk = &ops;
    bool ok = inspect(&fixture.options, &inspection, &err);
    disk = &disk_real;
    assert_true(ok);
    assert_true(inspection.fault_count > 0);
    for (size_t i = 0; i < inspection.fault_count; i++)
        assert_int_equal(inspection.faults[i]->kind, ERROR_LIMIT);
    inspection_deinit(&inspection);
}

static const char *closed; // what the directory's path ends with

static int list_not_closed(const char *directory, bool (*visit)(void *context, const char *name),
                           void *context) {
    size_t length = strlen(directory), end = strlen(closed);
    if (length >= end && strcmp(directory + length - end, closed) == 0)
        return errno = EACCES, -1;
    return disk_real.list(directory, visit, context);
}

static void what_cannot_be_listed_is_unknown_and_not_none(void **state) {
    (void)state;
    static const char *const directories[] = {"commits", "offsets", "manifests", "_spark_metadata"};
    fixture_must_advance(&fixture, 3, 0);
    struct disk_ops ops = disk_real;
    ops.list = list_not_closed;
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        struct inspection inspection;
        struct error err;
        closed = directories[i];
        disk = &ops;
        bool ok = inspect(&fixture.options, &inspection, &err);
        disk = &disk_real;
        assert_true(ok);
        assert_true(inspection.opened);
        assert_int_equal(inspection.commits.unknown, i == 0);
        assert_int_equal(inspection.plans.unknown, i == 1);
        assert_int_equal(inspection.manifests.unknown, i == 2);
        assert_int_equal(inspection.sink_log_read, i != 3);
        assert_true(inspection.fault_count > 0);
        for (size_t j = 1; j < inspection.fault_count; j++)
            assert_string_not_equal(inspection.faults[j]->message, inspection.faults[0]->message);
        inspection_deinit(&inspection);
    }
}

static void a_query_that_has_not_begun_has_nothing_and_gets_nothing(void **state) {
    (void)state;
    struct inspection inspection;
    must_inspect(&inspection);
    assert_false(inspection.there);
    assert_int_equal(inspection.commits.newest, -1);
    assert_false(inspection.commits.unknown);
    assert_true(inspection.sink_log_read);
    inspection_deinit(&inspection);
    assert_false(fixture_has(&fixture, "checkpoints"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_has_the_files_that_log_or_manifest_name, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_compact_batch_without_a_manifest_is_found_by_the_files_before_it, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_log_the_manifest_alone_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_committed_and_what_comes_next_is_reported, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_open_plan_is_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_that_is_taken_back_while_we_read_is_not_a_fault,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_really_missing_stays_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_first_offset_that_can_not_be_read_counts_only_until_the_first_commit, setup,
            teardown),
        cmocka_unit_test_setup_teardown(a_manifest_that_is_folded_while_we_read_it_is_not_missed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_holder_of_the_lock_is_named_and_keeps_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_a_committed_batch_no_manifests_are_merged, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_lake_that_was_moved_is_one_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_a_fault_and_the_rest_is_reported,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_of_the_machine_is_not_a_fault_of_the_files, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_listed_is_unknown_and_not_none, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_query_that_has_not_begun_has_nothing_and_gets_nothing,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
