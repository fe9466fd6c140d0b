/* No matter what a query file says, its tables are planned or refused without a crash. What is
 * refused names the file and a place, and an expression of a plan is printed as text that is read
 * again as the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
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
    free(names);
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
