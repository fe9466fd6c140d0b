#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "core/double_text.h"
#include "pipeline/derive.h"
#include "pipeline/json/decode_json.h"
#include "sql/syntax/parse.h"
#include "streaming/declare/stream.h"

/* ---- what the built-in queries declare ---- */

/* Those of the record, with what a sample of it draws from, and those that are computed. */
static void print_columns(FILE *out, const struct stream *stream) {
    const struct schema *schema = &stream->schema;
    for (size_t i = 0; i < schema->count; i++) {
        const struct column *column = &schema->columns[i];
        if (schema_is_decoded(schema, i) || schema_is_computed(schema, i))
            fprintf(out, "%s %s%s\n  %s\n  %s\n", column->name, column_sql_type(column).text,
                    column->required ? " NOT NULL" : "", column->doc,
                    schema_is_decoded(schema, i) ? schema->inputs[schema->sources[i]].sample
                                                 : column->expression);
    }
}

/* The recorded text is what was compiled in before there were query files. */
static void the_built_in_queries_are_the_recorded_ones(void **state) {
    (void)state;
    char *text, *recorded = NULL;
    size_t size, room = 0;
    FILE *out = open_memstream(&text, &size);
    FILE *file = fopen(TEST_DATA "/sql/builtin-queries.txt", "r");
    assert_non_null(file);
    for (size_t i = 0; streams[i] != NULL; i++) {
        const struct stream *stream = streams[i];
        fprintf(out, "%s%s %s %s\n%s %s\n%s %s\n", i > 0 ? "\n" : "", stream->name, stream->job,
                stream->class, stream->topic_setting, stream->topic, stream->partition_by_setting,
                stream->partition_by);
        print_columns(out, stream);
    }
    fclose(out);
    assert_true(getdelim(&recorded, &room, '\0', file) > 0);
    fclose(file);
    assert_string_equal(text, recorded);
    free(recorded);
    free(text);
}

static size_t column_of(const char *job, const char *name) {
    int column = schema_find(&stream_of(job)->schema, text_borrow(name));
    assert_true(column >= 0 && schema_is_computed(&stream_of(job)->schema, (size_t)column));
    return (size_t)column;
}

/* ---- the values of their expressions ---- */

static const struct {
    const char *job, *record, *column, *value;
} values[] = {
    // Minutes are cut toward zero.
    {"matches", "{\"match_duration\": 0}", "duration_minutes", "0"},
    {"matches", "{\"match_duration\": 59}", "duration_minutes", "0"},
    {"matches", "{\"match_duration\": 60}", "duration_minutes", "1"},
    {"matches", "{\"match_duration\": -59}", "duration_minutes", "0"},
    {"matches", "{\"match_duration\": -61}", "duration_minutes", "-1"},
    {"matches", "{\"match_duration\": -2147483648}", "duration_minutes", "-35791394"},
    {"matches", "{}", "duration_minutes", "null"},
    {"matches", "{\"status\": \"finished\"}", "is_completed", "true"},
    {"matches", "{\"status\": \"Finished\"}", "is_completed", "false"},
    {"matches", "{\"status\": \"finished \"}", "is_completed", "false"},
    {"matches", "{\"status\": \"\"}", "is_completed", "false"},
    {"matches", "{}", "is_completed", "null"},
    // A win rate that is missing is calculated.
    {"players", "{\"total_games\": 7, \"total_wins\": 3}", "calculated_win_rate", "42.86"},
    {"players", "{\"total_games\": 800, \"total_wins\": 29}", "calculated_win_rate", "3.62"},
    {"players", "{\"total_games\": 800, \"total_wins\": 1}", "calculated_win_rate", "0.13"},
    {"players", "{\"total_games\": 7, \"total_wins\": 3, \"win_rate\": 51.239}",
     "calculated_win_rate", "51.239"},
    {"players", "{\"total_games\": 0, \"total_wins\": 3}", "calculated_win_rate", "null"},
    {"players", "{\"total_games\": -1, \"total_wins\": 3}", "calculated_win_rate", "null"},
    {"players", "{\"total_games\": 7}", "calculated_win_rate", "null"},
    {"players", "{\"total_wins\": 3}", "calculated_win_rate", "null"},
    {"players", "{\"total_wins\": 3, \"win_rate\": 7.777}", "calculated_win_rate", "7.777"},
    {"players", "{\"total_games\": 3, \"total_wins\": -1}", "calculated_win_rate", "-33.33"},
    {"players", "{\"total_games\": 3, \"total_wins\": 0}", "calculated_win_rate", "0.0"},
    {"players", "{\"total_games\": -5, \"total_wins\": 3, \"win_rate\": 1.005}",
     "calculated_win_rate", "1.005"},
    // So is a KDA. In Spark NaN is more than every number.
    {"players", "{\"avg_kills\": 4.25, \"avg_deaths\": 2.5, \"avg_assists\": 7}", "calculated_kda",
     "4.5"},
    {"players", "{\"avg_kills\": 1, \"avg_deaths\": 3, \"avg_assists\": 1}", "calculated_kda",
     "0.67"},
    {"players", "{\"avg_kills\": 1, \"avg_deaths\": 0, \"avg_assists\": 1}", "calculated_kda",
     "99.99"},
    {"players", "{\"avg_deaths\": 0}", "calculated_kda", "99.99"},
    {"players", "{\"avg_kills\": 1, \"avg_deaths\": -0.0, \"avg_assists\": 1}", "calculated_kda",
     "99.99"},
    {"players", "{\"avg_deaths\": 2, \"avg_assists\": 1}", "calculated_kda", "null"},
    {"players", "{\"avg_kills\": 1, \"avg_deaths\": 2}", "calculated_kda", "null"},
    {"players", "{\"avg_kills\": 1, \"avg_assists\": 1}", "calculated_kda", "null"},
    {"players", "{\"avg_kills\": 1, \"avg_deaths\": -2, \"avg_assists\": 1}", "calculated_kda",
     "null"},
    {"players", "{\"kda_ratio\": 3.14159, \"avg_kills\": 1, \"avg_deaths\": 2, \"avg_assists\": 3}",
     "calculated_kda", "3.14159"},
    {"players", "{\"kda_ratio\": 3.14159, \"avg_kills\": 1, \"avg_assists\": 3}", "calculated_kda",
     "3.14159"},
    {"players", "{\"avg_kills\": 1, \"avg_deaths\": Infinity, \"avg_assists\": 1}",
     "calculated_kda", "0.0"},
    {"players", "{\"avg_kills\": Infinity, \"avg_deaths\": 1, \"avg_assists\": 1}",
     "calculated_kda", "Infinity"},
    {"players", "{\"avg_kills\": 1, \"avg_deaths\": NaN, \"avg_assists\": 1}", "calculated_kda",
     "NaN"},
    {"players", "{\"active\": true}", "status", "active"},
    {"players", "{\"active\": false}", "status", "inactive"},
    {"players", "{}", "status", "unknown"},
    // Nulls are left out of a name, empty parts are not.
    {"players", "{\"first_name\": \"Rasmus\", \"last_name\": \"Winther\"}", "full_name",
     "Rasmus Winther"},
    {"players", "{\"first_name\": \"A\"}", "full_name", "A"},
    {"players", "{\"last_name\": \"B\"}", "full_name", "B"},
    {"players", "{\"first_name\": \"\", \"last_name\": \"B\"}", "full_name", " B"},
    {"players", "{\"first_name\": \"A\", \"last_name\": \"\"}", "full_name", "A "},
    {"players", "{}", "full_name", ""},
    {"players", "{\"total_games\": -1}", "has_activity", "false"},
    {"players", "{\"total_games\": 0}", "has_activity", "false"},
    {"players", "{\"total_games\": 1}", "has_activity", "true"},
    {"players", "{}", "has_activity", "null"},
};

/* Rows of one query with its expressions, decoded in permissive mode. */
struct table {
    struct schema schema;
    struct rows rows;
    struct decoder *decoder;
    struct derive derive;
};

static void table_open(struct table *table, const char *job, size_t string_bytes) {
    struct error err;
    stream_schema(stream_of(job), &table->schema);
    rows_init(&table->rows, &table->schema, 4, string_bytes);
    assert_true(
        decode_json_open(&table->decoder, stream_of(job)->record, PARSE_PERMISSIVE, "UTC", &err));
    derive_init_all(&table->derive, &stream_of(job)->plan, &table->rows, zone_utc);
}

static void table_add(struct table *table, const char *text) {
    struct reject reject;
    struct record record = {.value = text, .value_size = strlen(text)};
    assert_int_equal(decode_record(table->decoder, &record, &table->rows, &reject), DECODE_ROW);
    table->rows.count++;
}

static void table_close(struct table *table) {
    derive_deinit(&table->derive);
    decoder_close(table->decoder);
    rows_deinit(&table->rows);
}

static const char *value_at(const struct table *table, const char *column, size_t row) {
    static char text[64];
    int index = schema_find(&table->schema, text_borrow(column));
    assert_true(index >= 0 && schema_is_computed(&table->schema, (size_t)index));
    const struct vector *vector = &table->rows.columns[index];
    if (!vector->valid[row])
        return "null";
    switch (vector->type) {
    case TYPE_BOOL:
        return vector->booleans[row] ? "true" : "false";
    case TYPE_INT32:
        snprintf(text, sizeof text, "%d", vector->int32s[row]);
        return text;
    case TYPE_DOUBLE:
        text[double_format(vector->doubles[row], text)] = '\0';
        return text;
    default:
        snprintf(text, sizeof text, "%.*s", (int)vector->texts[row].length,
                 vector->texts[row].bytes);
        return text;
    }
}

static void their_expressions_have_these_values(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct table table;
        table_open(&table, values[i].job, 1024);
        table_add(&table, values[i].record);
        assert_true(derive_rows(&table.derive, 0, 1, &table.rows.strings));
        const char *value = value_at(&table, values[i].column, 0);
        if (strcmp(value, values[i].value) != 0)
            fail_msg("%s: %s is %s, not %s", values[i].record, values[i].column, value,
                     values[i].value);
        table_close(&table);
    }
}

static void only_the_rows_of_the_range_are_derived(void **state) {
    (void)state;
    struct table table;
    table_open(&table, "matches", 1024);
    for (int row = 0; row < 3; row++)
        table_add(&table, "{\"match_duration\": 7200}");
    int32_t *minutes = table.rows.columns[column_of("matches", "duration_minutes")].int32s;
    minutes[0] = minutes[2] = -1;
    assert_true(derive_rows(&table.derive, 1, 1, &table.rows.strings));
    assert_int_equal(minutes[0], -1);
    assert_int_equal(minutes[1], 120);
    assert_int_equal(minutes[2], -1);
    table_close(&table);
}

static void texts_without_room_are_asked_for_again(void **state) {
    (void)state;
    struct table table;
    struct arena small, large;
    arena_init(&small, 2);
    arena_init(&large, 3);
    table_open(&table, "players", 1024);
    table_add(&table, "{\"first_name\": \"A\", \"last_name\": \"B\"}");
    assert_false(derive_rows(&table.derive, 0, 1, &small));
    assert_true(derive_rows(&table.derive, 0, 1, &large));
    assert_string_equal(value_at(&table, "full_name", 0), "A B");
    table_close(&table);
    arena_deinit(&small);
    arena_deinit(&large);
}

/* ---- files ---- */

#define RECORD                                                                                     \
    "CREATE TABLE r (id STRING, n INT, s STRUCT<x: INT>, bare INT) USING kafka OPTIONS ("          \
    "sample.id '{#}', sample.n '1..9', sample.s.x '1..2', subscribe "
#define KAFKA                                                                                      \
    "kafka_timestamp TIMESTAMP, partition INT, offset BIGINT, processing_timestamp TIMESTAMP"

static bool make(const char *topic, const char *table, struct stream *stream, struct error *err) {
    struct sql_file file;
    struct query_plan plan;
    char *text = text_format(RECORD "'%s');\n%s", topic, table);
    if (!sql_parse("q.sql", text, strlen(text), &file, err) || !plan_make(&file, 0, &plan, err))
        fail_msg("%s", err->message);
    sql_file_deinit(&file);
    free(text);
    return stream_make(&plan, stream, err);
}

static void a_file_becomes_a_stream(void **state) {
    (void)state;
    struct stream stream;
    struct error err = {0};
    if (!make("${KAFKA_TOPIC_X:-x}",
              "CREATE STREAMING TABLE `my-table` (id STRING NOT NULL, n INT, " KAFKA ", m INT) "
              "PARTITIONED BY (id) AS SELECT id, n, n + partition AS m FROM STREAM r",
              &stream, &err))
        fail_msg("%s", err.message);
    assert_string_equal(stream.name, "my-table");
    assert_string_equal(stream.class, "my-table");
    assert_string_equal(stream.topic_setting, "KAFKA_TOPIC_X");
    assert_string_equal(stream.topic, "x");
    assert_string_equal(stream.partition_by_setting, "MY_TABLE_PARTITION_BY");
    assert_string_equal(stream.partition_by, "id");
    assert_int_equal(stream.record->count, 2);
    assert_string_equal(stream.record->columns[1].sample, "1..9");
    assert_string_equal(stream.identifier, "id");
    assert_true(stream.record->has_identifier);
    assert_string_equal(stream.schema.columns[6].expression, "n + partition");
    stream_deinit(&stream);
}

/* Columns in any order, computed or not; hidden inputs; an alias used by another. */
static void a_table_needs_no_column_of_the_record(void **state) {
    (void)state;
    struct stream stream;
    struct error err = {0};
    if (!make("${X:-x}",
              "CREATE STREAMING TABLE t AS SELECT s.x + n AS a, a * 2 AS b, key, n AS c "
              "FROM STREAM r",
              &stream, &err))
        fail_msg("%s", err.message);
    static const char *const inputs[] = {
        "n", "s.x", "key", "partition", "offset", "timestamp", "processing_timestamp"};
    const struct schema *schema = &stream.schema;
    assert_int_equal(schema->input_count, 7);
    assert_int_equal(schema->record_count, 2);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(schema->inputs[i].name, inputs[i]);
    assert_int_equal(schema->count, 8);
    assert_true(schema_is_computed(schema, 0) && schema_is_computed(schema, 1));
    assert_int_equal(schema->sources[2], 2);
    assert_int_equal(schema->sources[3], 0);
    assert_string_equal(schema->inputs[1].sample, "1..2");
    assert_null(schema->inputs[2].sample);
    assert_null(stream.identifier);
    assert_null(stream.schema.identifier);
    assert_false(stream.record->has_identifier);
    stream_deinit(&stream);
}

static void the_identifier_is_what_must_not_be_null(void **state) {
    (void)state;
    struct stream stream;
    struct error err = {0};
    if (!make("${X:-x}",
              "CREATE STREAMING TABLE t (a INT NOT NULL, b INT, c INT NOT NULL) AS "
              "SELECT s.x AS a, n AS b, n + 1 AS c FROM STREAM r",
              &stream, &err))
        fail_msg("%s", err.message);
    assert_string_equal(stream.identifier, "a, c");
    assert_string_equal(stream.schema.identifier, "s.x, c"); // for the producer: its keys
    assert_false(stream.record->has_identifier);             // the record's first input is n
    stream_deinit(&stream);
}

/* In front of each: "CREATE STREAMING TABLE t (id STRING NOT NULL, n INT) TBLPROPERTIES (". */
static const struct {
    const char *table, *message;
} refusals[] = {
    {"trigger = '${later}')", "2:69: 'trigger': '${later}': expected ${NAME} or ${NAME:-default}, "
                              "where NAME has at most 60 capital letters, digits and underscores, "
                              "the first a letter"},
    {"queryName = '${NAME:-x}')",
     "2:69: property 'queryName': '${NAME:-x}': expected at most 100 letters, digits, underscores "
     "and dashes, the first a letter or digit"},
    {"loggerName = '-')", "2:69: property 'loggerName': '-': expected at most 100 letters, digits, "
                          "underscores and dashes, the first a letter or digit"},
};

static void values_that_cannot_be_are_refused(void **state) {
    (void)state;
    bool same = true;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct stream stream;
        struct error err = {0};
        char *text = text_format("CREATE STREAMING TABLE t (id STRING NOT NULL, n INT) "
                                 "TBLPROPERTIES (%s AS SELECT id, n FROM STREAM r",
                                 refusals[i].table);
        assert_false(make("${KAFKA_TOPIC_X:-x}", text, &stream, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strncmp(err.message, "q.sql:", 6) != 0 ||
            strcmp(err.message + 6, refusals[i].message) != 0) {
            print_error("%s\n%s\n", text, err.message);
            same = false;
        }
        free(text);
    }
    assert_true(same);
}

#define PLAIN_TABLE "CREATE STREAMING TABLE t (id STRING NOT NULL) AS SELECT id FROM STREAM r"

static void a_topic_is_fixed_or_made_with_settings(void **state) {
    (void)state;
    struct stream stream;
    struct error err = {0};
    assert_true(make("x", PLAIN_TABLE, &stream, &err));
    assert_null(stream.topic_setting);
    assert_string_equal(stream.topic_source, "subscribe in q.sql:1");
    assert_string_equal(stream.topic, "x");
    stream_deinit(&stream);
    assert_true(make("${A:-b}-x", PLAIN_TABLE, &stream, &err));
    assert_null(stream.topic_setting);
    assert_string_equal(stream.topic, "b-x");
    stream_deinit(&stream);
    assert_true(make("${TOPIC_X}", PLAIN_TABLE, &stream, &err));
    assert_string_equal(stream.topic_setting, "TOPIC_X");
    assert_string_equal(stream.topic_source, "TOPIC_X");
    assert_null(stream.topic);
    stream_deinit(&stream);
    assert_false(make("${x}", PLAIN_TABLE, &stream, &err));
    assert_non_null(strstr(err.message, "'subscribe': '${x}': expected ${NAME}"));
}

/* The last column, with the same meaning as if the table selected it. */
static void a_date_is_a_column_while_the_table_is_partitioned_by_it(void **state) {
    (void)state;
    static const char *const by_date[] = {"status", PLAN_DATE}, *const by_status[] = {"status"};
    const struct stream *matches = stream_of("matches");
    size_t before = matches->schema.count;
    assert_int_equal(matches->plan.date, before);
    streams_partition_by(matches, by_date, 2);
    streams_partition_by(matches, by_date, 2);
    assert_int_equal(matches->schema.count, before + 1);
    assert_int_equal(matches->plan.column_count, before + 1);
    assert_int_equal(matches->plan.order[before], before);
    const struct column *date = &matches->schema.columns[before];
    assert_string_equal(date->name, "ingest_date");
    assert_int_equal(date->type, TYPE_DATE);
    assert_string_equal(date->expression, PLAN_DATE_MEANING);
    assert_true(schema_is_computed(&matches->schema, before));
    assert_true(schema_can_partition(&matches->schema, before));
    streams_partition_by(matches, by_status, 1);
    assert_int_equal(matches->schema.count, before);
    assert_int_equal(matches->plan.column_count, before);
}

static void make_dated(const char *table, struct stream *stream) {
    struct error err;
    if (!make("x", table, stream, &err))
        fail_msg("%s", err.message);
}

static void a_table_can_select_the_date_itself(void **state) {
    (void)state;
    struct stream stream;
    static const char *const same[] = {"CAST(timestamp AS DATE)", "to_date(kafka_timestamp)",
                                       "to_date(CAST(timestamp AS DATE))"};
    for (size_t i = 0; i < 3; i++) {
        scoped(scope_free) char *table = text_format(
            "CREATE STREAMING TABLE t PARTITIONED BY (ingest_date) AS SELECT id, %s AS ingest_date "
            "FROM STREAM r",
            same[i]);
        make_dated(table, &stream);
        assert_int_equal(stream.plan.date, 1);
        size_t count = stream.schema.count;
        assert_false(stream.plan.has_date);
        stream_set_date(&stream, true); // it is there
        stream_set_date(&stream, false);
        assert_int_equal(stream.schema.count, count);
        stream_deinit(&stream);
    }
    make_dated("CREATE STREAMING TABLE t AS SELECT id, CAST(processing_timestamp AS DATE) AS "
               "Ingest_Date FROM STREAM r",
               &stream);
    assert_true(stream.plan.date == PLAN_NO_DATE);
    size_t count = stream.schema.count;
    stream_set_date(&stream, true);
    assert_int_equal(stream.schema.count, count);
    stream_deinit(&stream);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_queries_are_the_recorded_ones),
        cmocka_unit_test(their_expressions_have_these_values),
        cmocka_unit_test(only_the_rows_of_the_range_are_derived),
        cmocka_unit_test(texts_without_room_are_asked_for_again),
        cmocka_unit_test(a_file_becomes_a_stream),
        cmocka_unit_test(a_table_needs_no_column_of_the_record),
        cmocka_unit_test(the_identifier_is_what_must_not_be_null),
        cmocka_unit_test(values_that_cannot_be_are_refused),
        cmocka_unit_test(a_topic_is_fixed_or_made_with_settings),
        cmocka_unit_test(a_date_is_a_column_while_the_table_is_partitioned_by_it),
        cmocka_unit_test(a_table_can_select_the_date_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
