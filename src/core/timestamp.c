#include "core/timestamp.h"

#include <string.h>

#include "core/calendar.h"

enum segment { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FRACTION, ZONE, SEGMENT_COUNT };

enum { MICRO_DIGITS = 6, LEGACY_MAX = 256, SECONDS_PER_DAY = 86400 };

static const int64_t micros_per_second = 1000000;

struct parsed {
    int64_t values[SEGMENT_COUNT];
    bool time_only;
    struct text zone; // bytes NULL: none
};

/* The value being read. */
struct reading {
    enum segment segment;
    int64_t value;
    int digits; // how many were seen, but at most DIGITS_SEEN_MAX
};

enum { DIGITS_SEEN_MAX = 100 };

static bool is_blank(char byte) {
    return (unsigned char)byte <= ' ' || byte == 0x7F;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static struct text trim(struct text text) {
    while (text.length > 0 && is_blank(text.bytes[text.length - 1]))
        text.length--;
    while (text.length > 0 && is_blank(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    return text;
}

static bool has_valid_digits(enum segment segment, int digits) {
    if (segment == FRACTION || segment == ZONE)
        return true;
    if (segment == YEAR)
        return digits >= 4 && digits <= 6;
    return digits >= 1 && digits <= 2;
}

/* Closes the segment being read and opens `next`. */
static bool close_segment(struct reading *reading, struct parsed *parsed, enum segment next) {
    if (!has_valid_digits(reading->segment, reading->digits))
        return false;
    parsed->values[reading->segment] = reading->value;
    *reading = (struct reading){.segment = next};
    return true;
}

static void read_digit(struct reading *reading, char byte) {
    if (reading->digits == DIGITS_SEEN_MAX)
        return;
    // Beyond microseconds a fraction is cut; any other segment this long is refused anyway.
    if (reading->digits < MICRO_DIGITS)
        reading->value = reading->value * 10 + (byte - '0');
    reading->digits++;
}

/* A byte that is no digit: which segment it ends, or false where it can't stand. */
static bool read_separator(struct reading *reading, struct parsed *parsed, char byte, bool first,
                           bool has_sign) {
    switch (reading->segment) {
    case YEAR:
        if (first && byte == 'T') {
            parsed->time_only = true;
            reading->segment = HOUR;
            return true;
        }
        if (byte == ':' && !has_sign) {
            parsed->time_only = true;
            reading->segment = HOUR;
            return close_segment(reading, parsed, MINUTE);
        }
        return byte == '-' && close_segment(reading, parsed, MONTH);
    case MONTH:
        return byte == '-' && close_segment(reading, parsed, DAY);
    case DAY:
        return (byte == ' ' || byte == 'T') && close_segment(reading, parsed, HOUR);
    case HOUR:
        return byte == ':' && close_segment(reading, parsed, MINUTE);
    case MINUTE:
        return byte == ':' && close_segment(reading, parsed, SECOND);
    case SECOND:
        return close_segment(reading, parsed, byte == '.' ? FRACTION : ZONE);
    case FRACTION:
        return close_segment(reading, parsed, ZONE);
    default:
        return false;
    }
}

static void scale_fraction(struct parsed *parsed, int digits) {
    for (; digits < MICRO_DIGITS; digits++)
        parsed->values[FRACTION] *= 10;
}

static bool split(struct text text, struct parsed *parsed) {
    struct text trimmed = trim(text);
    *parsed = (struct parsed){.values = {[YEAR] = 1, [MONTH] = 1, [DAY] = 1}};
    const char *at = trimmed.bytes, *end = trimmed.bytes + trimmed.length;
    if (at == end)
        return false;

    bool has_sign = *at == '+' || *at == '-';
    bool negative = *at == '-';
    if (has_sign)
        at++;
    struct reading reading = {.segment = YEAR};
    int fraction_digits = MICRO_DIGITS;
    for (; at < end && parsed->zone.bytes == NULL; at++) {
        if (is_digit(*at)) {
            read_digit(&reading, *at);
            continue;
        }
        if (reading.segment == FRACTION)
            fraction_digits = reading.digits;
        // A leading T means a time only as the very first byte, in front of which nothing was cut.
        if (!read_separator(&reading, parsed, *at, at == text.bytes, has_sign))
            return false;
        if (reading.segment == ZONE)
            parsed->zone = trim((struct text){at, (uint32_t)(end - at)});
    }
    if (reading.segment == FRACTION)
        fraction_digits = reading.digits;
    if (!close_segment(&reading, parsed, reading.segment))
        return false;
    scale_fraction(parsed, fraction_digits);
    if (negative)
        parsed->values[YEAR] = -parsed->values[YEAR];
    return true;
}

static bool is_in_range(const struct parsed *parsed) {
    const int64_t *values = parsed->values;
    return values[HOUR] <= 23 && values[MINUTE] <= 59 && values[SECOND] <= 59 &&
           values[MONTH] >= 1 && values[MONTH] <= 12 && values[DAY] >= 1 &&
           values[DAY] <= calendar_days_of_month(values[YEAR], (int)values[MONTH]);
}

static int64_t today(const struct zone *zone, int64_t now_ms) {
    int64_t seconds = calendar_floor_divide(now_ms, 1000);
    return calendar_floor_divide(seconds + zone_offset_at(zone, seconds), SECONDS_PER_DAY);
}

static bool to_micros(int64_t seconds, int64_t fraction, int64_t *micros) {
    // Second by second from the side of zero, so that the lowest value can be reached too.
    int64_t shift = seconds < 0 ? 1 : 0;
    int64_t whole;
    return !__builtin_mul_overflow(seconds + shift, micros_per_second, &whole) &&
           !__builtin_add_overflow(whole, fraction - shift * micros_per_second, micros);
}

static bool parse_once(struct text text, const struct timestamp_context *context, int64_t *micros) {
    struct parsed parsed;
    if (!split(text, &parsed) || !is_in_range(&parsed))
        return false;
    struct zone zone = context->zone;
    if (parsed.zone.bytes != NULL && !zone_find(parsed.zone, &zone))
        return false;

    const int64_t *values = parsed.values;
    int64_t days =
        parsed.time_only
            ? today(&zone, context->now_ms)
            : calendar_days((struct date){values[YEAR], (int)values[MONTH], (int)values[DAY]});
    int64_t local =
        days * SECONDS_PER_DAY + (values[HOUR] * 60 + values[MINUTE]) * 60 + values[SECOND];
    return to_micros(local - zone_offset_of_local(&zone, local), values[FRACTION], micros);
}

/* Spark's second chance: the text without "GMT", wherever it stands. Longer texts have had their
 * only chance: there is nothing in them but digits of a fraction. */
static bool parse_without_gmt(struct text text, const struct timestamp_context *context,
                              int64_t *micros) {
    if (text.length > LEGACY_MAX || memmem(text.bytes, text.length, "GMT", 3) == NULL)
        return false;

    char copy[LEGACY_MAX];
    uint32_t size = 0;
    for (uint32_t i = 0; i < text.length;) {
        if (text.length - i >= 3 && memcmp(text.bytes + i, "GMT", 3) == 0)
            i += 3;
        else
            copy[size++] = text.bytes[i++];
    }
    return parse_once((struct text){copy, size}, context, micros);
}

/* Two digits as a number; anything else gives 100 or more. */
static unsigned two_digits(const char *at) {
    unsigned tens = (unsigned char)at[0] - (unsigned)'0',
             ones = (unsigned char)at[1] - (unsigned)'0';
    return tens <= 9 && ones <= 9 ? tens * 10 + ones : 100;
}

/* The form that nearly all producers write, "2024-06-01T12:30:00[.fraction]Z". False: another one.
 */
static bool parse_common(struct text text, int64_t *micros) {
    enum { SIZE_TO_SECONDS = 19 };
    const char *at = text.bytes;
    if (text.length <= SIZE_TO_SECONDS || at[4] != '-' || at[7] != '-' || at[10] != 'T' ||
        at[13] != ':' || at[16] != ':' || at[text.length - 1] != 'Z')
        return false;
    unsigned century = two_digits(at), year = two_digits(at + 2), month = two_digits(at + 5);
    unsigned day = two_digits(at + 8), hour = two_digits(at + 11), minute = two_digits(at + 14);
    unsigned second = two_digits(at + 17);
    // Days beyond the 28th are left to the general way, which knows the months.
    if (century > 99 || year > 99 || month - 1 > 11 || day - 1 > 27 || hour > 23 || minute > 59 ||
        second > 59)
        return false;

    int64_t fraction = 0, unit = micros_per_second;
    if (text.length > SIZE_TO_SECONDS + 1 && at[SIZE_TO_SECONDS] != '.')
        return false;
    for (size_t i = SIZE_TO_SECONDS + 1; i + 1 < text.length; i++) {
        if (!is_digit(at[i]))
            return false;
        unit /= 10;
        fraction += unit * (at[i] - '0');
    }
    int64_t days = calendar_days((struct date){century * 100 + year, (int)month, (int)day});
    int64_t seconds = days * SECONDS_PER_DAY + ((int64_t)hour * 60 + minute) * 60 + second;
    *micros = seconds * micros_per_second + fraction;
    return true;
}

bool timestamp_parse(struct text text, const struct timestamp_context *context, int64_t *micros) {
    return parse_common(text, micros) || parse_once(text, context, micros) ||
           parse_without_gmt(text, context, micros);
}
