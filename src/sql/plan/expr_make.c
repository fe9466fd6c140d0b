/* expr_make.c: types go from the leaves up: a call is typed when its arguments are, by the table of
 * functions, which says what each argument is cast to implicitly. Recursion is as deep as the tree
 * (SQL_DEPTH_MAX). */
#include "sql/plan/expr_make.h"

#include <string.h>

#include "base/check.h"
#include "sql/plan/literal.h"
#include "sql/plan/names.h"

/* ---- size ---- */

static bool too_large(struct planner *planner, struct sql_place place, struct error *err) {
    return PLAN_ERROR(err, planner, place,
                      "the expression is too large: more than %d parts, where BETWEEN, CASE x WHEN "
                      "and what Spark needs in place of some functions repeat their values",
                      EXPRESSION_PARTS_MAX);
}

/* Adds up the parts of a call, when it has its arguments. A guard repeats them, two or three times.
 */
static bool count_parts(struct planner *planner, struct expr *expr, bool has_guard,
                        struct error *err) {
    for (size_t i = 0; i < expr->argument_count; i++)
        expr->parts += expr->arguments[i]->parts * (has_guard ? 3 : 1);
    return expr->parts <= EXPRESSION_PARTS_MAX || too_large(planner, expr->place, err);
}

/* ---- casts ---- */

enum cast_kind { CAST_IMPLICIT, CAST_WRITTEN, CAST_TRY };

/* Adds the kernel, and what its value can be. */
static bool choose_cast(struct expr *cast, const struct expr *value, struct error *err) {
    bool can_be_null, can_fault;
    bool ok = (cast->is_try ? try_cast_find : cast_find)(&value->type, &cast->type, &cast->kernel,
                                                         &can_be_null, &can_fault, err);
    if (!ok)
        return false;
    cast->can_be_null = value->can_be_null || can_be_null || can_fault;
    cast->can_fault = value->can_fault || can_fault;
    return true;
}

/* Spark's optimizer leaves out a cast to FLOAT between a whole number and DOUBLE, which changes
 * values of many digits; and so do we. */
static const struct expr *without_float(const struct expr *value, const struct data_type *type) {
    if (type->kind != TYPE_DOUBLE || value->kind != EXPR_CALL || value->function != NULL ||
        value->type.kind != TYPE_FLOAT)
        return value;
    enum type from = value->arguments[0]->type.kind;
    return from == TYPE_INT32 || from == TYPE_INT64 ? value->arguments[0] : value;
}

static bool make_cast(struct planner *planner, struct sql_place place, const struct expr *value,
                      const struct data_type *type, enum cast_kind kind, const struct expr **out,
                      struct error *err) {
    if (data_type_equals(&value->type, type)) {
        *out = value;
        return true;
    }
    value = without_float(value, type);
    struct expr *expr = planner_expr(EXPR_CALL, planner, place);
    struct error cause = {0};
    expr->type = *type;
    expr->is_implicit = kind == CAST_IMPLICIT;
    expr->is_try = kind == CAST_TRY;
    if (!choose_cast(expr, value, &cause))
        return PLAN_ERROR(err, planner, place, "%s", cause.message);
    const struct expr **argument = pool_alloc(&planner->plan->pool, 1, sizeof(struct expr *));
    argument[0] = value;
    expr->arguments = argument;
    expr->argument_count = 1;
    *out = expr;
    bool has_guard = cast_guard(&value->type, type, "", &planner->plan->pool) != NULL;
    return count_parts(planner, expr, has_guard, err);
}

static bool make_written_cast(struct planner *planner, const struct sql_node *node,
                              const struct expr **expr, struct error *err) {
    const struct expr *value = NULL;
    if (node->type->kind >= TYPE_STRUCT)
        return PLAN_ERROR(err, planner, node->place,
                          "a cast to %s is not supported: only to scalar types",
                          type_sql_name(node->type->kind));
    if (!expr_make(planner, node->children[0], &value, err))
        return false;
    check(value != NULL);
    return make_cast(planner, node->place, value, node->type,
                     node->kind == SQL_TRY_CAST ? CAST_TRY : CAST_WRITTEN, expr, err);
}

/* ---- calls ---- */

struct function_use expr_function_use(const struct expr *const *arguments, size_t count,
                                      struct pool *pool) {
    struct data_type *types = pool_alloc(pool, count, sizeof *types);
    struct data_type *wanted = pool_alloc(pool, count, sizeof *wanted);
    bool *nullable = pool_alloc(pool, count, sizeof *nullable);
    const struct constant **constants = pool_alloc(pool, count, sizeof(struct constant *));
    for (size_t i = 0; i < count; i++) {
        wanted[i] = types[i] = arguments[i]->type;
        nullable[i] = arguments[i]->can_be_null;
        constants[i] = arguments[i]->kind == EXPR_LITERAL ? &arguments[i]->constant : NULL;
    }
    return (struct function_use){.arguments = types,
                                 .nullable = nullable,
                                 .constants = constants,
                                 .argument_count = count,
                                 .pool = pool,
                                 .wanted = wanted};
}

static bool make_call(struct planner *planner, struct sql_place place,
                      const struct function *function, const struct expr **arguments, size_t count,
                      struct expr **out, struct error *err) {
    struct function_use use = expr_function_use(arguments, count, &planner->plan->pool);
    struct error cause = {0};
    if (!function->resolve(&use, &cause))
        return PLAN_ERROR(err, planner, place, "%s", cause.message);
    struct expr *expr = planner_expr(EXPR_CALL, planner, place);
    expr->type = use.type;
    expr->can_be_null = use.can_be_null || use.can_fault;
    expr->can_fault = use.can_fault;
    expr->function = function;
    expr->kernel = use.kernel;
    expr->arguments = arguments;
    expr->argument_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!make_cast(planner, arguments[i]->place, arguments[i], &use.wanted[i], CAST_IMPLICIT,
                       &arguments[i], err))
            return false;
        expr->can_fault = expr->can_fault || arguments[i]->can_fault;
    }
    *out = expr;
    return count_parts(planner, expr, function->guard != NULL, err);
}

/* Functions that come with values inside arrays and maps. */
static bool is_of_arrays(const struct sql_node *node) {
    static const char *const names[] = {"aggregate",  "array_contains", "cardinality",
                                        "element_at", "exists",         "filter",
                                        "reduce",     "size",           "transform"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(node->text, names[i]) == 0)
            return true;
    return false;
}

static bool unknown_function(struct planner *planner, const struct sql_node *node,
                             struct error *err) {
    const char *refusal = is_of_arrays(node) ? "functions over arrays and maps are not supported "
                                               "yet"
                                             : function_refusal(node->text);
    if (refusal != NULL)
        return PLAN_ERROR(err, planner, node->place, "%s: %s", node->text, refusal);
    struct nearest nearest = {.given = node->text};
    for (const struct function *at = functions; at->name != NULL; at++)
        if (at->form == FORM_CALL)
            nearest_offer(&nearest, at->name);
    return PLAN_ERROR(err, planner, node->place, "unknown function '%s'%s", node->text,
                      nearest_suggestion(&nearest).text);
}

static bool check_count(struct planner *planner, const struct sql_node *node,
                        const struct function *function, struct error *err) {
    size_t count = node->child_count;
    if (count >= (size_t)function->arguments_min &&
        (function->arguments_max == FUNCTION_ARGUMENTS_ANY ||
         count <= (size_t)function->arguments_max))
        return true;
    return PLAN_ERROR(err, planner, node->place, "%s cannot take %s (expected %s)", function->name,
                      text_count((int64_t)count, "argument").text, function->usage);
}

static bool make_function(struct planner *planner, const struct sql_node *node, const char *name,
                          const struct expr **expr, struct error *err) {
    const struct function *function = function_find(name);
    if (function == NULL)
        return unknown_function(planner, node, err);
    if (!check_count(planner, node, function, err))
        return false;
    const struct expr **arguments =
        pool_alloc(&planner->plan->pool, node->child_count, sizeof(struct expr *));
    for (size_t i = 0; i < node->child_count; i++)
        if (!expr_make(planner, node->children[i], &arguments[i], err))
            return false;
    struct expr *call = NULL;
    if (!make_call(planner, node->place, function, arguments, node->child_count, &call, err))
        return false;
    check(call != NULL);
    if (node->written != NULL)
        call->written = pool_copy(&planner->plan->pool, text_borrow(node->written));
    *expr = call;
    return true;
}

/* ---- all of it ---- */

/* A number with a sign, which is one literal. */
static bool is_negative_number(const struct sql_node *node) {
    return node->kind == SQL_CALL && strcmp(node->text, "negative") == 0 &&
           node->child_count == 1 && node->children[0]->kind == SQL_NUMBER;
}

bool expr_make(struct planner *planner, const struct sql_node *node, const struct expr **expr,
               struct error *err) {
    if (++planner->part_count > EXPRESSION_PARTS_MAX)
        return PLAN_ERROR(err, planner, node->place,
                          "the expressions of the table are too large: more than %d parts, where "
                          "BETWEEN and CASE x WHEN repeat their values",
                          EXPRESSION_PARTS_MAX);
    switch (node->kind) {
    case SQL_NULL:
    case SQL_TRUE:
    case SQL_FALSE:
    case SQL_NUMBER:
    case SQL_STRING:
    case SQL_LITERAL:
        return literal_make(planner, node, false, expr, err);
    case SQL_NAME:
    case SQL_FIELD:
        return name_resolve(planner, node, expr, err);
    case SQL_CALL:
        return is_negative_number(node) ? literal_make(planner, node->children[0], true, expr, err)
                                        : make_function(planner, node, node->text, expr, err);
    case SQL_CASE:
        return make_function(planner, node, "case", expr, err);
    case SQL_CAST:
    case SQL_TRY_CAST:
        return make_written_cast(planner, node, expr, err);
    case SQL_INDEX:
        return PLAN_ERROR(err, planner, node->place,
                          "elements of arrays and maps cannot be used yet, only paths through "
                          "STRUCT to a scalar");
    case SQL_LAMBDA:
        return PLAN_ERROR(err, planner, node->place,
                          "functions over arrays and their lambdas (x -> …) are not supported yet");
    case SQL_STAR:
        return PLAN_ERROR(err, planner, node->place, "* can only be an entry of the SELECT list");
    }
    check(false);
    return false;
}
