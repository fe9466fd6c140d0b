#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/nested.h"
#include "eval/table.h"
#include "sql/eval/eval.h"

/* ---- values of real Spark (tests/sql/record.py) ---- */

/* What is known to differ: near the limits, whether Spark throws for a cast between kinds of
 * timestamps depends on the time zone; ours is always a fault. */
static bool is_near_limit(const struct table *table, size_t row) {
    static const int64_t days = 106751989, micros_of_day = INT64_C(86400000000);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct vector *column = &table->columns[i];
        bool is_moment = column->type == TYPE_TIMESTAMP || column->type == TYPE_TIMESTAMP_NTZ;
        if (is_moment && column->valid[row] != 0 &&
            llabs(column->int64s[row] / micros_of_day) >= days)
            return true;
    }
    return false;
}

static bool check_type(const struct query_plan *plan, const char *expression, char *recorded) {
    struct pool pool;
    pool_init(&pool);
    const struct expr *expr = plan->columns[table_column(plan, "x")].expr;
    size_t length = strlen(recorded);
    bool can_be_null = recorded[length - 1] != '!';
    if (!can_be_null)
        recorded[length - 1] = '\0';
    const char *type = data_type_text(&expr->type, &pool);
    bool same = strcmp(type, recorded) == 0 && expr->can_be_null == can_be_null;
    if (!same)
        print_message("%s\n    is %s%s in Spark, ours is %s%s\n", expression, recorded,
                      can_be_null ? "" : " NOT NULL", type, expr->can_be_null ? "" : " NOT NULL");
    pool_deinit(&pool);
    return same;
}

static bool is_same(const struct vector *vector, size_t row, const char *recorded) {
    char ours[VALUE_TEXT_MAX];
    bool is_real = vector->type == TYPE_FLOAT || vector->type == TYPE_DOUBLE;
    if (!is_real || vector->valid[row] == 0 || strcmp(recorded, "\\N") == 0) {
        value_print(vector, row, ours);
        return strcmp(ours, recorded) == 0;
    }
    double value = vector->type == TYPE_FLOAT ? (double)vector->floats[row] : vector->doubles[row];
    double expected = strtod(recorded, NULL);
    return isnan(expected) ? isnan(value)
                           : value == expected && signbit(value) == signbit(expected);
}

/* One value. Where Spark throws ("!") ours is null and a fault. */
static bool check_value(const struct table *table, const struct evaluated *evaluated,
                        const char *expression, size_t row, const char *recorded) {
    char ours[VALUE_TEXT_MAX];
    bool fault = evaluated->faults != NULL && evaluated->faults[row] != 0;
    value_print(&evaluated->vector, row, ours);
    bool throws = strcmp(recorded, "!") == 0;
    if (throws ? fault : is_same(&evaluated->vector, row, recorded) && !fault)
        return true;
    // TRY_CAST has a guard, too, because Spark mistakes its null for a value.
    bool is_try = strncmp(expression, "TRY_CAST(da", 11) == 0 && strcmp(recorded, ours) == 0;
    if (fault && (is_try || is_near_limit(table, row)))
        return true;
    print_message("%s\n    row %zu: %s in Spark, ours is %s%s\n", expression, row, recorded, ours,
                  fault ? " and a fault" : "");
    return false;
}

/* `step` rows at a time. Returns how many values differ, up to some. */
static size_t check_values(struct table *table, const struct query_plan *plan, size_t step,
                           const char *expression, char *const *recorded) {
    enum { SHOWN_MAX = 3 };
    size_t shown = 0;
    struct evaluated evaluated;
    table_evaluate_rows(table, plan, step, &evaluated);
    for (size_t row = 0; row < table->row_count && shown < SHOWN_MAX; row++) {
        check(recorded[row] != NULL);
        if (!check_value(table, &evaluated, expression, row, recorded[row]))
            shown++;
    }
    evaluated_deinit(&evaluated);
    return shown;
}

/* As one slice, and each row alone. */
static size_t check_expression(struct table *table, char *line, size_t *values) {
    char *expression = strsep(&line, "\t"), *type = strsep(&line, "\t\n");
    struct query_plan plan;
    struct error err = {0};
    bool refused = strcmp(type, "-") == 0;
    bool made = table_plan(table, expression, &plan, &err);
    if (made == refused) {
        print_message("%s\n    %s\n", expression, refused ? "Spark refuses it" : err.message);
        if (made)
            plan_deinit(&plan);
        return 1;
    }
    if (refused)
        return 0;
    char *recorded[TABLE_ROWS_MAX] = {NULL};
    for (size_t row = 0; row < table->row_count; row++, (*values)++)
        recorded[row] = strsep(&line, "\t\n");
    size_t different = check_type(&plan, expression, type) ? 0 : 1;
    different += check_values(table, &plan, table->row_count, expression, recorded);
    different += check_values(table, &plan, 1, expression, recorded);
    plan_deinit(&plan);
    return different;
}

/* Of all expressions of a recorded file. Returns how many there are. */
static size_t check_file(struct table *table, const char *path, size_t *values) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0, different = 0, expressions = 0;
    for (; getline(&line, &size, file) >= 0; expressions++)
        different += check_expression(table, line, values);
    free(line);
    (void)fclose(file);
    assert_int_equal(different, 0);
    return expressions;
}

static void values_are_those_of_spark(void **state) {
    (void)state;
    struct table table;
    size_t values = 0;
    table_read(&table, TEST_DATA "/sql/rows.tsv");
    assert_true(check_file(&table, TEST_DATA "/sql/expressions.tsv", &values) > 500);
    table_deinit(&table);
    assert_true(values > 100000);
}

static void values_in_other_time_zones_are_those_of_spark(void **state) {
    (void)state;
    static const char *const zones[][2] = {
        {"Europe/Berlin", TEST_DATA "/sql/zone-Europe-Berlin.tsv"},
        {"America/New_York", TEST_DATA "/sql/zone-America-New_York.tsv"},
        {"Asia/Kolkata", TEST_DATA "/sql/zone-Asia-Kolkata.tsv"},
        {"Australia/Lord_Howe", TEST_DATA "/sql/zone-Australia-Lord_Howe.tsv"},
    };
    size_t expressions = 0, values = 0;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct table table;
        table_read(&table, TEST_DATA "/sql/zone-rows.tsv");
        assert_true(zone_find(text_borrow(zones[i][0]), &table.zone));
        expressions += check_file(&table, zones[i][1], &values);
        table_deinit(&table);
    }
    assert_true(expressions > 250);
    assert_true(values > 15000);
}

static void values_inside_arrays_and_maps_are_those_of_spark(void **state) {
    (void)state;
    struct table table;
    size_t values = 0;
    nested_read(&table, TEST_DATA "/sql/nested_rows.tsv");
    assert_true(check_file(&table, TEST_DATA "/sql/nested.tsv", &values) > 200);
    table_deinit(&table);
    assert_true(values > 10000);
}

/* A line: views, expression, type, and the value in each exploded row. */
static size_t check_views(struct table *table, char *line) {
    char *views = strsep(&line, "\t"), *expression = strsep(&line, "\t");
    char *type = strsep(&line, "\t\n"), *value;
    struct query_plan plan;
    struct error err = {0};
    struct evaluated evaluated;
    if (!table_plan_of(table, expression, views, &plan, &err)) {
        print_message("%s %s\n    %s\n", expression, views, err.message);
        return 1;
    }
    size_t different = check_type(&plan, expression, type) ? 0 : 1, row = 0;
    size_t count = views_evaluate(table, &plan, &evaluated);
    for (; row < count && (value = strsep(&line, "\t\n")) != NULL; row++)
        different += check_value(table, &evaluated, expression, row, value) ? 0 : 1;
    if (row != count || (line != NULL && *line != '\0')) {
        print_message("%s %s\n    %zu rows, which is not as many\n", expression, views, count);
        different++;
    }
    evaluated_deinit(&evaluated);
    plan_deinit(&plan);
    return different;
}

static void values_of_exploded_rows_are_those_of_spark(void **state) {
    (void)state;
    struct table table;
    nested_read(&table, TEST_DATA "/sql/nested_rows.tsv");
    FILE *file = fopen(TEST_DATA "/sql/nested_views.tsv", "r");
    assert_non_null(file);
    char *line = NULL;
    size_t size = 0, different = 0, lines = 0;
    for (; getline(&line, &size, file) >= 0; lines++)
        different += check_views(&table, line);
    free(line);
    (void)fclose(file);
    table_deinit(&table);
    assert_int_equal(different, 0);
    assert_true(lines > 40);
}

/* ---- the evaluator ---- */

static void must_plan(const struct table *table, const char *expression, struct query_plan *plan) {
    struct error err;
    check(table_plan(table, expression, plan, &err));
}

static void rows_alone_give_the_same_as_a_slice(void **state) {
    (void)state;
    struct table table;
    table_read(&table, TEST_DATA "/sql/rows.tsv");
    // A CASE within a CASE, and a value that several branches share.
    static const char expression[] =
        "CASE WHEN i > 0 THEN CASE WHEN j > 0 THEN concat(s, u) WHEN j < 0 THEN upper(s) ELSE "
        "concat(u, s) END WHEN j > 0 THEN concat(s, u) WHEN i < j THEN upper(s) END";
    struct query_plan plan;
    must_plan(&table, expression, &plan);
    struct evaluated slice, alone;
    table_evaluate(&table, &plan, &slice);
    table_evaluate_rows(&table, &plan, 1, &alone);
    for (size_t row = 0; row < table.row_count; row++) {
        char one[VALUE_TEXT_MAX], other[VALUE_TEXT_MAX];
        value_print(&slice.vector, row, one);
        value_print(&alone.vector, row, other);
        assert_string_equal(one, other);
    }
    evaluated_deinit(&slice);
    evaluated_deinit(&alone);
    plan_deinit(&plan);
    table_deinit(&table);
}

static void a_value_of_case_is_not_computed_if_no_row_needs_it(void **state) {
    (void)state;
    static const struct {
        const char *expression;
        bool is_computed;
    } cases[] = {
        {"CASE WHEN i IS NULL AND i > 0 THEN concat(s, u) ELSE s END", false},
        {"CASE WHEN i IS NULL AND i > 0 THEN CASE WHEN j > 0 THEN concat(s, u) END END", false},
        {"CASE WHEN i IS NULL OR i = i THEN concat(s, u) ELSE s END", true},
        {"CASE WHEN i IS NULL AND i > 0 THEN concat(s, u) WHEN concat(s, u) = '' THEN s END", true},
    };
    struct table table;
    table_read(&table, TEST_DATA "/sql/rows.tsv");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct query_plan plan;
        must_plan(&table, cases[i].expression, &plan);
        struct evaluated evaluated;
        table_evaluate(&table, &plan, &evaluated);
        assert_int_equal(evaluated.strings.used > 0, cases[i].is_computed);
        evaluated_deinit(&evaluated);
        plan_deinit(&plan);
    }
    table_deinit(&table);
}

static void faults_are_counted_per_expression(void **state) {
    (void)state;
    struct table table;
    table_read(&table, TEST_DATA "/sql/rows.tsv");
    struct query_plan plan;
    must_plan(&table, "timestamp_millis(l)", &plan);
    struct evaluated evaluated;
    table_evaluate(&table, &plan, &evaluated);
    int64_t faults = 0;
    for (size_t row = 0; row < table.row_count; row++) {
        faults += evaluated.faults[row];
        assert_true(evaluated.faults[row] == 0 || evaluated.vector.valid[row] == 0);
    }
    assert_true(faults > 0);
    assert_int_equal(evaluated.fault_count, faults);
    evaluated_deinit(&evaluated);
    plan_deinit(&plan);
    table_deinit(&table);
}

/* Spark's process ends for -2147483648, so it is in no recorded file. */
static void a_place_that_has_no_absolute_value_is_a_fault(void **state) {
    (void)state;
    struct table table;
    nested_read(&table, TEST_DATA "/sql/nested_rows.tsv");
    struct query_plan plan;
    must_plan(&table, "element_at(a, -2147483648)", &plan);
    struct evaluated evaluated;
    table_evaluate(&table, &plan, &evaluated);
    int64_t arrays = 0;
    for (size_t row = 0; row < table.row_count; row++) {
        arrays += table.columns[0].valid[row];
        assert_int_equal(evaluated.vector.valid[row], 0);
        assert_int_equal(evaluated.faults[row], table.columns[0].valid[row]);
    }
    assert_true(arrays > 0);
    assert_int_equal(evaluated.fault_count, arrays);
    evaluated_deinit(&evaluated);
    plan_deinit(&plan);
    table_deinit(&table);
}

static void new_arrays_that_do_not_fit_are_made_again_with_more_room(void **state) {
    (void)state;
    static const char *const expressions[] = {
        "transform(s, y -> y.k)[0]", "size(filter(s, y -> y.k > 0))",
        "aggregate(transform(s, y -> y.inner), 0, (u, v) -> u + v.x)",
        "concat_ws(',', transform(filter(b, y -> y > ''), y -> concat(y, y)))"};
    struct table table;
    nested_read(&table, TEST_DATA "/sql/nested_rows.tsv");
    for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
        struct query_plan plan;
        struct evaluated little, much;
        must_plan(&table, expressions[i], &plan);
        table.string_bytes = 64;
        table_evaluate(&table, &plan, &little);
        table.string_bytes = (size_t)1024 * 1024;
        table_evaluate(&table, &plan, &much);
        assert_true(little.attempts > 1);
        for (size_t row = 0; row < table.row_count; row++) {
            char one[VALUE_TEXT_MAX], other[VALUE_TEXT_MAX];
            value_print(&little.vector, row, one);
            value_print(&much.vector, row, other);
            assert_string_equal(one, other);
        }
        evaluated_deinit(&little);
        evaluated_deinit(&much);
        plan_deinit(&plan);
    }
    table_deinit(&table);
}

static void equal_parts_are_computed_once(void **state) {
    (void)state;
    struct table table;
    table_read(&table, TEST_DATA "/sql/rows.tsv");
    struct query_plan plan;
    must_plan(&table, "(i + j) * (i + j) + (i + j)", &plan);
    struct timestamp_context context = {0};
    struct eval eval;
    const struct expr *expr = plan.columns[table_column(&plan, "x")].expr;
    eval_init(&eval, &plan, &expr, 1, 16, &context);
    assert_int_equal(eval.nodes.count, 2 + 3); // i, j, and a node for each operator
    eval_deinit(&eval);
    plan_deinit(&plan);
    table_deinit(&table);
}

/* Each level has the value of the one below twice: 2^60 nodes, if it were a tree. */
static void shared_parts_are_visited_once(void **state) {
    (void)state;
    enum { LEVELS = 60 };
    struct table table;
    table_read(&table, TEST_DATA "/sql/rows.tsv");
    struct query_plan plan;
    must_plan(&table, "i + 0", &plan);
    const struct expr *leaf = plan.columns[table_column(&plan, "x")].expr;
    struct expr levels[LEVELS];
    const struct expr *arguments[LEVELS][2];
    for (size_t i = 0; i < LEVELS; i++) {
        levels[i] = *leaf;
        arguments[i][0] = arguments[i][1] = i == 0 ? leaf : &levels[i - 1];
        levels[i].arguments = arguments[i];
    }
    struct timestamp_context context = {0};
    struct eval eval;
    const struct expr *top = &levels[LEVELS - 1];
    eval_init(&eval, &plan, &top, 1, 16, &context);
    assert_int_equal(eval.nodes.count, 3 + LEVELS); // and i, 0, i + 0
    eval_deinit(&eval);
    plan_deinit(&plan);
    table_deinit(&table);
}

static void a_full_arena_is_reported_and_the_call_repeated(void **state) {
    (void)state;
    struct table table;
    table_read(&table, TEST_DATA "/sql/rows.tsv");
    struct query_plan plan;
    must_plan(&table, "concat(s, u, s, u)", &plan);
    struct evaluated evaluated;
    table.string_bytes = 64;
    table_evaluate(&table, &plan, &evaluated);
    assert_true(evaluated.attempts > 1);
    evaluated_deinit(&evaluated);
    plan_deinit(&plan);
    table_deinit(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_spark),
        cmocka_unit_test(values_inside_arrays_and_maps_are_those_of_spark),
        cmocka_unit_test(values_of_exploded_rows_are_those_of_spark),
        cmocka_unit_test(values_in_other_time_zones_are_those_of_spark),
        cmocka_unit_test(rows_alone_give_the_same_as_a_slice),
        cmocka_unit_test(a_value_of_case_is_not_computed_if_no_row_needs_it),
        cmocka_unit_test(faults_are_counted_per_expression),
        cmocka_unit_test(a_place_that_has_no_absolute_value_is_a_fault),
        cmocka_unit_test(new_arrays_that_do_not_fit_are_made_again_with_more_room),
        cmocka_unit_test(equal_parts_are_computed_once),
        cmocka_unit_test(shared_parts_are_visited_once),
        cmocka_unit_test(a_full_arena_is_reported_and_the_call_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
