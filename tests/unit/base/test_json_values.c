#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/json.h"

static struct json *parse(const char *text) {
    struct error err;
    return json_parse(text, strlen(text), &err);
}

static void members_are_found_by_name_and_type(void **state) {
    (void)state;
    struct json *value = parse(" {\"n\":-7,\"t\":\"x\",\"b\":true,\"a\":[1,\"2\"],\"z\":null} ");
    int64_t number = 0;
    bool truth = false;
    assert_true(json_member_int(value, "n", &number));
    assert_int_equal(number, -7);
    assert_false(json_member_int(value, "t", &number));
    assert_false(json_member_int(value, "none", &number));
    assert_string_equal(json_member_text(value, "t"), "x");
    assert_null(json_member_text(value, "n"));
    assert_true(json_member_bool(value, "b", &truth));
    assert_true(truth);
    assert_false(json_member_bool(value, "z", &truth));
    assert_int_equal(json_count(value), 5);
    assert_int_equal(json_count(json_member(value, "a")), 2);
    assert_true(json_int(json_at(json_member(value, "a"), 0), &number));
    assert_string_equal(json_text(json_at(json_member(value, "a"), 1)), "2");
    assert_null(json_at(json_member(value, "a"), 2));
    assert_null(json_member(json_member(value, "a"), "n"));
    json_free(value);
}

static void a_time_that_cannot_be_calculated_with_is_none(void **state) {
    (void)state;
    struct json *value = parse("{\"a\":1796036204239,\"b\":-9223372036854775,"
                               "\"c\":9223372036854776,\"d\":-9223372036854775808,\"e\":\"1\"}");
    int64_t ms = 7;
    assert_true(json_member_ms(value, "a", &ms) && ms == 1796036204239);
    assert_true(json_member_ms(value, "b", &ms) && ms == -JSON_MS_MAX);
    assert_false(json_member_ms(value, "c", &ms));
    assert_false(json_member_ms(value, "d", &ms));
    assert_false(json_member_ms(value, "e", &ms));
    assert_true(ms == -JSON_MS_MAX);
    assert_true(json_is_an_object(value));
    assert_false(json_is_an_object(json_member(value, "a")));
    assert_false(json_is_an_object(NULL));
    json_free(value);
}

static void what_is_not_one_document_is_refused_with_its_place(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "{",
        "7",
        "\"x\"",
        "{} {}",
        "{\"a\":1,}",
        "[1,]",
        "{'a':1",
        "{\"a\":01}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":99999999999999999999}",
        "{\"a\":\"\xff\"}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        assert_null(json_parse(cases[i], strlen(cases[i]), &err));
        assert_int_equal(err.kind, ERROR_STATE);
        assert_non_null(strstr(err.message, "invalid JSON at byte "));
    }
}

static bool count_to_two(void *context, const char *name, const struct json *value) {
    (void)name, (void)value;
    int *count = context;
    return ++*count < 2;
}

static void a_walk_can_be_ended(void **state) {
    (void)state;
    int count = 0;
    struct json *value = parse("{\"c\":1,\"a\":2,\"b\":3}");
    assert_false(json_each(value, count_to_two, &count));
    assert_int_equal(count, 2);
    json_free(value);
    value = parse("[1]");
    assert_false(json_each(value, count_to_two, &count));
    json_free(value);
    json_free(NULL);
}

static void printing_is_compact_and_keeps_order_and_letters(void **state) {
    (void)state;
    struct json *list = json_new_array(), *item = json_new_object(), *value = json_new_object();
    json_put_text(item, "path", "file:///a/\xc3\xa9\"\\");
    json_append(list, item);
    json_put_int(value, "z", INT64_MIN);
    json_put_bool(value, "a", false);
    json_put(value, "list", list);
    json_put(value, "copy", json_duplicate(list));
    char *text = json_print(value);
    assert_string_equal(text, "{\"z\":-9223372036854775808,\"a\":false,"
                              "\"list\":[{\"path\":\"file:///a/\xc3\xa9\\\"\\\\\"}],"
                              "\"copy\":[{\"path\":\"file:///a/\xc3\xa9\\\"\\\\\"}]}");
    free(text);
    json_free(value);
}

static void assert_printed(struct json *value, int digits, const char *expected) {
    char *text = json_print_digits(value, digits);
    assert_string_equal(text, expected);
    free(text);
    json_free(value);
}

static void doubles_are_printed_with_the_digits_that_they_need(void **state) {
    (void)state;
    assert_int_equal(json_digits(3.6), 15);
    assert_int_equal(json_digits(0.1 + 0.2), 17);
    struct json *value = json_new_object();
    json_put_real(value, "a", 3.6);
    json_put_real(value, "b", -INFINITY);
    json_put_real(value, "c", NAN);
    json_put_null(value, "d");
    assert_printed(value, 15, "{\"a\":3.6,\"b\":\"-Infinity\",\"c\":\"NaN\",\"d\":null}");
}

static void any_bytes_become_a_text(void **state) {
    (void)state;
    static const char bytes[] = {'a', '\0', '\xff', '\xed', '\xa0', '\xbd', '\xc3', '\xa9', '\xe2'};
    struct json *value = json_new_object();
    json_put_bytes(value, "t", bytes, sizeof bytes);
    json_put_bytes(value, "e", "", 0);
    assert_printed(value, 17,
                   "{\"t\":\"a\\u0000\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\",\"e\":\"\"}");
}

static void a_text_that_is_only_shown_may_have_any_bytes(void **state) {
    (void)state;
    struct json *object = json_new_object(), *array = json_new_array();
    json_put_shown(object, "path", "/lake/caf\xe9");
    json_put_bytes(object, "value", "a\0b", 3);
    json_append_shown(array, "\xff");
    json_put(object, "paths", array);
    char *text = json_print(object);
    assert_string_equal(text, "{\"path\":\"/lake/caf\uFFFD\",\"value\":\"a\\u0000b\","
                              "\"paths\":[\"\uFFFD\"]}");
    free(text);
    json_free(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_is_only_shown_may_have_any_bytes),
        cmocka_unit_test(members_are_found_by_name_and_type),
        cmocka_unit_test(a_time_that_cannot_be_calculated_with_is_none),
        cmocka_unit_test(what_is_not_one_document_is_refused_with_its_place),
        cmocka_unit_test(a_walk_can_be_ended),
        cmocka_unit_test(doubles_are_printed_with_the_digits_that_they_need),
        cmocka_unit_test(any_bytes_become_a_text),
        cmocka_unit_test(printing_is_compact_and_keeps_order_and_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
