/* There are three ways, tried in this order. Nearly all texts have the common form, which is
 * compared and read eight characters at a time. All other texts go through Spark's state machine,
 * which reads one segment after the other. Spark's second chance is the same for the text without
 * "GMT".
 *
 * What must stay true: where the common way says yes, Spark's would have said the same moment. Its
 * no is never final. */
#include "core/timestamp.h"

#include <string.h>

#include "base/digits.h"
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
struct open_segment {
    enum segment segment;
    int64_t value;
    int digits; // how many were seen, but at most DIGITS_SEEN_MAX
};

enum { DIGITS_SEEN_MAX = 100 };

/* What Java's String.trim() takes away, and with it Spark around a zone. */
static bool is_space(char byte) {
    return (unsigned char)byte <= ' ';
}

/* What Spark's own trimAll() takes away, around the whole text. */
static bool is_blank(char byte) {
    return is_space(byte) || byte == 0x7F;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static struct text trim(struct text text, bool (*goes)(char byte)) {
    while (text.length > 0 && goes(text.bytes[text.length - 1]))
        text.length--;
    while (text.length > 0 && goes(text.bytes[0])) {
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
static bool close_segment(struct open_segment *current, struct parsed *parsed, enum segment next) {
    if (!has_valid_digits(current->segment, current->digits))
        return false;
    parsed->values[current->segment] = current->value;
    *current = (struct open_segment){.segment = next};
    return true;
}

static void read_digit(struct open_segment *current, char byte) {
    if (current->digits == DIGITS_SEEN_MAX)
        return;
    // Beyond microseconds a fraction is cut; any other segment this long is refused anyway.
    if (current->digits < MICRO_DIGITS)
        current->value = current->value * 10 + (byte - '0');
    current->digits++;
}

/* A byte that is not a digit: which segment it ends, or false if it is not allowed there. */
static bool read_separator(struct open_segment *current, struct parsed *parsed, char byte,
                           bool first, bool has_sign) {
    switch (current->segment) {
    case YEAR:
        if (first && byte == 'T') {
            parsed->time_only = true;
            current->segment = HOUR;
            return true;
        }
        if (byte == ':' && !has_sign) {
            parsed->time_only = true;
            current->segment = HOUR;
            return close_segment(current, parsed, MINUTE);
        }
        return byte == '-' && close_segment(current, parsed, MONTH);
    case MONTH:
        return byte == '-' && close_segment(current, parsed, DAY);
    case DAY:
        return (byte == ' ' || byte == 'T') && close_segment(current, parsed, HOUR);
    case HOUR:
        return byte == ':' && close_segment(current, parsed, MINUTE);
    case MINUTE:
        return byte == ':' && close_segment(current, parsed, SECOND);
    case SECOND:
        return close_segment(current, parsed, byte == '.' ? FRACTION : ZONE);
    case FRACTION:
        return close_segment(current, parsed, ZONE);
    default:
        return false;
    }
}

static void scale_fraction(struct parsed *parsed, int digits) {
    for (; digits < MICRO_DIGITS; digits++)
        parsed->values[FRACTION] *= 10;
}

static bool split(struct text text, struct parsed *parsed) {
    struct text trimmed = trim(text, is_blank);
    *parsed = (struct parsed){.values = {[YEAR] = 1, [MONTH] = 1, [DAY] = 1}};
    const char *at = trimmed.bytes, *end = trimmed.bytes + trimmed.length;
    if (at == end)
        return false;

    bool has_sign = *at == '+' || *at == '-';
    bool negative = *at == '-';
    if (has_sign)
        at++;
    struct open_segment current = {.segment = YEAR};
    int fraction_digits = MICRO_DIGITS;
    for (; at < end && parsed->zone.bytes == NULL; at++) {
        if (is_digit(*at)) {
            read_digit(&current, *at);
            continue;
        }
        if (current.segment == FRACTION)
            fraction_digits = current.digits;
        // A leading T means a time only as the very first byte, in front of which nothing was cut.
        if (!read_separator(&current, parsed, *at, at == text.bytes, has_sign))
            return false;
        if (current.segment == ZONE)
            parsed->zone = trim((struct text){at, (uint32_t)(end - at)}, is_space);
    }
    if (current.segment == FRACTION)
        fraction_digits = current.digits;
    if (!close_segment(&current, parsed, current.segment))
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

static int64_t seconds_of(const struct parsed *parsed, int64_t days) {
    const int64_t *values = parsed->values;
    return days * SECONDS_PER_DAY + (values[HOUR] * 60 + values[MINUTE]) * 60 + values[SECOND];
}

static int64_t days_of(const struct parsed *parsed) {
    const int64_t *values = parsed->values;
    return calendar_days((struct date){values[YEAR], (int)values[MONTH], (int)values[DAY]});
}

static bool parse_once(struct text text, const struct timestamp_context *context, int64_t *micros) {
    struct parsed parsed;
    if (!split(text, &parsed) || !is_in_range(&parsed))
        return false;
    struct zone zone = context->zone;
    if (parsed.zone.bytes != NULL && !zone_find(parsed.zone, &zone))
        return false;
    int64_t local =
        seconds_of(&parsed, parsed.time_only ? today(&zone, context->now_ms) : days_of(&parsed));
    return to_micros(local - zone_offset_of_local(&zone, local), parsed.values[FRACTION], micros);
}

static bool to_local(const struct parsed *parsed, int64_t *micros) {
    return is_in_range(parsed) && !parsed->time_only &&
           to_micros(seconds_of(parsed, days_of(parsed)), parsed->values[FRACTION], micros);
}

bool timestamp_parse_local(struct text text, int64_t *micros) {
    struct parsed parsed;
    return split(text, &parsed) && parsed.zone.bytes == NULL && to_local(&parsed, micros);
}

bool timestamp_parse_local_of_any_zone(struct text text, int64_t *micros) {
    struct parsed parsed;
    struct zone zone;
    return split(text, &parsed) && (parsed.zone.bytes == NULL || zone_find(parsed.zone, &zone)) &&
           to_local(&parsed, micros);
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

/* Eight characters of a common form: a digit where it has '0', and the same character elsewhere.
 * `lift` takes bytes that do not fit to 0x80: digits that are 10 or more, others that are not 0
 * once the form is taken away from them. */
struct form {
    char characters[WORD_SIZE + 1], lift[WORD_SIZE + 1];
};

#define DIGIT "\x76" // 0x80 - 10
#define EXACT "\x7F" // 0x80 - 1

/* `pairs` gets two digits as a number, in the place of the first one. */
static inline bool match_form(const char *at, struct form form, uint64_t *pairs) {
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    uint64_t rest = word_load(at) ^ word_load(form.characters);
    *pairs = rest * 10 + (rest >> 8);
    return ((((rest & ~high_bits) + word_load(form.lift)) | rest) & high_bits) == 0;
}

static unsigned pair_at(uint64_t pairs, unsigned place) {
    return pairs >> 8 * place & 0xFF;
}

/* Days from 1970 to a day of the years 0 to 9999. */
static int64_t common_days(unsigned year, unsigned month, unsigned day) {
    enum { DAYS_IN_400_YEARS = 146097, DAYS_TO_1970 = 719468 };
    // Years start in March (calendar.c), and 400 years earlier, so that none is negative.
    static const uint16_t month_starts[] = {306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275};
    unsigned years = year + 400 - (month <= 2);
    unsigned days = years * 365 + years / 4 - years / 100 + years / 400;
    return (int64_t)days + month_starts[month - 1] + day - 1 - DAYS_TO_1970 - DAYS_IN_400_YEARS;
}

/* What follows the seconds: a fraction, "Z", "+hh:mm", or nothing. False: something else. */
static bool parse_common_end(const char *at, const char *end,
                             const struct timestamp_context *context, int64_t local,
                             int64_t *micros) {
    enum { OFFSET_SIZE = 6, OFFSET_HOURS_MAX = 17 };
    int64_t fraction = 0;
    if (at < end && *at == '.') {
        int64_t unit = micros_per_second;
        for (at++; at < end && is_digit(*at); at++) {
            unit /= 10;
            fraction += unit * (*at - '0');
        }
    }
    int64_t offset = 0;
    if (at == end) {
        offset = zone_offset_of_local(&context->zone, local);
    } else if (end - at == OFFSET_SIZE && (*at == '+' || *at == '-') && at[3] == ':') {
        if (!is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[4]) || !is_digit(at[5]))
            return false;
        int hours = (at[1] - '0') * 10 + at[2] - '0', minutes = (at[4] - '0') * 10 + at[5] - '0';
        if (hours > OFFSET_HOURS_MAX || minutes > 59)
            return false;
        int64_t seconds = (int64_t)60 * (hours * 60 + minutes);
        offset = *at == '-' ? -seconds : seconds;
    } else if (end - at != 1 || *at != 'Z') {
        return false;
    }
    *micros = (local - offset) * micros_per_second + fraction;
    return true;
}

/* The form that nearly all producers write, "2024-06-01T12:30:00" and what parse_common_end()
 * knows. False: another one. */
static bool parse_common(struct text text, const struct timestamp_context *context,
                         int64_t *micros) {
    enum { DAY_AT = 8, SECONDS_AT = 16, SIZE = 19 };
    if (text.length < SIZE)
        return false;
    const char *at = text.bytes;
    static const struct form date_form = {"0000-00-",
                                          DIGIT DIGIT DIGIT DIGIT EXACT DIGIT DIGIT EXACT};
    static const struct form time_form = {"00T00:00",
                                          DIGIT DIGIT EXACT DIGIT DIGIT EXACT DIGIT DIGIT};
    uint64_t date, time;
    if (!match_form(at, date_form, &date) || !match_form(at + DAY_AT, time_form, &time) ||
        at[SECONDS_AT] != ':' || !is_digit(at[SECONDS_AT + 1]) || !is_digit(at[SECONDS_AT + 2]))
        return false;
    unsigned year = pair_at(date, 0) * 100 + pair_at(date, 2), month = pair_at(date, 5);
    unsigned day = pair_at(time, 0), hour = pair_at(time, 3), minute = pair_at(time, 6);
    unsigned second =
        (unsigned)(at[SECONDS_AT + 1] - '0') * 10 + (unsigned)(at[SECONDS_AT + 2] - '0');
    if (month - 1 > 11 || day - 1 > 30 || hour > 23 || minute > 59 || second > 59 ||
        (day > 28 && (int)day > calendar_days_of_month(year, (int)month)))
        return false;
    int64_t local = common_days(year, month, day) * SECONDS_PER_DAY +
                    ((int64_t)hour * 60 + minute) * 60 + second;
    return parse_common_end(at + SIZE, at + text.length, context, local, micros);
}

bool timestamp_parse(struct text text, const struct timestamp_context *context, int64_t *micros) {
    return parse_common(text, context, micros) || parse_once(text, context, micros) ||
           parse_without_gmt(text, context, micros);
}
