/* No matter what a query file says, its tables are planned or refused without a crash. What is
 * refused names the file and a place, and an expression of a plan is printed as text that is read
 * again as the same text. It is computed for some rows without a crash. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sql/eval/eval.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct error *err) {
    check(err->kind == ERROR_CONFIG && strncmp(err->message, "f:", 2) == 0);
    char *after_line, *after_column;
    check(strtol(err->message + 2, &after_line, 10) >= 1 && *after_line == ':');
    check(strtol(after_line + 1, &after_column, 10) >= 1);
    check(strncmp(after_column, ": ", 2) == 0 && after_column[2] != '\0');
}

static void check_expr(const struct query_plan *plan, const struct expr *expr,
                       const char *const *names) {
    struct pool pool;
    struct sql_node *node;
    struct error err;
    pool_init(&pool);
    const char *text = expr_text(plan, expr, &pool);
    check(sql_parse_expression(text, strlen(text), &pool, &node, &err));
    text = expr_sql(plan, expr, names, &pool);
    check(*text != '\0');
    pool_deinit(&pool);
}

/* ---- rows ---- */

enum { ROWS = 4, ELEMENTS = 16 };

/* Values of which every third is null; lists have up to two elements. */
static struct vector make_vector(struct pool *pool, const struct data_type *type, size_t rows) {
    static const struct data_type key = {.kind = TYPE_STRING};
    size_t children = type->kind == TYPE_STRUCT  ? type->field_count
                      : type->kind == TYPE_MAP   ? 2
                      : type->kind == TYPE_ARRAY ? 1
                                                 : 0;
    struct vector vector = {.type = type->kind,
                            .scale = type->scale,
                            .valid = pool_alloc(pool, rows, 1),
                            .children = pool_alloc(pool, children, sizeof vector)};
    if (type->kind != TYPE_STRUCT)
        vector.values = pool_alloc(pool, rows, vector_width(type->kind));
    for (size_t row = 0; row < rows; row++) {
        vector.valid[row] = row % 3 != 2;
        if (type->kind == TYPE_ARRAY || type->kind == TYPE_MAP)
            vector.lists[row] = (struct list){(uint32_t)row % ELEMENTS / 2, (uint32_t)row % 3};
        else if (type_is_text(type->kind))
            vector.texts[row] = TEXT("1");
        else if (type->kind == TYPE_INT32)
            vector.int32s[row] = (int32_t)row - 1;
    }
    for (size_t i = 0; i < children; i++)
        vector.children[i] = make_vector(pool,
                                         type->kind == TYPE_STRUCT          ? &type->fields[i].type
                                         : type->kind == TYPE_MAP && i == 0 ? &key
                                                                            : type->element,
                                         type->kind == TYPE_STRUCT ? rows : ELEMENTS);
    return vector;
}

static struct view_values *make_views(struct pool *pool, const struct query_plan *plan) {
    static const struct data_type types[] = {{.kind = TYPE_INT32}, {.kind = TYPE_STRING}};
    struct view_values *views = pool_alloc(pool, plan->view_count, sizeof *views);
    for (size_t i = 0; i < plan->view_count; i++) {
        const struct data_type *of = &plan->views[i].argument->type;
        bool is_map = of->kind == TYPE_MAP;
        struct vector *parts = views[i].parts;
        parts[VIEW_POSITION] = make_vector(pool, &types[0], ROWS);
        parts[VIEW_ELEMENT] = make_vector(pool, is_map ? &types[1] : of->element, ROWS);
        if (is_map)
            parts[VIEW_VALUE] = make_vector(pool, of->element, ROWS);
    }
    return views;
}

static void compute(const struct query_plan *plan, const struct expr *expr, struct pool *pool,
                    const struct vector *inputs, const struct view_values *views) {
    const struct timestamp_context context = {0};
    struct arena strings;
    struct eval eval;
    int64_t faults = 0;
    struct vector output = {.type = expr->type.kind};
    if (expr->type.kind < TYPE_STRUCT)
        output = make_vector(pool, &expr->type, ROWS);
    arena_init(&strings, (size_t)64 * 1024);
    eval_init(&eval, plan, &expr, 1, ROWS, &context);
    eval_bind(&eval, inputs, views, &output);
    for (size_t row = 0; row < ROWS; row++)
        (void)eval_rows(&eval, row, 1, &strings, &faults);
    arena_reset(&strings);
    (void)eval_rows(&eval, 0, ROWS, &strings, &faults);
    eval_deinit(&eval);
    arena_deinit(&strings);
}

/* Each expression makes the nodes of all columns, so only some are computed. */
static void compute_some(const struct query_plan *plan) {
    struct pool pool;
    pool_init(&pool);
    struct vector *inputs = pool_alloc(&pool, plan->input_count, sizeof *inputs);
    for (size_t i = 0; i < plan->input_count; i++)
        inputs[i] = make_vector(&pool, &plan->inputs[i].type, ROWS);
    const struct view_values *views = make_views(&pool, plan);
    for (size_t i = 0; i < plan->column_count && i < 10; i++)
        compute(plan, plan->columns[i].expr, &pool, inputs, views);
    for (size_t i = 0; i < plan->view_count && i < 10; i++)
        compute(plan, plan->views[i].argument, &pool, inputs, views);
    pool_deinit(&pool);
}

static void check_plan(const struct query_plan *plan) {
    size_t name_count = plan->input_count + VIEW_PARTS * plan->view_count;
    const char **names = must_alloc(name_count, sizeof(char *));
    for (size_t i = 0; i < name_count; i++)
        names[i] = "`x`";
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[plan->order[i]];
        check(column->type.kind < TYPE_NULL);
        check(data_type_equals(&column->type, &column->expr->type));
        check_expr(plan, column->expr, names);
    }
    if (plan->where != NULL)
        check_expr(plan, plan->where, names);
    for (size_t i = 0; i < plan->view_count; i++)
        check_expr(plan, plan->views[i].argument, names);
    free(names);
    compute_some(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sql_file file;
    struct error err = {0};
    if (!sql_parse("f", (const char *)data, size, &file, &err))
        return 0;
    for (size_t i = 0; i < file.table_count; i++) {
        struct query_plan plan;
        if (plan_make(&file, i, &plan, &err)) {
            check_plan(&plan);
            plan_deinit(&plan);
        } else {
            check_refusal(&err);
        }
    }
    sql_file_deinit(&file);
    return 0;
}
