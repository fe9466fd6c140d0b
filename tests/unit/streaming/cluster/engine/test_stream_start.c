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

static void the_plan_follows_from_the_declaration(void **state) {
    (void)state;
    static const char *const status[] = {"status"};
    make(stream_of("matches"), status, 1, PARSE_REJECT);
    const struct connect_step *first = &plan.steps[0], *last = &plan.steps[plan.step_count - 1];
    assert_non_null(strstr(first->expressions[0],
                           "from_json(CAST(`value` AS STRING), '`match_id` STRING, `game_id` "));
    assert_non_null(strstr(first->expressions[0], "`ingestion_timestamp` BIGINT')"));
    assert_true(has(&plan.steps[1], "current_timestamp() AS `processing_timestamp`"));
    assert_true(has(&plan.steps[2], "CAST(CAST(`match_duration` AS DOUBLE) / CAST(60 AS DOUBLE) AS "
                                    "INT) AS `duration_minutes`"));
    assert_int_equal(step_of(CONNECT_OBSERVE)->count, PLAN_COUNTS);
    assert_int_equal(last->kind, CONNECT_SELECT);
    assert_int_equal(last->count, schema.count);
    for (size_t i = 0; i < schema.count; i++) {
        assert_int_equal(last->expressions[i][0], '`');
        assert_memory_equal(last->expressions[i] + 1, schema.columns[i].name,
                            strlen(schema.columns[i].name));
    }
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
        cmocka_unit_test(a_row_needs_its_identifier_or_a_value_by_the_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
