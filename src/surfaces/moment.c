#include "surfaces/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/calendar.h"
#include "core/timestamp.h"
#include "surfaces/quantity.h"

bool moment_parse(const char *text, const char *zone, int64_t now_ms, int64_t *micros,
                  struct error *err) {
    int64_t ago_ms;
    if (duration_parse(text, &ago_ms)) {
        *micros = (ago_ms < now_ms ? now_ms - ago_ms : 0) * 1000;
        return true;
    }
    struct timestamp_context context = {.now_ms = now_ms};
    return (zone_find((struct text){zone, (uint32_t)strlen(zone)}, &context.zone) &&
            timestamp_parse((struct text){text, (uint32_t)strlen(text)}, &context, micros)) ||
           error_set(err, ERROR_CONFIG,
                     "'%s': want a timestamp, such as 2025-12-31T10:30:00Z or 2025-12-31, or "
                     "how long ago, such as 2h or '30 minutes'",
                     text);
}

void moment_format(int64_t micros, char text[static MOMENT_TEXT_MAX]) {
    enum { DAY_SECONDS = 86400 };
    int64_t seconds = calendar_floor_divide(micros, 1000000);
    int64_t fraction = micros - seconds * 1000000;
    int64_t days = calendar_floor_divide(seconds, DAY_SECONDS);
    int64_t second = seconds - days * DAY_SECONDS;
    struct date date = calendar_date(days);
    size_t used = (size_t)snprintf(
        text, MOMENT_TEXT_MAX, "%04" PRId64 "-%02d-%02dT%02" PRId64 ":%02" PRId64 ":%02" PRId64,
        date.year, date.month, date.day, second / 3600, second / 60 % 60, second % 60);
    if (fraction % 1000 != 0)
        used += (size_t)snprintf(text + used, MOMENT_TEXT_MAX - used, ".%06" PRId64, fraction);
    else if (fraction != 0)
        used +=
            (size_t)snprintf(text + used, MOMENT_TEXT_MAX - used, ".%03" PRId64, fraction / 1000);
    (void)snprintf(text + used, MOMENT_TEXT_MAX - used, "Z");
}
