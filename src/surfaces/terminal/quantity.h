/* quantity.h: sizes and durations as people and Spark write them. */
#ifndef SURFACES_TERMINAL_QUANTITY_H
#define SURFACES_TERMINAL_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

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
 * bare number has no unit and is refused, but for 0. Microseconds are cut off. False: no duration,
 * negative, or beyond int64. */
bool duration_parse(const char *text, int64_t *milliseconds);

#endif
