/* decode_counts.h: what decoding saw in the records that became rows: values that became null, keys
 * that are no column.
 *
 * Plain data: a copy is a copy. A decoder counts on and on; what came in between is the difference
 * of two copies. */
#ifndef CORE_DECODE_COUNTS_H
#define CORE_DECODE_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/schema.h"

enum { UNKNOWN_NAMES_MAX = 24, UNKNOWN_NAME_MAX = 47 };

struct unknown_name {
    char text[UNKNOWN_NAME_MAX + 1]; // UTF-8 without NUL, terminated
    int64_t count;
};

/* How often keys came that are no column, by name. Bounded, because records can hold any keys: the
 * first UNKNOWN_NAMES_MAX names that came are counted, of a long name its beginning. What comes
 * later is only in the sum that its owner keeps. */
struct unknown_keys {
    size_t count; // of names; a name's index never changes
    struct unknown_name names[UNKNOWN_NAMES_MAX];
};

struct decode_counts {
    int64_t field_faults[SCHEMA_COLUMNS_MAX]; // values that became null: wrong type, out of range
    int64_t unknown_keys;
    struct unknown_keys unknown_names; // of the first names that came
    int64_t trailing_bytes;            // records with bytes after the first root value
};

/* The name's index; a new one is added. -1: there is no room for another. `name` is well-formed
 * UTF-8. */
int unknown_keys_find(struct unknown_keys *keys, struct text name);

/* Adds to `sum`, name by name, what `now` has more than `before`, an earlier copy of it (NULL:
 * nothing). Names that find no room are left out. */
void unknown_keys_add(struct unknown_keys *sum, const struct unknown_keys *now,
                      const struct unknown_keys *before);

/* The same for all counts. */
void decode_counts_add(struct decode_counts *sum, const struct decode_counts *now,
                       const struct decode_counts *before);

#endif
