/* No matter what a number looks like, it is read as strtod() and strtof() read it, and no matter
 * which double it is, its text is read as the same double. Decimals and dates are read without a
 * crash, and what is printed of them is read again as the same. The first byte says what the rest
 * is: j, a text that may be a number of JSON; d, the bytes of a double and of a float; c, a
 * decimal; t, a date; p, a number of places and a double to round. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/calendar.h"
#include "core/date_text.h"
#include "core/decimal.h"
#include "core/double_text.h"
#include "numbers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* [-] (0 | 1-9 digits) [. digits] [(e|E) [+-] digits] */
static bool is_json_number(const char *text) {
    text += *text == '-';
    size_t whole = strspn(text, "0123456789");
    if (whole == 0 || (whole > 1 && text[0] == '0'))
        return false;
    text += whole;
    if (*text == '.') {
        size_t fraction = strspn(text + 1, "0123456789");
        if (fraction == 0)
            return false;
        text += 1 + fraction;
    }
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '+' || text[1] == '-');
        size_t exponent = strspn(text, "0123456789");
        if (exponent == 0)
            return false;
        text += exponent;
    }
    return *text == '\0';
}

static void read_decimal(const char *text, size_t size) {
    struct text in = {text, (uint32_t)size};
    static const int shapes[][2] = {{38, 18}, {38, 0}, {38, 38}, {9, 2}, {18, 3}, {1, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        int precision = shapes[i][0], scale = shapes[i][1];
        int128_t unscaled, again;
        if (!decimal_parse(in, precision, scale, &unscaled))
            continue;
        char printed[DECIMAL_TEXT_MAX];
        size_t length = decimal_format(unscaled, scale, printed);
        check(length <= DECIMAL_TEXT_MAX);
        check(decimal_parse((struct text){printed, (uint32_t)length}, precision, scale, &again));
        check(unscaled == again);
    }
}

static void read_date(const char *text, size_t size) {
    struct text in = {text, (uint32_t)size};
    int32_t days, again;
    (void)date_text_parse_lenient(in, &days);
    if (!date_text_parse(in, &days))
        return;
    char printed[DATE_TEXT_MAX];
    size_t length = date_text_format(days, printed);
    check(length <= DATE_TEXT_MAX);
    check(date_text_parse((struct text){printed, (uint32_t)length}, &again) && days == again);
}

static void round_one(int places, double value) {
    double rounded = double_round(value, places);
    if (!isfinite(value)) {
        check(isnan(value) ? isnan(rounded) : rounded == value);
        return;
    }
    // What is rounded once is round.
    check(!(rounded == 0 && signbit(rounded)) && double_round(rounded, places) == rounded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    size_t left = size - 1;
    char *text = must_alloc(size, 1);
    memcpy(text, data + 1, left);
    double value = 0;
    float small = 0;
    switch (data[0]) {
    case 'j':
        if (left <= DOUBLE_PARSE_MAX && strlen(text) == left && is_json_number(text))
            numbers_check_text(text, left);
        break;
    case 'd':
        memcpy(&value, text, left < sizeof value ? left : sizeof value);
        memcpy(&small, text, left < sizeof small ? left : sizeof small);
        numbers_check_double(value);
        numbers_check_float(small);
        break;
    case 'c':
        read_decimal(text, left);
        break;
    case 't':
        read_date(text, left);
        break;
    case 'p':
        if (left > 0)
            memcpy(&value, text + 1, left - 1 < sizeof value ? left - 1 : sizeof value);
        round_one((unsigned char)text[0] % 16, value);
        break;
    default:
        break;
    }
    free(text);
    return 0;
}
