#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"
#include "streaming/declare/stream.h"

static char *read_file(const char *name) {
    char path[512], *text = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/../../queries/%s.sql", TEST_DATA, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    fclose(file);
    return text;
}

static void make(const char *text, struct query_plan *plan) {
    struct sql_file file;
    struct error err = {0};
    if (!sql_parse("q.sql", text, strlen(text), &file, &err))
        fail_msg("%s", err.message);
    assert_int_equal(file.table_count, 1);
    if (!plan_make(&file, 0, plan, &err))
        fail_msg("%s", err.message);
    sql_file_deinit(&file);
}

/* What the compiled expression says, in the words of a query file: a table that has only the
 * columns that it reads, and itself. */
static char *expected_expression(const struct query_plan *plan, const struct column *column) {
    struct query_plan other;
    struct pool pool;
    pool_init(&pool);
    const char *fields = "";
    for (size_t i = 0; i < plan->record.field_count; i++)
        fields =
            pool_format(&pool, "%s%s%s %s", fields, i > 0 ? ", " : "", plan->record.fields[i].name,
                        data_type_text(&plan->record.fields[i].type, &pool));
    make(pool_format(&pool,
                     "CREATE TABLE r (%s) USING kafka OPTIONS (subscribe 't');"
                     "CREATE STREAMING TABLE t AS SELECT %s AS x FROM STREAM r",
                     fields, column->sql),
         &other);
    char *text = text_copy(expr_text(&other, other.columns[0].expr, &pool));
    plan_deinit(&other);
    pool_deinit(&pool);
    return text;
}

static void compare_column(const struct query_plan *plan, const struct schema *schema, size_t i) {
    const struct plan_column *column = &plan->columns[i];
    const struct column *compiled = &schema->columns[i];
    struct pool pool;
    pool_init(&pool);
    assert_string_equal(column->name, compiled->name);
    assert_int_equal(column->type.kind, compiled->type);
    assert_int_equal(!column->expr->can_be_null, compiled->required); // REQUIRED in the file
    assert_int_equal(column->required, i == 0);                       // the identifier
    assert_string_equal(column->comment, compiled->doc);
    char *expected =
        compiled->sql != NULL ? expected_expression(plan, compiled) : text_copy(compiled->name);
    assert_string_equal(expr_text(plan, column->expr, &pool), expected);
    free(expected);
    pool_deinit(&pool);
}

static void compare(const struct stream *stream) {
    struct query_plan plan;
    struct schema schema;
    char *text = read_file(stream->job);
    make(text, &plan);
    stream_schema(stream, &schema);

    assert_string_equal(plan.name, stream->job);
    char topic[256];
    snprintf(topic, sizeof topic, "${%s:-%s}", stream->topic_setting, stream->topic);
    assert_string_equal(plan.topic, topic);
    assert_int_equal(plan.column_count, schema.count);
    for (size_t i = 0; i < schema.count; i++)
        compare_column(&plan, &schema, i);
    assert_int_equal(plan.kafka_timestamp, schema.kafka_timestamp);
    assert_int_equal(plan.partition, schema.partition);
    assert_int_equal(plan.offset, schema.offset);
    assert_int_equal(plan.processing_timestamp, schema.processing_timestamp);

    // All fields of the record are decoded, in its order.
    assert_int_equal(plan.cut.field_count, schema.record_count);
    for (size_t i = 0; i < schema.record_count; i++)
        assert_string_equal(plan.cut.fields[i].name, schema.columns[i].name);

    char names[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < plan.partition_column_count; i++)
        used = text_append(names, sizeof names, used, "%s%s", i > 0 ? "," : "",
                           plan.columns[plan.partition_columns[i]].name);
    assert_string_equal(names, stream->partition_by);
    assert_int_equal(plan.property_count, 2);
    assert_string_equal(plan.properties[0].value, stream->name);
    assert_string_equal(plan.properties[1].value, stream->class);
    free(text);
    plan_deinit(&plan);
}

static void the_file_of_matches_declares_what_is_compiled_in(void **state) {
    (void)state;
    compare(&match_stream);
}

static void the_file_of_players_declares_what_is_compiled_in(void **state) {
    (void)state;
    compare(&player_stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_of_matches_declares_what_is_compiled_in),
        cmocka_unit_test(the_file_of_players_declares_what_is_compiled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
