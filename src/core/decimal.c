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

/* A number's parts: its digits are those of [whole, whole_end) and [fraction, fraction_end). */
struct parts {
    bool negative;
    const char *whole, *whole_end, *fraction, *fraction_end;
    int64_t exponent;
};

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

static bool split(struct text text, struct parts *parts) {
    const char *at = text.bytes, *end = at + text.length;
    *parts = (struct parts){.negative = at < end && *at == '-'};
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
static int digit_at(const struct parts *parts, int64_t place) {
    int64_t whole = parts->whole_end - parts->whole;
    return (place < whole ? parts->whole[place] : parts->fraction[place - whole]) - '0';
}

bool decimal_parse(struct text text, int precision, int scale, int128_t *unscaled) {
    struct parts parts;
    if (!split(text, &parts))
        return false;
    int64_t fraction = parts.fraction_end - parts.fraction;
    int64_t count = parts.whole_end - parts.whole + fraction, first = 0;
    int64_t java_scale = fraction - parts.exponent;
    if (java_scale != (int32_t)java_scale)
        return false;
    while (first < count && digit_at(&parts, first) == 0)
        first++;
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
        value = value * 10 + (first + i < count ? digit_at(&parts, first + i) : 0);
    if (first + digits < count && digit_at(&parts, first + digits) >= 5)
        value++;
    if (value >= decimal_power(precision))
        return false;
    *unscaled = parts.negative ? -value : value;
    return true;
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
