#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "streaming/cluster/engine/stream_start.h"
#include "streaming/declare/stream.h"

/* Whether what the steps say holds with real Spark is for the stories to show. */

static struct schema schema;
static struct stream_plan plan;

static void make(const struct stream *stream, const char *const *partition_by, size_t count,
                 enum parse_mode mode) {
    size_t columns[4];
    stream_schema(stream, &schema);
    for (size_t i = 0; i < count; i++)
        columns[i] = (size_t)schema_find(
            &schema, (struct text){partition_by[i], (uint32_t)strlen(partition_by[i])});
    stream_plan_make(&schema, columns, count, mode, &plan);
}

static const struct connect_step *step_of(enum connect_step_kind kind) {
    for (size_t i = 0; i < plan.step_count; i++)
        if (plan.steps[i].kind == kind)
            return &plan.steps[i];
    fail_msg("no such step");
    return NULL;
}

static bool has(const struct connect_step *step, const char *expression) {
    for (size_t i = 0; i < step->count; i++)
        if (strcmp(step->expressions[i], expression) == 0)
            return true;
    return false;
}

static void check_step(size_t index, enum connect_step_kind kind, size_t count, const char *first) {
    const struct connect_step *step = &plan.steps[index];
    assert_true(index < plan.step_count);
    assert_int_equal(step->kind, kind);
    assert_int_equal(step->count, count);
    if (strncmp(step->expressions[0], first, strlen(first)) != 0)
        fail_msg("step %zu begins with %s", index, step->expressions[0]);
}

/* The last step has the table's columns, in its order. */
static void check_columns(size_t index) {
    const struct connect_step *last = &plan.steps[index];
    assert_int_equal(index, plan.step_count - 1);
    check_step(index, CONNECT_SELECT, schema.count, "`");
    for (size_t i = 0; i < schema.count; i++)
        assert_memory_equal(last->expressions[i] + 1, schema.columns[i].name,
                            strlen(schema.columns[i].name));
}

static void the_plan_follows_from_the_declaration(void **state) {
    (void)state;
    static const char *const status[] = {"status"};
    make(stream_of("matches"), status, 1, PARSE_REJECT);
    const struct connect_step *first = &plan.steps[0];
    assert_non_null(strstr(first->expressions[0],
                           "from_json(CAST(`value` AS STRING), '`match_id` STRING, `game_id` "));
    assert_non_null(strstr(first->expressions[0], "`ingestion_timestamp` BIGINT')"));
    assert_true(has(&plan.steps[1], "`_parsed` IS NOT NULL AS `_has_value`"));
    assert_true(has(&plan.steps[1], "current_timestamp() AS `processing_timestamp`"));
    stream_plan_deinit(&plan);
}

/* Records are counted before the WHERE, rows behind it, and only what the reject rules need is
 * derived before. */
static void the_steps_of_matches_count_records_and_then_rows(void **state) {
    (void)state;
    static const char *const status[] = {"status"};
    make(stream_of("matches"), status, 1, PARSE_REJECT);
    check_step(0, CONNECT_SELECT, 4, "from_json(CAST(`value` AS STRING), ");
    check_step(1, CONNECT_SELECT, 6, "`_parsed`.*");
    check_step(2, CONNECT_OBSERVE, PLAN_COUNTS, "count(1) AS `records`");
    assert_string_equal(plan.steps[2].name, "records");
    check_step(3, CONNECT_WHERE, 1, "`match_id` IS NOT NULL AND (`status` IS NULL OR ");
    check_step(4, CONNECT_OBSERVE, 1, "count(1) AS `rows`");
    assert_string_equal(plan.steps[4].name, "rows");
    check_step(5, CONNECT_SELECT, 3, "*");
    assert_true(has(&plan.steps[5], "CAST(CAST(`match_duration` AS DOUBLE) / CAST(60 AS DOUBLE) AS "
                                    "INT) AS `duration_minutes`"));
    assert_true(has(&plan.steps[5], "`status` = 'finished' AS `is_completed`"));
    check_columns(6);
    stream_plan_deinit(&plan);
}

static void the_steps_of_players_derive_the_partition_column_first(void **state) {
    (void)state;
    static const char *const columns[] = {"status", "role"};
    make(stream_of("players"), columns, 2, PARSE_REJECT);
    check_step(1, CONNECT_SELECT, 6, "`_parsed`.*");
    check_step(2, CONNECT_SELECT, 2, "*");
    assert_non_null(strstr(plan.steps[2].expressions[1], " AS `status`"));
    check_step(3, CONNECT_OBSERVE, PLAN_COUNTS, "count(1) AS `records`");
    check_step(4, CONNECT_WHERE, 1, "`player_id` IS NOT NULL AND (`status` IS NULL OR ");
    check_step(5, CONNECT_OBSERVE, 1, "count(1) AS `rows`");
    check_step(6, CONNECT_SELECT, 5, "*"); // each column is derived once
    check_columns(7);
    stream_plan_deinit(&plan);
}

static void only_texts_can_be_impossible_as_directories(void **state) {
    (void)state;
    static const char *const columns[] = {"game_number", "is_completed", "ingestion_timestamp"};
    make(stream_of("matches"), columns, 3, PARSE_REJECT);
    assert_string_equal(step_of(CONNECT_WHERE)->expressions[0], "`match_id` IS NOT NULL");
    check_step(2, CONNECT_OBSERVE, PLAN_COUNTS, "count(1) AS `records`"); // nothing derived before
    stream_plan_deinit(&plan);
}

static void a_row_needs_its_identifier_or_a_value_by_the_mode(void **state) {
    (void)state;
    static const char *const columns[] = {"status", "role"};
    make(stream_of("players"), columns, 2, PARSE_REJECT);
    const char *row = step_of(CONNECT_WHERE)->expressions[0];
    assert_non_null(strstr(row, "`player_id` IS NOT NULL AND (`status` IS NULL OR "));
    assert_non_null(strstr(row, " AND (`role` IS NULL OR "));
    stream_plan_deinit(&plan);

    make(stream_of("players"), NULL, 0, PARSE_PERMISSIVE);
    assert_string_equal(step_of(CONNECT_WHERE)->expressions[0], "_has_value");
    stream_plan_deinit(&plan);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_follows_from_the_declaration),
        cmocka_unit_test(the_steps_of_matches_count_records_and_then_rows),
        cmocka_unit_test(the_steps_of_players_derive_the_partition_column_first),
        cmocka_unit_test(only_texts_can_be_impossible_as_directories),
        cmocka_unit_test(a_row_needs_its_identifier_or_a_value_by_the_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
