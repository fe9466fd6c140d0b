/* vector.h: one column of a task's rows.
 *
 *     values   one value per row, in row order; a null row's value is unspecified
 *     valid    one byte per row, 1: present, 0: null; bytes and not bits, so that a row is set
 *              without reading its neighbours, and because a vector lives only until it is encoded
 *
 * A nested value is in several vectors, as in Arrow:
 *
 *     STRUCT   no values; a child for each field, with a value in the same row, or in row rows[row]
 *              of the children: so a STRUCT is moved to another row without its fields
 *     ARRAY    lists; one child, which has the elements of all rows one after another
 *     MAP      lists; two children, keys (STRING) and values. A key can be there twice: the first
 *              counts
 *
 * A null row's children are unspecified: below a null STRUCT they can say that they are valid, and
 * the list of a null ARRAY must not be read.
 *
 * A vector belongs to its rows (core/rows.h), which also own the bytes behind texts. */
#ifndef CORE_VECTOR_H
#define CORE_VECTOR_H

#include <stdint.h>

#include "base/text.h"
#include "core/type.h"

struct elements;

struct vector {
    enum type type;
    int scale; // TYPE_DECIMAL
    uint8_t *valid;
    union {
        void *values;
        uint8_t *booleans; // 0 or 1
        int8_t *int8s;
        int16_t *int16s;
        int32_t *int32s; // also dates
        int64_t *int64s; // also timestamps, with a time zone or without
        float *floats;
        double *doubles;
        int128_t *decimals; // unscaled
        struct text *texts; // strings and binaries
        struct list *lists; // arrays and maps
    };
    struct vector *children; // STRUCT, ARRAY, MAP
    size_t child_count;
    struct elements *elements; // ARRAY, MAP: those of the children (core/nested.h)
    uint32_t *rows;            // STRUCT: where its fields are; NULL: in the same row
};

#define VECTOR_NO_ROW UINT32_MAX

struct data_type;
struct pool;

/* A vector of `type` for vector_gather(), with memory for `capacity` rows in `pool`. */
struct vector vector_make(const struct data_type *type, size_t capacity, struct pool *pool);

/* Bytes of one value of `values`; of a STRUCT, of `rows`. */
size_t vector_width(enum type type);

/* Row at + i of `to` becomes row rows[i] of `from`, or null for VECTOR_NO_ROW. `to` has its own
 * memory for presence and values, or rows of a STRUCT (as many bytes as vector_width() says), but
 * not for children: it gets those of `from`. Texts are not copied either. */
void vector_gather(const struct vector *from, const uint32_t *rows, size_t count, struct vector *to,
                   size_t at);

#endif
