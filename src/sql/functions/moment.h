/* moment.h: within this room: a timestamp as a day and a time of day in a time zone, and as a text.
 */
#ifndef SQL_FUNCTIONS_MOMENT_H
#define SQL_FUNCTIONS_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/calendar.h"
#include "core/zone.h"

#define MICROS_PER_SECOND INT64_C(1000000)

/* Days that are a timestamp in every time zone: two fewer than int64 microseconds hold. */
#define MOMENT_DAY_MAX 106751989

enum { SECONDS_PER_DAY = 86400, MOMENT_TEXT_MAX = 48 };

static inline bool moment_day_fits(int64_t day) {
    return day >= -MOMENT_DAY_MAX && day <= MOMENT_DAY_MAX;
}

/* Seconds since 1970-01-01T00:00:00 of the zone's own clock. */
static inline int64_t moment_local_seconds(const struct zone *zone, int64_t micros) {
    int64_t seconds = calendar_floor_divide(micros, MICROS_PER_SECOND);
    return seconds + zone_offset_at(zone, seconds);
}

static inline int64_t moment_day(const struct zone *zone, int64_t micros) {
    return calendar_floor_divide(moment_local_seconds(zone, micros), SECONDS_PER_DAY);
}

/* The first moment of a day, which is up to MOMENT_DAY_MAX days from 1970. */
int64_t moment_of_day(const struct zone *zone, int64_t day);

/* As Spark prints it: "2024-06-01 12:30:00.5". The number of bytes; not terminated. */
size_t moment_print(const struct zone *zone, int64_t micros, char text[static MOMENT_TEXT_MAX]);

#endif
