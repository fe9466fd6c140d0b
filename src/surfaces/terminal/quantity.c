/* Sizes and durations as Spark's configuration and triggers write them, moments as ISO 8601 has
 * them. Sizes and durations are integers with every step checked: what is beyond int64 is refused,
 * not wrapped. */
#include "surfaces/terminal/quantity.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "core/calendar.h"
#include "core/timestamp.h"

static const char size_units[] = "bkmgtp"; // each 1024 times the one before

static const char *skip_blanks(const char *at) {
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* Reads decimal digits. False: none, or beyond int64. */
static bool read_digits(const char **at, int64_t *number) {
    if (!isdigit((unsigned char)**at))
        return false;
    int64_t value = 0;
    for (; isdigit((unsigned char)**at); (*at)++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **at - '0', &value))
            return false;
    *number = value;
    return true;
}

bool size_parse(const char *text, int64_t *bytes) {
    const char *at = skip_blanks(text);
    int64_t number;
    if (!read_digits(&at, &number))
        return false;
    at = skip_blanks(at);
    const char *unit = *at != '\0' ? strchr(size_units, tolower((unsigned char)*at)) : NULL;
    if (unit == NULL)
        return false;
    at++;
    // "kb" and "kib" are "k"; b is bytes already and takes no suffix.
    if (unit != size_units && strncasecmp(at, "ib", 2) == 0)
        at += 2;
    else if (unit != size_units && tolower((unsigned char)*at) == 'b')
        at++;
    if (*skip_blanks(at) != '\0')
        return false;
    return !__builtin_mul_overflow(number, (int64_t)1 << (10 * (unit - size_units)), bytes);
}

void size_format(int64_t bytes, char text[static SIZE_TEXT_MAX]) {
    const char *unit = size_units;
    while (bytes != 0 && bytes % 1024 == 0 && unit[1] != '\0') {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, SIZE_TEXT_MAX, "%lld%c", (long long)bytes, *unit);
}

static const struct {
    const char *name;
    int64_t microseconds;
} time_units[] = {
    {"us", 1},
    {"microsecond", 1},
    {"microseconds", 1},
    {"ms", 1000},
    {"millisecond", 1000},
    {"milliseconds", 1000},
    {"s", 1000000},
    {"sec", 1000000},
    {"second", 1000000},
    {"seconds", 1000000},
    {"m", 60 * 1000000LL},
    {"min", 60 * 1000000LL},
    {"minute", 60 * 1000000LL},
    {"minutes", 60 * 1000000LL},
    {"h", 3600 * 1000000LL},
    {"hour", 3600 * 1000000LL},
    {"hours", 3600 * 1000000LL},
    {"d", 86400 * 1000000LL},
    {"day", 86400 * 1000000LL},
    {"days", 86400 * 1000000LL},
    {"week", 604800 * 1000000LL},
    {"weeks", 604800 * 1000000LL},
};

/* The unit's length in microseconds, 0 if there is none. */
static int64_t read_time_unit(const char **at) {
    size_t size = 0;
    while (isalpha((unsigned char)(*at)[size]))
        size++;
    for (size_t i = 0; i < sizeof time_units / sizeof time_units[0]; i++) {
        if (strlen(time_units[i].name) == size && strncasecmp(*at, time_units[i].name, size) == 0) {
            *at += size;
            return time_units[i].microseconds;
        }
    }
    return 0;
}

/* The digits behind a decimal point as millionths; further ones are cut off. */
static bool read_fraction(const char **at, int64_t *millionths) {
    *millionths = 0;
    if (!isdigit((unsigned char)**at))
        return false;
    for (int64_t weight = 100000; isdigit((unsigned char)**at); (*at)++, weight /= 10)
        *millionths += weight * (**at - '0');
    return true;
}

/* One number and its unit, added to *total, in microseconds. */
static bool read_time_part(const char **at, int64_t *total) {
    int64_t number, millionths = 0;
    if (!read_digits(at, &number))
        return false;
    bool fraction = **at == '.';
    if (fraction) {
        (*at)++;
        if (!read_fraction(at, &millionths))
            return false;
    }
    *at = skip_blanks(*at);
    int64_t unit = read_time_unit(at);
    if (unit == 0 || (fraction && unit != 1000000))
        return false;
    int64_t part;
    return !__builtin_mul_overflow(number, unit, &part) &&
           !__builtin_add_overflow(part, millionths, &part) &&
           !__builtin_add_overflow(*total, part, total);
}

bool duration_parse(const char *text, int64_t *milliseconds) {
    static const char interval[] = "interval";
    const char *at = skip_blanks(text);
    int64_t total = 0;

    if (strncasecmp(at, interval, sizeof interval - 1) == 0 &&
        isspace((unsigned char)at[sizeof interval - 1]))
        at = skip_blanks(at + sizeof interval);
    bool zero = at[0] == '0' && *skip_blanks(at + 1) == '\0';
    if (!zero && *at == '\0')
        return false;
    while (!zero && *at != '\0') {
        if (!read_time_part(&at, &total))
            return false;
        at = skip_blanks(at);
    }
    *milliseconds = total / 1000;
    return true;
}

void duration_format(int64_t milliseconds, char text[static DURATION_TEXT_MAX]) {
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    enum { UNITS = sizeof units / sizeof units[0] };
    int64_t seconds = milliseconds / 1000;
    size_t i = 0, used = 0;
    if (seconds == 0) {
        (void)text_append(text, DURATION_TEXT_MAX, 0, "%" PRId64 " ms", milliseconds);
        return;
    }
    while (seconds < units[i].seconds)
        i++;
    for (size_t last = i + 1; i < UNITS && i <= last; i++) {
        int64_t count = seconds / units[i].seconds;
        seconds %= units[i].seconds;
        if (count > 0)
            used = text_append(text, DURATION_TEXT_MAX, used, "%s%" PRId64 " %s",
                               used > 0 ? " " : "", count, units[i].name);
    }
}

/* ---- moments ---- */

bool moment_parse(const char *text, const char *zone, int64_t now_ms, int64_t *micros,
                  struct error *err) {
    int64_t ago_ms;
    if (duration_parse(text, &ago_ms)) {
        *micros = (ago_ms < now_ms ? now_ms - ago_ms : 0) * 1000; // 0: before all records
        return true;
    }
    struct timestamp_context context = {.now_ms = now_ms};
    return (zone_find((struct text){zone, (uint32_t)strlen(zone)}, &context.zone) &&
            timestamp_parse((struct text){text, (uint32_t)strlen(text)}, &context, micros)) ||
           error_set(err, ERROR_CONFIG,
                     "invalid value '%s' (expected a timestamp, such as 2025-12-31T10:30:00Z or "
                     "2025-12-31, or an age, such as 2h or '30 minutes')",
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
