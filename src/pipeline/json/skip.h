/* skip.h: what nobody reads, passed in one go. */
#ifndef PIPELINE_JSON_SKIP_H
#define PIPELINE_JSON_SKIP_H

#include <stdbool.h>

#include "pipeline/json/text.h"

/* `at` is behind the bracket that opens it, `levels` how many may be open, its own among them. The
 * byte behind the bracket that closes it; NULL: something in it is not in the usual form, so
 * reader.h has to look at it. Where this says yes, it would have stopped at the same byte. Never
 * reads at or behind `end`. */
const char *json_skip_usual(const char *at, const char *end, bool is_array, unsigned levels);

/* The next key of an object, which is plain, where members may start: `at` is behind the opening
 * brace, if it is the first, or behind a value. Where its value starts; NULL: another form. */
const char *json_skip_key(const char *at, const char *end, bool is_first, struct json_raw *key);

/* A value in the usual form; the byte behind it, or NULL. `levels`: how many it may open. */
const char *json_skip_value(const char *at, const char *end, unsigned levels);

#endif
