#include "surfaces/terminal/moment.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "core/calendar.h"
#include "core/timestamp.h"
#include "surfaces/terminal/quantity.h"

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

size_t moment_format_seconds(int64_t seconds, char between, char text[static MOMENT_TEXT_MAX]) {
    enum { DAY_SECONDS = 86400 };
    int64_t days = calendar_floor_divide(seconds, DAY_SECONDS);
    int64_t second = calendar_floor_rest(seconds, DAY_SECONDS);
    struct date date = calendar_date(days);
    int64_t year = date.year < 0 ? -date.year : date.year;
    size_t used = text_append(text, MOMENT_TEXT_MAX, 0, "%s%04" PRId64 "-%02d-%02d",
                              date.year < 0      ? "-"
                              : date.year > 9999 ? "+"
                                                 : "",
                              year, date.month, date.day);
    return text_append(text, MOMENT_TEXT_MAX, used, "%c%02" PRId64 ":%02" PRId64 ":%02" PRId64,
                       between, second / 3600, second / 60 % 60, second % 60);
}

void moment_format(int64_t micros, char text[static MOMENT_TEXT_MAX]) {
    int64_t fraction = calendar_floor_rest(micros, 1000000);
    size_t used = moment_format_seconds(calendar_floor_divide(micros, 1000000), 'T', text);
    if (fraction % 1000 != 0)
        used = text_append(text, MOMENT_TEXT_MAX, used, ".%06" PRId64, fraction);
    else if (fraction != 0)
        used = text_append(text, MOMENT_TEXT_MAX, used, ".%03" PRId64, fraction / 1000);
    (void)text_append(text, MOMENT_TEXT_MAX, used, "Z");
}

void moment_format_ms(int64_t ms, char text[static MOMENT_TEXT_MAX]) {
    int64_t fraction = calendar_floor_rest(ms, 1000);
    size_t used = moment_format_seconds(calendar_floor_divide(ms, 1000), 'T', text);
    if (fraction != 0)
        used = text_append(text, MOMENT_TEXT_MAX, used, ".%03" PRId64, fraction);
    (void)text_append(text, MOMENT_TEXT_MAX, used, "Z");
}
