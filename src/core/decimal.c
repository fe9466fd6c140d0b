#include "core/decimal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { EXPONENT_DIGITS_MAX = 10, POWER_MAX = 38 };

int128_t decimal_power(int exponent) {
    check(exponent >= 0 && exponent <= POWER_MAX);
    int128_t power = 1;
    for (; exponent > 0; exponent--)
        power *= 10;
    return power;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && is_digit(*at))
        at++;
    return at;
}

/* "e" and what follows, up to the end. */
static bool read_exponent(const char *at, const char *end, int64_t *exponent) {
    at++;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end || skip_digits(at, end) < end)
        return false;
    while (at < end && *at == '0')
        at++;
    if (end - at > EXPONENT_DIGITS_MAX)
        return false;
    for (*exponent = 0; at < end; at++)
        *exponent = *exponent * 10 + (*at - '0');
    if (negative)
        *exponent = -*exponent;
    return true;
}

bool decimal_text_split(struct text text, struct decimal_text *parts) {
    const char *at = text.bytes, *end = at + text.length;
    *parts = (struct decimal_text){.negative = at < end && *at == '-'};
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    parts->whole = at;
    parts->whole_end = parts->fraction = parts->fraction_end = at = skip_digits(at, end);
    if (at < end && *at == '.') {
        parts->fraction = at + 1;
        parts->fraction_end = at = skip_digits(at + 1, end);
    }
    if (parts->whole == parts->whole_end && parts->fraction == parts->fraction_end)
        return false;
    return at == end || ((*at == 'e' || *at == 'E') && read_exponent(at, end, &parts->exponent));
}

/* The digit at a place counted over both parts. */
static int digit_at(const struct decimal_text *parts, int64_t place) {
    int64_t whole = parts->whole_end - parts->whole;
    return (place < whole ? parts->whole[place] : parts->fraction[place - whole]) - '0';
}

/* Where its first digit is that is not zero, counted over both parts. */
static int64_t first_digit(const struct decimal_text *parts, int64_t count) {
    int64_t first = 0;
    while (first < count && digit_at(parts, first) == 0)
        first++;
    return first;
}

static int64_t digit_count(const struct decimal_text *parts) {
    return parts->whole_end - parts->whole + (parts->fraction_end - parts->fraction);
}

bool decimal_text_is_zero(const struct decimal_text *parts) {
    int64_t count = digit_count(parts);
    return first_digit(parts, count) == count;
}

bool decimal_of_text(const struct decimal_text *parts, int precision, int scale,
                     int128_t *unscaled) {
    int64_t count = digit_count(parts), first = first_digit(parts, count);
    int64_t java_scale = parts->fraction_end - parts->fraction - parts->exponent;
    if (java_scale != (int32_t)java_scale)
        return false;
    // Digits of the result, as counted from the first that is not zero.
    int64_t digits = count - first - java_scale + scale;
    if (first == count || digits < 0) {
        *unscaled = 0;
        return true;
    }
    if (digits > precision)
        return false;
    int128_t value = 0;
    for (int64_t i = 0; i < digits; i++)
        value = value * 10 + (first + i < count ? digit_at(parts, first + i) : 0);
    if (first + digits < count && digit_at(parts, first + digits) >= 5)
        value++;
    if (value >= decimal_power(precision))
        return false;
    *unscaled = parts->negative ? -value : value;
    return true;
}

bool decimal_parse(struct text text, int precision, int scale, int128_t *unscaled) {
    struct decimal_text parts;
    return decimal_text_split(text, &parts) && decimal_of_text(&parts, precision, scale, unscaled);
}

size_t decimal_format(int128_t unscaled, int scale, char text[static DECIMAL_TEXT_MAX]) {
    char reversed[DECIMAL_TEXT_MAX];
    size_t size = 0, count = 0;
    int128_t rest = unscaled;
    do {
        if (count > 0 && (int)count == scale)
            reversed[size++] = '.';
        reversed[size++] = (char)('0' + abs((int)(rest % 10))); // of the lowest number, too
        rest /= 10;
        count++;
    } while (rest != 0 || (int)count <= scale);
    if (unscaled < 0)
        reversed[size++] = '-';
    for (size_t i = 0; i < size; i++)
        text[i] = reversed[size - 1 - i];
    return size;
}

int decimal_bytes(int precision) {
    int bytes = 1;
    while (bytes < (int)sizeof(int128_t) &&
           (int128_t)1 << (8 * bytes - 1) < decimal_power(precision))
        bytes++;
    return bytes;
}
