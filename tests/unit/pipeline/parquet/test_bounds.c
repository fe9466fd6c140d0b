#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/parquet/bounds.h"

static double as_double(const struct bound *bound) {
    double value;
    memcpy(&value, bound->bytes, sizeof value);
    return value;
}

static void a_nan_leaves_no_bounds(void **state) {
    (void)state;
    static const double values[] = {1, NAN, 3};
    struct bounds bounds;
    bounds_of_values(&bounds, TYPE_DOUBLE, values, 3);
    assert_int_equal(bounds.state, BOUNDS_UNKNOWN);
    bounds_of_values(&bounds, TYPE_DOUBLE, values, 1);
    assert_int_equal(bounds.state, BOUNDS_KNOWN);
}

static void zeros_are_written_with_the_sign_that_covers_both(void **state) {
    (void)state;
    static const double zeros[][2] = {{0.0, 5}, {-5, -0.0}, {-0.0, 0.0}};
    for (size_t i = 0; i < 3; i++) {
        struct bounds bounds;
        bounds_of_values(&bounds, TYPE_DOUBLE, zeros[i], 2);
        double min = as_double(&bounds.min), max = as_double(&bounds.max);
        assert_true(min != 0 || signbit(min));
        assert_true(max != 0 || !signbit(max));
        assert_true(min <= zeros[i][0] && max >= zeros[i][1]);
    }
}

static void infinities_are_bounds(void **state) {
    (void)state;
    static const double values[] = {INFINITY, -INFINITY};
    struct bounds bounds;
    bounds_of_values(&bounds, TYPE_DOUBLE, values, 2);
    assert_true(as_double(&bounds.min) == -INFINITY && as_double(&bounds.max) == INFINITY);
}

static void without_values_there_are_no_bounds(void **state) {
    (void)state;
    struct bounds bounds;
    bounds_of_values(&bounds, TYPE_INT32, NULL, 0);
    assert_int_equal(bounds.state, BOUNDS_EMPTY);
}

static struct text text_of(const char *bytes, size_t length) {
    return (struct text){bytes, (uint32_t)length};
}

static struct text of_bound(const struct bound *bound) {
    return text_of((const char *)bound->bytes, bound->size);
}

/* 62 times 'a', then what is given, then more: what lies at the limit of 64 bytes. */
static void long_text_is_cut_and_the_larger_bound_counted_up(void **state) {
    (void)state;
    static const struct {
        enum type type;
        const char *at_62;
        const char *min, *max; // behind the 62; max NULL: the 'a's are counted up themselves
        const char *why;
    } cases[] = {
        {TYPE_STRING, "xyz", "xy", "xz", "ASCII"},
        {TYPE_STRING, "x\x7fz", "x\x7f", "x\xc2\x80", "the next character has two bytes"},
        {TYPE_STRING, "\xc3\xa9z", "\xc3\xa9", "\xc3\xaa", "a character of two bytes fits"},
        {TYPE_STRING, "x\xc3\xa9", "x", "y", "a character is not cut in the middle"},
        {TYPE_STRING, "\xe2\x82\xac", "", NULL, "it does not fit at all"},
        {TYPE_BINARY, "x\xff!", "x\xff", "y", "bytes have no next behind 0xff"},
        {TYPE_BINARY, "\xff\xff!", "\xff\xff", NULL, "nor two of them"},
        {TYPE_BINARY, "\xe2\x82\xac", "\xe2\x82", "\xe2\x83", "bytes know no characters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[100], expected[100];
        memset(text, 'a', sizeof text);
        memcpy(text + 62, cases[i].at_62, strlen(cases[i].at_62));
        struct bounds bounds = {0};
        bounds_of_texts(&bounds, cases[i].type, text_of(text, 80), text_of(text, 80));
        assert_int_equal(bounds.state, BOUNDS_KNOWN);
        assert_false(bounds.min.exact || bounds.max.exact);

        memset(expected, 'a', 62);
        memcpy(expected + 62, cases[i].min, strlen(cases[i].min));
        assert_int_equal(
            text_compare(of_bound(&bounds.min), text_of(expected, 62 + strlen(cases[i].min))), 0);
        size_t length = 62;
        if (cases[i].max == NULL)
            expected[61] = 'b';
        else
            memcpy(expected + 62, cases[i].max, strlen(cases[i].max));
        length += cases[i].max == NULL ? 0 : strlen(cases[i].max);
        assert_int_equal(text_compare(of_bound(&bounds.max), text_of(expected, length)), 0);
        assert_true(text_compare(of_bound(&bounds.max), text_of(text, 80)) > 0);
    }
}

static void a_text_with_no_larger_one_leaves_no_bounds(void **state) {
    (void)state;
    char bytes[100];
    struct bounds bounds;
    memset(bytes, 0xff, sizeof bytes);
    bounds_of_texts(&bounds, TYPE_BINARY, text_of(bytes, 3), text_of(bytes, 100));
    assert_int_equal(bounds.state, BOUNDS_UNKNOWN);
    static const char last[4] = {'\xf4', '\x8f', '\xbf', '\xbf'}; // U+10FFFF
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = last[i % 4];
    bounds_of_texts(&bounds, TYPE_STRING, text_of(bytes, 4), text_of(bytes, 100));
    assert_int_equal(bounds.state, BOUNDS_UNKNOWN);
}

static void the_next_character_is_never_a_surrogate(void **state) {
    (void)state;
    char bytes[90];
    struct bounds bounds;
    memset(bytes, 'a', sizeof bytes);
    bytes[61] = '\xed', bytes[62] = '\x9f', bytes[63] = '\xbf'; // U+D7FF
    bounds_of_texts(&bounds, TYPE_STRING, text_of(bytes, 90), text_of(bytes, 90));
    assert_memory_equal(bounds.max.bytes + 61, "\xee\x80\x80", 3); // U+E000
}

static void texts_are_ordered_as_unsigned_bytes(void **state) {
    (void)state;
    static const uint8_t plain[] = {1, 0, 0, 0, 0x7f, 1, 0, 0, 0,    0x80,
                                    0, 0, 0, 0, 2,    0, 0, 0, 0x7f, 0};
    struct text min, max;
    bounds_find_texts(plain, sizeof plain, &min, &max);
    assert_int_equal(min.length, 0);
    assert_int_equal(max.length, 1);
    assert_int_equal((uint8_t)max.bytes[0], 0x80);
}

static void widening_covers_all_and_unknown_stays_unknown(void **state) {
    (void)state;
    static const int32_t low[] = {-5, 3}, high[] = {2, INT32_MAX};
    struct bounds all = {.state = BOUNDS_EMPTY}, page;
    int32_t value;
    bounds_widen(&all, TYPE_INT32, &(struct bounds){.state = BOUNDS_EMPTY});
    assert_int_equal(all.state, BOUNDS_EMPTY);
    bounds_of_values(&page, TYPE_INT32, low, 2);
    bounds_widen(&all, TYPE_INT32, &page);
    bounds_of_values(&page, TYPE_INT32, high, 2);
    bounds_widen(&all, TYPE_INT32, &page);
    memcpy(&value, all.min.bytes, sizeof value);
    assert_int_equal(value, -5);
    memcpy(&value, all.max.bytes, sizeof value);
    assert_int_equal(value, INT32_MAX);
    bounds_widen(&all, TYPE_INT32, &(struct bounds){.state = BOUNDS_UNKNOWN});
    bounds_widen(&all, TYPE_INT32, &page);
    assert_int_equal(all.state, BOUNDS_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nan_leaves_no_bounds),
        cmocka_unit_test(zeros_are_written_with_the_sign_that_covers_both),
        cmocka_unit_test(infinities_are_bounds),
        cmocka_unit_test(without_values_there_are_no_bounds),
        cmocka_unit_test(long_text_is_cut_and_the_larger_bound_counted_up),
        cmocka_unit_test(a_text_with_no_larger_one_leaves_no_bounds),
        cmocka_unit_test(the_next_character_is_never_a_surrogate),
        cmocka_unit_test(texts_are_ordered_as_unsigned_bytes),
        cmocka_unit_test(widening_covers_all_and_unknown_stays_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
