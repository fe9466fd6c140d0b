#include "core/rows.h"

#include "base/check.h"
#include "core/nested.h"

/* Column buffers that all start at the same offset in a page fall in one set of the L1 cache; each
 * starts a few cache lines later than the one before. In the prototype this took decoding from 431
 * to 142 ns per record. */
enum { CACHE_LINE = 64, STAGGER = 5 * CACHE_LINE };

static size_t column_bytes(const struct column *column, size_t capacity) {
    size_t bytes = capacity * (type_width(column->type) + 1);
    return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE + STAGGER;
}

static bool shares_input(const struct schema *schema, size_t column) {
    return schema->sources != NULL && schema->sources[column] != SCHEMA_COMPUTED;
}

static size_t storage_bytes(const struct schema *schema, size_t capacity) {
    size_t total = 0;
    for (size_t i = 0; i < schema->input_count; i++)
        total += column_bytes(&schema->inputs[i], capacity);
    for (size_t i = 0; i < schema->count; i++)
        if (!shares_input(schema, i))
            total += column_bytes(&schema->columns[i], capacity);
    return total;
}

size_t rows_memory(const struct schema *schema, size_t capacity, size_t string_bytes) {
    size_t bytes = storage_bytes(schema, capacity) + string_bytes;
    for (size_t i = 0; i < schema->input_count; i++)
        if (schema->inputs[i].nested != NULL)
            bytes += nested_memory(schema->inputs[i].nested, capacity * ROWS_ELEMENTS_PER_ROW);
    return bytes;
}

/* The vector at *at, which moves behind it. */
static struct vector make_vector(const struct column *column, size_t capacity, unsigned char **at) {
    struct vector vector = {.type = column->type,
                            .scale = column->scale,
                            .values = *at,
                            .valid = *at + capacity * type_width(column->type)};
    *at += column_bytes(column, capacity);
    return vector;
}

void rows_init(struct rows *rows, const struct schema *schema, size_t capacity,
               size_t string_bytes) {
    *rows = (struct rows){.schema = schema, .capacity = capacity};
    arena_init(&rows->strings, string_bytes);
    rows->inputs = must_alloc(schema->input_count + 1, sizeof *rows->inputs);
    rows->columns = must_alloc(schema->count + 1, sizeof *rows->columns);
    // One block for all: the values of one vector, then its `valid`, then the next vector.
    rows->storage = must_alloc(storage_bytes(schema, capacity) + CACHE_LINE, 1);

    unsigned char *at = rows->storage;
    for (size_t i = 0; i < schema->input_count; i++) {
        rows->inputs[i] = make_vector(&schema->inputs[i], capacity, &at);
        if (schema->inputs[i].nested != NULL)
            nested_init(&rows->inputs[i], schema->inputs[i].nested,
                        capacity * ROWS_ELEMENTS_PER_ROW);
    }
    for (size_t i = 0; i < schema->count; i++)
        rows->columns[i] = shares_input(schema, i)
                               ? rows->inputs[schema->sources[i]]
                               : make_vector(&schema->columns[i], capacity, &at);
}

void rows_deinit(struct rows *rows) {
    arena_deinit(&rows->strings);
    for (size_t i = 0; rows->schema != NULL && i < rows->schema->input_count; i++)
        if (rows->schema->inputs[i].nested != NULL) // else its elements are another's
            nested_deinit(&rows->inputs[i]);
    free(rows->inputs);
    free(rows->columns);
    free(rows->storage);
    *rows = (struct rows){0};
}

void rows_reset(struct rows *rows) {
    rows->count = 0;
    arena_reset(&rows->strings);
    for (size_t i = 0; i < rows->schema->input_count; i++)
        nested_reset(&rows->inputs[i]);
}

bool rows_grow_elements(struct rows *rows) {
    check(rows->count == 0);
    bool grown = false;
    for (size_t i = 0; i < rows->schema->input_count; i++)
        grown |= nested_grow(&rows->inputs[i]);
    return grown;
}

size_t rows_elements_memory(const struct rows *rows) {
    size_t bytes = 0;
    for (size_t i = 0; i < rows->schema->input_count; i++)
        bytes += nested_memory_now(&rows->inputs[i]);
    return bytes;
}

void rows_resize_strings(struct rows *rows, size_t string_bytes) {
    check(rows->count == 0);
    arena_deinit(&rows->strings);
    arena_init(&rows->strings, string_bytes);
}
