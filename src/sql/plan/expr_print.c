/* expr_print.c: expressions as text. Each is printed for a place that takes operators of some
 * precedence or higher; a lower one gets parentheses. Recursion is as deep as the expression, which
 * the parser bounds (SQL_DEPTH_MAX).
 *
 * The right operand of an operator, and both of a predicate (IS NULL, IN, comparison), must bind
 * closer than it: Spark's grammar knows no chains of these. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "sql/plan/expr_make.h"
#include "sql/plan/literal.h"

enum { PRECEDENCE_ANY = 0, PRECEDENCE_PRIMARY = 1000 };

struct printer {
    const struct query_plan *plan;
    const char *const *input_names; // NULL: for people
    const char *lambda;             // for Spark: how names of parameters begin
    struct pool *pool;              // for pieces
    FILE *out;
};

static void print(const struct printer *printer, const struct expr *expr, int least);

static void put(const struct printer *printer, const char *text) {
    (void)fputs(text, printer->out);
}

/* The same as a text, in the pool. */
static const char *text_of(const struct printer *printer, const struct expr *expr, int least) {
    char *text = NULL;
    size_t size;
    struct printer other = *printer;
    other.out = open_memstream(&text, &size);
    check(other.out != NULL);
    print(&other, expr, least);
    must_close_text(other.out, &text);
    const char *copy = pool_copy(printer->pool, text_borrow(text));
    free(text);
    return copy;
}

/* ---- names ---- */

/* Whether an expression can have it as a name without quotes: no word such as CASE. */
static bool is_bare(const char *name, struct pool *pool) {
    struct sql_node *node;
    struct error ignored;
    return name_is_plain(name) && sql_parse_expression(name, strlen(name), pool, &node, &ignored) &&
           node->kind == SQL_NAME;
}

static void print_name(const struct printer *printer, const char *name) {
    bool bare = printer->input_names == NULL && is_bare(name, printer->pool);
    put(printer, bare ? name : name_quoted(name, printer->pool));
}

static void print_input(const struct printer *printer, size_t index) {
    const struct plan_input *input = &printer->plan->inputs[index];
    if (printer->input_names != NULL)
        put(printer, printer->input_names[index]);
    else if (input->kind == INPUT_TIMESTAMP)
        put(printer, "kafka_timestamp"); // a record often has a field `timestamp`
    else if (input->kind != INPUT_RECORD)
        put(printer, plan_kafka_name(input->kind));
    for (size_t i = 0; printer->input_names == NULL && i < input->path_length; i++) {
        put(printer, i > 0 ? "." : "");
        print_name(printer, input->path[i]);
    }
}

/* For people, a position that has no alias is what its column is called. */
static void print_view(const struct printer *printer, const struct expr *expr) {
    const struct query_plan *plan = printer->plan;
    const struct plan_view *view = &plan->views[expr->index];
    const char *const names[VIEW_PARTS] = {
        [VIEW_POSITION] =
            view->position != NULL ? view->position : plan->columns[view->position_column].name,
        [VIEW_ELEMENT] = view->element,
        [VIEW_VALUE] = view->value};
    if (printer->input_names != NULL)
        put(printer,
            printer->input_names[plan->input_count + VIEW_PARTS * expr->index + expr->part]);
    else
        print_name(printer, names[expr->part]);
}

/* ---- lambdas ---- */

static bool begins(const char *name, const char *with) {
    return strncasecmp(name, with, strlen(with)) == 0;
}

/* How no other name begins, so that a parameter hides nothing. */
static const char *lambda_names(const struct query_plan *plan, const char *const *input_names,
                                struct pool *pool) {
    const char *name = "lambda";
    for (bool is_free = false; !is_free;) {
        const char *quoted = pool_format(pool, "`%s", name);
        is_free = true;
        for (size_t i = 0; i < plan->input_count + VIEW_PARTS * plan->view_count; i++)
            is_free = is_free && !begins(input_names[i], quoted) && !begins(input_names[i], name);
        for (size_t i = 0; i < plan->column_count; i++)
            is_free = is_free && !begins(plan->columns[i].name, name);
        name = is_free ? name : pool_format(pool, "%s_", name);
    }
    return name;
}

static void print_parameter(const struct printer *printer, const struct expr *expr) {
    if (printer->input_names == NULL)
        print_name(printer, expr->written);
    else
        (void)fprintf(printer->out, "`%s%zu`", printer->lambda, expr->index);
}

static void print_lambda(const struct printer *printer, const struct expr *expr) {
    put(printer, expr->index > 1 ? "(" : "");
    for (size_t i = 1; i <= expr->index; i++) {
        put(printer, i > 1 ? ", " : "");
        print_parameter(printer, expr->arguments[i]);
    }
    put(printer, expr->index > 1 ? ") -> " : " -> ");
    print(printer, expr->arguments[0], PRECEDENCE_ANY);
}

/* ---- operators ---- */

/* Whether a chain of it can be written without parentheses: a AND b AND c, a - b - c. */
static bool is_chain(const struct function *function) {
    static const char *const chains[] = {"AND", "OR", "+", "-", "*", "/", "%", "DIV", "||"};
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++)
        if (strcasecmp(chains[i], function->symbol) == 0)
            return true;
    return false;
}

/* a <> b, a NOT IN (b), a NOT LIKE b: the predicate that a NOT is of; NULL: it is written alone. */
static const struct expr *negated(const struct expr *expr) {
    const struct expr *of = expr->arguments[0];
    if (strcmp(expr->function->name, "not") != 0 || of->kind != EXPR_CALL || of->function == NULL)
        return NULL;
    const char *name = of->function->name;
    bool fits = strcmp(name, "=") == 0 || strcmp(name, "in") == 0 || strcmp(name, "like") == 0;
    return fits ? of : NULL;
}

static void print_prefix(const struct printer *printer, const struct expr *expr) {
    const struct function *function = expr->function;
    const char *operand = text_of(printer, expr->arguments[0], function->precedence);
    bool is_word = function->symbol[0] >= 'A';
    bool is_signed = operand[0] == '-'; // "--" begins a comment
    (void)fprintf(printer->out, "%s%s%s%s%s", function->symbol, is_word ? " " : "",
                  is_signed ? "(" : "", operand, is_signed ? ")" : "");
}

static void print_infix(const struct printer *printer, const struct expr *expr, bool is_negated) {
    const struct function *function = expr->function;
    const char *symbol = !is_negated                          ? function->symbol
                         : strcmp(function->symbol, "=") == 0 ? "<>"
                                                              : "NOT LIKE";
    print(printer, expr->arguments[0], function->precedence + (is_chain(function) ? 0 : 1));
    (void)fprintf(printer->out, " %s ", symbol);
    print(printer, expr->arguments[1], function->precedence + 1);
    if (expr->argument_count > 2) { // LIKE
        put(printer, " ESCAPE ");
        print(printer, expr->arguments[2], PRECEDENCE_PRIMARY);
    }
}

static void print_list(const struct printer *printer, const struct expr *const *items,
                       size_t count) {
    put(printer, "(");
    for (size_t i = 0; i < count; i++) {
        put(printer, i > 0 ? ", " : "");
        print(printer, items[i], PRECEDENCE_ANY);
    }
    put(printer, ")");
}

static void print_in(const struct printer *printer, const struct expr *expr, bool is_negated) {
    print(printer, expr->arguments[0], expr->function->precedence + 1);
    put(printer, is_negated ? " NOT IN " : " IN ");
    print_list(printer, expr->arguments + 1, expr->argument_count - 1);
}

/* ---- calls ---- */

static void print_case(const struct printer *printer, const struct expr *expr) {
    put(printer, "CASE");
    for (size_t i = 0; i < expr->argument_count; i++) {
        bool is_last = i + 1 == expr->argument_count;
        put(printer, i % 2 == 1 ? " THEN " : is_last ? " ELSE " : " WHEN ");
        print(printer, expr->arguments[i], PRECEDENCE_ANY);
    }
    put(printer, " END");
}

static void print_form(const struct printer *printer, const struct expr *expr, bool is_negated) {
    switch (expr->function->form) {
    case FORM_PREFIX:
        if (negated(expr) != NULL)
            print_form(printer, negated(expr), true);
        else
            print_prefix(printer, expr);
        return;
    case FORM_INFIX:
        print_infix(printer, expr, is_negated);
        return;
    case FORM_POSTFIX:
        print(printer, expr->arguments[0], expr->function->precedence + 1);
        (void)fprintf(printer->out, " %s", expr->function->symbol);
        return;
    case FORM_IN:
        print_in(printer, expr, is_negated);
        return;
    case FORM_CASE:
        print_case(printer, expr);
        return;
    case FORM_INDEX:
        print(printer, expr->arguments[0], PRECEDENCE_PRIMARY);
        put(printer, "[");
        print(printer, expr->arguments[1], PRECEDENCE_ANY);
        put(printer, "]");
        return;
    case FORM_CALL:
        put(printer, printer->input_names == NULL && expr->written != NULL ? expr->written
                                                                           : expr->function->name);
        print_list(printer, expr->arguments, expr->argument_count);
        return;
    }
}

/* The precedence of what print_form() prints. */
static int precedence_of(const struct expr *expr) {
    const struct function *function = expr->function;
    if (function->form == FORM_CALL || function->form == FORM_CASE || function->form == FORM_INDEX)
        return PRECEDENCE_PRIMARY;
    const struct expr *predicate = negated(expr);
    return predicate != NULL ? predicate->function->precedence : function->precedence;
}

static void print_function(const struct printer *printer, const struct expr *expr, int least) {
    bool is_inside = precedence_of(expr) < least;
    put(printer, is_inside ? "(" : "");
    print_form(printer, expr, false);
    put(printer, is_inside ? ")" : "");
}

static void print_cast(const struct printer *printer, const struct expr *expr) {
    put(printer, expr->is_try ? "TRY_CAST(" : "CAST(");
    print(printer, expr->arguments[0], PRECEDENCE_ANY);
    (void)fprintf(printer->out, " AS %s)", data_type_ddl(&expr->type, printer->pool));
}

/* ---- guards ---- */

static bool has_guard(const struct printer *printer, const struct expr *expr) {
    if (printer->input_names == NULL)
        return false;
    if (expr->function != NULL)
        return expr->function->guard != NULL;
    return cast_guard(&expr->arguments[0]->type, &expr->type, "", printer->pool) != NULL;
}

/* The text that does not throw in Spark. */
static void print_guard(const struct printer *printer, const struct expr *expr) {
    const char **arguments = pool_alloc(printer->pool, expr->argument_count, sizeof(char *));
    for (size_t i = 0; i < expr->argument_count; i++)
        arguments[i] = text_of(printer, expr->arguments[i], PRECEDENCE_PRIMARY);
    struct function_use use =
        expr_function_use(expr->arguments, expr->argument_count, printer->pool);
    const char *text =
        expr->function != NULL
            ? expr->function->guard(&use, arguments, printer->pool)
            : cast_guard(&expr->arguments[0]->type, &expr->type, arguments[0], printer->pool);
    (void)fprintf(printer->out, "(%s)", text);
}

/* ---- all of them ---- */

static void print_call(const struct printer *printer, const struct expr *expr, int least) {
    if (has_guard(printer, expr))
        print_guard(printer, expr);
    else if (expr->function != NULL)
        print_function(printer, expr, least);
    else if (expr->is_implicit && printer->input_names == NULL)
        print(printer, expr->arguments[0], least);
    else
        print_cast(printer, expr);
}

static void print(const struct printer *printer, const struct expr *expr, int least) {
    switch (expr->kind) {
    case EXPR_LITERAL:
        put(printer, literal_print(expr, printer->input_names != NULL, printer->pool));
        return;
    case EXPR_INPUT:
        print_input(printer, expr->index);
        return;
    case EXPR_COLUMN:
        print_name(printer, printer->plan->columns[expr->index].name);
        return;
    case EXPR_CALL:
        print_call(printer, expr, least);
        return;
    case EXPR_FIELD:
        print(printer, expr->arguments[0], PRECEDENCE_PRIMARY);
        put(printer, ".");
        print_name(printer, expr->arguments[0]->type.fields[expr->index].name);
        return;
    case EXPR_VIEW:
        print_view(printer, expr);
        return;
    case EXPR_LAMBDA:
        print_lambda(printer, expr);
        return;
    case EXPR_PARAMETER:
        print_parameter(printer, expr);
        return;
    }
}

const char *expr_sql(const struct query_plan *plan, const struct expr *expr,
                     const char *const *input_names, struct pool *pool) {
    const struct printer printer = {.plan = plan,
                                    .input_names = input_names,
                                    .lambda = lambda_names(plan, input_names, pool),
                                    .pool = pool};
    return text_of(&printer, expr, PRECEDENCE_ANY);
}

const char *expr_text(const struct query_plan *plan, const struct expr *expr, struct pool *pool) {
    return text_of(&(struct printer){.plan = plan, .pool = pool}, expr, PRECEDENCE_ANY);
}
