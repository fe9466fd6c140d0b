#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static void a_text_grows_by_what_is_appended(void **state) {
    (void)state;
    char text[16];
    size_t used = text_append(text, sizeof text, 0, "%s", "one");
    assert_int_equal(used, 3);
    used = text_append(text, sizeof text, used, ", %d", 2);
    assert_int_equal(used, 6);
    assert_string_equal(text, "one, 2");
}

static void what_does_not_fit_is_cut_and_nothing_is_written_behind_it(void **state) {
    (void)state;
    char text[8] = "1234567";
    size_t used = text_append(text, 6, 0, "abc");
    used = text_append(text, 6, used, "defgh");
    assert_int_equal(used, 5);
    assert_string_equal(text, "abcde");
    for (int i = 0; i < 100; i++)
        used = text_append(text, 6, used, "more");
    assert_int_equal(used, 5);
    assert_string_equal(text, "abcde");
    assert_int_equal(text[6], '7');
}

static void a_text_that_fits_exactly_is_whole(void **state) {
    (void)state;
    char text[4];
    assert_int_equal(text_append(text, sizeof text, 0, "abc"), 3);
    assert_string_equal(text, "abc");
    assert_int_equal(text_append(text, sizeof text, 3, "%s", ""), 3);
}

static void a_count_has_its_noun_in_the_right_number(void **state) {
    (void)state;
    static const struct {
        int64_t count;
        const char *noun, *text;
    } cases[] = {
        {0, "file", "0 files"},    {1, "file", "1 file"},   {2, "batch", "2 batches"},
        {3, "query", "3 queries"}, {4, "day", "4 days"},    {5, "reject row", "5 reject rows"},
        {1, "query", "1 query"},   {-1, "box", "-1 boxes"}, {6, "process", "6 processes"},
        {7, "y", "7 ys"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(text_count(cases[i].count, cases[i].noun).text, cases[i].text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_has_its_noun_in_the_right_number),
        cmocka_unit_test(a_text_grows_by_what_is_appended),
        cmocka_unit_test(what_does_not_fit_is_cut_and_nothing_is_written_behind_it),
        cmocka_unit_test(a_text_that_fits_exactly_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
