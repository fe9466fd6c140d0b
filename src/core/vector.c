#include "core/vector.h"

#include <string.h>

#include "base/check.h"
#include "core/data_type.h"

size_t vector_width(enum type type) {
    return type == TYPE_STRUCT ? sizeof(uint32_t) : type_width(type);
}

struct vector vector_make(const struct data_type *type, size_t capacity, struct pool *pool) {
    struct vector vector = {.type = type->kind, .scale = type->scale};
    vector.valid = pool_alloc(pool, capacity, 1);
    void *values = pool_alloc(pool, capacity, vector_width(type->kind));
    if (type->kind == TYPE_STRUCT)
        vector.rows = values;
    else
        vector.values = values;
    return vector;
}

/* As wide as a text or a DECIMAL. */
struct wide {
    uint64_t words[2];
};

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define GATHER(name, type)                                                                         \
    static void gather_##name(const struct vector *from, const uint32_t *rows, size_t count,       \
                              struct vector *to, size_t at) {                                      \
        const type *values = from->values;                                                         \
        type *out = (type *)to->values + at;                                                       \
        for (size_t i = 0; i < count; i++)                                                         \
            if (rows[i] != VECTOR_NO_ROW)                                                          \
                out[i] = values[rows[i]];                                                          \
    }
// NOLINTEND(bugprone-macro-parentheses)

GATHER(1, uint8_t)
GATHER(2, uint16_t)
GATHER(4, uint32_t)
GATHER(8, uint64_t)
GATHER(16, struct wide)

static void gather_struct(const struct vector *from, const uint32_t *rows, size_t count,
                          struct vector *to, size_t at) {
    for (size_t i = 0; i < count; i++)
        to->rows[at + i] =
            from->rows != NULL && rows[i] != VECTOR_NO_ROW ? from->rows[rows[i]] : rows[i];
}

void vector_gather(const struct vector *from, const uint32_t *rows, size_t count, struct vector *to,
                   size_t at) {
    static void (*const gathers[])(const struct vector *, const uint32_t *, size_t, struct vector *,
                                   size_t) = {
        [1] = gather_1, [2] = gather_2, [4] = gather_4, [8] = gather_8, [16] = gather_16};
    check(from->type == to->type);
    to->children = from->children;
    to->child_count = from->child_count;
    for (size_t i = 0; i < count; i++)
        to->valid[at + i] = rows[i] != VECTOR_NO_ROW ? from->valid[rows[i]] : 0;
    if (from->type == TYPE_STRUCT)
        gather_struct(from, rows, count, to, at);
    else
        gathers[vector_width(from->type)](from, rows, count, to, at);
}
