/* expr_make.c: types go from the leaves up: a call is typed when its arguments are, by the table of
 * functions, which says what each argument is cast to implicitly. Recursion is as deep as the tree
 * (SQL_DEPTH_MAX). */
#include "sql/plan/expr_make.h"

#include <string.h>
#include <strings.h>

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
    planner_take_arguments(planner, expr, argument, 1);
    *out = expr;
    bool has_guard = cast_guard(&value->type, type, "", &planner->plan->pool) != NULL;
    return count_parts(planner, expr, has_guard, err);
}

bool expr_cast(struct planner *planner, struct sql_place place, const struct expr *value,
               enum type type, const struct expr **expr, struct error *err) {
    const struct data_type wanted = {.kind = type};
    return make_cast(planner, place, value, &wanted, CAST_WRITTEN, expr, err);
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
        check(arguments[i] != NULL);
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
    for (size_t i = 0; i < count; i++)
        if (!make_cast(planner, arguments[i]->place, arguments[i], &use.wanted[i], CAST_IMPLICIT,
                       &arguments[i], err))
            return false;
    planner_take_arguments(planner, expr, arguments, count);
    *out = expr;
    return count_parts(planner, expr, function->guard != NULL, err);
}

static bool unknown_function(struct planner *planner, const struct sql_node *node,
                             struct error *err) {
    const char *refusal = function_refusal(node->text);
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

/* ---- lambdas ---- */

/* The parameters come into scope. */
static bool add_parameters(struct planner *planner, const struct sql_node *node,
                           const struct data_type *types, struct error *err) {
    if (planner->parameter_count + node->name_count > PARAMETERS_MAX)
        return PLAN_ERROR(err, planner, node->place,
                          "lambdas inside each other have more than %d parameters together",
                          PARAMETERS_MAX);
    for (size_t i = 0; i < node->name_count; i++) {
        for (size_t before = 0; before < i; before++)
            if (strcasecmp(node->names[before], node->names[i]) == 0)
                return PLAN_ERROR(err, planner, node->place,
                                  "the parameter '%s' of the lambda is given twice",
                                  node->names[i]);
        struct expr *parameter = planner_expr(EXPR_PARAMETER, planner, node->place);
        parameter->type = types[i];
        parameter->can_be_null = true;
        parameter->index = planner->parameter_count;
        parameter->parameters = (uint64_t)1 << parameter->index;
        parameter->written = pool_copy(&planner->plan->pool, text_borrow(node->names[i]));
        planner_note_nested(planner, parameter);
        planner->parameters[planner->parameter_count++] = parameter;
    }
    return true;
}

/* The last `count` parameters go out of scope. An EXPR_LAMBDA has the type of its body. */
static bool close_lambda(struct planner *planner, struct sql_place place, const struct expr *body,
                         size_t count, const struct expr **out, struct error *err) {
    const struct expr **arguments =
        pool_alloc(&planner->plan->pool, 1 + count, sizeof(struct expr *));
    struct expr *expr = planner_expr(EXPR_LAMBDA, planner, place);
    check(body != NULL);
    planner->parameter_count -= count;
    arguments[0] = body;
    memcpy(arguments + 1, planner->parameters + planner->parameter_count,
           count * sizeof(struct expr *));
    expr->type = body->type;
    expr->can_be_null = body->can_be_null;
    expr->index = count;
    planner_take_arguments(planner, expr, arguments, 1 + count);
    for (size_t i = 1; i <= count; i++)
        expr->parameters &= ~arguments[i]->parameters;
    *out = expr;
    return count_parts(planner, expr, false, err);
}

static bool make_lambda(struct planner *planner, const struct sql_node *node,
                        const struct data_type *types, const struct expr **out, struct error *err) {
    const struct expr *body = NULL;
    return add_parameters(planner, node, types, err) &&
           expr_make(planner, node->children[0], &body, err) &&
           close_lambda(planner, node->place, body, node->name_count, out, err);
}

/* Whether a nested value is made by a function with a lambda. */
static bool is_made_by_lambda(const struct expr *expr) {
    while (expr->type.kind >= TYPE_STRUCT && expr->argument_count > 0) {
        if (expr->function != NULL && expr->function->lambdas != 0)
            return true;
        expr = expr->arguments[0];
    }
    return false;
}

/* An argument that has to be a lambda; those before it are there. */
static bool make_lambda_of(struct planner *planner, const struct sql_node *node,
                           const struct function *function, const struct expr **arguments,
                           size_t index, struct error *err) {
    struct data_type types[2];
    struct error cause = {0};
    struct function_use use = expr_function_use(arguments, index, &planner->plan->pool);
    if (node->kind != SQL_LAMBDA)
        return PLAN_ERROR(err, planner, node->place,
                          "%s: expected a lambda here, such as x -> x > 0 (%s)", function->name,
                          function->usage);
    if (node->name_count > 2)
        return PLAN_ERROR(err, planner, node->place, "%s: the lambda has %zu parameters (%s)",
                          function->name, node->name_count, function->usage);
    if (!function->parameters(&use, index, node->name_count, types, &cause))
        return PLAN_ERROR(err, planner, node->place, "%s", cause.message);
    if (!make_lambda(planner, node, types, &arguments[index], err))
        return false;
    return !is_made_by_lambda(arguments[index]->arguments[0]) ||
           PLAN_ERROR(err, planner, node->place,
                      "%s: the lambda gives an array that another lambda has made, which is not "
                      "supported: take its size or an element of it",
                      function->name);
}

/* ---- functions ---- */

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
        if ((function->lambdas >> i & 1) != 0
                ? !make_lambda_of(planner, node->children[i], function, arguments, i, err)
                : !expr_make(planner, node->children[i], &arguments[i], err))
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

/* ---- values inside others ---- */

/* value[key] */
static bool make_index(struct planner *planner, struct sql_place place, const struct expr *value,
                       const struct expr *key, const struct expr **out, struct error *err) {
    const struct expr **arguments = pool_alloc(&planner->plan->pool, 2, sizeof(struct expr *));
    struct expr *call = NULL;
    arguments[0] = value;
    arguments[1] = key;
    bool ok = make_call(planner, place, function_find("[]"), arguments, 2, &call, err);
    *out = call;
    return ok;
}

/* A path is where it begins. */
static struct sql_place place_of(const struct sql_node *node) {
    while (name_parts(node) > 1)
        node = node->children[0];
    return node->place;
}

/* What a value is called in messages. */
static const char *describe(const struct sql_node *node, struct pool *pool) {
    switch (node->kind) {
    case SQL_NAME:
        return pool_copy(pool, text_borrow(node->text));
    case SQL_FIELD:
        return pool_format(pool, "%s.%s", describe(node->children[0], pool), node->text);
    case SQL_INDEX:
        return pool_format(pool, "%s[…]", describe(node->children[0], pool));
    case SQL_CALL:
        return pool_format(pool, "%s(…)", node->written != NULL ? node->written : node->text);
    default:
        return "…";
    }
}

static bool no_field(struct planner *planner, const struct sql_node *node,
                     const struct data_type *type, struct error *err) {
    struct pool *pool = &planner->plan->pool;
    const char *value = describe(node->children[0], pool);
    struct nearest nearest = {.given = node->text};
    if (type->kind != TYPE_STRUCT)
        return PLAN_ERROR(err, planner, place_of(node), "'%s' is %s and has no field '%s'", value,
                          data_type_text(type, pool), node->text);
    for (size_t i = 0; i < type->field_count; i++)
        nearest_offer(&nearest, type->fields[i].name);
    return PLAN_ERROR(err, planner, place_of(node), "'%s' has no field '%s'%s", value, node->text,
                      nearest_suggestion(&nearest).text);
}

static bool make_key(struct planner *planner, const struct sql_node *node, const struct expr *value,
                     const struct expr **out, struct error *err) {
    struct expr *key = planner_expr(EXPR_LITERAL, planner, place_of(node));
    key->type.kind = TYPE_STRING;
    key->constant.present = true;
    key->constant.text = text_borrow(pool_copy(&planner->plan->pool, text_borrow(node->text)));
    return make_index(planner, place_of(node), value, key, out, err);
}

static bool make_field(struct planner *planner, const struct sql_node *node,
                       const struct expr *value, const struct expr **out, struct error *err);

/* Of an ARRAY of STRUCTs: transform(value, x -> x.name), as in Spark. */
static bool make_field_of_each(struct planner *planner, const struct sql_node *node,
                               const struct expr *value, const struct expr **out,
                               struct error *err) {
    static const char *const name = "x";
    const struct sql_node lambda = {
        .kind = SQL_LAMBDA, .place = place_of(node), .names = &name, .name_count = 1};
    const struct expr **arguments = pool_alloc(&planner->plan->pool, 2, sizeof(struct expr *));
    const struct expr *body = NULL;
    struct expr *call = NULL;
    arguments[0] = value;
    if (!add_parameters(planner, &lambda, value->type.element, err))
        return false;
    const struct expr *element =
        planner_use_parameter(planner, lambda.place, planner->parameter_count - 1);
    bool ok =
        make_field(planner, node, element, &body, err) &&
        close_lambda(planner, lambda.place, body, 1, &arguments[1], err) &&
        make_call(planner, lambda.place, function_find("transform"), arguments, 2, &call, err);
    *out = call;
    return ok;
}

/* value.name: a field of a STRUCT, or the value of a MAP. */
static bool make_field(struct planner *planner, const struct sql_node *node,
                       const struct expr *value, const struct expr **out, struct error *err) {
    const struct data_field *field = NULL;
    check(value != NULL);
    if (value->type.kind == TYPE_MAP)
        return make_key(planner, node, value, out, err);
    if (value->type.kind == TYPE_ARRAY && value->type.element->kind == TYPE_STRUCT)
        return make_field_of_each(planner, node, value, out, err);
    size_t found =
        value->type.kind == TYPE_STRUCT ? name_find_field(&value->type, node->text, &field) : 0;
    if (found > 1)
        return PLAN_ERROR(err, planner, place_of(node),
                          "'%s.%s' is ambiguous: %zu fields have this name (names are matched "
                          "without regard to case)",
                          describe(node->children[0], &planner->plan->pool), node->text, found);
    if (found == 0)
        return no_field(planner, node, &value->type, err);
    const struct expr **argument = pool_alloc(&planner->plan->pool, 1, sizeof(struct expr *));
    struct expr *expr = planner_expr(EXPR_FIELD, planner, place_of(node));
    argument[0] = value;
    expr->type = field->type;
    expr->can_be_null = true;
    expr->index = (size_t)(field - value->type.fields);
    planner_take_arguments(planner, expr, argument, 1);
    *out = expr;
    return count_parts(planner, expr, false, err);
}

/* A path whose last `rest` parts are fields of a value. */
static bool make_fields(struct planner *planner, const struct sql_node *node, size_t rest,
                        const struct expr *value, const struct expr **out, struct error *err) {
    *out = value;
    if (rest == 0)
        return true;
    const struct expr *of = NULL;
    return make_fields(planner, node->children[0], rest - 1, value, &of, err) &&
           make_field(planner, node, of, out, err);
}

static bool make_path(struct planner *planner, const struct sql_node *node, const struct expr **out,
                      struct error *err) {
    size_t rest = 0;
    const struct expr *value = NULL;
    if (name_parts(node) == 0)
        return expr_make(planner, node->children[0], &value, err) &&
               make_field(planner, node, value, out, err);
    return name_resolve(planner, node, &value, &rest, err) &&
           make_fields(planner, node, rest, value, out, err);
}

static bool make_element(struct planner *planner, const struct sql_node *node,
                         const struct expr **out, struct error *err) {
    const struct expr *value = NULL, *key = NULL;
    return expr_make(planner, node->children[0], &value, err) &&
           expr_make(planner, node->children[1], &key, err) &&
           make_index(planner, node->place, value, key, out, err);
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
        return make_path(planner, node, expr, err);
    case SQL_CALL:
        return is_negative_number(node) ? literal_make(planner, node->children[0], true, expr, err)
                                        : make_function(planner, node, node->text, expr, err);
    case SQL_CASE:
        return make_function(planner, node, "case", expr, err);
    case SQL_CAST:
    case SQL_TRY_CAST:
        return make_written_cast(planner, node, expr, err);
    case SQL_INDEX:
        return make_element(planner, node, expr, err);
    case SQL_LAMBDA:
        return PLAN_ERROR(err, planner, node->place,
                          "a lambda (x -> …) can only be an argument of a function that takes "
                          "one, such as transform");
    case SQL_STAR:
        return PLAN_ERROR(err, planner, node->place, "* can only be an entry of the SELECT list");
    }
    check(false);
    return false;
}
