/* sql_values functions|types|values [ROWS ZONE]: expressions by us, to be compared with real Spark
 * (tests/sql/compare.py).
 *
 *   functions   prints the table of functions, one JSON object per line
 *   types       reads expressions over the columns of the file ROWS (tests/unit/sql/eval/table.h)
 *               from stdin and prints the type of each, with "!" if it cannot be null, or "! " and
 *               why it is refused
 *   values      the same, and behind the type, after tabs, the text for Spark, and the value in
 *               each row, with \f in front where it is a fault; "differs" where a row alone has
 *               another value
 *
 * Expressions and answers end with \x1e. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "eval/nested.h"
#include "eval/table.h"
#include "sql/functions/function.h"

enum { SEPARATOR = 0x1e, STRING_BYTES = 1024 * 1024 };

/* ---- the table ---- */

static void print_functions(void) {
    static const char *const forms[] = {
        [FORM_CALL] = "call",       [FORM_PREFIX] = "prefix", [FORM_INFIX] = "infix",
        [FORM_POSTFIX] = "postfix", [FORM_IN] = "in",         [FORM_CASE] = "case",
    };
    for (const struct function *function = functions; function->name != NULL; function++)
        printf("{\"name\": \"%s\", \"min\": %d, \"max\": %d, \"form\": \"%s\", \"symbol\": \"%s\", "
               "\"throws\": %s}\n",
               function->name, function->arguments_min, function->arguments_max,
               forms[function->form], function->symbol != NULL ? function->symbol : "",
               function->throws != NULL ? "true" : "false");
}

/* ---- expressions ---- */

/* Of any length, which value_print() has no room for. */
static void print_text(struct text text) {
    for (uint32_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        bool is_plain = byte >= ' ' && byte != '\\' && byte < 0x7F;
        printf(is_plain ? "%c" : "\\x%02x", byte);
    }
}

static void print_value(const struct evaluated *values, size_t row) {
    char text[VALUE_TEXT_MAX];
    putchar('\t');
    if (values->faults != NULL && values->faults[row] != 0)
        putchar('\f');
    if (values->vector.valid[row] != 0 && type_is_text(values->vector.type)) {
        print_text(values->vector.texts[row]);
        return;
    }
    value_print(&values->vector, row, text);
    printf("%s", text);
}

static bool same_value(const struct evaluated *a, const struct evaluated *b, size_t row) {
    size_t width = type_width(a->vector.type);
    if ((a->faults != NULL && a->faults[row] != b->faults[row]) ||
        a->vector.valid[row] != b->vector.valid[row])
        return false;
    if (a->vector.valid[row] == 0)
        return true;
    if (type_is_text(a->vector.type)) {
        struct text one = a->vector.texts[row], other = b->vector.texts[row];
        return one.length == other.length &&
               (one.length == 0 || memcmp(one.bytes, other.bytes, one.length) == 0);
    }
    return memcmp((const char *)a->vector.values + row * width,
                  (const char *)b->vector.values + row * width, width) == 0;
}

static void print_values(struct table *table, const struct query_plan *plan) {
    struct evaluated slice, alone;
    table_evaluate_rows(table, plan, table->row_count, &slice);
    table->string_bytes = slice.strings.capacity * 2; // then rows alone fit
    table_evaluate_rows(table, plan, 1, &alone);
    table->string_bytes = STRING_BYTES;
    for (size_t row = 0; row < table->row_count; row++)
        if (same_value(&slice, &alone, row))
            print_value(&slice, row);
        else
            printf("\tdiffers");
    evaluated_deinit(&slice);
    evaluated_deinit(&alone);
}

static void print_spark(const struct query_plan *plan, const struct expr *expr) {
    struct pool pool;
    pool_init(&pool);
    const char **names = pool_alloc(&pool, plan->input_count, sizeof(char *));
    for (size_t i = 0; i < plan->input_count; i++)
        names[i] = plan->inputs[i].kind == INPUT_RECORD
                       ? pool_format(&pool, "`%s`", plan->inputs[i].path[0])
                       : "";
    printf("\t%s", expr_sql(plan, expr, names, &pool));
    pool_deinit(&pool);
}

static void print_one(struct table *table, const char *expression, bool with_values) {
    struct query_plan plan;
    struct error err;
    struct pool values = table->pool; // what the values take is freed after each expression
    pool_init(&table->pool);
    if (table_plan(table, expression, &plan, &err)) {
        const struct expr *expr = plan.columns[table_column(&plan, "x")].expr;
        printf("%s%s", data_type_text(&expr->type, &table->pool), expr->can_be_null ? "" : "!");
        if (with_values) {
            print_spark(&plan, expr);
            print_values(table, &plan);
        }
        plan_deinit(&plan);
    } else {
        printf("! %s", err.message);
    }
    putchar(SEPARATOR);
    pool_deinit(&table->pool);
    table->pool = values;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "functions") == 0) {
        print_functions();
        return 0;
    }
    check(argc == 4);
    static struct table table;
    table_read(&table, argv[2]);
    table.string_bytes = STRING_BYTES;
    table.now_ms = (int64_t)time(NULL) * 1000;
    check(zone_find(text_borrow(argv[3]), &table.zone));
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getdelim(&text, &room, SEPARATOR, stdin)) > 0) {
        if (text[length - 1] == SEPARATOR)
            text[length - 1] = '\0';
        print_one(&table, text, strcmp(argv[1], "values") == 0);
    }
    free(text);
    table_deinit(&table);
    return 0;
}
