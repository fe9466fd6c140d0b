/* skip.h: an object or array that nobody reads, passed in one go. */
#ifndef PIPELINE_JSON_SKIP_H
#define PIPELINE_JSON_SKIP_H

#include <stdbool.h>

/* `at` is behind the bracket that opens it, `levels` how many may be open, its own among them. The
 * byte behind the bracket that closes it; NULL: something in it is not in the usual form, so
 * reader.h has to look at it. Where this says yes, it would have stopped at the same byte. Never
 * reads at or behind `end`. */
const char *json_skip_usual(const char *at, const char *end, bool is_array, unsigned levels);

#endif
