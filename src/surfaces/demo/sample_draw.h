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
    const struct column *mistaken; // out: whose `.sample` text says nothing that can be drawn;
                                   // NULL: none
};

/* Draws those of the record with this number. */
void sample_draw(struct sample_values *values, uint64_t number);

/* One value on its own, by a column that is not of the schema and names no other. */
void sample_draw_one(const struct sample_values *values, const struct column *column,
                     uint64_t number, char value[static SAMPLE_VALUE_MAX]);

#endif
