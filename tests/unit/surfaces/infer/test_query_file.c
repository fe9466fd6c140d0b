#include "infer/infer_rig.h"

static char *printed;
static struct sql_file file;
static struct query_plan plan;

static void print_file(const char *topic, bool with_values) {
    size_t size;
    struct error err = {0};
    FILE *out = open_memstream(&printed, &size);
    query_file_print(
        out, &shapes,
        &(struct infer_source){.topic = topic, .origin = "a test", .with_values = with_values});
    (void)fclose(out);
    if (!sql_parse("printed", printed, size, &file, &err))
        fail_msg("%s\n%s", err.message, printed);
}

static void plan_table(size_t index) {
    struct error err = {0};
    assert_true(index < file.table_count);
    if (!plan_make(&file, index, &plan, &err))
        fail_msg("%s\n%s", err.message, printed);
}

static void finish(void) {
    plan_deinit(&plan);
    plan = (struct query_plan){0};
    sql_file_deinit(&file);
    free(printed);
    end(NULL);
}

/* "id STRING!, n INT, …": '!' for NOT NULL; without Kafka's four. */
static void assert_columns(const char *expected) {
    enum { KAFKA_COLUMNS = 4 };
    char text[4096] = "";
    size_t used = 0;
    for (size_t i = 0; i + KAFKA_COLUMNS < plan.column_count; i++)
        used = text_append(text, sizeof text, used, "%s%s %s%s", i > 0 ? ", " : "",
                           plan.columns[i].name, data_type_text(&plan.columns[i].type, &plan.pool),
                           plan.columns[i].required ? "!" : "");
    assert_string_equal(text, expected);
}

#define ASSERT_HAS(text) assert_non_null(strstr(printed, text))
#define ASSERT_HAS_NOT(text) assert_null(strstr(printed, text))

#define MATCH(id, queue, start)                                                                    \
    "{\"metadata\":{\"matchId\":\"" id "\",\"dataVersion\":\"2\"},\"info\":{\"gameId\":" queue     \
    "1234,\"queueId\":" queue ",\"gameStartTimestamp\":" start                                     \
    ",\"teams\":[{\"teamId\":100,\"win\":true,\"bans\":[{\"id\":1}]}],\"tags\":[\"x\"],"           \
    "\"frames\":{\"1\":{\"x\":1},\"2\":{\"x\":2}}}}"

static void nested_documents_become_a_table_with_identifier_and_day(void **state) {
    (void)state;
    RECORDS(MATCH("EUW1_1", "420", "1717200000000"), MATCH("EUW1_2", "430", "1717200060000"));
    print_file("riot-matches", true);
    assert_int_equal(file.table_count, 2);
    plan_table(0);
    assert_string_equal(plan.name, "riot_matches");
    assert_string_equal(plan.topic, "riot-matches");
    assert_columns("match_id STRING!, data_version STRING, game_id INT, queue_id INT, "
                   "game_start_timestamp TIMESTAMP, day DATE");
    assert_int_equal(plan.partition_column_count, 1);
    assert_string_equal(plan.columns[plan.partition_columns[0]].name, "day");
    assert_string_equal(expr_text(&plan, plan.columns[5].expr, &plan.pool),
                        "CAST(timestamp_millis(info.gameStartTimestamp) AS DATE)");
    assert_string_equal(data_type_text(&plan.record, &plan.pool),
                        "STRUCT<metadata: STRUCT<matchId: STRING, dataVersion: STRING>, info: "
                        "STRUCT<gameId: INT, queueId: INT, gameStartTimestamp: BIGINT, teams: "
                        "ARRAY<STRUCT<teamId: INT, win: BOOLEAN, bans: ARRAY<STRUCT<id: INT>>>>, "
                        "tags: ARRAY<STRING>, frames: MAP<STRING, STRUCT<x: INT>>>>");
    ASSERT_HAS("-- Inferred by esports-stream from 2 JSON objects of the topic 'riot-matches'\n"
               "-- (a test).\n");
    ASSERT_HAS("    matchId: STRING, -- \"EUW1_1\", \"EUW1_2\"\n");
    ASSERT_HAS("  match_id STRING NOT NULL, -- unique in 2 records\n");
    ASSERT_HAS("-- info.tags, ARRAY<STRING>, is not a column.\n");
    ASSERT_HAS("-- info.frames, MAP<STRING, STRUCT<…>>, is not a column.\n");
    ASSERT_HAS("\nCREATE STREAMING TABLE riot_matches_teams (\n  match_id STRING NOT NULL,\n");
    finish();
}

static void arrays_of_objects_become_tables_of_their_own(void **state) {
    (void)state;
    RECORDS(MATCH("EUW1_1", "420", "1717200000000"));
    print_file("riot-matches", true);
    assert_int_equal(file.table_count, 2);
    const struct sql_table *teams = &file.tables[1];
    assert_string_equal(teams->name, "riot_matches_teams");
    assert_int_equal(teams->view_count, 1);
    assert_true(teams->views[0].outer && teams->views[0].with_position);
    static const char *const columns[] = {"match_id", "day", "position", "team_id", "win"};
    assert_int_equal(teams->column_count, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < teams->column_count; i++)
        assert_string_equal(teams->columns[i].name, columns[i]);
    assert_true(teams->columns[0].required);
    ASSERT_HAS("LATERAL VIEW OUTER posexplode(info.teams) elements AS pos, item;\n");
    ASSERT_HAS("  item.teamId AS team_id,\n");
    ASSERT_HAS("-- item.bans, ARRAY<STRUCT<…>>, is not a column.\n");
    plan_table(1);
    assert_columns("match_id STRING!, day DATE, position INT, team_id INT, win BOOLEAN");
    finish();
}

static void aliases_of_an_element_differ_from_the_fields_of_the_record(void **state) {
    (void)state;
    RECORDS("{\"pos\":1,\"Item\":{\"a\":1},\"list\":[{\"position\":1,\"x\":2}]}");
    print_file("t", true);
    ASSERT_HAS("posexplode(list) elements AS pos_, item_;\n");
    plan_table(1);
    assert_columns("position INT, list_position INT, x INT");
    ASSERT_HAS("  pos_ AS position,\n  item_.position AS list_position,\n  item_.x AS x\n");
    finish();
}

static void odd_keys_are_quoted_and_names_are_unique(void **state) {
    (void)state;
    RECORDS("{\"order\":1,\"null\":2,\"DateTime UTC\":\"x\",\"a`b\":3,\"offset\":4,\"é\":5,"
            "\"a\":{\"id\":6,\"b\":{\"id\":7},\"1st\":8},\"c\":{\"id\":9},\"Id\":10}");
    print_file("odd", true);
    plan_table(0);
    assert_columns("order INT, null INT, date_time_utc STRING, a_b INT, record_offset INT, "
                   "field INT, a_id INT, b_id INT, n1st INT, c_id INT, id INT!");
    ASSERT_HAS("  `null` AS null,\n");
    ASSERT_HAS("  `a``b` AS a_b,\n");
    ASSERT_HAS("  a.`1st` AS n1st,\n");
    finish();
}

static void a_record_cannot_write_into_the_file(void **state) {
    (void)state;
    RECORDS("{\"x\":\"*/ a\\nb\",\"back\\\\slash\":\"\\\\\",\"-- y\":\"\\u001b[31m\\u2028 DROP\"}",
            "{\"x\":\"a\xe2\x80\xa8 b\xff\"}");
    print_file("t", true);
    plan_table(0);
    assert_columns("x STRING, back_slash STRING, y STRING");
    for (const char *at = printed; *at != '\0'; at++)
        assert_true((unsigned char)*at >= ' ' || *at == '\n');
    assert_null(strstr(printed, "\xe2\x80\xa8"));
    finish();
}

static void values_can_be_left_out(void **state) {
    (void)state;
    RECORDS("{\"name\":\"secret-name\",\"list\":[\"secret-element\"],\"n\":[{\"x\":\"secret\"}]}");
    print_file("t", false);
    ASSERT_HAS_NOT("secret");
    ASSERT_HAS("-- What a record holds.\n");
    finish();
    RECORDS("{\"name\":\"secret-name\"}");
    print_file("t", true);
    ASSERT_HAS("name STRING -- \"secret-name\"\n");
    finish();
}

static void what_was_seen_is_in_comments(void **state) {
    (void)state;
    RECORDS("{\"mix\":1,\"nothing\":null,\"empty\":[],\"local\":\"2024-06-01 12:00:00\",\"S\":1}",
            "{\"mix\":\"a\",\"s\":1,\"rare\":true}", "[1]", "no");
    print_file("t", false);
    ASSERT_HAS(
        "-- Not used: 1 record, not JSON.\n-- Not used: 1 record, JSON, but not an object.\n");
    ASSERT_HAS("mix STRING, -- values of several types (number 1, text 1), kept as text\n");
    ASSERT_HAS("nothing STRING, -- always null: its type is unknown\n");
    ASSERT_HAS("empty ARRAY<STRING>, -- in 1 of 2; only empty arrays: the type of the elements is "
               "unknown\n");
    ASSERT_HAS("local TIMESTAMP, -- in 1 of 2; without a time zone: read in "
               "SPARK_SQL_SESSION_TIMEZONE\n");
    ASSERT_HAS("-- \"s\" is left out: another key is the same without regard to case\n");
    ASSERT_HAS("-- No field looks like an identifier.");
    ASSERT_HAS("-- No field looks like a partition column.");
    ASSERT_HAS("\n-- SELECT key, value FROM STREAM kafka('t');\n");
    plan_table(0);
    finish();
}

static void add_numbered(int count, const char *format) {
    begin();
    for (int i = 0; i < count; i++) {
        char *record = text_format(format, i, // NOLINT: one of ours
                                   (const char *const[]){"live", "finished", "scheduled"}[i % 3]);
        add(record);
        free(record);
    }
    shapes_finish(&shapes);
}

static void few_values_partition_a_table_that_has_no_moment(void **state) {
    (void)state;
    add_numbered(30, "{\"id\":%d,\"status\":\"%s\",\"flag\":true,\"code\":\"a\",\"name\":\"x\"}");
    print_file("events", true);
    plan_table(0);
    assert_columns("id INT!, status STRING, flag BOOLEAN, code STRING, name STRING");
    assert_int_equal(plan.partition_column_count, 1);
    assert_string_equal(plan.columns[plan.partition_columns[0]].name, "status");
    finish();
    add_numbered(30, "{\"id\":%d,\"status\":\"%s\",\"begin_at\":\"2024-06-01T00:00:00Z\"}");
    print_file("events", true);
    ASSERT_HAS("PARTITIONED BY (day) -- or: status (3 values)\n");
    ASSERT_HAS("CAST(begin_at AS DATE) AS day\n");
    finish();
    add_numbered(30, "{\"id\":%d,\"status\":\"%s\",\"date\":\"2024-06-01\"}");
    print_file("events", true);
    ASSERT_HAS("PARTITIONED BY (date) -- or: status (3 values)\n");
    finish();
}

static void an_epoch_of_0_is_null(void **state) {
    (void)state;
    RECORDS("{\"end_time\":1717200000000}", "{\"end_time\":0}");
    print_file("t", true);
    plan_table(0);
    assert_columns("end_time TIMESTAMP");
    ASSERT_HAS("timestamp_millis(nullif(end_time, 0)) AS end_time\n");
    assert_int_equal(plan.partition_column_count, 0);
    finish();
}

static void the_id_of_what_the_topic_holds_is_the_identifier(void **state) {
    (void)state;
    add_numbered(30, "{\"n\":%d,\"tournament_id\":1,\"info\":{\"match_id\":\"m%1$d\"},"
                     "\"request_id\":\"r%1$d\",\"s\":\"%s\"}");
    print_file("matches-raw", true);
    ASSERT_HAS("  match_id STRING NOT NULL, -- unique in 30 records\n");
    finish();
    add_numbered(30, "{\"n\":%d,\"note\":\"text %1$d\",\"s\":\"%s\"}");
    print_file("x", true);
    ASSERT_HAS("  note STRING NOT NULL, -- unique in 30 records\n");
    finish();
}

static void no_objects_give_a_table_of_bytes(void **state) {
    (void)state;
    RECORDS("not json");
    print_file("raw-topic", true);
    plan_table(0);
    assert_string_equal(plan.name, "raw_topic_bytes");
    assert_columns("key BINARY, value BINARY");
    finish();
    RECORDS("{}");
    print_file("raw-topic", true);
    plan_table(0);
    assert_columns("key BINARY, value BINARY");
    finish();
}

static void records_without_scalars_give_a_table_with_the_key(void **state) {
    (void)state;
    RECORDS("{\"list\":[{\"a\":1}],\"words\":[\"x\"]}");
    print_file("t", true);
    plan_table(0);
    assert_columns("record_key STRING");
    ASSERT_HAS("record_key STRING -- no scalar values were found\n");
    finish();
    RECORDS("{\"day\":\"2024-06-01\"}");
    print_file("t", true);
    plan_table(0);
    assert_columns("day DATE");
    assert_int_equal(plan.partition_column_count, 0);
    finish();
}

static void a_table_never_has_the_name_of_all_tables(void **state) {
    (void)state;
    RECORDS("{\"a\":1}");
    print_file("ALL", true);
    plan_table(0);
    assert_string_equal(plan.name, "all_table");
    finish();
}

static void a_table_has_a_bounded_number_of_columns(void **state) {
    (void)state;
    char *record;
    size_t size;
    FILE *out = open_memstream(&record, &size);
    for (int i = 0; i < 900; i++)
        (void)fprintf(out, "%s\"k%d\":1", i > 0 ? "," : "{", i);
    (void)fputs("}", out);
    (void)fclose(out);
    RECORDS(record);
    free(record);
    print_file("t", true);
    plan_table(0);
    assert_int_equal(plan.column_count, 504);
    ASSERT_HAS("-- 400 more values are left out: ");
    finish();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_documents_become_a_table_with_identifier_and_day),
        cmocka_unit_test(arrays_of_objects_become_tables_of_their_own),
        cmocka_unit_test(aliases_of_an_element_differ_from_the_fields_of_the_record),
        cmocka_unit_test(odd_keys_are_quoted_and_names_are_unique),
        cmocka_unit_test(a_record_cannot_write_into_the_file),
        cmocka_unit_test(values_can_be_left_out),
        cmocka_unit_test(what_was_seen_is_in_comments),
        cmocka_unit_test(few_values_partition_a_table_that_has_no_moment),
        cmocka_unit_test(an_epoch_of_0_is_null),
        cmocka_unit_test(the_id_of_what_the_topic_holds_is_the_identifier),
        cmocka_unit_test(no_objects_give_a_table_of_bytes),
        cmocka_unit_test(records_without_scalars_give_a_table_with_the_key),
        cmocka_unit_test(a_table_never_has_the_name_of_all_tables),
        cmocka_unit_test(a_table_has_a_bounded_number_of_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
