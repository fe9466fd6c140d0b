#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/double_digits.h"
#include "core/double_text.h"

/* Written by JDK 17. */
static void a_double_is_printed_as_java_prints_it(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {1.5, "1.5"},
        {-1000, "-1000.0"},
        {0.1, "0.1"},
        {0.001, "0.001"},
        {1e-4, "1.0E-4"},
        {1e-7, "1.0E-7"},
        {1234567.125, "1234567.125"},
        {1e7, "1.0E7"},
        {9999999, "9999999.0"},
        {123456.789e3, "1.23456789E8"},
        {1e22, "1.0E22"},
        {1.7976931348623157e308, "1.7976931348623157E308"},
        {2.2250738585072014e-308, "2.2250738585072014E-308"},
        // Longer or other than the shortest, with which JDK 19 begins.
        {1e23, "9.999999999999999E22"},
        {5e-324, "4.9E-324"},
        {1.8541648708653955e+18, "1.85416487086539546E18"},
        {6.317460331175305e-176, "6.3174603311753045E-176"},
        {1.218164251425e+288, "1.2181642514249999E288"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
        {(double)NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DOUBLE_TEXT_MAX + 1] = {0};
        size_t size = double_format(cases[i].value, text);
        assert_int_equal(size, strlen(cases[i].text));
        text[size] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

/* Written by JDK 17. */
static void a_float_is_printed_as_java_prints_it(void **state) {
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        {0.0F, "0.0"},
        {-0.0F, "-0.0"},
        {1.1F, "1.1"},
        {-0.1F, "-0.1"},
        {0.001F, "0.001"},
        {1e-4F, "1.0E-4"},
        {16777216, "1.6777216E7"},
        {33554432, "3.3554432E7"},
        {123456.7F, "123456.7"},
        {1e10F, "1.0E10"},
        {0x1p62F, "4.611686E18"},
        {0x1p63F, "9.223372E18"},
        {3.4028234663852886e38F, "3.4028235E38"},
        {1.17549435e-38F, "1.17549435E-38"},
        {0x1p-149F, "1.4E-45"},
        {8.5e-40F, "8.5E-40"},
        {INFINITY, "Infinity"},
        {(float)NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DOUBLE_TEXT_MAX + 1] = {0};
        text[float_format(cases[i].value, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void a_number_is_read_to_the_nearest_double(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0.0},
        {"-0.0", -0.0},
        {"17", 17},
        {"1.5", 1.5},
        {"-2.5e3", -2500},
        {"1E+2", 100},
        {"0.1", 0.1},
        {"123456789012345678", 123456789012345678.0},
        {"9007199254740993", 9007199254740992.0}, // a tie: to even
        {"9007199254740993.0000000000000000000001", 9007199254740994.0},
        {"1e23", 1e23},
        {"1e22", 1e22},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"4.9e-324", 4.9e-324},
        {"1e-400", 0.0},
        {"1e400", INFINITY},
        {"-1e99999999999999999999", -INFINITY},
        {"0e99999999999999999999", 0.0},
        {"1e-99999999999999999999", 0.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = double_parse(cases[i].text, strlen(cases[i].text));
        if (value != cases[i].value || signbit(value) != signbit(cases[i].value))
            fail_msg("'%s' is %.17g, not %.17g", cases[i].text, value, cases[i].value);
    }
}

static void a_thousand_digits_are_read(void **state) {
    (void)state;
    char text[1002] = "0.";
    memset(text + 2, '3', 1000);
    assert_true(double_parse(text, sizeof text) == 1.0 / 3);
}

static void rounding_takes_the_decimal_text_half_away_from_zero(void **state) {
    (void)state;
    static const struct {
        double value, rounded;
    } cases[] = {
        {1.005, 1.01},
        {2.675, 2.68},
        {-0.005, -0.01},
        {-0.004, 0.0},
        {0.004, 0.0},
        {0.125, 0.13},
        {3.625, 3.63},
        {3.6249999999999996, 3.62},
        {99.995, 100},
        {0.995, 1.0},
        {42.857142857142854, 42.86},
        {1e17, 1e17},
        {1e-300, 0.0},
        {-0.0, 0.0},
        {0.0, 0.0},
        {1.1, 1.1},
        {-2.345, -2.35},
        {4.9e-324, 0.0},
        {12345678901234.565, 12345678901234.56},
        {INFINITY, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rounded = double_round(cases[i].value, 2);
        if (rounded != cases[i].rounded || signbit(rounded) != signbit(cases[i].rounded))
            fail_msg("%.17g was rounded to %.17g", cases[i].value, rounded);
    }
    assert_true(isnan(double_round((double)NAN, 2)));
    assert_true(double_round(2.5, 0) == 3);
}

/* What the digits of Java's text say, rounded half up and parsed again. */
static double rounded_by_digits(double value, int places) {
    struct double_digits decimal;
    double_digits(fabs(value), &decimal);
    int keep = decimal.exponent + places;
    if (keep >= decimal.count)
        return value;
    uint64_t whole = 0;
    for (int i = 0; i < keep; i++)
        whole = whole * 10 + (uint64_t)(decimal.digits[i] - '0');
    if (keep >= 0)
        whole += decimal.digits[keep] >= '5';
    char text[64];
    (void)snprintf(text, sizeof text, "%llue-%d", (unsigned long long)whole, places);
    double rounded = strtod(text, NULL);
    return whole == 0 ? 0.0 : copysign(rounded, value);
}

static void rounding_near_a_half_is_as_the_digits_say(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 300000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        // Halves of all sizes, and the doubles right next to them.
        double value = (double)(seed >> (20 + seed % 40)) / 1000;
        for (int step = (int)(seed >> 8 & 3); step > 0; step--)
            value = nextafter(value, seed & 1024 ? INFINITY : -INFINITY);
        if (value == 0)
            continue;
        value = seed & 2048 ? -value : value;
        double found = double_round(value, 2), wanted = rounded_by_digits(value, 2);
        if (found != wanted || signbit(found) != signbit(wanted))
            fail_msg("%.17g was rounded to %.17g, not %.17g", value, found, wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_double_is_printed_as_java_prints_it),
        cmocka_unit_test(a_float_is_printed_as_java_prints_it),
        cmocka_unit_test(a_number_is_read_to_the_nearest_double),
        cmocka_unit_test(a_thousand_digits_are_read),
        cmocka_unit_test(rounding_takes_the_decimal_text_half_away_from_zero),
        cmocka_unit_test(rounding_near_a_half_is_as_the_digits_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
