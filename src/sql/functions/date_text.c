#include "sql/functions/date_text.h"

#include <stdio.h>

#include "core/calendar.h"
#include "sql/functions/words.h"

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

size_t date_format(int64_t days, char text[static DATE_TEXT_MAX]) {
    struct date date = calendar_date(days);
    const char *sign = date.year < 0 ? "-" : date.year > 9999 ? "+" : "";
    char printed[DATE_TEXT_MAX + 1];
    int size = snprintf(printed, sizeof printed, "%s%04lld-%02d-%02d", sign,
                        (long long)(date.year < 0 ? -date.year : date.year), date.month, date.day);
    memcpy(text, printed, (size_t)size);
    return (size_t)size;
}
