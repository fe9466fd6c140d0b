/* double_text.h: doubles and their decimal texts, as Java and Spark have them. */
#ifndef CORE_DOUBLE_TEXT_H
#define CORE_DOUBLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOUBLE_TEXT_MAX = 32,    // bytes of the longest text, such as -2.2250738585072014E-308
    DOUBLE_PARSE_MAX = 1200, // bytes of the longest number: JSON numbers end at 1000 digits
};

/* Writes what JDK 17's Double.toString says ("1.0E-7", "Infinity", "-0.0"); not terminated. The
 * number of bytes. */
size_t double_format(double value, char text[static DOUBLE_TEXT_MAX]);

/* The same of Float.toString. */
size_t float_format(float value, char text[static DOUBLE_TEXT_MAX]);

/* The double nearest to a number in JSON's grammar, ties to even, too large ones infinite; the
 * process's locale does not matter. At most DOUBLE_PARSE_MAX bytes. */
double double_parse(const char *text, size_t size);

/* The same for floats: one rounding, not that of a double on the way. */
float float_parse(const char *text, size_t size);

/* The double nearest to digits * 10^exponent, where that takes no more than one rounding: false for
 * more than 2^53 or an exponent beyond 22, which are left to double_parse(). */
bool double_compose(bool negative, uint64_t digits, int64_t exponent, double *value);

/* Spark's round(double, places): half away from zero, on the decimal text of the number, so that
 * 1.005 becomes 1.01 although it is stored as a little less. Never -0.0. `places` is 0 to 15. */
double double_round(double value, int places);

#endif
