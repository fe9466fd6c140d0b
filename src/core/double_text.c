/* Reading: up to 19 digits are a whole number. Where it and the power of ten are exact in a
 * double, one multiplication or division rounds correctly (Clinger); what is left is read by
 * strtod_l(). Writing: Java's digits (double_digits.h), with the point or the exponent where
 * Double.toString() has them.
 *
 * Rounding: Spark rounds the decimal text half up. The digits are only made where the product with
 * the power of ten lies too near a half to tell. */
#include "core/double_text.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/double_digits.h"

/* Powers of ten that a double holds exactly. */
static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { EXACT_POWER_MAX = sizeof powers_of_ten / sizeof powers_of_ten[0] - 1 };

static const uint64_t exact_integer_max = UINT64_C(1) << 53;

static size_t put(char *text, const char *bytes, size_t size) {
    memcpy(text, bytes, size);
    return size;
}

static size_t put_zeros(char *text, int count) {
    memset(text, '0', (size_t)count);
    return (size_t)count;
}

/* Digits with the point after the first `before`; there is always a digit after the point. */
static size_t put_digits(char *text, const struct double_digits *decimal, int before) {
    int whole = decimal->count < before ? decimal->count : before;
    size_t size = put(text, decimal->digits, (size_t)whole);
    size += put_zeros(text + size, before - whole);
    text[size++] = '.';
    if (decimal->count > whole)
        size += put(text + size, decimal->digits + whole, (size_t)(decimal->count - whole));
    else
        text[size++] = '0';
    return size;
}

static size_t put_exponent(char *text, int exponent) {
    char reversed[8];
    size_t count = 0, size = 0;
    text[size++] = 'E';
    if (exponent < 0)
        text[size++] = '-';
    for (unsigned rest = (unsigned)abs(exponent); count == 0 || rest != 0; rest /= 10)
        reversed[count++] = (char)('0' + rest % 10);
    while (count > 0)
        text[size++] = reversed[--count];
    return size;
}

static size_t put_decimal(char *text, const struct double_digits *decimal) {
    if (decimal->exponent > 0 && decimal->exponent < 8)
        return put_digits(text, decimal, decimal->exponent);
    size_t size = 0;
    if (decimal->exponent <= 0 && decimal->exponent > -3) {
        size += put(text + size, "0.", 2);
        size += put_zeros(text + size, -decimal->exponent);
        return size + put(text + size, decimal->digits, (size_t)decimal->count);
    }
    size += put_digits(text + size, decimal, 1);
    return size + put_exponent(text + size, decimal->exponent - 1);
}

/* Sign, zero, infinity and NaN. False: digits follow what is written so far. */
static bool put_special(double value, char *text, size_t *size) {
    *size = 0;
    if (isnan(value)) {
        *size = put(text, "NaN", 3);
        return true;
    }
    if (signbit(value))
        text[(*size)++] = '-';
    if (isinf(value))
        *size += put(text + *size, "Infinity", 8);
    else if (value == 0)
        *size += put(text + *size, "0.0", 3);
    return isinf(value) || value == 0;
}

size_t double_format(double value, char text[static DOUBLE_TEXT_MAX]) {
    size_t size;
    if (put_special(value, text, &size))
        return size;
    struct double_digits decimal;
    double_digits(fabs(value), &decimal);
    return size + put_decimal(text + size, &decimal);
}

size_t float_format(float value, char text[static DOUBLE_TEXT_MAX]) {
    size_t size;
    if (put_special((double)value, text, &size))
        return size;
    struct double_digits decimal;
    float_digits(fabsf(value), &decimal);
    return size + put_decimal(text + size, &decimal);
}

/* A number for the library's own reading, which is correctly rounded. */
struct terminated {
    char text[DOUBLE_PARSE_MAX + 1];
};

static struct terminated terminate(const char *text, size_t size) {
    struct terminated copy;
    check(size <= DOUBLE_PARSE_MAX);
    memcpy(copy.text, text, size);
    copy.text[size] = '\0';
    return copy;
}

/* Without the locale's decimal point. The "C" locale is built into glibc: asking for it allocates
 * nothing and cannot fail. */
static locale_t plain_locale(void) {
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double parse_slowly(const char *text, size_t size) {
    return strtod_l(terminate(text, size).text, NULL, plain_locale());
}

struct decimal {
    bool negative;
    bool exact; // all digits are in `digits`
    uint64_t digits;
    int64_t exponent;
};

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static const char *read_digits(const char *at, const char *end, struct decimal *decimal) {
    for (; at < end && is_digit(*at); at++) {
        if (decimal->digits > UINT64_MAX / 10 - 1)
            decimal->exact = false;
        else
            decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

static struct decimal read_decimal(const char *text, size_t size) {
    const char *at = text, *end = text + size;
    struct decimal decimal = {.exact = true};
    if (at < end && *at == '-') {
        decimal.negative = true;
        at++;
    }
    at = read_digits(at, end, &decimal);
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = read_digits(fraction, end, &decimal);
        decimal.exponent = fraction - at;
    }
    if (at < end) { // 'e' or 'E'
        at++;
        bool negative = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        struct decimal exponent = {.exact = true};
        read_digits(at, end, &exponent);
        if (!exponent.exact || exponent.digits > 100000)
            decimal.exact = false;
        else
            decimal.exponent += negative ? -(int64_t)exponent.digits : (int64_t)exponent.digits;
    }
    return decimal;
}

bool double_compose(bool negative, uint64_t digits, int64_t exponent, double *value) {
    if (digits > exact_integer_max || exponent < -EXACT_POWER_MAX || exponent > EXACT_POWER_MAX)
        return false;
    // Clinger: both operands are exact, so the one operation rounds correctly.
    double magnitude = exponent < 0 ? (double)digits / powers_of_ten[-exponent]
                                    : (double)digits * powers_of_ten[exponent];
    *value = negative ? -magnitude : magnitude;
    return true;
}

double double_parse(const char *text, size_t size) {
    struct decimal decimal = read_decimal(text, size);
    double value;
    if (decimal.exact && double_compose(decimal.negative, decimal.digits, decimal.exponent, &value))
        return value;
    return parse_slowly(text, size);
}

float float_parse(const char *text, size_t size) {
    double value = double_parse(text, size);
    float near = (float)value;
    // Only half way between two floats it matters which side the text is on.
    float other = nextafterf(near, value > (double)near ? INFINITY : -INFINITY);
    bool is_half_way = ((double)near + (double)other) / 2 == value;
    if ((double)near == value || (!is_half_way && !isinf(near)))
        return near;
    return strtof_l(terminate(text, size).text, NULL, plain_locale());
}

/* The first `keep` digits as a whole number, rounded by the digit after them. */
static uint64_t round_digits(const struct double_digits *decimal, int keep) {
    uint64_t whole = 0;
    for (int i = 0; i < keep; i++)
        whole = whole * 10 + (uint64_t)(decimal->digits[i] - '0');
    return whole + (decimal->digits[keep] >= '5' ? 1 : 0);
}

/* Where the decimal text certainly lies on the same side of a half as the product with a power of
 * ten: both are within a few units in the last place of the same number. True except for one in
 * 2^40 measured values, and saves writing the digits, a tenth of a microsecond. */
static bool round_quickly(double value, int places, double *rounded) {
    static const double product_max = 0x1p50, error_max = 0x1p-49; // of the product
    double product = fabs(value) * powers_of_ten[places];
    if (!(product < product_max))
        return false;
    double whole = floor(product), part = product - whole; // both exact
    if (fabs(part - 0.5) <= product * error_max)
        return false;
    whole += part > 0.5;
    *rounded = whole == 0 ? 0.0 : copysign(whole / powers_of_ten[places], value);
    return true;
}

double double_round(double value, int places) {
    double quick;
    if (!isfinite(value))
        return value;
    if (value == 0)
        return 0.0;
    if (round_quickly(value, places, &quick))
        return quick;

    struct double_digits decimal;
    double_digits(fabs(value), &decimal);
    int keep = decimal.exponent + places;
    if (keep >= decimal.count)
        return value;
    uint64_t whole = keep < 0 ? 0 : round_digits(&decimal, keep);
    if (whole == 0)
        return 0.0;

    double rounded;
    if (whole <= exact_integer_max) {
        rounded = (double)whole / powers_of_ten[places];
    } else {
        char text[48];
        int size = snprintf(text, sizeof text, "%llue-%d", (unsigned long long)whole, places);
        rounded = parse_slowly(text, (size_t)size);
    }
    return value < 0 ? -rounded : rounded;
}
