#include "core/vector.h"

#include <string.h>

#include "base/check.h"
#include "core/data_type.h"

/* Recursion is as deep as the type (DATA_TYPE_DEPTH_MAX). */
struct vector vector_make(const struct data_type *type, size_t capacity, struct pool *pool) {
    struct vector vector = {.type = type->kind, .scale = type->scale};
    vector.valid = pool_alloc(pool, capacity, 1);
    vector.values = pool_alloc(pool, capacity, type_width(type->kind));
    if (type->kind != TYPE_STRUCT)
        return vector;
    vector.child_count = type->field_count;
    vector.children = pool_alloc(pool, type->field_count, sizeof *vector.children);
    for (size_t i = 0; i < type->field_count; i++)
        vector.children[i] = vector_make(&type->fields[i].type, capacity, pool);
    return vector;
}

static void gather_valid(const struct vector *from, const uint32_t *rows, size_t count,
                         struct vector *to) {
    for (size_t i = 0; i < count; i++)
        to->valid[i] = rows[i] == VECTOR_NO_ROW ? 0 : from->valid[rows[i]];
}

/* For each width a loop of its own, without a call for a value. A row that is not there gets any
 * value that is: it is null. */
#define GATHER(type)                                                                               \
    do {                                                                                           \
        const type *values = from->values;                                                         \
        type *gathered = to->values;                                                               \
        for (size_t i = 0; i < count; i++)                                                         \
            if (rows[i] != VECTOR_NO_ROW)                                                          \
                gathered[i] = values[rows[i]];                                                     \
    } while (0)

static void gather_values(const struct vector *from, const uint32_t *rows, size_t count,
                          struct vector *to) {
    switch (type_width(from->type)) {
    case sizeof(uint8_t):
        GATHER(uint8_t);
        break;
    case sizeof(int16_t):
        GATHER(int16_t);
        break;
    case sizeof(int32_t):
        GATHER(int32_t);
        break;
    case sizeof(int64_t):
        if (from->type == TYPE_ARRAY || from->type == TYPE_MAP)
            GATHER(struct list);
        else
            GATHER(int64_t);
        break;
    case sizeof(int128_t):
        if (type_is_text(from->type))
            GATHER(struct text);
        else
            GATHER(int128_t);
        break;
    default:
        check(from->type == TYPE_STRUCT); // has none
    }
}

void vector_gather(const struct vector *from, const uint32_t *rows, size_t count,
                   struct vector *to) {
    check(from->type == to->type);
    gather_values(from, rows, count, to);
    gather_valid(from, rows, count, to);
    if (from->type != TYPE_STRUCT) {
        to->children = from->children;
        to->child_count = from->child_count;
        return;
    }
    for (size_t i = 0; i < from->child_count; i++)
        vector_gather(&from->children[i], rows, count, &to->children[i]);
}
