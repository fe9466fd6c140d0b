/* vector.h: one column of a task's rows.
 *
 *     values   one value per row, in row order; a null row's value is unspecified
 *     valid    one byte per row, 1: present, 0: null; bytes and not bits, so that a row is set
 *              without reading its neighbours, and because a vector lives only until it is encoded
 *
 * A nested value is in several vectors, as in Arrow:
 *
 *     STRUCT   no values; a child for each field, with a value in the same row
 *     ARRAY    lists; one child, which has the elements of all rows one after another
 *     MAP      lists; two children, keys (STRING) and values. A key can be there twice: the first
 *              counts
 *
 * A null row's children are unspecified: below a null STRUCT they can say that they are valid, and
 * the list of a null ARRAY must not be read. Between the elements of two rows there can be some
 * that belong to no row: of an array that came twice, or could not be read to its end. They are
 * safe to compute with.
 *
 * A vector belongs to its rows (core/rows.h), which also own the bytes behind texts. */
#ifndef CORE_VECTOR_H
#define CORE_VECTOR_H

#include <stdint.h>

#include "base/text.h"
#include "core/type.h"

/* Where the elements of a row are in the children: [first, first + count). */
struct list {
    uint32_t first, count;
};

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
};

/* A row that is not there. */
#define VECTOR_NO_ROW UINT32_MAX

/* A vector of `type` with memory for `capacity` rows in `pool`. Of an ARRAY or MAP that is only the
 * lists: their elements stay in the vector that they are gathered from. */
struct data_type;
struct pool;
struct vector vector_make(const struct data_type *type, size_t capacity, struct pool *pool);

/* Gives `to` the values that `from`, of the same type, has in `rows`, one after another;
 * VECTOR_NO_ROW is a null. Texts and elements are shared. `to` can be `from` if `rows` ascend. */
void vector_gather(const struct vector *from, const uint32_t *rows, size_t count,
                   struct vector *to);

#endif
