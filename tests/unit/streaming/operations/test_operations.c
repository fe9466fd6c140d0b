/* test_operations.c: what adopt, release, relocate and rewind do with healthy directories, and what
 * they refuse. */
#include "operate.h"

#include "streaming/recovery/recover.h"
#include "streaming/table/path_list.h"

/* ---- adopt and release ---- */

static void a_young_table_is_adopted_into_its_newest_batch(void **state) {
    (void)state;
    write_unlogged(4);
    must_operate(ADOPT, "now has a sink log: it lists 10 files (");
    assert_int_equal(lines_of(SINK_LOG "4"), 10);
    for (int i = 0; i < 4; i++) {
        scoped(scope_free) char *name = fixture_text(SINK_LOG "%d", i);
        assert_int_equal(lines_of(name), 0);
    }
    scoped(scope_free) char *owner = fixture_read(&fixture, TABLE "_esports_stream");
    assert_non_null(strstr(owner, "\"sinkLog\":true,\"adoptedAt\":4"));
    must_operate(ADOPT, "nothing to do");
    fixture_must_advance(&fixture, 12, 1);
    assert_table(12);
    assert_int_equal(listed(12), 26);
}

static void an_old_table_is_adopted_into_a_compact_file(void **state) {
    (void)state;
    write_unlogged(12);
    must_operate(ADOPT, "now has a sink log: it lists 26 files (");
    assert_int_equal(lines_of(SINK_LOG "9.compact"), 26);
    assert_false(fixture_has(&fixture, SINK_LOG "8"));
    assert_int_equal(listed(12), 26);
    fixture_must_advance(&fixture, 20, 1);
    assert_int_equal(lines_of(SINK_LOG "19.compact"), 40);
    assert_int_equal(listed(20), 42);
}

/* The compact file lists the newest batch, and the batch's own file lists nothing. That does not
 * mean that Spark ran it. */
static void an_adopted_batch_whose_commit_is_lost_is_not_taken_back(void **state) {
    (void)state;
    write_unlogged(12);
    must_operate(ADOPT, "now has a sink log: it lists 26 files (");
    assert_int_equal(lines_of(SINK_LOG "12"), 0);
    remove_path(CHECKPOINT "commits/12");
    fixture_must_advance(&fixture, 12, 1);
    assert_table(12);
    assert_int_equal(listed(12), 26);
}

static void an_adopted_entry_is_what_the_sink_log_would_have_written(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 0, 0);
    scoped(scope_free) char *ours = fixture_read(&fixture, SINK_LOG "0");
    must_operate(RELEASE, "the files that it listed (2) are exactly the files of the table");
    must_operate(ADOPT, "now has a sink log: it lists 2 files (");
    scoped(scope_free) char *adopted = fixture_read(&fixture, SINK_LOG "0");
    check(ours != NULL && adopted != NULL);
    for (char *text = ours; text != NULL; text = text == ours ? adopted : NULL)
        for (char *at = text; (at = strstr(at, "\"modificationTime\":")) != NULL;)
            for (at += strlen("\"modificationTime\":"); *at != ','; at++)
                *at = '9';                           // the fixture's time is arbitrary
    assert_int_equal(strlen(adopted), strlen(ours)); // the order of lines may differ
    assert_non_null(strstr(adopted, "status=a%252Fb%20c/part-00000-0.c000.snappy.parquet\","
                                    "\"size\":22,\"isDir\":false,\"modificationTime\":99999999999"
                                    "99,\"blockReplication\":1,\"blockSize\":33554432,"
                                    "\"action\":\"add\"}"));
}

static void a_file_that_a_sink_log_cannot_list_is_refused(void **state) {
    (void)state;
    write_unlogged(1);
    static const char *const strangers[] = {TABLE "data.parquet", TABLE "status=live/notes.txt",
                                            TABLE "status=live/data.orc"};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        fixture_write(&fixture, strangers[i], "x");
        if (i > 0)
            assert_refuses(ADOPT, ERROR_STATE, "is not a Parquet file in a partition directory");
        remove_path(strangers[i]);
    }
    fixture_write(&fixture, TABLE "_SUCCESS", "");
    fixture_write(&fixture, TABLE "status=live/.part.crc", "");
    must_operate(ADOPT, "now has a sink log: it lists 4 files (");
}

static void without_a_checkpoint_every_operation_is_refused(void **state) {
    (void)state;
    to_batch = 0;
    for (enum operation operation = ADOPT; operation <= ADOPT_KAFKA; operation++)
        assert_refuses(operation, ERROR_CONFIG, "there is no checkpoint");
}

static void a_running_query_is_named(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    struct store *store;
    struct error err;
    check(recovery_open(&fixture.options, &store, &err));
    for (enum operation operation = ADOPT; operation <= ADOPT_KAFKA; operation++)
        assert_refuses(operation, ERROR_LOCKED, "is locked: another instance runs this query");
    store_close(store);
}

static void a_log_that_agrees_with_the_files_is_released(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 11, 0);
    must_operate(RELEASE, "the files that it listed (24) are exactly the files of the table");
    assert_int_equal(count_files(TABLE "_spark_metadata", ""), 0);
    must_operate(RELEASE, "nothing to do");
    fixture_must_advance(&fixture, 13, 1); // SINK_LOG=auto continues without one
    assert_false(fixture_has(&fixture, SINK_LOG));
    assert_table(13);
    must_operate(ADOPT, "now has a sink log: it lists 28 files (");
    assert_int_equal(listed(13), 28);
}

static void a_log_that_disagrees_is_not_released(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    static const char live[] = TABLE "status=live/part-00001-0.c000.snappy.parquet";
    scoped(scope_free) char *content = fixture_read(&fixture, live);
    fixture_write(&fixture, TABLE "status=live/part-x.parquet", "PAR1 ... PAR1");
    assert_refuses(RELEASE, ERROR_STATE, "'status=live/part-x.parquet' exists but is not listed");
    remove_path(TABLE "status=live/part-x.parquet");
    fixture_write(&fixture, live, "longer than it was, by far");
    assert_refuses(RELEASE, ERROR_STATE, "is listed with another size");
    remove_path(live);
    assert_refuses(RELEASE, ERROR_STATE, "listed files that are missing: 1,");
    fixture_write(&fixture, live, content);
    scoped(scope_free) char *log = fixture_read(&fixture, SINK_LOG "1");
    scoped(scope_free) char *twice = fixture_text("%s%s", log, strchr(log, '\n'));
    fixture_write(&fixture, SINK_LOG "1", twice);
    assert_refuses(RELEASE, ERROR_STATE, "lists files more than once");
    fixture_write(&fixture, SINK_LOG "1", log);
    must_operate(RELEASE, "the files that it listed (4) are exactly the files of the table");
}

/* ---- adopt the offsets of another cluster ---- */

/* How many manifests have a topic id. */
static size_t topic_ids(int64_t last) {
    size_t count = 0;
    for (int64_t batch = 0; batch <= last; batch++) {
        scoped(scope_free) char *name = fixture_text(CHECKPOINT "manifests/%" PRId64, batch);
        scoped(scope_free) char *text = fixture_read(&fixture, name);
        count += text != NULL && strstr(text, "topicId") != NULL;
    }
    return count;
}

static void another_cluster_does_not_get_the_topic_ids_of_the_old_one(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 3, 0);
    write_topic_ids(3);
    assert_topic_id("one");
    must_operate(ADOPT_KAFKA, "The topic's id was removed from 4 manifests");
    scoped(scope_free) char *note = fixture_read(&fixture, CHECKPOINT "kafka");
    assert_non_null(strstr(note, "\"clusterId\":\"new\""));
    assert_topic_id("");
    to_batch = 1;
    must_operate(REWIND, "");
    assert_topic_id("");
    assert_int_equal(topic_ids(3), 0);
    fixture_must_advance(&fixture, 4, 1);
    assert_table(4);
    write_topic_ids(0);
    fixture_write(&fixture, CHECKPOINT "kafka", note);
    must_operate(ADOPT_KAFKA, "nothing to do"); // the ids belong to this cluster
    assert_int_equal(topic_ids(4), 1);
}

static void an_unreadable_manifest_prevents_a_change_of_the_cluster(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    write_topic_ids(1);
    fixture_write(&fixture, CHECKPOINT "manifests/1", "v1\n{");
    assert_refuses(ADOPT_KAFKA, ERROR_STATE, "manifests/1' cannot be used: restore it");
}

/* ---- relocate ---- */

static void a_moved_table_is_refused_until_it_is_relocated(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 21, 0);
    move_lake();
    start_refuses("esports-stream relocate");
    must_operate(RELOCATE, "with its 44 listed files");
    must_operate(RELOCATE, "nothing to do");
    scoped(scope_free) char *log =
        fixture_read(&fixture, "moved here/matches/_spark_metadata/19.compact");
    assert_null(strstr(log, "processed"));
    assert_non_null(strstr(log, "/moved%20here/matches/status=a%252Fb%20c/"));
    scoped(scope_free) char *old =
        fixture_read(&fixture, "moved here/matches/_spark_metadata/9.compact");
    assert_null(strstr(old, "processed"));
    fixture_must_advance(&fixture, 30, 1);
    assert_int_equal(count_files("moved here/", ".parquet"), 62);
}

/* Without a manifest, as after Spark, the sink log shows the move. */
static void a_moved_log_is_refused_without_a_manifest_too(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 3, 0);
    remove_path(CHECKPOINT "manifests");
    move_lake();
    start_refuses("names files in another directory");
    must_operate(RELOCATE, "with its 8 listed files");
    fixture_must_advance(&fixture, 5, 1);
}

static void the_path_of_a_moved_checkpoint_is_written_into_the_signatures(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    char old[320], new[320];
    (void)snprintf(old, sizeof old, "%s/checkpoints", fixture.root);
    (void)snprintf(new, sizeof new, "%s/points", fixture.root);
    assert_int_equal(rename(old, new), 0);
    (void)snprintf(fixture.checkpoint, sizeof fixture.checkpoint, "%s/points/match_stream",
                   fixture.root);
    must_operate(RELOCATE, " and 2 signatures.");
    scoped(scope_free) char *owner = fixture_read(&fixture, TABLE "_esports_stream");
    assert_non_null(strstr(owner, "/points/match_stream\",\"sinkLog\":true"));
    fixture_must_advance(&fixture, 3, 1);
}

static void a_table_with_missing_files_is_not_relocated(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    move_lake();
    remove_path("moved here/matches/status=live/part-00001-0.c000.snappy.parquet");
    assert_refuses(RELOCATE, ERROR_STATE, "part-00001-0.c000.snappy.parquet' is missing");
    (void)snprintf(fixture.table, sizeof fixture.table, "%s/elsewhere", fixture.root);
    assert_refuses(RELOCATE, ERROR_STATE, "neither a sink log nor a signature");
}

/* ---- rewind ---- */

/* A file that the log lists twice, in a compact file too, is one file. */
static void assert_foreseen(int64_t files, int64_t rejects) {
    struct error err = {0};
    scoped(scope_free) char *said = NULL;
    scoped(scope_free) char *what = fixture_text(
        "%" PRId64 " table files and %" PRId64 " rejects files would be moved", files, rejects);
    assert_true(operate_as(REWIND, true, &said, &err));
    if (strstr(said, what) == NULL)
        fail_msg("expected '%s', not: %s", what, said);
}

static void batches_are_rewound_and_run_again(void **state) {
    (void)state;
    static const int64_t targets[] = {22, 19, 18, 9, 8, 5, 0};
    fixture_must_advance(&fixture, 25, 0);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        to_batch = targets[i];
        scoped(scope_free) char *what =
            fixture_text("%" PRId64 " table files and %" PRId64 " rejects files were moved",
                         2 * (25 - to_batch), 25 - to_batch);
        assert_foreseen(2 * (25 - to_batch), 25 - to_batch);
        must_operate(REWIND, what);
        must_operate(REWIND, "nothing to do");
        assert_table(to_batch);
        assert_int_equal(listed(to_batch), 2 * (to_batch + 1));
        scoped(scope_free) char *next = fixture_text(CHECKPOINT "offsets/%" PRId64, to_batch + 1);
        assert_false(fixture_has(&fixture, next));
        fixture_must_advance(&fixture, 25, 1 + (unsigned)i);
        assert_table(25);
        assert_int_equal(listed(25), 52);
    }
    assert_int_equal(count_files(TABLE "_rewound/status=live/", ".rewound"),
                     3 + 6 + 7 + 16 + 17 + 20 + 25);
}

static void an_open_plan_is_rewound_too(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 2, 0);
    fixture_write(&fixture, CHECKPOINT "offsets/3",
                  "v1\n{\"batchTimestampMs\":1,\"conf\":{}}\n{\"t1\":{\"0\":99,\"1\":99}}");
    to_batch = 2;
    must_operate(REWIND, "partition 0 offset 9, partition 1 offset 9");
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/3.rewound"));
    fixture_must_advance(&fixture, 4, 1);
    assert_table(4);
}

static void a_table_without_a_sink_log_is_rewound_by_its_manifests(void **state) {
    (void)state;
    write_unlogged(6);
    to_batch = 3;
    must_operate(REWIND, "6 table files and 3 rejects files");
    assert_table(3);
    fixture_must_advance(&fixture, 5, 1);
    assert_table(5);
    assert_false(fixture_has(&fixture, SINK_LOG));
}

static void a_rewind_to_an_impossible_batch_is_refused(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 5, 0);
    to_batch = 6;
    assert_refuses(REWIND, ERROR_CONFIG, "the newest committed batch is 5");
    remove_path(CHECKPOINT "offsets/0");
    remove_path(CHECKPOINT "offsets/1");
    to_batch = 1;
    assert_refuses(REWIND, ERROR_CONFIG, "choose a newer batch; the oldest that can stay is 2");
    to_batch = 3;
    must_operate(REWIND, "4 table files");
    to_batch = 2; // the plan before it, which Spark needs, is written again
    must_operate(REWIND, "2 table files");
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/1"));
}

/* The files of this fixture are not Parquet, so that their batch is unknown. */
static void an_adopted_batch_with_unreadable_files_is_not_rewound(void **state) {
    (void)state;
    write_unlogged(12);
    must_operate(ADOPT, "now has a sink log: it lists 26 files (");
    to_batch = 11;
    assert_refuses(REWIND, ERROR_STATE, "which batch");
    fixture_must_advance(&fixture, 15, 1);
    to_batch = 12;
    must_operate(REWIND, "6 table files");
    assert_int_equal(listed(12), 26);
}

/* Spark's log is JSON: such a name cannot be written there, and another name would lose the file.
 * The operation stops before any change. */
static void a_file_whose_name_is_not_utf8_is_refused(void **state) {
    (void)state;
    write_unlogged(4);
    fixture_write(&fixture, TABLE "status=live/caf\xe9.parquet", "x");
    scoped(scope_free) char *said = NULL;
    struct error err = {0};
    assert_false(operate(ADOPT, &said, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "is not UTF-8"));
    assert_false(fixture_has(&fixture, SINK_LOG));
    remove_path(TABLE "status=live/caf\xe9.parquet");
    must_operate(ADOPT, "now has a sink log: it lists 10 files (");
}

/* ---- the set ---- */

static void a_set_knows_its_members_and_its_duplicates(void **state) {
    (void)state;
    struct path_set set = {0};
    assert_int_equal(path_set_seal(&set), 0);
    assert_false(path_set_has(&set, "a"));
    for (int i = 0; i < 5000; i++) {
        scoped(scope_free) char *path = fixture_text("status=live/part-%d.parquet", i);
        path_set_add(&set, path);
    }
    path_set_add(&set, "status=live/part-7.parquet");
    assert_int_equal(path_set_seal(&set), 1);
    assert_true(path_set_has(&set, "status=live/part-4999.parquet"));
    assert_false(path_set_has(&set, "status=live/part-5000.parquet"));
    path_set_deinit(&set);
}

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

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(a_young_table_is_adopted_into_its_newest_batch),
        ON_DISK(an_old_table_is_adopted_into_a_compact_file),
        ON_DISK(an_adopted_batch_whose_commit_is_lost_is_not_taken_back),
        ON_DISK(an_adopted_entry_is_what_the_sink_log_would_have_written),
        ON_DISK(a_file_that_a_sink_log_cannot_list_is_refused),
        ON_DISK(without_a_checkpoint_every_operation_is_refused),
        ON_DISK(a_running_query_is_named),
        ON_DISK(a_log_that_agrees_with_the_files_is_released),
        ON_DISK(a_log_that_disagrees_is_not_released),
        ON_DISK(another_cluster_does_not_get_the_topic_ids_of_the_old_one),
        ON_DISK(an_unreadable_manifest_prevents_a_change_of_the_cluster),
        ON_DISK(a_moved_table_is_refused_until_it_is_relocated),
        ON_DISK(a_moved_log_is_refused_without_a_manifest_too),
        ON_DISK(the_path_of_a_moved_checkpoint_is_written_into_the_signatures),
        ON_DISK(a_table_with_missing_files_is_not_relocated),
        ON_DISK(batches_are_rewound_and_run_again),
        ON_DISK(an_open_plan_is_rewound_too),
        ON_DISK(a_table_without_a_sink_log_is_rewound_by_its_manifests),
        ON_DISK(a_rewind_to_an_impossible_batch_is_refused),
        ON_DISK(a_file_whose_name_is_not_utf8_is_refused),
        ON_DISK(an_adopted_batch_with_unreadable_files_is_not_rewound),
        cmocka_unit_test(a_set_knows_its_members_and_its_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
