/* numbers.h: doubles and floats against those of the C library. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/double_text.h"

/* Equal bit for bit. */
static inline bool numbers_equal(double a, double b) {
    uint64_t bits[2];
    memcpy(&bits[0], &a, sizeof a);
    memcpy(&bits[1], &b, sizeof b);
    return bits[0] == bits[1];
}

static inline bool numbers_equal_floats(float a, float b) {
    uint32_t bits[2];
    memcpy(&bits[0], &a, sizeof a);
    memcpy(&bits[1], &b, sizeof b);
    return bits[0] == bits[1];
}

/* A number of JSON, terminated. */
static inline void numbers_check_text(const char *text, size_t size) {
    double expected = strtod(text, NULL), found = double_parse(text, size);
    float expected_small = strtof(text, NULL), found_small = float_parse(text, size);
    if (!numbers_equal(expected, found))
        (void)fprintf(stderr, "%s: %a, not %a\n", text, found, expected);
    if (!numbers_equal_floats(expected_small, found_small))
        (void)fprintf(stderr, "%s: %a, not %a\n", text, (double)found_small,
                      (double)expected_small);
    check(numbers_equal(expected, found) && numbers_equal_floats(expected_small, found_small));
}

/* Our text of a double, which is Java's, is read as the same double by us and by strtod(). */
static inline void numbers_check_double(double value) {
    char text[DOUBLE_TEXT_MAX + 1];
    size_t size = double_format(value, text);
    check(size <= DOUBLE_TEXT_MAX);
    text[size] = '\0';
    if (!isfinite(value)) {
        check(strcmp(text, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity") == 0);
        return;
    }
    if (!numbers_equal(strtod(text, NULL), value) ||
        !numbers_equal(double_parse(text, size), value))
        (void)fprintf(stderr, "%a is written as %s\n", value, text);
    check(numbers_equal(strtod(text, NULL), value));
    check(numbers_equal(double_parse(text, size), value));
}

static inline void numbers_check_float(float value) {
    char text[DOUBLE_TEXT_MAX + 1];
    size_t size = float_format(value, text);
    check(size <= DOUBLE_TEXT_MAX);
    text[size] = '\0';
    if (!isfinite(value))
        return;
    if (!numbers_equal_floats(strtof(text, NULL), value))
        (void)fprintf(stderr, "%a is written as %s\n", (double)value, text);
    check(numbers_equal_floats(strtof(text, NULL), value));
    check(numbers_equal_floats(float_parse(text, size), value));
}

#endif
