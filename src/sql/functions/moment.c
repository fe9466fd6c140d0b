#include "sql/functions/moment.h"

#include <stdio.h>
#include <string.h>

#include "sql/functions/words.h"

/* Where a day begins in a gap, it begins with the first moment after the gap. */
static int64_t end_of_gap(const struct zone *zone, int64_t before, int64_t after) {
    int32_t offset = zone_offset_at(zone, after);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (zone_offset_at(zone, middle) == offset)
            after = middle;
        else
            before = middle;
    }
    return after;
}

int64_t moment_of_day(const struct zone *zone, int64_t day) {
    int64_t local = day * SECONDS_PER_DAY;
    int32_t offset = zone_offset_of_local(zone, local);
    int64_t seconds = local - offset;
    if (zone->rules != NULL) {
        int32_t gap = zone_offset_at(zone, seconds) - offset;
        if (gap > 0)
            seconds = end_of_gap(zone, seconds - gap - 1, seconds);
    }
    return seconds * MICROS_PER_SECOND;
}

size_t moment_print(const struct zone *zone, int64_t micros, char text[static MOMENT_TEXT_MAX]) {
    enum { MICRO_DIGITS = 6 };
    int64_t local = moment_local_seconds(zone, micros);
    int64_t day = calendar_floor_divide(local, SECONDS_PER_DAY);
    int second = (int)calendar_floor_rest(local, SECONDS_PER_DAY);
    int fraction = (int)calendar_floor_rest(micros, MICROS_PER_SECOND);
    size_t size = date_format(day, text);
    char time[32];
    int length = snprintf(time, sizeof time, " %02d:%02d:%02d.%06d", second / 3600,
                          second / 60 % 60, second % 60, fraction);
    while (length > 0 && time[length - 1] == '0' && fraction != 0)
        length--;
    if (fraction == 0)
        length -= MICRO_DIGITS + 1;
    memcpy(text + size, time, (size_t)length);
    return size + (size_t)length;
}

/* ---- dates as texts ---- */

enum { YEAR_DIGITS_MIN = 4, YEAR_DIGITS_MAX = 7, PART_DIGITS_MAX = 2 };

/* The number of digits, or 0 if they are more than `max`. */
static int read_digits(const char **at, const char *end, int max, int64_t *value) {
    int digits = 0;
    for (*value = 0; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        if (++digits > max)
            return 0;
        *value = *value * 10 + (**at - '0');
    }
    return digits;
}

/* "-" and up to two digits. */
static bool read_part(const char **at, const char *end, int *value) {
    int64_t number;
    if (**at != '-')
        return false;
    ++*at;
    if (read_digits(at, end, PART_DIGITS_MAX, &number) == 0)
        return false;
    *value = (int)number;
    return true;
}

bool date_parse(struct text text, int32_t *days) {
    struct text trimmed = trim_control(text);
    const char *at = trimmed.bytes, *end = at + trimmed.length;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    struct date date = {.month = 1, .day = 1};
    if (read_digits(&at, end, YEAR_DIGITS_MAX, &date.year) < YEAR_DIGITS_MIN)
        return false;
    if (at < end && !read_part(&at, end, &date.month))
        return false;
    if (at < end && !read_part(&at, end, &date.day))
        return false;
    if (at < end && *at != ' ' && *at != 'T')
        return false;
    if (negative)
        date.year = -date.year;
    if (date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > calendar_days_of_month(date.year, date.month))
        return false;
    int64_t number = calendar_days(date);
    *days = (int32_t)number;
    return *days == number;
}
