#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "streaming/declare/placeholder.h"

static void only_names_in_braces_are_placeholders(void **state) {
    (void)state;
    static const char *const good[] = {"",       "plain",       "$X {Y} $",   "${A}",
                                       "${A9_}", "a-${A:-b}-c", "${A}${B:-}", "${A:-$b {}"};
    static const char *const bad[] = {"${",  "${}",    "${a}",   "${9}",   "${_A}",
                                      "${A", "${A:-b", "${A-b}", "${A:b}", "x${A} ${ A}"};
    struct error err;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(placeholders_check(good[i], &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(placeholders_check(bad[i], &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, "expected ${NAME} or ${NAME:-default}"));
    }
}

static void a_name_has_60_characters_at_most(void **state) {
    (void)state;
    struct error err;
    char text[80];
    for (int length = PLACEHOLDER_NAME_MAX; length <= PLACEHOLDER_NAME_MAX + 1; length++) {
        (void)snprintf(text, sizeof text, "${%0*d}", length, 0);
        memset(text + 2, 'A', (size_t)length);
        assert_true(placeholders_check(text, &err) == (length == PLACEHOLDER_NAME_MAX));
    }
}

static const char *find(void *context, struct text name) {
    return text_equals(name, TEXT("SET")) ? context : NULL;
}

static void assert_replaced(const char *value, const char *expected) {
    struct text missing = {0};
    char *text = placeholders_replace(value, find, "here", &missing);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void a_placeholder_is_its_setting_or_its_default(void **state) {
    (void)state;
    assert_replaced("", "");
    assert_replaced("plain", "plain");
    assert_replaced("${SET}", "here");
    assert_replaced("${SET:-no}", "here");
    assert_replaced("<${OTHER:-yes}>", "<yes>");
    assert_replaced("${OTHER:-}", "");
    assert_replaced("a ${SET} b ${OTHER:-${SET} c", "a here b ${SET c");
    struct text missing = {0};
    assert_null(placeholders_replace("a${SET}b${OTHER}", find, "here", &missing));
    assert_true(text_equals(missing, TEXT("OTHER")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_in_braces_are_placeholders),
        cmocka_unit_test(a_name_has_60_characters_at_most),
        cmocka_unit_test(a_placeholder_is_its_setting_or_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
