/* decimal.h: decimals as texts. A decimal is a whole number, `unscaled`, of 10^-scale. */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include <stddef.h>

#include "base/text.h"
#include "core/type.h"

enum { DECIMAL_TEXT_MAX = 48 };

/* 10^exponent, up to 38. */
int128_t decimal_power(int exponent);

/* A text as java.math.BigDecimal reads it ("-1.5e3"), rounded half up to the scale. False: no such
 * form, or more digits than the precision has. */
bool decimal_parse(struct text text, int precision, int scale, int128_t *unscaled);

/* "-12.30". The number of bytes; not terminated. */
size_t decimal_format(int128_t unscaled, int scale, char text[static DECIMAL_TEXT_MAX]);

/* Bytes of the smallest two's complement number that holds every decimal of the precision. */
int decimal_bytes(int precision);

#endif
