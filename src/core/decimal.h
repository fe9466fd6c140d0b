/* decimal.h: decimals as texts. A decimal is a whole number, `unscaled`, of 10^-scale. */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include <stddef.h>

#include "base/text.h"
#include "core/type.h"

enum { DECIMAL_TEXT_MAX = 48 };

/* 10^exponent, up to 38. */
int128_t decimal_power(int exponent);

/* A text as java.math.BigDecimal reads it, taken apart: its digits are those of [whole, whole_end)
 * and [fraction, fraction_end). */
struct decimal_text {
    bool negative;
    const char *whole, *whole_end, *fraction, *fraction_end;
    int64_t exponent; // up to ten digits
};

/* False: no such form. */
bool decimal_text_split(struct text text, struct decimal_text *parts);

bool decimal_text_is_zero(const struct decimal_text *parts);

/* Rounded half up to the scale. False: more digits than the precision has. */
bool decimal_of_text(const struct decimal_text *parts, int precision, int scale,
                     int128_t *unscaled);

/* A text as java.math.BigDecimal reads it ("-1.5e3"), rounded half up to the scale. False: no such
 * form, or more digits than the precision has. */
bool decimal_parse(struct text text, int precision, int scale, int128_t *unscaled);

/* "-12.30". The number of bytes; not terminated. */
size_t decimal_format(int128_t unscaled, int scale, char text[static DECIMAL_TEXT_MAX]);

/* Bytes of the smallest two's complement number that holds every decimal of the precision. */
int decimal_bytes(int precision);

#endif
