#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/syntax/parse.h"
#include "streaming/cluster/engine/stream_plan.h"
#include "streaming/declare/stream.h"

/* Whether what the steps say holds with real Spark is for the stories to show. */

static const struct query_plan *query;
static struct query_plan declared;
static struct stream_plan plan;

static void make(const struct query_plan *of, const char *const *partition_by, size_t count,
                 enum parse_mode mode) {
    size_t columns[4];
    query = of;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < of->column_count; k++)
            if (strcmp(of->columns[k].name, partition_by[i]) == 0)
                columns[i] = k;
    stream_plan_make(of, columns, count, mode, &plan);
}

static void make_builtin(const char *job, const char *const *partition_by, size_t count,
                         enum parse_mode mode) {
    make(&stream_of(job)->plan, partition_by, count, mode);
}

/* Of a table over a record with these fields. */
static void make_declared(const char *table, enum parse_mode mode) {
    static const char record[] =
        "CREATE TABLE r (id STRING, k INT, timestamp BIGINT, info STRUCT<list: ARRAY<STRUCT<k: "
        "INT>>, map: MAP<STRING, ARRAY<INT>>>) USING kafka OPTIONS (subscribe 't');";
    char *text = text_format("%sCREATE STREAMING TABLE t %s", record, table);
    struct sql_file file;
    struct error err = {0};
    if (!sql_parse("f.sql", text, strlen(text), &file, &err) ||
        !plan_make(&file, 0, &declared, &err))
        fail_msg("%s", err.message);
    sql_file_deinit(&file);
    free(text);
    make(&declared, NULL, 0, mode);
}

static void end(void) {
    stream_plan_deinit(&plan);
    plan_deinit(&declared);
}

/* The step's index, or that of the first step of this kind behind `from`. */
static size_t find_step(enum connect_step_kind kind, size_t from) {
    for (size_t i = from; i < plan.step_count; i++)
        if (plan.steps[i].kind == kind)
            return i;
    fail_msg("no such step");
    return 0;
}

static void check_step(size_t index, enum connect_step_kind kind, size_t count, const char *first) {
    const struct connect_step *step = &plan.steps[index];
    assert_true(index < plan.step_count);
    assert_int_equal(step->kind, kind);
    assert_int_equal(step->count, count);
    if (strncmp(step->expressions[0], first, strlen(first)) != 0)
        fail_msg("step %zu begins with %s", index, step->expressions[0]);
}

static void check_expression(size_t index, size_t at, const char *expected) {
    assert_true(index < plan.step_count && at < plan.steps[index].count);
    assert_string_equal(plan.steps[index].expressions[at], expected);
}

/* The last step has the table's columns, in its order. */
static void check_columns(size_t index) {
    const struct connect_step *last = &plan.steps[index];
    assert_int_equal(index, plan.step_count - 1);
    check_step(index, CONNECT_SELECT, query->column_count, "`");
    for (size_t i = 0; i < query->column_count; i++)
        assert_memory_equal(last->expressions[i] + 1, query->columns[i].name,
                            strlen(query->columns[i].name));
}

static const char *accepted(void) {
    return plan.steps[find_step(CONNECT_OBSERVE, 0) - 1].expressions[1];
}

/* ---- the built-in queries ---- */

/* Records are counted before the WHERE, rows behind it, and only what the reject rules need is
 * computed before. */
static void the_steps_of_matches_count_records_and_then_rows(void **state) {
    (void)state;
    static const char *const status[] = {"status"};
    make_builtin("matches", status, 1, PARSE_REJECT);
    check_step(0, CONNECT_SELECT, 5, "CAST(`value` AS STRING) AS `_text`");
    check_step(1, CONNECT_SELECT, 2, "*");
    const char *parsing = plan.steps[1].expressions[1];
    static const char begin[] = "from_json(`_text`, 'STRUCT<`match_id`: STRING, `game_id`: ";
    assert_memory_equal(parsing, begin, strlen(begin));
    assert_non_null(strstr(parsing, "`ingestion_timestamp`: BIGINT>') AS `_parsed`"));
    check_step(2, CONNECT_SELECT, 3, "*");
    check_expression(2, 1, "`_parsed`.`match_id` AS `match_id`");
    check_expression(2, 2, "`_parsed`.`status` AS `status`");
    check_step(3, CONNECT_SELECT, 4, "*");
    check_step(4, CONNECT_OBSERVE, PLAN_RECORD_COUNTS, "count(1) AS `records`");
    assert_string_equal(plan.steps[4].name, "records");
    check_step(5, CONNECT_WHERE, 1, "`_accepted`");
    check_step(6, CONNECT_OBSERVE, PLAN_ROW_COUNTS, "count(1) AS `exploded`");
    assert_string_equal(plan.steps[6].name, "rows");
    check_step(7, CONNECT_SELECT, query->column_count - 1, "*"); // each column is computed once
    check_columns(8);
    end();
}

static void a_partition_column_of_texts_is_computed_first(void **state) {
    (void)state;
    static const char *const columns[] = {"status", "role"};
    make_builtin("players", columns, 2, PARSE_REJECT);
    check_step(2, CONNECT_SELECT, 4, "*");
    assert_non_null(strstr(plan.steps[2].expressions[3], " AS `status`"));
    check_step(7, CONNECT_SELECT, query->column_count - 2, "*");
    check_columns(8);
    end();
}

static void only_texts_can_be_impossible_as_directories(void **state) {
    (void)state;
    static const char *const columns[] = {"game_number", "is_completed", "ingestion_timestamp"};
    make_builtin("matches", columns, 3, PARSE_REJECT);
    assert_string_equal(accepted(), "`match_id` IS NOT NULL AS `_accepted`");
    check_step(2, CONNECT_SELECT, 2, "*");
    check_expression(2, 1, "`_parsed`.`match_id` AS `match_id`");
    end();
}

static void a_date_is_computed_and_must_have_four_digits(void **state) {
    (void)state;
    static const char *const names[] = {PLAN_DATE};
    streams_partition_by(stream_of("matches"), names, 1);
    make_builtin("matches", names, 1, PARSE_PERMISSIVE);
    bool is_checked = false, is_made = false;
    for (size_t i = 0; i < plan.step_count; i++)
        for (size_t k = 0; k < plan.steps[i].count; k++) {
            const char *text = plan.steps[i].expressions[k];
            is_checked = is_checked || strstr(text, "unix_micros(") != NULL;
            is_made = is_made || strstr(text, " AS DATE) AS `ingest_date`") != NULL;
            if (strstr(text, "unix_micros(") != NULL)
                assert_non_null(strstr(text, " BETWEEN -62135510400000000 AND 253402214399999999"));
        }
    assert_true(is_checked && is_made);
    end();
    streams_partition_by(stream_of("matches"), NULL, 0);
}

static void a_row_needs_its_identifier_or_a_value_by_the_mode(void **state) {
    (void)state;
    static const char *const columns[] = {"status", "role"};
    make_builtin("players", columns, 2, PARSE_REJECT);
    assert_non_null(strstr(accepted(), "`player_id` IS NOT NULL AND (`status` IS NULL OR "));
    assert_non_null(strstr(accepted(), " AND (`role` IS NULL OR "));
    end();
    make_builtin("players", NULL, 0, PARSE_PERMISSIVE);
    assert_string_equal(accepted(), "`_parsed` IS NOT NULL AS `_accepted`");
    end();
}

/* ---- declared ones ---- */

static void views_are_between_the_two_counts_and_where_behind_them(void **state) {
    (void)state;
    make_declared("(id STRING NOT NULL, a INT, b INT) AS SELECT id, p.k AS a, n AS b FROM STREAM r "
                  "LATERAL VIEW posexplode(info.list) x AS pos, p LATERAL VIEW OUTER "
                  "explode(info.map) y AS m, ns LATERAL VIEW explode(ns) z AS n WHERE p.k > n",
                  PARSE_REJECT);
    size_t records = find_step(CONNECT_OBSERVE, 0);
    check_step(records + 1, CONNECT_WHERE, 1, "`_accepted`");
    check_expression(records + 2, 1,
                     "posexplode(`_parsed`.`info`.`list`) AS (`_position1`, `_element1`)");
    check_expression(records + 3, 1,
                     "posexplode_outer(`_parsed`.`info`.`map`) AS (`_position2`, "
                     "`_element2`, `_member2`)");
    check_expression(records + 4, 1, "posexplode(`_member2`) AS (`_position3`, `_element3`)");
    check_expression(records + 5, 1, "coalesce(`_element1`.`k` > `_element3`, FALSE) AS `_passed`");
    check_step(records + 6, CONNECT_OBSERVE, PLAN_ROW_COUNTS, "count(1) AS `exploded`");
    check_expression(records + 6, PLAN_COUNT_ROWS, "count_if(`_passed`) AS `rows`");
    check_step(records + 7, CONNECT_WHERE, 1, "`_passed`");
    check_columns(records + 9);
    end();
}

static void whether_a_record_has_rows_is_computed_of_the_record_alone(void **state) {
    (void)state;
    make_declared("(id STRING NOT NULL, a INT) AS SELECT id, p.k AS a FROM STREAM r LATERAL VIEW "
                  "explode(info.list) x AS p WHERE p.k > 1",
                  PARSE_PERMISSIVE);
    size_t computed = find_step(CONNECT_OBSERVE, 0) - 1;
    check_expression(computed, 2, "coalesce(size(`_parsed`.`info`.`list`), 0) > 0 AS `_exploded`");
    check_expression(computed, 3,
                     "coalesce(exists(transform(`_parsed`.`info`.`list`, (`_of`, `_at`) -> "
                     "named_struct('position', `_at`, 'element', `_of`)), `_row1` -> "
                     "coalesce(`_row1`.`element`.`k` > 1, FALSE)), FALSE) AS `_kept`");
    end();
    make_declared("AS SELECT id FROM STREAM r LATERAL VIEW OUTER explode(info.list) x AS p WHERE k "
                  "> 1",
                  PARSE_PERMISSIVE);
    computed = find_step(CONNECT_OBSERVE, 0) - 1;
    check_expression(computed, 2, "TRUE AS `_exploded`");
    check_expression(computed, 3, "coalesce(`_parsed`.`k` > 1, FALSE) AS `_kept`");
    end();
}

static void a_null_array_is_read_again_only_where_it_would_lose_rows(void **state) {
    (void)state;
    static const char table[] = "(id STRING NOT NULL, a INT) AS SELECT id, size(info.map) AS a "
                                "FROM STREAM r LATERAL VIEW explode(info.list) x AS p";
    make_declared(table, PARSE_REJECT);
    static const char *const parts[] = {
        "`id` IS NOT NULL AND NOT (`_parsed`.`info`.`list` IS NULL AND ((`_parsed`.`info` IS NULL "
        "AND (from_json(`_text`, 'STRUCT<`id`: STRING, `info`: STRING>').`info` IS NOT NULL OR "
        "from_json(CASE WHEN NOT startswith(`_text`, '{') ",
        "'STRUCT<`_object_for_esports_stream`: BOOLEAN, `id`: STRING, "
        "`_hidden_for_esports_stream`: BOOLEAN>').`_object_for_esports_stream` IS NULL)) OR "
        "(`_parsed`.`info`.`list` IS NULL AND (from_json(`_text`, 'STRUCT<`id`: STRING, `info`: "
        "STRUCT<`list`: STRING, `map`: MAP<STRING, ARRAY<INT>>>>').`info`.`list` IS NOT NULL OR ",
        "(`_parsed`.`info` IS NOT NULL AND from_json(`_text`, 'STRUCT<`id`: STRING, `info`: "
        "STRUCT<`_hidden_for_esports_stream`: BOOLEAN, `map`: MAP<STRING, "
        "ARRAY<INT>>>>').`info` IS NULL))))) AS `_accepted`",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(accepted(), parts[i]) == NULL)
            fail_msg("no %s in %s", parts[i], accepted());
    end();
    make_declared(table, PARSE_PERMISSIVE);
    assert_string_equal(accepted(), "`_parsed` IS NOT NULL AS `_accepted`");
    end();
}

static void without_a_field_that_is_not_null_objects_get_a_member_of_ours(void **state) {
    (void)state;
    static const char *const tables[] = {
        "AS SELECT id FROM STREAM r",
        "(a STRING NOT NULL) AS SELECT coalesce(id, 'none') AS a FROM STREAM r",
        "(id STRING, kafka_timestamp TIMESTAMP NOT NULL) AS SELECT id, kafka_timestamp FROM STREAM "
        "r",
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        make_declared(tables[i], PARSE_REJECT);
        assert_non_null(strstr(plan.steps[1].expressions[1],
                               "'STRUCT<`_object_for_esports_stream`: BOOLEAN, `id`: STRING>'"));
        assert_non_null(strstr(accepted(), "`_parsed`.`_object_for_esports_stream` IS NOT NULL"));
        end();
    }
    make_declared("(id STRING NOT NULL) AS SELECT id FROM STREAM r", PARSE_REJECT);
    assert_null(strstr(plan.steps[1].expressions[1], "object"));
    end();
}

static void what_a_checked_column_is_computed_from_is_computed_with_it(void **state) {
    (void)state;
    make_declared(
        "(a INT, b BIGINT NOT NULL, c INT) AS SELECT k AS a, a DIV 2 AS b, k + 1 AS c FROM "
        "STREAM r",
        PARSE_REJECT);
    check_step(2, CONNECT_SELECT, 3, "*");
    check_expression(2, 1, "`_parsed`.`k` AS `a`");
    assert_non_null(strstr(plan.steps[2].expressions[2], " AS `b`"));
    end();
}

static void no_name_of_ours_is_one_of_the_query(void **state) {
    (void)state;
    make_declared("(_parsed STRING NOT NULL, `__x` BIGINT, timestamp BIGINT) AS SELECT id AS "
                  "_parsed, timestamp AS `__x`, `__x` + 1 AS timestamp FROM STREAM r",
                  PARSE_REJECT);
    check_step(0, CONNECT_SELECT, 5, "CAST(`value` AS STRING) AS `___text`");
    check_expression(2, 1, "`___parsed`.`id` AS `_parsed`");
    end();
}

static void values_that_are_not_read_are_not_parsed(void **state) {
    (void)state;
    make_declared("AS SELECT key, headers[0].key AS first FROM STREAM kafka('topic')",
                  PARSE_REJECT);
    check_expression(0, 0, "`key` AS `_key`");
    assert_string_equal(accepted(), "TRUE AS `_accepted`");
    assert_true(stream_plan_reads_headers(query));
    for (size_t i = 0; i < plan.step_count; i++)
        for (size_t k = 0; k < plan.steps[i].count; k++)
            assert_null(strstr(plan.steps[i].expressions[k], "from_json"));
    end();
    make_declared("AS SELECT id FROM STREAM r", PARSE_REJECT);
    assert_false(stream_plan_reads_headers(query));
    end();
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_of_matches_count_records_and_then_rows),
        cmocka_unit_test(a_partition_column_of_texts_is_computed_first),
        cmocka_unit_test(a_date_is_computed_and_must_have_four_digits),
        cmocka_unit_test(only_texts_can_be_impossible_as_directories),
        cmocka_unit_test(a_row_needs_its_identifier_or_a_value_by_the_mode),
        cmocka_unit_test(views_are_between_the_two_counts_and_where_behind_them),
        cmocka_unit_test(whether_a_record_has_rows_is_computed_of_the_record_alone),
        cmocka_unit_test(a_null_array_is_read_again_only_where_it_would_lose_rows),
        cmocka_unit_test(without_a_field_that_is_not_null_objects_get_a_member_of_ours),
        cmocka_unit_test(what_a_checked_column_is_computed_from_is_computed_with_it),
        cmocka_unit_test(no_name_of_ours_is_one_of_the_query),
        cmocka_unit_test(values_that_are_not_read_are_not_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
