#include "tree.h"

#include "base/scope.h"
#include "core/rows.h"
#include "pipeline/sink/sink_parquet.h"
#include "streaming/offsets/offset_set.h"
#include "streaming/recovery/recover.h"

static struct fixture fixture;
static int64_t processed_ms; // of the rows that are written

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    processed_ms = 1;                     // that of batch 3
    fixture_must_advance(&fixture, 2, 0); // offsets [0, 9) of partitions 0 and 1 are ours
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

static const struct column columns[] = {{"partition", TYPE_INT32},
                                        {"offset", TYPE_INT64},
                                        {"processing_timestamp", TYPE_TIMESTAMP},
                                        {"kafka_timestamp", TYPE_TIMESTAMP}};
static const struct column other_columns[] = {{"partition", TYPE_STRING},
                                              {"offset", TYPE_INT64},
                                              {"processing_timestamp", TYPE_TIMESTAMP},
                                              {"kafka_timestamp", TYPE_TIMESTAMP}};

/* A Parquet file of offsets [start, end) of a partition, as Spark's crash may leave it. */
static void write_parquet(const char *name, const struct column *of, int32_t partition,
                          int64_t start, int64_t end) {
    static struct schema schema;
    struct rows rows;
    struct error err;
    schema_init_plain(&schema, "orphan", of, 4);
    rows_init(&rows, &schema, 64, 1024);
    for (int64_t offset = start; offset < end; offset++, rows.count++) {
        rows.columns[0].valid[rows.count] = of == columns;
        rows.columns[1].valid[rows.count] = 1;
        if (of == columns)
            rows.columns[0].int32s[rows.count] = partition;
        rows.columns[1].int64s[rows.count] = offset;
        for (size_t i = 2; i < 4; i++) {
            rows.columns[i].valid[rows.count] = 1;
            rows.columns[i].int64s[rows.count] = processed_ms * 1000;
        }
    }
    const struct sink_options options = {.staging_directory = fixture.root,
                                         .schema = &schema,
                                         .parquet = {.codec = CODEC_SNAPPY, .delta = true},
                                         .memory_max = 1 << 20};
    struct file_list files = {0};
    struct sink *sink = sink_create(&options);
    check(sink_append(sink, &rows, &err) && sink_finish(sink, &files, &err) && files.count == 1);
    sink_destroy(sink);
    rows_deinit(&rows);
    struct file_path from = file_join(fixture.root, files.files[0].staged);
    check(rename(from.text, file_join(fixture.table, name).text) == 0);
    file_list_deinit(&files);
}

/* Batch 3, [9, 12) of both partitions, planned by Spark. */
static void plan_batch_3(void) {
    fixture_write(&fixture, "checkpoints/match_stream/offsets/3",
                  "v1\n{\"batchTimestampMs\":1,\"conf\":{}}\n{\"t1\":{\"0\":12,\"1\":12}}");
}

/* Batch 3 run by Spark: one listed file with offsets [9, 12) of partition 0. */
static void run_batch_3(void) {
    plan_batch_3();
    write_parquet("status=live/part-3.parquet", columns, 0, 9, 12);
    scoped(scope_free) char *entry =
        fixture_text("v1\n{\"path\":\"file://%s/status=live/part-3.parquet\",\"size\":1,"
                     "\"isDir\":false,\"modificationTime\":1,\"blockReplication\":1,"
                     "\"blockSize\":1,\"action\":\"add\"}",
                     fixture.table);
    fixture_write(&fixture, "processed/matches/_spark_metadata/3", entry);
    fixture_write(&fixture, "checkpoints/match_stream/commits/3", "v1\n{}");
    fixture_write(&fixture, "checkpoints/match_stream/commits/.3.crc", "crc");
}

/* Starts, and returns what recovery said, in one text. */
static char *start(void) {
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    bool ok = recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err);
    if (!ok)
        print_error("%s\n", err.message);
    check(ok);
    char *notes = fixture_text("%s", "");
    for (size_t i = 0; i < recovery.note_count; i++) {
        char *longer = fixture_text("%s%s\n", notes, recovery.notes[i]);
        free(notes);
        notes = longer;
    }
    recovery_deinit(&recovery);
    store_close(store);
    return notes;
}

#define TABLE "processed/matches/"

static void assert_moved(const char *name) {
    scoped(scope_free) char *old = fixture_text(TABLE "%s", name);
    scoped(scope_free) char *new = fixture_text(TABLE "_orphans/%s.orphan", name);
    if (fixture_has(&fixture, old) || !fixture_has(&fixture, new))
        fail_msg("'%s' is not set aside", name);
}

static void assert_left(const char *name) {
    scoped(scope_free) char *path = fixture_text(TABLE "%s", name);
    if (!fixture_has(&fixture, path))
        fail_msg("'%s' is gone", name);
}

static void what_lies_in_the_plan_to_run_again_is_set_aside(void **state) {
    (void)state;
    plan_batch_3();
    write_parquet("status=live/part-a.parquet", columns, 1, 9, 12);
    write_parquet("status=live/part-b.parquet", columns, 1, 9, 13); // 12 is beyond the plan
    write_parquet("status=live/part-c.parquet", columns, 2, 9, 10); // no such partition
    fixture_write(&fixture, TABLE "status=live/.part-a.parquet.crc", "crc");
    scoped(scope_free) char *notes = start();
    assert_moved("status=live/part-a.parquet");
    assert_false(fixture_has(&fixture, TABLE "status=live/.part-a.parquet.crc"));
    assert_left("status=live/part-b.parquet");
    assert_left("status=live/part-c.parquet");
    assert_non_null(strstr(notes, "1 file that a crash of Spark left"));
    assert_non_null(strstr(notes, "2 files in "));
    fixture_must_advance(&fixture, 4, 0);
    assert_left("status=live/part-b.parquet");
}

static void a_torn_file_is_set_aside(void **state) {
    (void)state;
    plan_batch_3();
    fixture_write(&fixture, TABLE "status=live/part-a.parquet", "PAR1 and no end");
    fixture_write(&fixture, TABLE "status=live/part-b.parquet", "");
    free(start());
    assert_moved("status=live/part-a.parquet");
    assert_moved("status=live/part-b.parquet");
}

static void what_a_killed_batch_write_left_is_set_aside(void **state) {
    (void)state;
    plan_batch_3();
    static const char *const directories[] = {TABLE "_temporary", TABLE "_temporary/0",
                                              TABLE "_temporary/0/task_1",
                                              TABLE "_temporary/0/task_1/status=live"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        assert_int_equal(mkdir(file_join(fixture.root, directories[i]).text, 0755), 0);
    write_parquet("_temporary/0/task_1/status=live/part-a.parquet", columns, 1, 9, 12);
    write_parquet("_temporary/0/task_1/status=live/part-b.parquet", columns, 1, 8, 12);
    free(start());
    assert_moved("_temporary/0/task_1/status=live/part-a.parquet");
    assert_left("_temporary/0/task_1/status=live/part-b.parquet"); // not the plan's
}

static void what_a_listed_file_of_spark_holds_too_is_set_aside(void **state) {
    (void)state;
    run_batch_3();
    write_parquet("status=live/part-a.parquet", columns, 0, 10, 12);
    write_parquet("status=live/part-b.parquet", columns, 0, 10, 13); // 12 is in no listed file
    free(start());
    assert_moved("status=live/part-a.parquet");
    assert_left("status=live/part-b.parquet");
    assert_left("status=live/part-3.parquet");
}

static void somebody_else_s_file_is_left_alone(void **state) {
    (void)state;
    plan_batch_3();
    write_parquet("status=live/part-a.parquet", other_columns, 0, 9, 12);
    fixture_write(&fixture, TABLE "status=live/part-b.parquet", "PAR1 only looks like one PAR1");
    scoped(scope_free) char *notes = start();
    assert_left("status=live/part-a.parquet");
    assert_left("status=live/part-b.parquet");
    assert_non_null(strstr(notes, "2 files in "));
}

static int make_old(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    return utimensat(AT_FDCWD, path, times, 0);
}

static void a_file_that_is_older_than_the_newest_manifest_is_not_looked_at(void **state) {
    (void)state;
    plan_batch_3();
    write_parquet("status=live/part-a.parquet", columns, 1, 9, 12);
    struct file_path path = file_join(fixture.table, "status=live/part-a.parquet");
    assert_int_equal(nftw(path.text, make_old, 16, FTW_PHYS), 0);
    free(start());
    assert_left("status=live/part-a.parquet");
}

static void what_was_written_in_the_same_tick_as_the_newest_manifest_counts(void **state) {
    (void)state;
    struct tree before, after;
    fixture_clear(&fixture);
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, 2, 0);
    plan_batch_3();
    assert_int_equal(nftw(fixture.root, make_old, 16, FTW_PHYS), 0);
    tree_init(&before, fixture.table);
    free(start());
    tree_init(&after, fixture.table);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < before.count; i++)
        assert_string_equal(after.paths[i], before.paths[i]);
    tree_deinit(&before);
    tree_deinit(&after);
}

static void without_a_sink_log_only_the_plan_to_run_again_tells(void **state) {
    (void)state;
    fixture_clear(&fixture);
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, 2, 0);
    write_parquet("status=live/part-c.parquet", columns, 0, 12,
                  13); // the old job's, for all we know
    free(start());
    assert_left("status=live/part-c.parquet");

    plan_batch_3();
    write_parquet("status=live/part-a.parquet", columns, 1, 9, 12);
    scoped(scope_free) char *notes = start();
    assert_moved("status=live/part-a.parquet");
    assert_left("status=live/part-c.parquet");
    assert_null(strstr(notes, "left alone"));
}

static void a_checkpoint_of_spark_alone_is_looked_at_from_its_oldest_plan_on(void **state) {
    (void)state;
    run_batch_3();
    struct file_path manifests = file_join(fixture.checkpoint, "manifests");
    (void)nftw(manifests.text, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    write_parquet("status=live/part-a.parquet", columns, 0, 10, 12);
    free(start());
    assert_moved("status=live/part-a.parquet");
}

/* Moved from the table into the rejects; the start is refused and names it, and nothing is changed.
 */
static void assert_later_file_refused(const char *name, bool is_reject) {
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    struct file_path path = file_join(is_reject ? fixture.rejects : fixture.table, name);
    if (is_reject)
        assert_int_equal(rename(file_join(fixture.table, name).text, path.text), 0);
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    assert_true(recovery_open(&fixture.options, &store, &err));
    assert_false(recover(store, &recovery, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, path.text));
    assert_non_null(strstr(err.message, "restore checkpoint, table and rejects"));
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_string_equal(before, after);
    store_close(store);
    assert_int_equal(remove(path.text), 0);
}

static void a_batch_is_not_finished_next_to_a_file_of_a_later_one(void **state) {
    (void)state;
    assert_int_equal(remove(file_join(fixture.checkpoint, "commits/2").text), 0);
    processed_ms = INT64_C(1800000000000);
    write_parquet("status=live/part-9.parquet", columns, 1, 12, 15);
    assert_later_file_refused("status=live/part-9.parquet", false);
    free(start());
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/commits/2"));
}

static void a_file_of_a_batch_that_the_checkpoint_does_not_know_is_refused(void **state) {
    (void)state;
    for (int sink_log_off = 0; sink_log_off < 2; sink_log_off++) {
        if (sink_log_off) { // from the beginning
            fixture_clear(&fixture);
            fixture_init(&fixture);
            fixture.options.sink_log = SINK_LOG_OFF;
            fixture_must_advance(&fixture, 2, 0);
        }
        processed_ms = INT64_C(1800000000000);
        write_parquet("status=live/part-9.parquet", columns, 1, 12, 15);
        assert_later_file_refused("status=live/part-9.parquet", false);
        write_parquet("part-9.parquet", columns, 0, 9, 10);
        assert_later_file_refused("part-9.parquet", true);
        // Offsets that were read before: a foreign copy of old rows.
        write_parquet("status=live/part-8.parquet", columns, 1, 8, 12);
        free(start());
        assert_left("status=live/part-8.parquet");
        assert_int_equal(remove(file_join(fixture.table, "status=live/part-8.parquet").text), 0);
        // Not later: a plan of Spark's that was forgotten.
        processed_ms = 1;
        write_parquet("status=live/part-7.parquet", columns, 1, 12, 15);
        free(start());
        assert_left("status=live/part-7.parquet");
        assert_int_equal(remove(file_join(fixture.table, "status=live/part-7.parquet").text), 0);
    }
}

static void a_reject_of_the_plan_to_run_again_is_of_a_later_checkpoint(void **state) {
    (void)state;
    plan_batch_3();
    write_parquet("part-3.parquet", columns, 0, 9, 12);
    assert_later_file_refused("part-3.parquet", true);
    free(start());
}

static void a_set_counts_its_members(void **state) {
    (void)state;
    struct offset_set set = {0};
    offset_set_widen(&set, 7, 100);
    offset_set_widen(&set, 3, INT64_MAX - 1);
    offset_set_widen(&set, 7, 300);
    assert_true(offset_set_allocate(&set, 1 << 10));
    offset_set_add(&set, 7, 100);
    offset_set_add(&set, 7, 300);
    offset_set_add(&set, 7, 300);
    offset_set_add(&set, 3, INT64_MAX - 1);
    assert_int_equal(set.count, 3);
    offset_set_remove(&set, 7, 99);
    offset_set_remove(&set, 7, 200);
    offset_set_remove(&set, 8, 100);
    offset_set_remove(&set, 7, 100);
    offset_set_remove(&set, 7, 100);
    assert_int_equal(set.count, 2);
    offset_set_deinit(&set);

    offset_set_widen(&set, 0, 0);
    offset_set_widen(&set, 0, INT64_MAX);
    assert_false(offset_set_allocate(&set, 64 << 20));
    offset_set_deinit(&set);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(what_lies_in_the_plan_to_run_again_is_set_aside),
        ON_DISK(a_torn_file_is_set_aside),
        ON_DISK(what_a_killed_batch_write_left_is_set_aside),
        ON_DISK(what_a_listed_file_of_spark_holds_too_is_set_aside),
        ON_DISK(somebody_else_s_file_is_left_alone),
        ON_DISK(a_file_that_is_older_than_the_newest_manifest_is_not_looked_at),
        ON_DISK(what_was_written_in_the_same_tick_as_the_newest_manifest_counts),
        ON_DISK(without_a_sink_log_only_the_plan_to_run_again_tells),
        ON_DISK(a_checkpoint_of_spark_alone_is_looked_at_from_its_oldest_plan_on),
        ON_DISK(a_batch_is_not_finished_next_to_a_file_of_a_later_one),
        ON_DISK(a_file_of_a_batch_that_the_checkpoint_does_not_know_is_refused),
        ON_DISK(a_reject_of_the_plan_to_run_again_is_of_a_later_checkpoint),
        cmocka_unit_test(a_set_counts_its_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
