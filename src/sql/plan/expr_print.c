/* expr_print.c: expressions as text. Each is printed for a place that takes operators of some
 * precedence or higher; a lower one gets parentheses. Recursion is as deep as the expression, which
 * the parser bounds (SQL_DEPTH_MAX).
 *
 * The right operand of an operator, and both of a predicate (IS NULL, IN, comparison), must bind
 * closer than it: Spark's grammar knows no chains of these. */
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "sql/plan/expr_make.h"
#include "sql/plan/literal.h"

enum { PRECEDENCE_ANY = 0, PRECEDENCE_PRIMARY = 1000 };

struct printer {
    const struct query_plan *plan;
    const char *const *input_names; // NULL: for people
    struct pool *pool;
};

static const char *print(const struct printer *printer, const struct expr *expr, int least);

/* ---- names ---- */

/* Whether an expression can have it as a name without quotes: no word such as CASE. */
static bool is_bare(const char *name, struct pool *pool) {
    struct sql_node *node;
    struct error ignored;
    return name_is_plain(name) && sql_parse_expression(name, strlen(name), pool, &node, &ignored) &&
           node->kind == SQL_NAME;
}

static const char *print_name(const struct printer *printer, const char *name) {
    bool bare = printer->input_names == NULL && is_bare(name, printer->pool);
    return bare ? name : name_quoted(name, printer->pool);
}

static const char *print_input(const struct printer *printer, size_t index) {
    static const char *const kafka[] = {
        [INPUT_KEY] = "key",
        [INPUT_VALUE] = "value",
        [INPUT_TOPIC] = "topic",
        [INPUT_PARTITION] = "partition",
        [INPUT_OFFSET] = "offset",
        [INPUT_TIMESTAMP] = "kafka_timestamp",
        [INPUT_TIMESTAMP_TYPE] = "timestampType",
        [INPUT_HEADERS] = "headers",
        [INPUT_PROCESSING_TIMESTAMP] = "processing_timestamp",
    };
    if (printer->input_names != NULL)
        return printer->input_names[index];
    const struct plan_input *input = &printer->plan->inputs[index];
    if (input->kind != INPUT_RECORD)
        return kafka[input->kind];
    const char *text = print_name(printer, input->path[0]);
    for (size_t i = 1; i < input->path_length; i++)
        text = pool_format(printer->pool, "%s.%s", text, print_name(printer, input->path[i]));
    return text;
}

/* ---- calls ---- */

static const char *print_list(const struct printer *printer, const struct expr *const *items,
                              size_t count) {
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = pool_format(printer->pool, "%s%s%s", text, i > 0 ? ", " : "",
                           print(printer, items[i], PRECEDENCE_ANY));
    return text;
}

static const char *print_case(const struct printer *printer, const struct expr *expr) {
    const char *text = "CASE";
    size_t i = 0;
    for (; i + 1 < expr->argument_count; i += 2)
        text = pool_format(printer->pool, "%s WHEN %s THEN %s", text,
                           print(printer, expr->arguments[i], PRECEDENCE_ANY),
                           print(printer, expr->arguments[i + 1], PRECEDENCE_ANY));
    if (i < expr->argument_count)
        text = pool_format(printer->pool, "%s ELSE %s", text,
                           print(printer, expr->arguments[i], PRECEDENCE_ANY));
    return pool_format(printer->pool, "%s END", text);
}

/* Whether a chain of it can be written without parentheses: a AND b AND c, a - b - c. */
static bool is_chain(const struct function *function) {
    static const char *const chains[] = {"AND", "OR", "+", "-", "*", "/", "%", "DIV", "||"};
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++)
        if (strcasecmp(chains[i], function->symbol) == 0)
            return true;
    return false;
}

static const char *print_prefix(const struct printer *printer, const struct expr *expr) {
    const struct function *function = expr->function;
    const char *operand = print(printer, expr->arguments[0], function->precedence);
    bool is_word = function->symbol[0] >= 'A';
    if (operand[0] == '-') // "--" begins a comment
        operand = pool_format(printer->pool, "(%s)", operand);
    return pool_format(printer->pool, "%s%s%s", function->symbol, is_word ? " " : "", operand);
}

static const char *print_infix(const struct printer *printer, const struct expr *expr) {
    const struct function *function = expr->function;
    int left = function->precedence + (is_chain(function) ? 0 : 1);
    const char *text =
        pool_format(printer->pool, "%s %s %s", print(printer, expr->arguments[0], left),
                    function->symbol, print(printer, expr->arguments[1], function->precedence + 1));
    if (expr->argument_count > 2) // LIKE
        text = pool_format(printer->pool, "%s ESCAPE %s", text,
                           print(printer, expr->arguments[2], PRECEDENCE_PRIMARY));
    return text;
}

static const char *print_form(const struct printer *printer, const struct expr *expr) {
    const struct function *function = expr->function;
    const struct expr *const *arguments = expr->arguments;
    switch (function->form) {
    case FORM_PREFIX:
        return print_prefix(printer, expr);
    case FORM_INFIX:
        return print_infix(printer, expr);
    case FORM_POSTFIX:
        return pool_format(printer->pool, "%s %s",
                           print(printer, arguments[0], function->precedence + 1),
                           function->symbol);
    case FORM_IN:
        return pool_format(printer->pool, "%s IN (%s)",
                           print(printer, arguments[0], function->precedence + 1),
                           print_list(printer, arguments + 1, expr->argument_count - 1));
    case FORM_CASE:
        return print_case(printer, expr);
    case FORM_CALL:
        break;
    }
    return pool_format(printer->pool, "%s(%s)", function->name,
                       print_list(printer, arguments, expr->argument_count));
}

/* The precedence of what print_form() prints. */
static int precedence_of(const struct expr *expr) {
    bool is_operator = expr->kind == EXPR_CALL && expr->function != NULL &&
                       expr->function->form != FORM_CALL && expr->function->form != FORM_CASE;
    return is_operator ? expr->function->precedence : PRECEDENCE_PRIMARY;
}

static const char *print_guarded(const struct printer *printer, const struct expr *expr) {
    struct function_use use =
        expr_function_use(expr->arguments, expr->argument_count, printer->pool);
    const char **arguments = pool_alloc(printer->pool, expr->argument_count, sizeof *arguments);
    for (size_t i = 0; i < expr->argument_count; i++)
        arguments[i] = print(printer, expr->arguments[i], PRECEDENCE_PRIMARY);
    return pool_format(printer->pool, "(%s)",
                       expr->function->guard(&use, arguments, printer->pool));
}

static const char *print_cast(const struct printer *printer, const struct expr *expr) {
    if (printer->input_names != NULL) {
        const char *guarded =
            cast_guard(&expr->arguments[0]->type, &expr->type,
                       print(printer, expr->arguments[0], PRECEDENCE_PRIMARY), printer->pool);
        if (guarded != NULL)
            return pool_format(printer->pool, "(%s)", guarded);
    }
    return pool_format(printer->pool, "CAST(%s AS %s)",
                       print(printer, expr->arguments[0], PRECEDENCE_ANY),
                       data_type_ddl(&expr->type, printer->pool));
}

static const char *print_call(const struct printer *printer, const struct expr *expr, int least) {
    if (expr->function == NULL && expr->is_implicit && printer->input_names == NULL)
        return print(printer, expr->arguments[0], least);
    if (expr->function == NULL)
        return print_cast(printer, expr);
    if (expr->function->guard != NULL && printer->input_names != NULL)
        return print_guarded(printer, expr);
    const char *text = print_form(printer, expr);
    return precedence_of(expr) < least ? pool_format(printer->pool, "(%s)", text) : text;
}

/* ---- all of them ---- */

static const char *print(const struct printer *printer, const struct expr *expr, int least) {
    switch (expr->kind) {
    case EXPR_LITERAL:
        return literal_print(expr, printer->input_names != NULL, printer->pool);
    case EXPR_INPUT:
        return print_input(printer, expr->index);
    case EXPR_COLUMN:
        return print_name(printer, printer->plan->columns[expr->index].name);
    case EXPR_CALL:
        return print_call(printer, expr, least);
    }
    check(false);
    return NULL;
}

const char *expr_sql(const struct query_plan *plan, const struct expr *expr,
                     const char *const *input_names, struct pool *pool) {
    return print(&(struct printer){.plan = plan, .input_names = input_names, .pool = pool}, expr,
                 PRECEDENCE_ANY);
}

const char *expr_text(const struct query_plan *plan, const struct expr *expr, struct pool *pool) {
    return print(&(struct printer){.plan = plan, .pool = pool}, expr, PRECEDENCE_ANY);
}
