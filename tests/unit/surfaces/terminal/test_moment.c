#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "surfaces/terminal/moment.h"

enum { SECOND = 1000000 };

static const int64_t now_ms = 1767177000000; // 2025-12-31T10:30:00Z

static int64_t moment(const char *text, const char *zone) {
    struct error err = {0};
    int64_t micros = -1;
    if (!moment_parse(text, zone, now_ms, &micros, &err))
        fail_msg("'%s': %s", text, err.message);
    return micros;
}

static void a_duration_is_that_long_ago_and_all_else_a_timestamp(void **state) {
    (void)state;
    int64_t now = now_ms * 1000;
    assert_int_equal(moment("2h", "UTC"), now - 7200LL * SECOND);
    assert_int_equal(moment("30 minutes", "UTC"), now - 1800LL * SECOND);
    assert_int_equal(moment("400000 days", "UTC"), 0); // before everything
    assert_int_equal(moment("2025-12-31T10:30:00Z", "Europe/Paris"), now);
    assert_int_equal(moment("2025-12-31 11:30:00", "Europe/Paris"), now);
    assert_int_equal(moment("2025-12-31", "UTC"), now - 37800LL * SECOND);
}

static void what_is_neither_is_refused_with_what_was_wanted(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "noon", "2h ago", "2025-13-01", "-1h"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err = {0};
        int64_t micros;
        assert_false(moment_parse(wrong[i], "UTC", now_ms, &micros, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.message, "want a timestamp"));
    }
}

static void a_moment_is_printed_with_the_places_that_it_has(void **state) {
    (void)state;
    static const struct {
        int64_t micros;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1767177000000000, "2025-12-31T10:30:00Z"},
        {1767177000120000, "2025-12-31T10:30:00.120Z"},
        {1767177000000001, "2025-12-31T10:30:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-62135596800000000, "0001-01-01T00:00:00Z"},
        {-62167219200000000, "0000-01-01T00:00:00Z"},
        {-62198755200000000, "-0001-01-01T00:00:00Z"},
        {253402300799000000, "9999-12-31T23:59:59Z"},
        {253402300800000000, "+10000-01-01T00:00:00Z"},
        {INT64_MIN, "-290308-12-21T19:59:05.224192Z"},
        {INT64_MAX, "+294247-01-10T04:00:54.775807Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[MOMENT_TEXT_MAX];
        moment_format(cases[i].micros, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_moment_in_milliseconds_may_be_any(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1767177000120, "2025-12-31T10:30:00.120Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
        {INT64_MAX, "+292278994-08-17T07:12:55.807Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[MOMENT_TEXT_MAX];
        moment_format_ms(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_that_long_ago_and_all_else_a_timestamp),
        cmocka_unit_test(what_is_neither_is_refused_with_what_was_wanted),
        cmocka_unit_test(a_moment_is_printed_with_the_places_that_it_has),
        cmocka_unit_test(a_moment_in_milliseconds_may_be_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
