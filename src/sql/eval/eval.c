/* eval.c: one kernel after the other, each over the whole slice.
 *
 * Values of steps in between are in buffers that later steps take over: the fewer there are, the
 * more of them stay in the cache. The step that computes an expression as a whole writes to the
 * vector that is bound to it. */
#include "sql/eval/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* Buffers that all start at the same offset in a page would fall in one set of the L1 cache
 * (core/rows.c). */
enum { CACHE_LINE = 64, STAGGER = 5 * CACHE_LINE, WIDTH_MAX = 16 };

/* ---- memory ---- */

/* Buffers of one width that nobody reads any more. */
struct free_buffers {
    size_t *offsets;
    size_t count;
};

struct layout {
    struct eval *eval;
    struct free_buffers free[WIDTH_MAX + 1]; // by width
    size_t total;
};

static size_t reserve(struct layout *layout, size_t bytes) {
    size_t offset = layout->total;
    layout->total += (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE + STAGGER;
    return offset;
}

/* Values, then one byte of presence per row. The buffer of a constant has nothing else before it,
 * because steps would write there in each slice. */
static size_t take_buffer(struct layout *layout, const struct node *node) {
    size_t width = type_width(node->expr->type.kind);
    struct free_buffers *free = &layout->free[width];
    if (node->is_step && free->count > 0)
        return free->offsets[--free->count];
    return reserve(layout, layout->eval->capacity * (width + 1));
}

static void release_buffer(struct layout *layout, size_t width, size_t offset) {
    struct free_buffers *free = &layout->free[width];
    free->offsets[free->count++] = offset;
}

static bool has_buffer(const struct node *node) {
    return node->expr->kind != EXPR_INPUT && (!node->is_step || node->output == NO_OUTPUT);
}

/* Gives node `i` a buffer, and takes back those that it reads for the last time. */
static void lay_out_node(struct layout *layout, size_t i) {
    struct node *node = layout->eval->nodes.all[i];
    if (has_buffer(node))
        node->buffer = take_buffer(layout, node);
    for (size_t k = 0; k < node->argument_count; k++) {
        struct node *argument = node->arguments[k];
        if (!argument->is_step || !has_buffer(argument) || argument->last_use != i)
            continue;
        release_buffer(layout, type_width(argument->expr->type.kind), argument->buffer);
        argument->last_use = NO_USE; // it may be read twice
    }
}

static void lay_out(struct eval *eval) {
    struct layout layout = {.eval = eval};
    for (size_t width = 0; width <= WIDTH_MAX; width++)
        layout.free[width].offsets =
            pool_alloc(&eval->nodes.pool, eval->nodes.count, sizeof(size_t));
    for (size_t i = 0; i < eval->nodes.count; i++)
        lay_out_node(&layout, i);
    size_t faults = layout.total;
    for (size_t i = 0; i < eval->nodes.count; i++)
        if (eval->nodes.all[i]->has_faults)
            (void)reserve(&layout, eval->capacity);
    eval->memory = layout.total + CACHE_LINE;
    eval->storage = must_alloc(eval->memory, 1);

    unsigned char *base = eval->storage;
    layout.total = faults;
    for (size_t i = 0; i < eval->nodes.count; i++) {
        struct node *node = eval->nodes.all[i];
        if (node->has_faults)
            node->operand.faults = base + reserve(&layout, eval->capacity);
        if (!has_buffer(node))
            continue;
        node->operand.vector.values = base + node->buffer;
        node->operand.vector.valid =
            base + node->buffer + eval->capacity * type_width(node->expr->type.kind);
    }
}

/* ---- life ---- */

static void find_uses(struct eval *eval) {
    for (size_t i = 0; i < eval->nodes.count; i++)
        for (size_t k = 0; k < eval->nodes.all[i]->argument_count; k++)
            eval->nodes.all[i]->arguments[k]->last_use = i;
    for (size_t k = eval->nodes.root_count; k-- > 0;)
        eval->nodes.roots[k]->output = k;
}

static void find_steps(struct eval *eval) {
    eval->steps = pool_alloc(&eval->nodes.pool, eval->nodes.count, sizeof(struct node *));
    for (size_t i = 0; i < eval->nodes.count; i++)
        if (eval->nodes.all[i]->is_step)
            eval->steps[eval->step_count++] = eval->nodes.all[i];
}

void eval_init(struct eval *eval, const struct query_plan *plan, const struct expr *const *exprs,
               size_t count, size_t capacity, const struct timestamp_context *context) {
    *eval = (struct eval){.capacity = capacity};
    nodes_init(&eval->nodes, plan, exprs, count);
    eval->outputs = pool_alloc(&eval->nodes.pool, count, sizeof(struct vector));
    eval->finished = pool_alloc(&eval->nodes.pool, count, sizeof(size_t));
    for (size_t i = 0; i < eval->nodes.count; i++)
        eval->nodes.all[i]->call.context = context;
    constants_find(&eval->nodes);
    find_uses(eval);
    lay_out(eval);
    constants_compute(&eval->nodes, capacity);
    find_steps(eval);
}

void eval_deinit(struct eval *eval) {
    free(eval->storage);
    nodes_deinit(&eval->nodes);
    *eval = (struct eval){0};
}

void eval_bind(struct eval *eval, const struct vector *inputs, const struct vector *outputs) {
    for (size_t i = 0; i < eval->nodes.plan->input_count; i++)
        if (eval->nodes.inputs[i] != NULL)
            eval->nodes.inputs[i]->operand.vector = inputs[i];
    eval->finished_count = 0;
    for (size_t k = 0; k < eval->nodes.root_count; k++) {
        struct node *node = eval->nodes.roots[k];
        eval->outputs[k] = outputs[k];
        if (node->is_step && node->output == k)
            node->operand.vector = outputs[k];
        if (node->has_faults || node->operand.vector.values != outputs[k].values)
            eval->finished[eval->finished_count++] = k;
    }
}

/* ---- rows ---- */

static void pass_faults(const struct node *node, size_t first, size_t count) {
    uint8_t *faults = node->operand.faults;
    for (size_t i = 0; i < node->argument_count; i++) {
        const uint8_t *passed = node->arguments[i]->operand.faults;
        for (size_t row = first; passed != NULL && row < first + count; row++)
            faults[row] |= passed[row];
    }
}

static bool compute_with_faults(struct node *node, size_t first, size_t count) {
    memset(node->operand.faults + first, 0, count);
    if (!node->expr->kernel(&node->call))
        return false;
    if (!node->is_lazy)
        pass_faults(node, first, count);
    return true;
}

/* Whether a condition holds in any row. */
static inline bool holds(const struct operand *condition, size_t first, size_t count) {
    const uint8_t *valid = condition->vector.valid, *truth = condition->vector.booleans;
    for (size_t row = first; row < first + count; row++)
        if ((valid[row] & truth[row]) != 0)
            return true;
    return false;
}

static inline bool compute(struct node *node, size_t first, size_t count, struct arena *strings) {
    node->call.first = first;
    node->call.count = count;
    node->call.strings = strings;
    return node->has_faults ? compute_with_faults(node, first, count)
                            : node->expr->kernel(&node->call);
}

/* For an expression that is a constant, an input, or the same as an earlier one. */
static void copy_rows(const struct vector *from, const struct vector *to, size_t first,
                      size_t count) {
    size_t width = type_width(to->type);
    if (from->values == to->values)
        return;
    memcpy((char *)to->values + first * width, (const char *)from->values + first * width,
           count * width);
    memcpy(to->valid + first, from->valid + first, count);
}

static int64_t count_faults(const uint8_t *faults, size_t first, size_t count) {
    int64_t total = 0;
    for (size_t row = first; row < first + count; row++)
        total += faults[row];
    return total;
}

bool eval_rows(struct eval *eval, size_t first, size_t count, struct arena *strings,
               int64_t *faults) {
    check(first + count <= eval->capacity);
    for (size_t i = 0; i < eval->step_count; i++) {
        struct node *step = eval->steps[i];
        bool is_needed = step->needed_if == NULL || holds(step->needed_if, first, count);
        if (is_needed && !compute(step, first, count, strings))
            return false;
    }
    for (size_t i = 0; i < eval->finished_count; i++) {
        size_t k = eval->finished[i];
        const struct node *root = eval->nodes.roots[k];
        copy_rows(&root->operand.vector, &eval->outputs[k], first, count);
        if (root->has_faults)
            faults[k] += count_faults(root->operand.faults, first, count);
    }
    return true;
}

const uint8_t *eval_faults(const struct eval *eval, size_t index) {
    return eval->nodes.roots[index]->operand.faults;
}
