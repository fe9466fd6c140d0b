/* eval.c: one kernel after the other, each over the whole slice.
 *
 * Values of steps in between are in buffers that later steps take over: the fewer there are, the
 * more of them stay in the cache. The step that computes an expression as a whole writes to the
 * vector that is bound to it.
 *
 * The body of a lambda has an evaluator of its own, whose slices are of elements. */
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
    size_t width = vector_width(node->expr->type.kind);
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
    return node->kind != NODE_BOUND && (!node->is_step || node->output == NO_OUTPUT);
}

/* Gives node `i` a buffer, and takes back those that it reads for the last time. */
static void lay_out_node(struct layout *layout, size_t i) {
    struct node *node = layout->eval->nodes.all[i];
    if (has_buffer(node))
        node->buffer = take_buffer(layout, node);
    for (size_t k = 0; k < node->argument_count; k++) {
        struct node *argument = node->arguments[k];
        if (!argument->is_step || !has_buffer(argument) || argument->is_root ||
            argument->last_use != i)
            continue;
        release_buffer(layout, vector_width(argument->expr->type.kind), argument->buffer);
        argument->last_use = NO_USE; // it may be read twice
    }
}

static void set_memory(struct node *node, unsigned char *memory, size_t capacity) {
    struct vector *vector = &node->operand.vector;
    if (vector->type == TYPE_STRUCT)
        vector->rows = (uint32_t *)(void *)memory;
    else
        vector->values = memory;
    vector->valid = memory + capacity * vector_width(vector->type);
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
        if (has_buffer(node))
            set_memory(node, base + node->buffer, eval->capacity);
    }
}

/* ---- life ---- */

static bool is_nested(const struct node *node) {
    return node->expr->type.kind >= TYPE_STRUCT;
}

/* Nested values, and those of a lambda, stay in the node. */
static void find_uses(struct eval *eval, bool has_outputs) {
    for (size_t i = 0; i < eval->nodes.count; i++)
        for (size_t k = 0; k < eval->nodes.all[i]->argument_count; k++)
            eval->nodes.all[i]->arguments[k]->last_use = i;
    for (size_t k = eval->nodes.root_count; k-- > 0;) {
        eval->nodes.roots[k]->is_root = true;
        if (has_outputs && !is_nested(eval->nodes.roots[k]))
            eval->nodes.roots[k]->output = k;
    }
}

static void find_steps(struct eval *eval) {
    eval->steps = pool_alloc(&eval->nodes.pool, eval->nodes.count, sizeof(struct node *));
    for (size_t i = 0; i < eval->nodes.count; i++)
        if (eval->nodes.all[i]->is_step)
            eval->steps[eval->step_count++] = eval->nodes.all[i];
}

static void prepare(struct eval *eval, bool has_outputs, const struct timestamp_context *context);

static bool compute_lambda(struct lambda *lambda, const struct lambda_slice *slice,
                           struct arena *strings);

/* The lambdas of a call; of the steps that are computed. */
static void prepare_lambdas(struct node *node, const struct timestamp_context *context) {
    for (size_t i = 0; i < node->call.argument_count; i++) {
        struct node_lambda *lambda = &node->lambdas[i];
        if (lambda->expr == NULL)
            continue;
        lambda->eval = must_alloc(1, sizeof *lambda->eval);
        *lambda->eval = (struct eval){.capacity = LAMBDA_ROWS, .nodes = lambda->nodes};
        lambda->nodes = (struct nodes){0};
        prepare(lambda->eval, false, context);
        lambda->lambda = (struct lambda){.compute = compute_lambda,
                                         .result = &lambda->eval->nodes.roots[0]->operand};
    }
}

/* Recursion is as deep as lambdas are inside each other. */
static void prepare(struct eval *eval, bool has_outputs, const struct timestamp_context *context) {
    struct nodes *nodes = &eval->nodes;
    eval->outputs = pool_alloc(&nodes->pool, nodes->root_count, sizeof(struct vector));
    eval->finished = pool_alloc(&nodes->pool, nodes->root_count, sizeof(size_t));
    for (size_t i = 0; i < nodes->count; i++) {
        nodes->all[i]->call.context = context;
        if (nodes->all[i]->lambdas != NULL)
            prepare_lambdas(nodes->all[i], context);
    }
    constants_find(nodes);
    find_uses(eval, has_outputs);
    lay_out(eval);
    constants_compute(nodes, eval->capacity);
    find_steps(eval);
}

void eval_init(struct eval *eval, const struct query_plan *plan, const struct expr *const *exprs,
               size_t count, size_t capacity, const struct timestamp_context *context) {
    *eval = (struct eval){.capacity = capacity};
    nodes_init(&eval->nodes, plan, exprs, count);
    prepare(eval, true, context);
}

void eval_deinit(struct eval *eval) {
    for (size_t i = 0; i < eval->nodes.lambda_count; i++) {
        struct eval *lambda = eval->nodes.lambdas[i]->eval;
        if (lambda != NULL)
            eval_deinit(lambda);
        free(lambda);
    }
    free(eval->storage);
    nodes_deinit(&eval->nodes);
    *eval = (struct eval){0};
}

static void bind_sources(struct eval *eval, const struct vector *inputs,
                         const struct view_values *views) {
    struct nodes *nodes = &eval->nodes;
    for (size_t i = 0; i < nodes->plan->input_count; i++)
        if (nodes->inputs[i] != NULL)
            nodes->inputs[i]->operand.vector = inputs[i];
    for (size_t i = 0; i < nodes->plan->view_count; i++)
        for (int part = VIEW_POSITION; part <= VIEW_VALUE; part++)
            if (nodes->views[i][part] != NULL) {
                check(views != NULL);
                nodes->views[i][part]->operand.vector = views[i].parts[part];
            }
}

void eval_bind(struct eval *eval, const struct vector *inputs, const struct view_values *views,
               const struct vector *outputs) {
    bind_sources(eval, inputs, views);
    eval->finished_count = 0;
    for (size_t k = 0; k < eval->nodes.root_count; k++) {
        struct node *node = eval->nodes.roots[k];
        bool is_copied = false;
        if (!is_nested(node)) {
            eval->outputs[k] = outputs[k];
            if (node->is_step && node->output == k)
                node->operand.vector = outputs[k];
            is_copied = node->operand.vector.values != outputs[k].values;
        }
        if (node->has_faults || is_copied)
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

/* A field of a STRUCT, whose rows are anywhere. */
static void compute_field(struct node *node, size_t first, size_t count) {
    enum { AT_ONCE = 256 };
    const struct vector *of = &node->arguments[0]->operand.vector;
    uint32_t rows[AT_ONCE];
    for (size_t done = 0; done < count; done += AT_ONCE) {
        size_t at = first + done, some = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (size_t i = 0; i < some; i++) {
            uint32_t row = of->rows != NULL ? of->rows[at + i] : (uint32_t)(at + i);
            rows[i] = of->valid[at + i] != 0 ? row : VECTOR_NO_ROW;
        }
        vector_gather(&of->children[node->expr->index], rows, some, &node->operand.vector, at);
    }
}

static inline bool compute_values(struct node *node, size_t first, size_t count) {
    if (node->kind == NODE_CALL)
        return node->expr->kernel(&node->call);
    compute_field(node, first, count);
    return true;
}

static bool compute_with_faults(struct node *node, size_t first, size_t count) {
    memset(node->operand.faults + first, 0, count);
    if (!compute_values(node, first, count))
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
                            : compute_values(node, first, count);
}

/* False: `strings` is full. */
static bool compute_steps(struct eval *eval, size_t first, size_t count, struct arena *strings) {
    for (size_t i = 0; i < eval->step_count; i++) {
        struct node *step = eval->steps[i];
        bool is_needed = step->needed_if == NULL || holds(step->needed_if, first, count);
        if (is_needed && !compute(step, first, count, strings))
            return false;
    }
    return true;
}

/* A value from outside, for each element. */
static void gather_outside(struct node *node, const struct lambda_slice *slice) {
    const struct operand *outside = &node->outside->operand;
    vector_gather(&outside->vector, slice->rows, slice->count, &node->operand.vector, 0);
    for (size_t i = 0; outside->faults != NULL && i < slice->count; i++)
        node->operand.faults[i] = outside->faults[slice->rows[i]];
}

/* A kernel computes elements of rows [first, first + count), so the evaluator outside has computed
 * these. */
static bool compute_lambda(struct lambda *lambda, const struct lambda_slice *slice,
                           struct arena *strings) {
    struct eval *eval = ((struct node_lambda *)lambda)->eval; // its first member
    struct nodes *nodes = &eval->nodes;
    check(slice->count <= LAMBDA_ROWS);
    for (size_t i = 0; i < sizeof nodes->parameters / sizeof nodes->parameters[0]; i++)
        if (nodes->parameters[i] != NULL && nodes->parameters[i]->is_used)
            vector_gather(slice->parameters[i], slice->indexes[i], slice->count,
                          &nodes->parameters[i]->operand.vector, 0);
    for (size_t i = 0; i < nodes->gathered_count; i++)
        if (nodes->gathered[i]->is_used)
            gather_outside(nodes->gathered[i], slice);
    return compute_steps(eval, 0, slice->count, strings);
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
    if (!compute_steps(eval, first, count, strings))
        return false;
    for (size_t i = 0; i < eval->finished_count; i++) {
        size_t k = eval->finished[i];
        const struct node *root = eval->nodes.roots[k];
        if (!is_nested(root))
            copy_rows(&root->operand.vector, &eval->outputs[k], first, count);
        if (root->has_faults)
            faults[k] += count_faults(root->operand.faults, first, count);
    }
    return true;
}

const struct vector *eval_output(const struct eval *eval, size_t index) {
    const struct node *root = eval->nodes.roots[index];
    return is_nested(root) ? &root->operand.vector : &eval->outputs[index];
}

const uint8_t *eval_faults(const struct eval *eval, size_t index) {
    return eval->nodes.roots[index]->operand.faults;
}
