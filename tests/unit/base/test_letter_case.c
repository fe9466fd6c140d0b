#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/letter_case.h"

/* All results are those of Spark 4.2. */
struct example {
    const char *text, *result;
};

static void check_examples(size_t (*change)(struct text text, char *out),
                           const struct example *examples, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct text text = text_borrow(examples[i].text);
        char out[256];
        assert_true((size_t)text.length * LETTER_CASE_GROWTH_MAX < sizeof out);
        size_t size = change(text, out);
        out[size] = '\0';
        assert_string_equal(out, examples[i].result);
    }
}

#define CHECK(change, examples)                                                                    \
    check_examples(change, examples, sizeof(examples) / sizeof(examples)[0])

static void capital_letters_are_those_of_unicode(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"", ""},
        {"abc xyz AZ 09", "ABC XYZ AZ 09"},
        {"straße", "STRASSE"},
        {"ﬃx", "FFIX"},
        {"ΐ", "\u0399\u0308\u0301"},
        {"éàñ", "ÉÀÑ"},
        {"ıi", "II"},
        {"ἀρχή", "ἈΡΧΉ"},
        {"привет", "ПРИВЕТ"},
        {"\U00010428", "\U00010400"},
        {"日本", "日本"},
    };
    CHECK(letters_to_upper, examples);
}

static void small_letters_are_those_of_unicode(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"", ""},   {"ABC xyz 09", "abc xyz 09"}, {"İI", "i\u0307i"}, {"ÉÀÑ", "éàñ"},
        {"Ⱥ", "ⱥ"}, {"\U00010400", "\U00010428"}, {"ẞ", "ß"},
    };
    CHECK(letters_to_lower, examples);
}

static void a_sigma_at_the_end_of_a_word_is_the_final_one(void **state) {
    (void)state;
    static const struct example examples[] = {
        {"ΌΔΥΣΣΕΎΣ", "όδυσσεύς"}, {"Σ", "σ"},           {"ΑΣ", "ας"},
        {"ΑΣ.", "ας."},           {"ΑΣΑ", "ασα"},       {"1Σ", "1σ"},
        {"Α'Σ", "α'ς"},           {"ΑΣ'Α", "ασ'α"},     {"Α\u0301Σ\u0301", "α\u0301ς\u0301"},
        {"ΑΣ ΑΣ", "ας ας"},       {"\xc3Σ", "\uFFFDσ"},
    };
    CHECK(letters_to_lower, examples);
}

static void bytes_that_are_not_utf8_are_replaced(void **state) {
    (void)state;
#define R "\uFFFD"
    static const struct example examples[] = {
        {"\xed\xa0\xbd", R R R},
        {"\xed\xa0", R R},
        {"\xed\x80", R},
        {"\xe0\xa0", R},
        {"\xe0\x80\x80", R R R},
        {"\xf0\x9f\x98", R},
        {"\xf0\x9f\x98"
         "a",
         R "A"},
        {"\xf4\x90\x80\x80", R R R R},
        {"\xc0\xaf", R R},
        {"\xc3\xc3\xa9", R "É"},
        {"\x80\xff", R R},
        {"\xe2\x82\x9f\x82\xac", "\u209F" R R},
    };
#undef R
    CHECK(letters_to_upper, examples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capital_letters_are_those_of_unicode),
        cmocka_unit_test(small_letters_are_those_of_unicode),
        cmocka_unit_test(a_sigma_at_the_end_of_a_word_is_the_final_one),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
