/* double_digits.h: a double's decimal digits, as Java's Double.toString chose them up to JDK 18.
 *
 * Spark prints floats that land in a string column, and rounds, on this text; the digits are not
 * always the shortest that read back (2.0E-3 is, 2.2250738585072014E-308 is, 2.0E23 is not), so
 * they are developed with the steps of Java's own FloatingDecimal. */
#ifndef CORE_DOUBLE_DIGITS_H
#define CORE_DOUBLE_DIGITS_H

enum { DOUBLE_DIGITS_MAX = 20 };

/* 0.d1 d2 … dn * 10^exponent; d1 is not 0. */
struct double_digits {
    int count;
    int exponent;
    char digits[DOUBLE_DIGITS_MAX]; // '0'..'9'
};

/* `value` is finite and greater than 0. */
void double_digits(double value, struct double_digits *out);

/* The same for Float.toString. */
void float_digits(float value, struct double_digits *out);

#endif
