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

/* Inlined with a constant width, so that a value is moved without a call. */
static inline void gather_width(const struct vector *from, const uint32_t *rows, size_t count,
                                struct vector *to, size_t width) {
    const char *values = from->values;
    char *gathered = to->values;
    for (size_t i = 0; i < count; i++)
        if (rows[i] != VECTOR_NO_ROW)
            memmove(gathered + i * width, values + rows[i] * width, width);
}

static void gather_values(const struct vector *from, const uint32_t *rows, size_t count,
                          struct vector *to) {
    switch (type_width(from->type)) {
    case 1:
        gather_width(from, rows, count, to, 1);
        break;
    case 2:
        gather_width(from, rows, count, to, 2);
        break;
    case 4:
        gather_width(from, rows, count, to, 4);
        break;
    case 8:
        gather_width(from, rows, count, to, 8);
        break;
    case 16:
        gather_width(from, rows, count, to, 16);
        break;
    default:
        check(from->type == TYPE_STRUCT); // has no values
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
