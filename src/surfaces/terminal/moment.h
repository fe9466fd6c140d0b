/* moment.h: moments as people write them on a command line, and as JSON has them. */
#ifndef SURFACES_TERMINAL_MOMENT_H
#define SURFACES_TERMINAL_MOMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* "2h" is two hours before `now_ms`; anything else is read as Spark reads timestamps
 * (core/timestamp.h), in the zone of that name if it has none. Microseconds since 1970.
 * ERROR_CONFIG says what was wanted. */
MUST_CHECK bool moment_parse(const char *text, const char *zone, int64_t now_ms, int64_t *micros,
                             struct error *err);

enum { MOMENT_TEXT_MAX = 48 };

/* "2025-12-31T10:30:45.123Z", in UTC, with as many places as it takes: none, three or six. By ISO
 * 8601: "-0001-01-01T00:00:00Z" is in the year before 0, "+10000-…" in the one after 9999. */
void moment_format(int64_t micros, char text[static MOMENT_TEXT_MAX]);
void moment_format_ms(int64_t ms, char text[static MOMENT_TEXT_MAX]); // none or three

/* "2025-12-31T10:30:45" with 'T' between date and time. Returns its length. */
size_t moment_format_seconds(int64_t seconds, char between, char text[static MOMENT_TEXT_MAX]);

#endif
