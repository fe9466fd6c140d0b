/* nodes.c: from trees to a list of steps, in which equal expressions are one.
 *
 * Expressions can share parts (x BETWEEN a AND b has x twice), so each is visited once; otherwise
 * the work could grow with two to the power of the depth. Two expressions are equal if they have
 * the same kernel and type, and the same nodes as arguments.
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
    void *exprs;  // struct known: which node an expression has
    void *shapes; // struct node: by what they compute
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

static int compare_shapes(const void *one, const void *other) {
    const struct node *a = one, *b = other;
    if (a->expr->kind != b->expr->kind)
        return compare_numbers(a->expr->kind, b->expr->kind);
    int order = compare_types(&a->expr->type, &b->expr->type);
    if (order != 0)
        return order;
    if (a->expr->kind == EXPR_LITERAL)
        return compare_constants(a->expr, b->expr);
    order = compare_kernels(a->expr->kernel, b->expr->kernel);
    if (order == 0)
        order = compare_numbers(a->argument_count, b->argument_count);
    for (size_t i = 0; order == 0 && i < a->argument_count; i++)
        order = compare_addresses(a->arguments[i], b->arguments[i]);
    return order;
}

static struct node *new_node(struct nodes *nodes, const struct expr *expr) {
    struct node *node = pool_alloc(&nodes->pool, 1, sizeof *node);
    *node =
        (struct node){.expr = expr,
                      .output = NO_OUTPUT,
                      .operand = {.vector = {.type = expr->type.kind, .scale = expr->type.scale},
                                  .type = &expr->type}};
    return node;
}

static void add_node(struct nodes *nodes, struct node *node) {
    if ((nodes->count & (nodes->count - 1)) == 0) { // 0 or a power of two: full
        size_t room = nodes->count == 0 ? 1 : 2 * nodes->count;
        nodes->all = reallocarray(nodes->all, room, sizeof(struct node *));
        check(nodes->all != NULL);
    }
    nodes->all[nodes->count++] = node;
}

static struct node *visit(struct nodes *nodes, struct seen *seen, const struct expr *expr);

static struct node *input_node(struct nodes *nodes, const struct expr *expr) {
    struct node **node = &nodes->inputs[expr->index];
    if (*node == NULL) {
        *node = new_node(nodes, expr);
        add_node(nodes, *node);
    }
    return *node;
}

/* A literal or a call: the node that has its shape already, or a new one. */
static struct node *shape_node(struct nodes *nodes, struct seen *seen, const struct expr *expr) {
    struct node *node = new_node(nodes, expr);
    size_t count = expr->kind == EXPR_CALL ? expr->argument_count : 0;
    node->arguments = pool_alloc(&nodes->pool, count, sizeof(struct node *));
    const struct operand **operands = pool_alloc(&nodes->pool, count, sizeof(struct operand *));
    node->is_step = expr->kind == EXPR_CALL;
    node->has_faults = expr->can_fault;
    node->is_lazy = expr->function != NULL && expr->function->is_lazy;
    for (size_t i = 0; i < count; i++) {
        node->arguments[i] = visit(nodes, seen, expr->arguments[i]);
        operands[i] = &node->arguments[i]->operand;
        node->has_faults |= node->arguments[i]->has_faults;
    }
    node->argument_count = count;
    node->call =
        (struct kernel_call){.arguments = operands, .argument_count = count, .out = &node->operand};
    // A cast to the type that the argument has.
    if (count == 1 && expr->function == NULL &&
        data_type_equals(&expr->type, &expr->arguments[0]->type))
        return node->arguments[0];
    struct node **same = tsearch(node, &seen->shapes, compare_shapes);
    check(same != NULL);
    if (*same == node)
        add_node(nodes, node);
    return *same;
}

static struct node *visit(struct nodes *nodes, struct seen *seen, const struct expr *expr) {
    struct known key = {.expr = expr};
    struct known **found = tfind(&key, &seen->exprs, compare_known);
    if (found != NULL)
        return (*found)->node;
    struct known *known = pool_alloc(&nodes->pool, 1, sizeof *known);
    known->expr = expr;
    if (expr->kind == EXPR_INPUT)
        known->node = input_node(nodes, expr);
    else if (expr->kind == EXPR_COLUMN)
        known->node = visit(nodes, seen, nodes->plan->columns[expr->index].expr);
    else
        known->node = shape_node(nodes, seen, expr);
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
    for (size_t i = 0; i < nodes->plan->input_count; i++)
        if (nodes->inputs[i] != NULL && !nodes->inputs[i]->is_used)
            nodes->inputs[i] = NULL;
}

static void keep_node(void *node) {
    (void)node; // it belongs to the pool
}

void nodes_init(struct nodes *nodes, const struct query_plan *plan, const struct expr *const *exprs,
                size_t count) {
    struct seen seen = {0};
    *nodes = (struct nodes){.plan = plan, .root_count = count};
    pool_init(&nodes->pool);
    nodes->inputs = pool_alloc(&nodes->pool, plan->input_count, sizeof(struct node *));
    nodes->roots = pool_alloc(&nodes->pool, count, sizeof(struct node *));
    for (size_t i = 0; i < plan->column_count; i++)
        (void)visit(nodes, &seen, plan->columns[plan->order[i]].expr);
    for (size_t k = 0; k < count; k++)
        nodes->roots[k] = visit(nodes, &seen, exprs[k]);
    tdestroy(seen.exprs, keep_node);
    tdestroy(seen.shapes, keep_node);
    keep_used(nodes);
}

void nodes_deinit(struct nodes *nodes) {
    free(nodes->all);
    pool_deinit(&nodes->pool);
    *nodes = (struct nodes){0};
}
