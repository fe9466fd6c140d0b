/* bounds.h: the smallest and largest value of a page or a column chunk, as the statistics and the
 * column index have them.
 *
 * Long texts are cut to BOUND_SIZE_MAX bytes: the smaller bound by taking a prefix, the larger one
 * by taking a prefix and counting its last character (binary: byte) up by one, so that it is no
 * smaller than any value; such a bound is not exact. Where that is not possible, bounds are
 * unknown.
 *
 * A page with a NaN has unknown bounds. The format allows bounds that leave NaN out, but Spark and
 * DuckDB order NaN above all numbers, and a filter `x > 100` would then skip rows that it must
 * find. Zeros are written as -0.0 (smallest) and +0.0 (largest), as the format asks. INT96 has no
 * order, so it has no bounds. Source: parquet.thrift, ColumnOrder. */
#ifndef PARQUET_BOUNDS_H
#define PARQUET_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/type.h"

enum { BOUND_SIZE_MAX = 64 };

enum bounds_state {
    BOUNDS_EMPTY, // no value
    BOUNDS_KNOWN,
    BOUNDS_UNKNOWN,
};

struct bound {
    uint8_t size;
    bool exact; // a value is equal to it
    uint8_t
        bytes[BOUND_SIZE_MAX + 4]; // PLAIN, texts without length; the next character may be longer
};

struct bounds {
    enum bounds_state state;
    struct bound min, max;
};

/* Of values in the vector form of the type, no texts among them. */
void bounds_of_values(struct bounds *bounds, enum type type, const void *values, size_t count);

/* Of TYPE_DECIMAL, whose bounds have 16 bytes, big-endian: leaves the last `size`. */
void bounds_shorten(struct bounds *bounds, size_t size);

/* Of texts, when the smallest and the largest are known. */
void bounds_of_texts(struct bounds *bounds, enum type type, struct text min, struct text max);

/* The smallest and largest of PLAIN texts: each behind its 4-byte length; at least one. */
void bounds_find_texts(const uint8_t *plain, size_t size, struct text *min, struct text *max);

/* Widens `bounds` by those of another page. */
void bounds_widen(struct bounds *bounds, enum type type, const struct bounds *other);

/* <0, 0, >0 in the order of the type. */
int bound_compare(enum type type, const struct bound *a, const struct bound *b);

int text_compare(struct text a, struct text b);

#endif
