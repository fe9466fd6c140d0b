/* shape_type.h: the type that a field gets from the values that were seen, and what a reader of the
 * query file should know about it. */
#ifndef SURFACES_INFER_SHAPE_TYPE_H
#define SURFACES_INFER_SHAPE_TYPE_H

#include "core/type.h"
#include "surfaces/infer/shape.h"

/* TYPE_ARRAY and TYPE_MAP have their values in shape->element, which may be NULL: nothing is known
 * of them. A whole number of more than eight
 * digits is BIGINT. */
enum type shape_type(const struct shape *shape);

/* The type's name, of a scalar. */
const char *shape_type_name(const struct shape *shape);

enum epoch { EPOCH_NONE, EPOCH_SECONDS, EPOCH_MILLIS };

/* Whether numbers are moments: all are from 2000 to 2100, or 0, and the key has a word for time. */
enum epoch shape_epoch(const struct shape *shape, const char *key);

/* What to write in a comment at the field: of `holders` objects that could have it; "": nothing.
 * `with_values`: with sample values. One line, without control characters. */
const char *shape_note(const struct shape *shape, int64_t holders, bool with_values,
                       struct pool *pool);

/* A text as it can be in a comment: control characters escaped. In `pool`. */
const char *comment_text(const char *text, struct pool *pool);

#endif
