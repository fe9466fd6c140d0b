#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "streaming/store/resolved.h"

static char *print(const struct resolved *resolved) {
    struct json *array = resolved_print(resolved);
    char *text = json_print(array);
    json_free(array);
    return text;
}

static bool parse(const char *text, struct resolved *resolved) {
    struct error err;
    struct json *array = json_parse(text, strlen(text), &err);
    assert_non_null(array);
    bool ok = resolved_parse(array, resolved, &err);
    json_free(array);
    assert_true(ok || err.kind == ERROR_STATE);
    return ok;
}

static void what_is_added_in_any_order_is_there_and_nothing_else(void **state) {
    (void)state;
    struct resolved resolved = {0};
    static const int64_t offsets[] = {12, 7, 9, 5, 8, INT64_C(1) << 32, (INT64_C(1) << 32) - 1};
    enum { COUNT = sizeof offsets / sizeof offsets[0] };
    assert_false(resolved_has(&resolved, 0, 0, 5));
    for (size_t i = 0; i < COUNT; i++)
        assert_true(resolved_add(&resolved, 0, 3, offsets[i]));
    assert_true(resolved_add(&resolved, 0, 1, 5));
    assert_false(resolved_add(&resolved, 0, 3, 12));
    assert_int_equal(resolved.count, COUNT + 1);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(resolved_has(&resolved, 0, 3, offsets[i]));
    assert_false(resolved_has(&resolved, 0, 3, 6));
    assert_false(resolved_has(&resolved, 0, 3, (INT64_C(1) << 32) + 1));
    assert_false(resolved_has(&resolved, 0, 1, 7));
    assert_false(resolved_has(&resolved, 0, 2, 5));
    scoped(scope_free) char *text = print(&resolved);
    assert_string_equal(text, "[{\"partition\":1,\"offsets\":\"5\"},{\"partition\":3,"
                              "\"offsets\":\"5,7-9,12,4294967295-4294967296\"}]");
    resolved_deinit(&resolved);
}

static void what_is_printed_is_read_again(void **state) {
    (void)state;
    struct resolved resolved = {0}, again = {0}, sum = {0};
    // Few, dense, in runs, and over the end of a lower half.
    for (int64_t i = 0; i < 300000; i++) {
        (void)resolved_add(&resolved, 0, 0, i * 7919);
        (void)resolved_add(&resolved, 0, 1, i * 2);
        (void)resolved_add(&resolved, 0, 2, (INT64_C(5) << 32) - 150000 + i);
    }
    scoped(scope_free) char *text = print(&resolved);
    assert_true(parse(text, &again));
    assert_int_equal(again.count, 900000);
    scoped(scope_free) char *text_again = print(&again);
    assert_string_equal(text, text_again);

    assert_true(resolved_add(&again, 0, 2, 0));
    resolved_add_all(&sum, &resolved);
    resolved_add_all(&sum, &again);
    assert_int_equal(sum.count, 900001);
    assert_true(resolved_has(&sum, 0, 2, 0) && resolved_has(&sum, 0, 1, 599998));
    resolved_deinit(&sum);
    resolved_deinit(&again);
    resolved_deinit(&resolved);
}

static void one_wrong_thing_is_enough_to_refuse(void **state) {
    (void)state;
    static const char *const offsets[] = {
        "",
        ",",
        "5,",
        ",5",
        "5-",
        "-5",
        "5-5",
        "7-5",
        "5,5",
        "5,4",
        "5,6",
        "5-7,7",
        "05",
        "5 ",
        " 5",
        "+5",
        "0x5",
        "5-7-9",
        "5,,7",
        "9223372036854775807,0",
        "9223372036854775808",
        "99999999999999999999",
        "0-9223372036854775807",
    };
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        char text[100];
        struct resolved resolved;
        (void)snprintf(text, sizeof text, "[{\"partition\":0,\"offsets\":\"%s\"}]", offsets[i]);
        if (parse(text, &resolved))
            fail_msg("accepted '%s'", offsets[i]);
        assert_int_equal(resolved.part_count, 0);
    }
    static const char *const arrays[] = {
        "[{\"offsets\":\"5\"}]",
        "[{\"partition\":0}]",
        "[{\"partition\":-1,\"offsets\":\"5\"}]",
        "[{\"partition\":2147483648,\"offsets\":\"5\"}]",
        "[{\"partition\":0,\"offsets\":5}]",
        "[{\"partition\":1,\"offsets\":\"5\"},{\"partition\":1,\"offsets\":\"7\"}]",
        "[{\"partition\":1,\"offsets\":\"5\"},{\"partition\":0,\"offsets\":\"5\"}]",
        "[5]",
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        struct resolved resolved;
        if (parse(arrays[i], &resolved))
            fail_msg("accepted %s", arrays[i]);
    }
    struct resolved resolved;
    assert_true(parse("[{\"partition\":0,\"offsets\":\"0,9223372036854775807\"}]", &resolved));
    assert_true(resolved_has(&resolved, 0, 0, INT64_MAX));
    resolved_deinit(&resolved);
}

static void a_run_may_end_with_the_last_offset_of_all(void **state) {
    (void)state;
    struct resolved resolved;
    int64_t start = 1, end = 0;
    assert_true(
        parse("[{\"partition\":0,\"offsets\":\"0,9223372036854775804-9223372036854775806\"}]",
              &resolved));
    assert_true(resolved_next_run(&resolved, 0, 0, INT64_MAX, &start, &end));
    assert_true(start == INT64_MAX - 3 && end == INT64_MAX);
    assert_false(resolved_next_run(&resolved, 0, 0, INT64_MAX, &end, &start));
    resolved_deinit(&resolved);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_in_any_order_is_there_and_nothing_else),
        cmocka_unit_test(what_is_printed_is_read_again),
        cmocka_unit_test(one_wrong_thing_is_enough_to_refuse),
        cmocka_unit_test(a_run_may_end_with_the_last_offset_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
