/* test_spark_batch.c: a batch that a cluster has run for us, and whose rejects we have written. */
#include "operate.h"

#include "streaming/changes/batch_files.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/coverage.h"
#include "streaming/store/store.h"

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    fixture_must_advance(&fixture, 4, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

/* Batch 5 as Spark leaves it: planned, run, logged, committed. */
static void run_on_spark(void) {
    static const char path[] = "status=live/part-00000-spark-5.c000.snappy.parquet";
    fixture_write(&fixture, CHECKPOINT "offsets/5",
                  "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":1795366883125,\"conf\":{}}\n"
                  "{\"t1\":{\"0\":18,\"1\":18}}");
    scoped(scope_free) char *file = fixture_text(TABLE "%s", path);
    fixture_write(&fixture, file, "Spark's");
    scoped(scope_free) char *entry = fixture_text(
        "v1\n{\"path\":\"file://%s/%s\",\"size\":7,\"isDir\":false,\"modificationTime\":1,"
        "\"blockReplication\":1,\"blockSize\":1,\"action\":\"add\"}",
        fixture.table, path);
    fixture_write(&fixture, SINK_LOG "5", entry);
    fixture_write(&fixture, CHECKPOINT "commits/5", "v1\n{\"nextBatchWatermarkMs\":0}");
    fixture_write(&fixture, CHECKPOINT "commits/.5.crc", "crc");
}

static struct store *open_recovered(struct recovery *recovery) {
    struct store *store = NULL;
    struct error err = {0};
    *recovery = (struct recovery){0};
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, recovery, &err))
        fail_msg("%s", err.message);
    return store;
}

/* The rejects of batch 5 up to their commit point, and on unless the process ends there. */
static void write_rejects(bool roll_forward) {
    struct recovery recovery;
    struct error err = {0};
    const char *staging = NULL, *rejects = NULL;
    struct store *store = open_recovered(&recovery);
    recovery_deinit(&recovery);
    struct manifest manifest = {.batch_id = 5, .timestamp_ms = 1795366883125, .of_spark = true};
    bool ok = store_begin_batch(store, 5, &staging, &rejects, &err);
    struct data_file file = fixture_file(5, "", 7, "a reject");
    file.rows = 3;
    ok = ok && fixture_stage(rejects, file.staged, "a reject", &err);
    file_list_add(&manifest.rejects, file);
    ok = ok && store_commit(store, &manifest, &err) &&
         (!roll_forward || store_roll_forward(store, &manifest, &err));
    manifest_deinit(&manifest);
    store_close(store);
    if (!ok)
        fail_msg("%s", err.message);
}

static const char reject_file[] = "rejected/matches/part-00005-7.c000.snappy.parquet";

static void assert_spark_s_logs_are_untouched(void) {
    scoped(scope_free) char *log = fixture_read(&fixture, SINK_LOG "5");
    scoped(scope_free) char *commit = fixture_read(&fixture, CHECKPOINT "commits/5");
    assert_non_null(strstr(log, "part-00000-spark-5"));
    assert_string_equal(commit, "v1\n{\"nextBatchWatermarkMs\":0}");
}

static void its_rejects_come_into_place_although_spark_wrote_the_logs(void **state) {
    (void)state;
    run_on_spark();
    write_rejects(true);
    assert_true(fixture_has(&fixture, reject_file));
    assert_spark_s_logs_are_untouched();
    fixture_must_advance(&fixture, 12, 1); // and on natively, over a compact file
    assert_spark_s_logs_are_untouched();
}

static void rejects_that_were_committed_are_rolled_forward(void **state) {
    (void)state;
    run_on_spark();
    write_rejects(false);
    assert_false(fixture_has(&fixture, reject_file));
    struct recovery recovery;
    store_close(open_recovered(&recovery));
    assert_int_equal(recovery.next_batch, 6);
    assert_int_equal(recovery.note_count, 1);
    check(recovery.notes[0] != NULL);
    assert_non_null(strstr(recovery.notes[0], "rolling it forward"));
    recovery_deinit(&recovery);
    assert_true(fixture_has(&fixture, reject_file));
    assert_spark_s_logs_are_untouched();
}

static void only_the_sink_log_names_its_files(void **state) {
    (void)state;
    run_on_spark();
    write_rejects(true);
    struct recovery recovery;
    struct error err;
    struct file_list files = {0};
    bool known;
    struct store *store = open_recovered(&recovery);
    recovery_deinit(&recovery);
    assert_true(batch_files_read(store, 5, &files, &known, &err));
    assert_true(known);
    assert_int_equal(files.count, 1);
    assert_int_equal(files.files[0].size, 7);
    file_list_deinit(&files);

    remove_path(SINK_LOG "5");
    assert_true(batch_files_read(store, 5, &files, &known, &err));
    assert_false(known);
    store_close(store);
}

static void it_is_taken_back_with_its_rejects(void **state) {
    (void)state;
    run_on_spark();
    write_rejects(true);
    to_batch = 4;
    must_operate(REWIND, "batch 4");
    assert_false(fixture_has(&fixture, reject_file));
    assert_false(fixture_has(&fixture, TABLE "status=live/part-00000-spark-5.c000.snappy.parquet"));
    fixture_must_advance(&fixture, 6, 2);
    assert_table(6);
}

static void manifests_are_folded_and_say_nothing_of_its_ranges(void **state) {
    (void)state;
    run_on_spark();
    write_rejects(true);
    fixture_must_advance(&fixture, 130, 1);
    assert_false(fixture_has(&fixture, CHECKPOINT "manifests/5"));
    struct recovery recovery;
    struct error err;
    struct coverage coverage;
    bool found;
    struct store *store = open_recovered(&recovery);
    recovery_deinit(&recovery);
    assert_true(coverage_read(store, &coverage, &found, &err));
    assert_int_equal(coverage.count, 4); // two partitions, each with a gap of batch 5
    assert_int_equal(coverage.ranges[0].range.end, 15);
    assert_int_equal(coverage.ranges[1].range.start, 18);
    coverage_deinit(&coverage);
    store_close(store);
}

static void operations_wait_for_the_end_of_a_run_on_a_cluster(void **state) {
    (void)state;
    const struct run_note note = {.first_batch = 5, .master = "spark://a:7077"};
    struct error err;
    assert_true(run_note_write(fixture.checkpoint, &note, &err));
    to_batch = 3;
    assert_refuses(REWIND, ERROR_STATE, "start it once");
    assert_true(run_note_remove(fixture.checkpoint, &err));
    must_operate(REWIND, "batch 3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_rejects_come_into_place_although_spark_wrote_the_logs,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(rejects_that_were_committed_are_rolled_forward, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_the_sink_log_names_its_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_taken_back_with_its_rejects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(manifests_are_folded_and_say_nothing_of_its_ranges, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(operations_wait_for_the_end_of_a_run_on_a_cluster, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
