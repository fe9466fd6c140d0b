/* constants.c: literals, and calls whose arguments are all constant, are computed once, for as many
 * rows as a slice has. A call that can be a fault is not, because faults are counted per row; nor
 * is a text as a time, because "10:00" is a time of the day of the batch. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sql/eval/nodes.h"

enum { STRINGS_BYTES = 4096, STRINGS_BYTES_MAX = 64 * 1024 * 1024 };

/* Row 0 to all rows. */
static void repeat(struct vector *vector, size_t rows) {
    size_t width = type_width(vector->type);
    for (size_t row = 1; row < rows; row++)
        memcpy((char *)vector->values + row * width, vector->values, width);
    memset(vector->valid, vector->valid[0], rows);
}

static void take_literal(struct node *node, size_t rows) {
    const struct constant *constant = &node->expr->constant;
    struct vector *vector = &node->operand.vector;
    vector->valid[0] = constant->present ? 1 : 0;
    switch (vector->type) {
    case TYPE_INT8:
        vector->int8s[0] = (int8_t)constant->int32;
        break;
    case TYPE_INT16:
        vector->int16s[0] = (int16_t)constant->int32;
        break;
    default: // all members of the union begin where it begins
        if (constant->present)
            memcpy(vector->values, &constant->boolean, type_width(vector->type));
    }
    repeat(vector, rows);
}

static bool is_constant(const struct node *node) {
    enum type kind = node->expr->type.kind;
    bool is_time = kind == TYPE_DATE || kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMP_NTZ;
    for (size_t i = 0; i < node->argument_count; i++)
        if (!node->arguments[i]->operand.constant ||
            (is_time && node->arguments[i]->expr->type.kind == TYPE_STRING))
            return false;
    return !node->has_faults;
}

/* False: a value larger than any that makes sense; it is computed for each slice. */
static bool compute_once(struct nodes *nodes, struct node *node, size_t rows) {
    bool done = false;
    for (size_t bytes = STRINGS_BYTES; !done && bytes <= STRINGS_BYTES_MAX; bytes *= 8) {
        struct arena strings;
        arena_init(&strings, bytes);
        struct kernel_call call = node->call;
        call.first = 0;
        call.count = 1;
        call.strings = &strings;
        done = node->expr->kernel(&call);
        struct vector *vector = &node->operand.vector;
        if (done && type_is_text(vector->type) && vector->valid[0] != 0) {
            struct text *text = &vector->texts[0];
            text->bytes = pool_copy(&nodes->pool, *text);
        }
        arena_deinit(&strings);
    }
    if (done)
        repeat(&node->operand.vector, rows);
    return done;
}

void constants_find(struct nodes *nodes) {
    for (size_t i = 0; i < nodes->count; i++) {
        struct node *node = nodes->all[i];
        node->operand.constant =
            node->kind == NODE_LITERAL || (node->kind == NODE_CALL && is_constant(node));
        node->is_step &= !node->operand.constant;
    }
}

void constants_compute(struct nodes *nodes, size_t rows) {
    for (size_t i = 0; i < nodes->count; i++) {
        struct node *node = nodes->all[i];
        if (node->kind == NODE_LITERAL)
            take_literal(node, rows);
        else if (node->operand.constant)
            node->is_step = !compute_once(nodes, node, rows);
        node->operand.constant &= !node->is_step;
    }
}
