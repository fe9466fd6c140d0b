/* unknown_keys.h: how often keys came that are no column, by name.
 *
 * Bounded: the first UNKNOWN_NAMES_MAX names that came are counted, of a long name its beginning.
 * Records can hold any keys, so what comes later is only in the sum that its owner keeps. Plain
 * data: a copy is a copy. */
#ifndef PIPELINE_JSON_UNKNOWN_KEYS_H
#define PIPELINE_JSON_UNKNOWN_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { UNKNOWN_NAMES_MAX = 24, UNKNOWN_NAME_MAX = 47 };

struct unknown_name {
    char text[UNKNOWN_NAME_MAX + 1]; // UTF-8 without NUL, terminated
    int64_t count;
};

struct unknown_keys {
    size_t count; // of names; a name's index never changes
    struct unknown_name names[UNKNOWN_NAMES_MAX];
};

/* The name's index; a new one is added. -1: there is no room for another. `name` is well-formed
 * UTF-8. */
int unknown_keys_find(struct unknown_keys *keys, struct text name);

/* Adds to `sum`, name by name, what `now` has more than `before`, an earlier copy of it (NULL:
 * nothing). Names that find no room are left out. */
void unknown_keys_add(struct unknown_keys *sum, const struct unknown_keys *now,
                      const struct unknown_keys *before);

#endif
