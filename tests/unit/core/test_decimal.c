/* What Spark makes of texts is compared in tests/conformance/nested; here is what shows in no JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/date_text.h"
#include "core/decimal.h"
#include "core/double_text.h"

static void a_decimal_is_printed_with_all_places_of_its_scale(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int scale;
        const char *printed;
    } cases[] = {
        {"0", 0, "0"},
        {"0", 2, "0.00"},
        {"-0.05", 2, "-0.05"},
        {"12.3", 2, "12.30"},
        {"-7", 0, "-7"},
        {"1e3", 1, "1000.0"},
        {"0.1", 0, "0"},
        {"0.5", 0, "1"},
        {".5e1", 1, "5.0"},
        {"1e-40", 38, "0.00000000000000000000000000000000000000"},
        {"-99999999999999999999999999999999999999", 0, "-99999999999999999999999999999999999999"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int128_t unscaled;
        char text[DECIMAL_TEXT_MAX + 1];
        assert_true(decimal_parse(text_borrow(cases[i].text), 38, cases[i].scale, &unscaled));
        text[decimal_format(unscaled, cases[i].scale, text)] = '\0';
        assert_string_equal(text, cases[i].printed);
    }
    char text[DECIMAL_TEXT_MAX];
    int128_t lowest = -((int128_t)INT64_MAX << 64) - ((int128_t)1 << 64);
    static const char printed[] = "-170141183460469231731687303715884105728";
    assert_int_equal(decimal_format(lowest, 0, text), sizeof printed - 1);
    assert_memory_equal(text, printed, sizeof printed - 1);
}

static void a_decimal_that_does_not_fit_leaves_the_value_as_it_was(void **state) {
    (void)state;
    static const char *const texts[] = {"1000", "999.995", "",   "-",
                                        ".",    "1e",      "1x", "1e99999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int128_t unscaled = 7;
        assert_false(decimal_parse(text_borrow(texts[i]), 5, 2, &unscaled));
        assert_true(unscaled == 7);
    }
}

static void bytes_are_as_many_as_spark_takes(void **state) {
    (void)state;
    static const int bytes[] = {0,  1,  1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,
                                6,  6,  7,  7,  8,  8,  9,  9,  9,  10, 10, 11, 11,
                                11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    for (int precision = 1; precision <= 38; precision++)
        assert_int_equal(decimal_bytes(precision), bytes[precision]);
}

static void a_date_is_printed_as_it_is_read(void **state) {
    (void)state;
    static const char *const texts[] = {"2024-06-01",  "1969-12-31",   "0000-01-01",
                                        "-0001-12-31", "+10000-01-01", "9999-12-31"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int32_t days;
        char text[DATE_TEXT_MAX + 1];
        assert_true(date_text_parse(text_borrow(texts[i]), &days));
        text[date_text_format(days, text)] = '\0';
        assert_string_equal(text, texts[i]);
    }
}

static void gmt_may_stand_anywhere_in_a_date_of_any_length(void **state) {
    (void)state;
    char text[1024];
    memset(text, ' ', sizeof text);
    int32_t days = 0;
    struct text whole = {text, sizeof text};
    static const char year[] = "2GMT024", day[] = "2GMT024-01-02";
    (void)mempcpy(text + 600, year, sizeof year - 1);
    assert_true(date_text_parse_lenient(whole, &days));
    assert_int_equal(days, 19723);
    text[sizeof text - 1] = 'x';
    assert_false(date_text_parse_lenient(whole, &days));
    (void)mempcpy(text + 600, day, sizeof day - 1);
    assert_true(date_text_parse_lenient(whole, &days));
    assert_int_equal(days, 19724);
}

static void a_float_is_rounded_once(void **state) {
    (void)state;
    static const char half[] = "1.00000017881393432617187499";
    assert_true(float_parse(half, sizeof half - 1) < (float)double_parse(half, sizeof half - 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decimal_is_printed_with_all_places_of_its_scale),
        cmocka_unit_test(a_decimal_that_does_not_fit_leaves_the_value_as_it_was),
        cmocka_unit_test(bytes_are_as_many_as_spark_takes),
        cmocka_unit_test(a_date_is_printed_as_it_is_read),
        cmocka_unit_test(gmt_may_stand_anywhere_in_a_date_of_any_length),
        cmocka_unit_test(a_float_is_rounded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
