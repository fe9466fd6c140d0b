/* names.h: names of fields as SQL, and names of columns and tables made of them. */
#ifndef SURFACES_INFER_NAMES_H
#define SURFACES_INFER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"

/* "gameStartTimestamp" → "game_start_timestamp", "DateTime UTC" → "date_time_utc": lower-case
 * letters, digits and underscores of ASCII, no digit first, at most 60 characters; "field": nothing
 * of the name is left. In `pool`. */
const char *name_snake(const char *name, struct pool *pool);

/* Whether one of the words of the name is in the list. */
bool name_has_word(const char *name, const char *const *words, size_t count);

/* A field's name in a declaration or after a dot: in back quotes where they are needed. */
const char *name_as_field(const char *name, struct pool *pool);

/* The same where an expression begins, where some words need quotes. */
const char *name_as_start(const char *name, struct pool *pool);

#endif
