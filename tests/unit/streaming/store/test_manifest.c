#include "drop_checksum.h"
#include "store_fixture.h"

#include "base/scope.h"
#include "base/text.h"
#include "streaming/store/manifest.h"

static const struct manifest_origin origin = {
    .query_id = "da77e58c-99e0-4b75-b7d5-d1673dcb880c",
    .topic = "t1",
    .table = "/lake/processed/matches",
    .rejects_table = "/lake/rejected/matches",
};

static const char written[] =
    "v1\n{\"batch\":5,\"timestampMs\":1795366883125,"
    "\"query\":\"da77e58c-99e0-4b75-b7d5-d1673dcb880c\",\"topic\":\"t1\","
    "\"table\":\"/lake/processed/matches\",\"rejectsTable\":\"/lake/rejected/matches\","
    "\"files\":[{\"path\":\"status=a%2Fb\xc3\xa9/part-1.parquet\",\"staged\":\"1.staged\","
    "\"size\":100,\"rows\":2,\"modifiedMs\":7}],"
    "\"rejects\":[{\"path\":\"part-2.parquet\",\"staged\":\"2.staged\",\"size\":50,\"rows\":1,"
    "\"modifiedMs\":8}],"
    "\"ranges\":[{\"partition\":3,\"start\":10,\"end\":15,\"rows\":2,\"rejects\":1,\"absent\":2,"
    "\"lost\":0}]}";

static bool parse(const char *text, struct error *err) {
    struct manifest manifest;
    *err = (struct error){0};
    bool ok = manifest_parse(text, strlen(text), 5, &origin, &manifest, err);
    if (ok)
        manifest_deinit(&manifest);
    return ok;
}

static void what_is_written_is_read_again(void **state) {
    (void)state;
    struct manifest manifest;
    struct error err;
    assert_true(manifest_parse(written, sizeof written - 1, 5, &origin, &manifest, &err));
    assert_int_equal(manifest.files.count, 1);
    assert_string_equal(manifest.files.files[0].staged, "1.staged");
    assert_int_equal(manifest.rejects.files[0].size, 50);
    assert_int_equal(manifest.outcomes[0].absent, 2);
    size_t size;
    scoped(scope_free) char *text = manifest_print(&manifest, &origin, &size);
    assert_int_equal(size, strlen(text));
    drop_checksum(text);
    assert_string_equal(text, written);
    manifest_deinit(&manifest);
}

/* One wrong thing in a text that is right otherwise, and a part of what is said of it. */
struct mistake {
    const char *from, *to, *why;
};

/* `whole` with its first `from` replaced by `to` is refused. */
static void assert_refused(const char *whole, const struct mistake *mistake) {
    struct error err;
    const char *at = strstr(whole, mistake->from);
    check(at != NULL);
    scoped(scope_free) char *text =
        fixture_text("%.*s%s%s", (int)(at - whole), whole, mistake->to, at + strlen(mistake->from));
    if (parse(text, &err))
        fail_msg("accepted %s", mistake->to);
    assert_int_equal(err.kind, ERROR_STATE);
    if (strstr(err.message, mistake->why) == NULL)
        fail_msg("%s: expected '%s', not: %s", mistake->to, mistake->why, err.message);
}

static void one_wrong_thing_is_enough_to_refuse(void **state) {
    (void)state;
    static const struct mistake cases[] = {
        {"v1", "v2", "list of replayed offsets does not match its version"},
        {"v1", "v3", "its engine does not match its version"},
        {"v1", "v4", "its incarnation does not match its version"},
        {"v1", "v5", "the counts of range 0 do not add up"},
        {"v1", "v6", "esports-stream " PROGRAM_VERSION " reads up to 'v5': use the newer version"},
        {"v1", "w1", "first line"},
        {"\"batch\":5", "\"batch\":6", "not the manifest of batch 5"},
        {"\"timestampMs\":1795366883125", "\"timestampMs\":\"x\"", "not the manifest of batch 5"},
        {"da77", "ea77", "its \"query\" is"},
        {"\"topic\":\"t1\"", "\"topic\":\"t2\"", "set the topic back"},
        {"/lake/processed", "/pond/processed", "if the lake was moved"},
        {"/lake/rejected", "/pond/rejected", "if the lake was moved"},
        {"\"files\":[", "\"fils\":[", "no list of files"},
        {"\"path\":\"status", "\"path\":\"/status", "entry 0 of its list of files is incomplete"},
        {"\"path\":\"status", "\"path\":\"../status", "entry 0 of its list of files is incomplete"},
        {"\"path\":\"status", "\"path\":\"a/../status",
         "entry 0 of its list of files is incomplete"},
        {"\"path\":\"status", "\"path\":\"a//status", "entry 0 of its list of files is incomplete"},
        {"1.staged", "../1.staged", "entry 0 of its list of files is incomplete"},
        {"1.staged", "a/1.staged", "entry 0 of its list of files is incomplete"},
        {"1.staged", "", "entry 0 of its list of files is incomplete"},
        {"\"size\":100", "\"size\":0", "entry 0 of its list of files is incomplete"},
        {"\"size\":100", "\"size\":1e2", "entry 0 of its list of files is incomplete"},
        {"\"modifiedMs\":7", "\"modified\":7", "entry 0 of its list of files is incomplete"},
        {"\"rows\":2,\"mod", "\"rows\":3,\"mod", "row counts of its files and its ranges differ"},
        {"\"rows\":1,\"mod", "\"rows\":2,\"mod", "row counts of its files and its ranges differ"},
        {"\"ranges\"", "\"range\"", "no list of ranges"},
        {"\"end\":15", "\"end\":16", "the counts of range 0 do not add up"},
        {"\"absent\":2", "\"absent\":-2", "the counts of range 0 do not add up"},
        {"\"lost\":0", "\"lost\":1", "the counts of range 0 do not add up"},
        {"\"partition\":3", "\"partition\":-3", "the counts of range 0 do not add up"},
        {"\"rows\":2,\"mod", "\"rows\":9223372036854775807,\"mod",
         "entry 0 of its list of files is incomplete"},
        {"\"size\":100", "\"size\":9223372036854775807",
         "entry 0 of its list of files is incomplete"},
        {"\"ranges\":[", // whose sum does not fit into a number
         "\"ranges\":["
         "{\"partition\":0,\"start\":0,\"end\":9223372036854775807,\"rows\":9223372036854775807,"
         "\"rejects\":0,\"absent\":0,\"lost\":0},"
         "{\"partition\":1,\"start\":0,\"end\":9223372036854775807,\"rows\":9223372036854775807,"
         "\"rejects\":0,\"absent\":0,\"lost\":0},",
         "row counts of its files and its ranges differ"},
        {"\"lost\":0}]}", "\"lost\":0}]", "invalid JSON"},
        {"\"lost\":0}]}", "\"lost\":0}]}x", "invalid JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(written, &cases[i]);
}

static const char replay[] =
    "v2\n{\"batch\":5,\"timestampMs\":1795366883125,"
    "\"query\":\"da77e58c-99e0-4b75-b7d5-d1673dcb880c\",\"topic\":\"t1\","
    "\"table\":\"/lake/processed/matches\",\"rejectsTable\":\"/lake/rejected/matches\","
    "\"files\":[{\"path\":\"status=live/part-1.parquet\",\"staged\":\"1.staged\","
    "\"size\":100,\"rows\":4,\"modifiedMs\":7}],\"rejects\":[],\"ranges\":[],"
    "\"replayed\":[{\"partition\":0,\"offsets\":\"5,7-9\"}]}";

static void a_replay_says_which_rejects_it_took(void **state) {
    (void)state;
    struct manifest manifest;
    struct error err;
    assert_true(manifest_parse(replay, sizeof replay - 1, 5, &origin, &manifest, &err));
    assert_int_equal(manifest.replayed.count, 4);
    assert_true(resolved_has(&manifest.replayed, 0, 0, 8));
    size_t size;
    scoped(scope_free) char *text = manifest_print(&manifest, &origin, &size);
    drop_checksum(text);
    assert_string_equal(text, replay);
    manifest_deinit(&manifest);

    struct manifest_origin moved_to = origin;
    moved_to.table = "/pond/processed/matches";
    scoped(scope_free) char *moved = NULL;
    assert_true(manifest_move(replay, sizeof replay - 1, 5, &moved_to, &moved, &size, &err));
    assert_true(manifest_parse(moved, size, 5, &moved_to, &manifest, &err));
    assert_int_equal(manifest.replayed.count, 4);
    manifest_deinit(&manifest);
}

static void a_replay_that_does_not_add_up_is_refused(void **state) {
    (void)state;
    static const struct mistake cases[] = {
        {"v2", "v1", "does not match its version"},
        {"\"replayed\"", "\"replay\"", "does not match its version"},
        {"7-9", "7-8", "row counts of its files and its ranges differ"},
        {"7-9", "9-7", "list of offsets in it cannot be read"},
        {"\"replayed\":[{\"partition\":0,\"offsets\":\"5,7-9\"}]", "\"replayed\":[]",
         "does not match its other content"},
        {"\"rejects\":[]",
         "\"rejects\":[{\"path\":\"a\",\"staged\":\"b\",\"size\":1,\"rows\":1,"
         "\"modifiedMs\":1}]",
         "does not match its other content"},
        {"\"ranges\":[]",
         "\"ranges\":[{\"partition\":3,\"start\":10,\"end\":10,\"rows\":0,"
         "\"rejects\":0,\"absent\":0,\"lost\":0}]",
         "does not match its other content"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(replay, &cases[i]);
}

static const char spark[] =
    "v3\n{\"batch\":5,\"timestampMs\":1795366883125,"
    "\"query\":\"da77e58c-99e0-4b75-b7d5-d1673dcb880c\",\"topic\":\"t1\","
    "\"table\":\"/lake/processed/matches\",\"rejectsTable\":\"/lake/rejected/matches\","
    "\"files\":[],\"rejects\":[{\"path\":\"part-2.parquet\",\"staged\":\"2.staged\",\"size\":50,"
    "\"rows\":7,\"modifiedMs\":8}],\"ranges\":[],\"engine\":\"spark\"}";

static void a_batch_of_spark_s_has_rejects_only(void **state) {
    (void)state;
    struct manifest manifest;
    struct error err;
    assert_true(manifest_parse(spark, sizeof spark - 1, 5, &origin, &manifest, &err));
    assert_true(manifest.of_spark);
    assert_int_equal(manifest.rejects.files[0].rows, 7);
    size_t size;
    scoped(scope_free) char *text = manifest_print(&manifest, &origin, &size);
    drop_checksum(text);
    assert_string_equal(text, spark);
    manifest_deinit(&manifest);

    static const struct mistake cases[] = {
        {"v3", "v1", "its engine does not match its version"},
        {"\"engine\":\"spark\"", "\"engine\":\"flink\"", "its engine does not match its version"},
        {",\"engine\":\"spark\"", "", "its engine does not match its version"},
        {"\"files\":[]",
         "\"files\":[{\"path\":\"a\",\"staged\":\"b\",\"size\":1,\"rows\":1,\"modifiedMs\":1}]",
         "lists files or counts"},
        {"\"ranges\":[]",
         "\"ranges\":[{\"partition\":3,\"start\":10,\"end\":10,\"rows\":0,"
         "\"rejects\":0,\"absent\":0,\"lost\":0}]",
         "lists files or counts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(spark, &cases[i]);
}

static void a_truncated_manifest_is_refused_wherever_it_is_cut(void **state) {
    (void)state;
    for (size_t size = 0; size < sizeof written - 1; size++) {
        struct manifest manifest;
        struct error err;
        assert_false(manifest_parse(written, size, 5, &origin, &manifest, &err));
    }
}

static const char moving[] =
    "v4\n{\"batch\":5,\"timestampMs\":17,"
    "\"query\":\"da77e58c-99e0-4b75-b7d5-d1673dcb880c\",\"topic\":\"t1\","
    "\"table\":\"/lake/processed/matches\",\"rejectsTable\":\"/lake/rejected/matches\","
    "\"files\":[],\"rejects\":[],\"ranges\":[],\"topicId\":\"two\","
    "\"incarnation\":{\"number\":2,\"sinceMs\":17,\"begun\":[{\"batch\":5,\"sinceMs\":17,"
    "\"former\":{\"0\":100,\"1\":50},\"knownEnds\":{\"0\":120},\"starts\":{\"0\":0}}]}}";

static void an_incarnation_of_the_topic_is_said_in_version_4(void **state) {
    (void)state;
    struct manifest manifest;
    struct error err;
    assert_true(manifest_parse(moving, strlen(moving), 5, &origin, &manifest, &err));
    assert_int_equal(manifest.incarnation.number, 2);
    assert_int_equal(manifest.incarnation.since_ms, 17);
    assert_string_equal(manifest.incarnation.topic_id, "two");
    assert_int_equal(manifest.begun.count, 1);
    assert_int_equal(incarnation_begin_lost(manifest.begun.begins), 20);
    size_t size;
    scoped(scope_free) char *text = manifest_print(&manifest, &origin, &size);
    drop_checksum(text);
    assert_string_equal(text, moving);
    manifest_deinit(&manifest);
    static const struct mistake cases[] = {
        {"v4", "v1", "its incarnation does not match its version"},
        {"\"number\":2", "\"number\":0", "its incarnation of the topic cannot be read"},
        {"\"sinceMs\":17,\"begun\"", "\"begun\"", "its incarnation of the topic cannot be read"},
        {"\"former\":{\"0\":100", "\"former\":{\"0\":-1",
         "of its topic incarnations cannot be read"},
        {"\"starts\":{\"0\":0}", "\"s\":0", "of its topic incarnations cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(moving, &cases[i]);
}

static void the_id_of_a_topic_can_be_removed_and_all_else_stays(void **state) {
    (void)state;
    struct error err;
    size_t size;
    scoped(scope_free) char *without = NULL;
    scoped(scope_free) char *again = NULL;
    assert_true(manifest_remove_topic_id(moving, strlen(moving), &without, &size, &err));
    const char *at = strstr(moving, "\"topicId\":\"two\","); // found, by the test above
    scoped(scope_free) char *expected =
        fixture_text("%.*s%s", (int)(at - moving), moving, at + strlen("\"topicId\":\"two\","));
    assert_int_equal(size, strlen(without));
    drop_checksum(without);
    assert_string_equal(without, expected);
    assert_true(manifest_remove_topic_id(without, strlen(without), &again, &size, &err));
    assert_null(again);
    assert_false(manifest_remove_topic_id("v6\n{}", 5, &again, &size, &err));
    assert_int_equal(err.kind, ERROR_STATE);
}

/* ---- records that are not one row each ---- */

static const char exploding[] =
    "v5\n{\"batch\":5,\"timestampMs\":1795366883125,"
    "\"query\":\"da77e58c-99e0-4b75-b7d5-d1673dcb880c\",\"topic\":\"t1\","
    "\"table\":\"/lake/processed/matches\",\"rejectsTable\":\"/lake/rejected/matches\","
    "\"files\":[{\"path\":\"part-1.parquet\",\"staged\":\"1.staged\",\"size\":100,\"rows\":11,"
    "\"modifiedMs\":7}],\"rejects\":[{\"path\":\"part-2.parquet\",\"staged\":\"2.staged\","
    "\"size\":50,\"rows\":1,\"modifiedMs\":8}],"
    "\"ranges\":[{\"partition\":3,\"start\":10,\"end\":22,\"rows\":11,\"rejects\":1,\"absent\":2,"
    "\"lost\":1,\"records\":4,\"empty\":1,\"filtered\":3,\"exploded\":20,\"filteredRows\":9}]}";

static void records_and_rows_are_counted_apart_in_version_5(void **state) {
    (void)state;
    struct manifest manifest;
    struct error err;
    if (!manifest_parse(exploding, strlen(exploding), 5, &origin, &manifest, &err))
        fail_msg("%s", err.message);
    const struct range_outcome *outcome = manifest.outcomes;
    assert_true(manifest.counts_rows);
    assert_int_equal(outcome->records, 4);
    assert_int_equal(outcome->rejects, 1);
    assert_int_equal(outcome->empty, 1);
    assert_int_equal(outcome->filtered, 3);
    assert_int_equal(outcome->absent, 2);
    assert_int_equal(outcome->lost, 1);
    assert_int_equal(outcome->rows, 11);
    assert_int_equal(outcome->exploded, 20);
    assert_int_equal(outcome->filtered_rows, 9);
    size_t size;
    scoped(scope_free) char *text = manifest_print(&manifest, &origin, &size);
    drop_checksum(text);
    assert_string_equal(text, exploding);
    manifest_deinit(&manifest);
}

static void in_the_versions_before_each_record_is_one_row(void **state) {
    (void)state;
    struct manifest manifest;
    struct error err;
    assert_true(manifest_parse(written, strlen(written), 5, &origin, &manifest, &err));
    const struct range_outcome *outcome = manifest.outcomes;
    assert_false(manifest.counts_rows);
    assert_int_equal(outcome->records, 2);
    assert_int_equal(outcome->exploded, 2);
    assert_int_equal(outcome->empty + outcome->filtered + outcome->filtered_rows, 0);
    manifest_deinit(&manifest);
    assert_true(manifest_parse(replay, strlen(replay), 5, &origin, &manifest, &err));
    struct range_outcome sum = manifest_sum(&manifest);
    assert_int_equal(sum.records, 4);
    assert_int_equal(sum.rows, 4);
    assert_int_equal(sum.exploded, 4);
    manifest_deinit(&manifest);
}

static void each_sum_of_version_5_must_add_up(void **state) {
    (void)state;
    static const char why[] = "the counts of range 0 do not add up";
    static const struct mistake cases[] = {
        {"v5", "v4", why},
        {"v5", "v1", why},
        {"\"records\":4", "\"records\":5", why}, // not all offsets, or more than all
        {"\"records\":4", "\"records\":3", why},
        {"\"empty\":1", "\"empty\":2", why},
        {"\"filtered\":3", "\"filtered\":2", why},
        {"\"rejects\":1", "\"rejects\":0", why},
        {"\"absent\":2", "\"absent\":3", why},
        {"\"lost\":1", "\"lost\":0", why},
        {"\"records\":4,\"empty\":1", "\"records\":6,\"empty\":-1", why},
        {"\"records\":4,\"empty\":1", "\"records\":-4,\"empty\":9", why},
        {"\"rows\":11,\"rej", "\"rows\":12,\"rej", why}, // not exploded - filteredRows
        {"\"exploded\":20", "\"exploded\":21", why},
        {"\"filteredRows\":9", "\"filteredRows\":8", why},
        {"\"exploded\":20,\"filteredRows\":9", "\"exploded\":13,\"filteredRows\":2", why},
        {"\"exploded\":20,\"filteredRows\":9", "\"exploded\":2,\"filteredRows\":-9", why},
        {"\"exploded\":20,\"filteredRows\":9",
         "\"exploded\":9223372036854775807,\"filteredRows\":9223372036854775796", why},
        {"\"rows\":11,\"rejects\":1,\"absent\":2,\"lost\":1,\"records\":4",
         "\"rows\":3,\"rejects\":1,\"absent\":2,\"lost\":1,\"records\":4", why},
        {"\"records\":4,\"empty\":1", "\"records\":0,\"empty\":5", why}, // rows of no record
        {",\"records\":4", "", why},
        {",\"empty\":1", "", why},
        {",\"filtered\":3", "", why},
        {",\"exploded\":20", "", why},
        {",\"filteredRows\":9", "", why},
        {"\"rows\":11,\"mod", "\"rows\":10,\"mod", "row counts of its files and its ranges differ"},
        {"22,\"rows\":11", "9,\"rows\":11", why},
        {"}]}", "}],\"engine\":\"spark\"}", "its engine does not match its version"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(exploding, &cases[i]);
}

/* Fewer rows than records, and rows that were left out of no record. */
static void rows_are_those_of_records(void **state) {
    (void)state;
    static const char tail[] = "\"rows\":11,\"rejects\":1,\"absent\":2,\"lost\":1,\"records\":4,"
                               "\"empty\":1,\"filtered\":3,\"exploded\":20,\"filteredRows\":9";
    static const struct mistake cases[] = {
        {tail,
         "\"rows\":3,\"rejects\":1,\"absent\":2,\"lost\":1,\"records\":4,"
         "\"empty\":1,\"filtered\":3,\"exploded\":12,\"filteredRows\":9",
         "the counts of range 0 do not add up"},
        {tail,
         "\"rows\":0,\"rejects\":1,\"absent\":2,\"lost\":1,\"records\":0,"
         "\"empty\":8,\"filtered\":0,\"exploded\":9,\"filteredRows\":9",
         "the counts of range 0 do not add up"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(exploding, &cases[i]);
}

static const char exploding_replay[] =
    "v5\n{\"batch\":5,\"timestampMs\":17,"
    "\"query\":\"da77e58c-99e0-4b75-b7d5-d1673dcb880c\",\"topic\":\"t1\","
    "\"table\":\"/lake/processed/matches\",\"rejectsTable\":\"/lake/rejected/matches\","
    "\"files\":[{\"path\":\"part-1.parquet\",\"staged\":\"1.staged\",\"size\":100,\"rows\":8,"
    "\"modifiedMs\":7}],\"rejects\":[],\"ranges\":[],"
    "\"replayed\":[{\"partition\":0,\"offsets\":\"5,7-9\"},{\"partition\":2,\"offsets\":\"1\"}],"
    "\"replayedCounts\":[{\"partition\":0,\"records\":2,\"empty\":1,\"filtered\":1,\"exploded\":12,"
    "\"filteredRows\":5,\"rows\":7},{\"partition\":2,\"records\":1,\"empty\":0,\"filtered\":0,"
    "\"exploded\":1,\"filteredRows\":0,\"rows\":1}],"
    "\"replayedWithoutRows\":[{\"partition\":0,\"offsets\":\"7-8\"}]}";

static void a_replay_has_the_counts_of_its_rejects(void **state) {
    (void)state;
    struct manifest manifest;
    struct error err;
    size_t size;
    if (!manifest_parse(exploding_replay, strlen(exploding_replay), 5, &origin, &manifest, &err))
        fail_msg("%s", err.message);
    struct range_outcome sum = manifest_sum(&manifest);
    assert_int_equal(sum.records, 3);
    assert_int_equal(sum.empty, 1);
    assert_int_equal(sum.filtered, 1);
    assert_int_equal(sum.rows, 8);
    assert_true(resolved_has(&manifest.replay_counts.rowless, 0, 0, 7));
    assert_true(resolved_has(&manifest.replayed, 0, 0, 7));
    scoped(scope_free) char *text = manifest_print(&manifest, &origin, &size);
    drop_checksum(text);
    assert_string_equal(text, exploding_replay);
    manifest_deinit(&manifest);

    // The same, as it is made: one record after the other.
    struct manifest made = {.batch_id = 5, .timestamp_ms = 17, .counts_rows = true};
    static const int64_t records[][4] = {
        {2, 1, 1, 1}, {0, 9, 3, 3}, {0, 7, 0, 0}, {0, 5, 6, 4}, {0, 8, 3, 0}};
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        (void)resolved_add(&made.replayed, 0, (int32_t)records[i][0], records[i][1]);
        replay_counts_add(&made.replay_counts, 0, (int32_t)records[i][0], records[i][1],
                          records[i][2], records[i][3]);
    }
    file_list_add(&made.files, (struct data_file){.path = text_copy("part-1.parquet"),
                                                  .staged = text_copy("1.staged"),
                                                  .size = 100,
                                                  .rows = 8,
                                                  .modified_ms = 7});
    scoped(scope_free) char *same = manifest_print(&made, &origin, &size);
    drop_checksum(same);
    assert_string_equal(same, exploding_replay);
    manifest_deinit(&made);
}

static void each_sum_of_what_was_replayed_must_add_up(void **state) {
    (void)state;
    static const char why[] = "the counts of what was replayed do not add up";
    static const struct mistake cases[] = {
        {"5,7-9", "5,7-10", why},
        {"5,7-9", "5,8-9", why},
        {"7-8", "7", why},
        {"7-8", "6-7", why}, // not replayed at all
        {"\"replayedWithoutRows\":[{\"partition\":0", "\"replayedWithoutRows\":[{\"partition\":1",
         why},
        {"\"replayedWithoutRows\"", "\"without\"", why},
        {"\"replayedCounts\"", "\"counts\"", why},
        {"\"records\":2,\"empty\":1,\"filtered\":1", "\"records\":1,\"empty\":2,\"filtered\":1",
         why},
        {"\"empty\":1,\"filtered\":1", "\"empty\":3,\"filtered\":-1", why},
        {"\"exploded\":12", "\"exploded\":13", why},
        {"\"rows\":7}", "\"rows\":6}", why},
        {"{\"partition\":2,\"rec", "{\"partition\":0,\"rec", why},
        {"{\"partition\":2,\"rec", "{\"partition\":1,\"rec", why},
        {"{\"partition\":2,\"rec", "{\"incarnation\":1,\"partition\":2,\"rec", why},
        {"\"rows\":8", "\"rows\":5", "row counts of its files and its ranges differ"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(exploding_replay, &cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(one_wrong_thing_is_enough_to_refuse),
        cmocka_unit_test(a_replay_says_which_rejects_it_took),
        cmocka_unit_test(a_replay_that_does_not_add_up_is_refused),
        cmocka_unit_test(a_batch_of_spark_s_has_rejects_only),
        cmocka_unit_test(an_incarnation_of_the_topic_is_said_in_version_4),
        cmocka_unit_test(the_id_of_a_topic_can_be_removed_and_all_else_stays),
        cmocka_unit_test(a_truncated_manifest_is_refused_wherever_it_is_cut),
        cmocka_unit_test(records_and_rows_are_counted_apart_in_version_5),
        cmocka_unit_test(in_the_versions_before_each_record_is_one_row),
        cmocka_unit_test(each_sum_of_version_5_must_add_up),
        cmocka_unit_test(rows_are_those_of_records),
        cmocka_unit_test(a_replay_has_the_counts_of_its_rejects),
        cmocka_unit_test(each_sum_of_what_was_replayed_must_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
