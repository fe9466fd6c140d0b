/* quantity.h: sizes, durations and moments as people and Spark write them, and moments in the
 * format of our JSON. */
#ifndef SURFACES_TERMINAL_QUANTITY_H
#define SURFACES_TERMINAL_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* "2g", "512m", "2 GB", "1048576b": a whole number and a unit, b, k, m, g, t or p, alone, or with b
 * or ib behind it, each 1024 times the one before, in any case, as Spark counts. The unit is not
 * optional: Spark and the JVM read a bare number differently. False: no size, or beyond int64. */
bool size_parse(const char *text, int64_t *bytes);

/* The shortest exact text: "2g", "96m", "1000b". */
enum { SIZE_TEXT_MAX = 24 };
void size_format(int64_t bytes, char text[static SIZE_TEXT_MAX]);

/* Durations as Spark's triggers take them, "10 seconds", "1 minute 30 seconds", "500 milliseconds",
 * "interval 1.5 seconds", and as Spark's time properties do, "10s", "500ms", "5m", "1h". Units are
 * microseconds to weeks (no months: they have no fixed length); a fraction is for seconds only. A
 * bare number has no unit and is refused, except 0. Microseconds are cut off. False: no duration,
 * negative, or beyond int64. */
bool duration_parse(const char *text, int64_t *milliseconds);

/* For people, in the two largest units: "640 ms", "45 s", "2 min 5 s", "3 h 20 min", "2 d 4 h". */
enum { DURATION_TEXT_MAX = 32 };
void duration_format(int64_t milliseconds, char text[static DURATION_TEXT_MAX]);

/* ---- moments ---- */

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
