#include "core/date_text.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "core/calendar.h"

enum { YEAR_DIGITS_MIN = 4, YEAR_DIGITS_MAX = 7, PART_DIGITS_MAX = 2, LENIENT_MAX = 256 };

static bool is_blank(char byte) {
    return (unsigned char)byte <= ' ' || byte == 0x7F;
}

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

bool date_text_parse(struct text text, int32_t *days) {
    const char *at = text.bytes, *end = at + text.length;
    while (at < end && is_blank(end[-1]))
        end--;
    while (at < end && is_blank(*at))
        at++;
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
    if (number != (int32_t)number)
        return false;
    *days = (int32_t)number;
    return true;
}

/* As Integer.parseInt() reads it. */
static bool read_number(struct text text, int64_t *number) {
    const char *at = text.bytes, *end = at + text.length;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    int64_t value = 0;
    while (at < end && value <= INT32_MAX) {
        size_t size;
        bool valid;
        int digit = utf8_digit_value(utf8_decode(at, end, &size, &valid));
        if (digit < 0)
            return false;
        value = value * 10 + digit;
        at += size;
    }
    *number = negative ? -value : value;
    return at == end && *number == (int32_t)*number;
}

/* The text without "GMT", wherever it stands, and without blanks before it. Of a longer one, the
 * beginning, whose last byte then says whether anything but blanks follows: a date is shorter. */
static uint32_t copy_without_gmt(struct text text, char copy[static LENIENT_MAX]) {
    uint32_t size = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.length - i >= 3 && memcmp(text.bytes + i, "GMT", 3) == 0) {
            i += 2;
            continue;
        }
        bool blank = is_blank(text.bytes[i]);
        if (size == 0 && blank)
            continue;
        if (size < LENIENT_MAX)
            copy[size++] = text.bytes[i];
        else if (!blank)
            copy[size - 1] = text.bytes[i];
    }
    return size;
}

bool date_text_parse_lenient(struct text text, int32_t *days) {
    if (date_text_parse(text, days))
        return true;
    char copy[LENIENT_MAX];
    if (memmem(text.bytes, text.length, "GMT", 3) != NULL &&
        date_text_parse((struct text){copy, copy_without_gmt(text, copy)}, days))
        return true;
    int64_t number;
    if (!read_number(text, &number))
        return false;
    *days = (int32_t)calendar_from_julian(number); // nearer to 1970 than the number
    return true;
}

size_t date_text_format(int64_t days, char text[static DATE_TEXT_MAX]) {
    struct date date = calendar_date(days);
    const char *sign = date.year < 0 ? "-" : date.year > 9999 ? "+" : "";
    char printed[DATE_TEXT_MAX + 1];
    int size = snprintf(printed, sizeof printed, "%s%04lld-%02d-%02d", sign,
                        (long long)(date.year < 0 ? -date.year : date.year), date.month, date.day);
    memcpy(text, printed, (size_t)size);
    return (size_t)size;
}
