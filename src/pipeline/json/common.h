/* common.h: values in the form that nearly all have, read in one go.
 *
 * Strings of plain ASCII, numbers without exponent, true, false, null, each in a column of its
 * type. Whatever else stands there is left to column.h, which knows all forms and all errors; where
 * this says yes, column.h would have set the same value and stood behind the same byte. */
#ifndef PIPELINE_JSON_COMMON_H
#define PIPELINE_JSON_COMMON_H

#include "base/arena.h"
#include "core/timestamp.h"
#include "core/vector.h"

/* The value that starts at `at` < `end` into the row. The byte behind it, or NULL: another form, or
 * `strings` is full, and nothing has changed. */
const char *json_read_common(const char *at, const char *end,
                             const struct timestamp_context *context, struct vector *vector,
                             size_t row, struct arena *strings);

#endif
