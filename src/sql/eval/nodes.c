/* nodes.c: from trees to a list of steps, in which equal expressions are one.
 *
 * Expressions can share parts (x BETWEEN a AND b has x twice), so each is visited once; otherwise
 * the work could grow with two to the power of the depth. Two expressions are equal if they have
 * the same kernel and type, and the same nodes as arguments.
 *
 * A lambda has nodes of its own, which are computed for each element. What its body needs from
 * outside, the largest parts that use none of its parameters, are nodes outside, which the call
 * reads, too.
 *
 * visit() recurses. Its depth is that of one expression, which the parser limits (SQL_DEPTH_MAX):
 * a column refers only to columns before it in the SELECT list, and these are visited first. */
#include "sql/eval/nodes.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* What was seen: trees of tsearch(). */
struct seen {
    struct nodes *nodes;
    void *exprs;               // struct known: which node an expression has
    void *shapes;              // struct node: by what they compute
    const struct expr *lambda; // whose body this is; NULL: none
    struct seen *outside;      // of the lambda
};

struct known {
    const struct expr *expr;
    struct node *node;
};

static int compare_addresses(const void *a, const void *b) {
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static int compare_known(const void *a, const void *b) {
    return compare_addresses(((const struct known *)a)->expr, ((const struct known *)b)->expr);
}

static int compare_numbers(size_t a, size_t b) {
    return (a > b) - (a < b);
}

static int compare_texts(struct text a, struct text b) {
    if (a.length != b.length)
        return compare_numbers(a.length, b.length);
    return a.length == 0 ? 0 : memcmp(a.bytes, b.bytes, a.length);
}

static int compare_constants(const struct expr *a, const struct expr *b) {
    if (!a->constant.present || !b->constant.present)
        return (int)a->constant.present - (int)b->constant.present;
    if (type_is_text(a->type.kind))
        return compare_texts(a->constant.text, b->constant.text);
    return memcmp(&a->constant.boolean, &b->constant.boolean, type_width(a->type.kind));
}

static int compare_types(const struct data_type *a, const struct data_type *b) {
    if (a->kind != b->kind)
        return compare_numbers(a->kind, b->kind);
    if (a->precision != b->precision)
        return compare_numbers((size_t)a->precision, (size_t)b->precision);
    return compare_numbers((size_t)a->scale, (size_t)b->scale);
}

static int compare_kernels(kernel_fn *a, kernel_fn *b) {
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static int compare_arguments(const struct node *a, const struct node *b) {
    int order = compare_numbers(a->argument_count, b->argument_count);
    for (size_t i = 0; order == 0 && i < a->argument_count; i++)
        order = compare_addresses(a->arguments[i], b->arguments[i]);
    return order;
}

/* Calls with lambdas are never the same. */
static int compare_shapes(const void *one, const void *other) {
    const struct node *a = one, *b = other;
    if (a->expr->kind != b->expr->kind)
        return compare_numbers(a->expr->kind, b->expr->kind);
    int order = compare_types(&a->expr->type, &b->expr->type);
    if (order != 0)
        return order;
    if (a->expr->kind == EXPR_LITERAL)
        return compare_constants(a->expr, b->expr);
    order = a->kind == NODE_FIELD ? compare_numbers(a->expr->index, b->expr->index)
                                  : compare_kernels(a->expr->kernel, b->expr->kernel);
    if (order == 0 && a->lambdas != NULL)
        order = compare_addresses(a->expr, b->expr);
    return order != 0 ? order : compare_arguments(a, b);
}

/* ---- making them ---- */

static struct node *new_node(struct nodes *nodes, enum node_kind kind, const struct expr *expr) {
    struct node *node = pool_alloc(&nodes->pool, 1, sizeof *node);
    *node =
        (struct node){.kind = kind,
                      .expr = expr,
                      .output = NO_OUTPUT,
                      .operand = {.vector = {.type = expr->type.kind, .scale = expr->type.scale},
                                  .type = &expr->type}};
    return node;
}

/* Room for one more of `count` pointers, which may move; doubles. */
static void *grow(void *pointers, size_t count) {
    if ((count & (count - 1)) != 0) // neither 0 nor a power of two: there is room
        return pointers;
    void *larger = reallocarray(pointers, count == 0 ? 1 : 2 * count, sizeof(void *));
    check(larger != NULL);
    return larger;
}

static struct node *add_node(struct nodes *nodes, struct node *node) {
    nodes->all = grow(nodes->all, nodes->count);
    nodes->all[nodes->count++] = node;
    return node;
}

static struct node *visit(struct seen *seen, const struct expr *expr);

/* The node of what has one place for it. */
static struct node *node_at(struct seen *seen, struct node **place, enum node_kind kind,
                            const struct expr *expr) {
    if (*place == NULL)
        *place = add_node(seen->nodes, new_node(seen->nodes, kind, expr));
    return *place;
}

/* In a lambda: the value of an expression that uses none of its parameters. */
static struct node *outside_node(struct seen *seen, const struct expr *expr) {
    struct nodes *nodes = seen->nodes;
    struct node *outside = visit(seen->outside, expr);
    for (size_t i = 0; i < nodes->gathered_count; i++)
        if (nodes->gathered[i]->outside == outside)
            return nodes->gathered[i];
    struct node *node = add_node(nodes, new_node(nodes, NODE_GATHERED, expr));
    node->outside = outside;
    node->has_faults = outside->has_faults;
    nodes->gathered = grow(nodes->gathered, nodes->gathered_count);
    nodes->gathered[nodes->gathered_count++] = node;
    return node;
}

static bool uses_parameters(const struct expr *lambda, const struct expr *expr) {
    for (size_t i = 1; i <= lambda->index; i++)
        if ((expr->parameters & lambda->arguments[i]->parameters) != 0)
            return true;
    return false;
}

static struct node *parameter_node(struct seen *seen, const struct expr *expr) {
    check(seen->lambda != NULL);
    size_t first = seen->lambda->arguments[1]->index;
    check(expr->index >= first && expr->index < first + seen->lambda->index);
    return node_at(seen, &seen->nodes->parameters[expr->index - first], NODE_GATHERED, expr);
}

static void keep_used(struct nodes *nodes);

static void forget_known(void *node) {
    (void)node; // it belongs to the pool
}

static void forget(struct seen *seen) {
    tdestroy(seen->exprs, forget_known);
    tdestroy(seen->shapes, forget_known);
}

/* The nodes of a lambda's body. */
static void make_lambda(struct seen *outside, struct node_lambda *lambda, const struct expr *expr) {
    struct nodes *nodes = &lambda->nodes;
    struct seen seen = {.nodes = nodes, .lambda = expr, .outside = outside};
    lambda->expr = expr;
    *nodes = (struct nodes){.plan = outside->nodes->plan, .root_count = 1};
    pool_init(&nodes->pool);
    nodes->roots = pool_alloc(&nodes->pool, 1, sizeof(struct node *));
    nodes->roots[0] = visit(&seen, expr->arguments[0]);
    forget(&seen);
    keep_used(nodes);
    outside->nodes->lambdas = grow(outside->nodes->lambdas, outside->nodes->lambda_count);
    outside->nodes->lambdas[outside->nodes->lambda_count++] = lambda;
}

static void make_lambdas(struct seen *seen, struct node *node, const struct expr *expr) {
    struct pool *pool = &seen->nodes->pool;
    struct lambda **lambdas = pool_alloc(pool, expr->argument_count, sizeof(struct lambda *));
    node->lambdas = pool_alloc(pool, expr->argument_count, sizeof *node->lambdas);
    for (size_t i = 0; i < expr->argument_count; i++)
        if (expr->arguments[i]->kind == EXPR_LAMBDA) {
            make_lambda(seen, &node->lambdas[i], expr->arguments[i]);
            lambdas[i] = &node->lambdas[i].lambda;
        }
    node->call.lambdas = lambdas;
}

/* What the call reads: its arguments, and what its lambdas read from outside. */
static void set_arguments(struct seen *seen, struct node *node, struct node **values) {
    const struct expr *expr = node->expr;
    size_t most = expr->argument_count;
    for (size_t i = 0; node->lambdas != NULL && i < expr->argument_count; i++)
        most += node->lambdas[i].nodes.gathered_count;
    node->arguments = pool_alloc(&seen->nodes->pool, most, sizeof(struct node *));
    for (size_t i = 0; i < expr->argument_count; i++) {
        if (values[i] != NULL)
            node->arguments[node->argument_count++] = values[i];
        const struct nodes *lambda = node->lambdas != NULL ? &node->lambdas[i].nodes : NULL;
        for (size_t k = 0; lambda != NULL && k < lambda->gathered_count; k++)
            if (lambda->gathered[k]->is_used)
                node->arguments[node->argument_count++] = lambda->gathered[k]->outside;
    }
}

static bool has_lambda(const struct expr *expr) {
    for (size_t i = 0; i < expr->argument_count; i++)
        if (expr->arguments[i]->kind == EXPR_LAMBDA)
            return true;
    return false;
}

static void visit_arguments(struct seen *seen, struct node *node, const struct expr *expr) {
    struct pool *pool = &seen->nodes->pool;
    struct node **values = pool_alloc(pool, expr->argument_count, sizeof(struct node *));
    const struct operand **operands =
        pool_alloc(pool, expr->argument_count, sizeof(struct operand *));
    for (size_t i = 0; i < expr->argument_count; i++) {
        if (expr->arguments[i]->kind == EXPR_LAMBDA)
            continue;
        values[i] = visit(seen, expr->arguments[i]);
        operands[i] = &values[i]->operand;
        node->has_faults |= values[i]->has_faults;
    }
    if (has_lambda(expr))
        make_lambdas(seen, node, expr);
    node->call.arguments = operands;
    node->call.argument_count = expr->argument_count;
    node->call.out = &node->operand;
    set_arguments(seen, node, values);
}

/* A literal, a call or a field: the node that has its shape already, or a new one. */
static struct node *shape_node(struct seen *seen, enum node_kind kind, const struct expr *expr) {
    struct node *node = new_node(seen->nodes, kind, expr);
    node->is_step = kind != NODE_LITERAL;
    node->has_faults = expr->can_fault;
    node->is_lazy = expr->function != NULL && expr->function->is_lazy;
    if (kind != NODE_LITERAL)
        visit_arguments(seen, node, expr);
    // A cast to the type that the argument has.
    if (kind == NODE_CALL && expr->argument_count == 1 && expr->function == NULL &&
        data_type_equals(&expr->type, &expr->arguments[0]->type))
        return node->arguments[0];
    struct node **same = tsearch(node, &seen->shapes, compare_shapes);
    check(same != NULL);
    return *same == node ? add_node(seen->nodes, node) : *same;
}

static struct node *make_node(struct seen *seen, const struct expr *expr) {
    struct nodes *nodes = seen->nodes;
    if (expr->kind == EXPR_LITERAL)
        return shape_node(seen, NODE_LITERAL, expr);
    if (seen->lambda != NULL && !expr->is_constant && !uses_parameters(seen->lambda, expr))
        return outside_node(seen, expr);
    switch (expr->kind) {
    case EXPR_INPUT:
        return node_at(seen, &nodes->inputs[expr->index], NODE_BOUND, expr);
    case EXPR_COLUMN:
        return visit(seen, nodes->plan->columns[expr->index].expr);
    case EXPR_FIELD:
        return shape_node(seen, NODE_FIELD, expr);
    case EXPR_VIEW:
        return node_at(seen, &nodes->views[expr->index][expr->part], NODE_BOUND, expr);
    case EXPR_PARAMETER:
        return parameter_node(seen, expr);
    default:
        check(expr->kind == EXPR_CALL);
        return shape_node(seen, NODE_CALL, expr);
    }
}

static struct node *visit(struct seen *seen, const struct expr *expr) {
    struct known key = {.expr = expr};
    struct known **found = tfind(&key, &seen->exprs, compare_known);
    if (found != NULL)
        return (*found)->node;
    struct known *known = pool_alloc(&seen->nodes->pool, 1, sizeof *known);
    known->expr = expr;
    known->node = make_node(seen, expr);
    check(tsearch(known, &seen->exprs, compare_known) != NULL);
    return known->node;
}

/* Something reads the node, for rows where a condition holds, or for any (NULL). */
static void use_node(struct node *node, const struct operand *needed_if) {
    if (!node->is_used)
        node->needed_if = needed_if;
    else if (node->needed_if != needed_if)
        node->needed_if = NULL;
    node->is_used = true;
}

/* Backwards, so that all uses of a node are known before its arguments are looked at. A CASE within
 * a branch of another one is needed as a whole where that branch is, so that every condition that
 * is looked at has been computed. */
static void keep_used(struct nodes *nodes) {
    for (size_t k = 0; k < nodes->root_count; k++)
        use_node(nodes->roots[k], NULL);
    for (size_t i = nodes->count; i-- > 0;) {
        struct node *node = nodes->all[i];
        bool is_case = node->expr->kernel == kernel_case && node->needed_if == NULL;
        for (size_t k = 0; node->is_used && k < node->argument_count; k++)
            use_node(node->arguments[k],
                     is_case && k % 2 != 0 ? node->call.arguments[k - 1] : node->needed_if);
    }
    size_t kept = 0;
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->all[i]->is_used)
            nodes->all[kept++] = nodes->all[i];
    nodes->count = kept;
}

/* Those that are not used are not bound either. */
static void forget_unused(struct nodes *nodes) {
    for (size_t i = 0; i < nodes->plan->input_count; i++)
        if (nodes->inputs[i] != NULL && !nodes->inputs[i]->is_used)
            nodes->inputs[i] = NULL;
    for (size_t i = 0; i < nodes->plan->view_count; i++)
        for (int part = VIEW_POSITION; part <= VIEW_VALUE; part++)
            if (nodes->views[i][part] != NULL && !nodes->views[i][part]->is_used)
                nodes->views[i][part] = NULL;
}

void nodes_init(struct nodes *nodes, const struct query_plan *plan, const struct expr *const *exprs,
                size_t count) {
    struct seen seen = {.nodes = nodes};
    *nodes = (struct nodes){.plan = plan, .root_count = count};
    pool_init(&nodes->pool);
    nodes->inputs = pool_alloc(&nodes->pool, plan->input_count, sizeof(struct node *));
    nodes->views = pool_alloc(&nodes->pool, plan->view_count, sizeof *nodes->views);
    nodes->roots = pool_alloc(&nodes->pool, count, sizeof(struct node *));
    for (size_t i = 0; i < plan->column_count; i++)
        (void)visit(&seen, plan->columns[plan->order[i]].expr);
    for (size_t k = 0; k < count; k++)
        nodes->roots[k] = visit(&seen, exprs[k]);
    forget(&seen);
    keep_used(nodes);
    forget_unused(nodes);
}

void nodes_deinit(struct nodes *nodes) {
    for (size_t i = 0; i < nodes->lambda_count; i++)
        nodes_deinit(&nodes->lambdas[i]->nodes);
    free(nodes->lambdas);
    free(nodes->gathered);
    free(nodes->all);
    pool_deinit(&nodes->pool);
    *nodes = (struct nodes){0};
}
