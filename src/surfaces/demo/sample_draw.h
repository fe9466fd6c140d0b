/* sample_draw.h: the values of a record, each out of its column's `.sample` text (core/schema.h).
 */
#ifndef SURFACES_DEMO_SAMPLE_DRAW_H
#define SURFACES_DEMO_SAMPLE_DRAW_H

#include <stdint.h>

#include "core/schema.h"

enum { SAMPLE_VALUE_MAX = 128 };

struct sample_values {
    const struct record_schema *schema;               // in; borrowed
    uint64_t seed;                                    // in; another seed draws other values
    char drawn[SCHEMA_COLUMNS_MAX][SAMPLE_VALUE_MAX]; // out: every column's value, as text
    bool present[SCHEMA_COLUMNS_MAX];                 // out; false: null, or left out
};

/* Draws those of the record with this number. A mistake in a `.sample` text is a violated check. */
void sample_draw(struct sample_values *values, uint64_t number);

#endif
