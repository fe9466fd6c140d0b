#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "surfaces/terminal/quantity.h"

static void a_size_is_a_whole_number_and_a_unit(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t bytes;
        const char *why;
    } cases[] = {
        {"2g", true, 2LL << 30, "Spark's own form"},
        {"512m", true, 512LL << 20, "megabytes"},
        {"2G", true, 2LL << 30, "any case"},
        {"2gb", true, 2LL << 30, "with b"},
        {"2 GiB", true, 2LL << 30, "with ib and a blank"},
        {" 1k ", true, 1024, "blanks around"},
        {"100b", true, 100, "bytes"},
        {"1t", true, 1LL << 40, "terabytes"},
        {"1p", true, 1LL << 50, "petabytes"},
        {"0g", true, 0, "zero; ranges are checked elsewhere"},
        {"2048", false, 0, "Spark takes it as MiB, the JVM as bytes"},
        {"1.5g", false, 0, "Spark refuses fractions"},
        {"-1g", false, 0, "negative"},
        {"g", false, 0, "no number"},
        {"2x", false, 0, "no such unit"},
        {"2gbb", false, 0, "something behind"},
        {"2bb", false, 0, "bytes take no second b"},
        {"", false, 0, "empty"},
        {"9223372036854775807p", false, 0, "beyond 64 bits"},
        {"99999999999999999999g", false, 0, "number beyond 64 bits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t bytes = 0;
        bool ok = size_parse(cases[i].text, &bytes);
        if (ok != cases[i].ok || (ok && bytes != cases[i].bytes))
            fail_msg("'%s' (%s) gave %d, %lld", cases[i].text, cases[i].why, ok, (long long)bytes);
    }
}

static void a_size_is_printed_in_its_largest_whole_unit(void **state) {
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } cases[] = {{2LL << 30, "2g"}, {96LL << 20, "96m"}, {1000, "1000b"},  {1536, "1536b"},
                 {3072, "3k"},      {0, "0b"},           {1LL << 50, "1p"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SIZE_TEXT_MAX];
        size_format(cases[i].bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_duration_is_what_spark_takes_for_one(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t milliseconds;
        const char *why;
    } cases[] = {
        {"10 seconds", true, 10000, "the default trigger"},
        {"0 seconds", true, 0, "as fast as possible"},
        {"1 minute", true, 60000, "singular"},
        {"500 milliseconds", true, 500, "below a second"},
        {"1 hour 2 minutes 3 seconds", true, 3723000, "several parts"},
        {"interval 10 seconds", true, 10000, "Spark's optional word"},
        {"INTERVAL 1 SECOND", true, 1000, "any case"},
        {"1.5 seconds", true, 1500, "a fraction of seconds"},
        {"1.0009 seconds", true, 1000, "microseconds are cut off"},
        {"  2   days ", true, 172800000, "blanks"},
        {"1 week", true, 604800000, "weeks"},
        {"1999 microseconds", true, 1, "microseconds"},
        {"10s", true, 10000, "short"},
        {"500ms", true, 500, "short"},
        {"5m", true, 300000, "minutes, as in Spark's properties"},
        {"5min", true, 300000, "short"},
        {"1h30m", true, 5400000, "short, several"},
        {"0", true, 0, "zero needs no unit"},
        {"10", false, 0, "no unit"},
        {"10 parsecs", false, 0, "no such unit"},
        {"1 month", false, 0, "no fixed length"},
        {"1 year", false, 0, "no fixed length"},
        {"1.5 minutes", false, 0, "fractions are for seconds"},
        {"1. seconds", false, 0, "a point needs a digit"},
        {"-1 second", false, 0, "negative"},
        {"seconds", false, 0, "no number"},
        {"interval", false, 0, "nothing behind"},
        {"10 seconds ago", false, 0, "something behind"},
        {"", false, 0, "empty"},
        {"9223372036854775807 days", false, 0, "beyond 64 bits"},
        {"9223372036854 seconds 9223372036854 seconds", false, 0, "sum beyond 64 bits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t milliseconds = 0;
        bool ok = duration_parse(cases[i].text, &milliseconds);
        if (ok != cases[i].ok || (ok && milliseconds != cases[i].milliseconds))
            fail_msg("'%s' (%s) gave %d, %lld", cases[i].text, cases[i].why, ok,
                     (long long)milliseconds);
    }
}

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
        assert_non_null(strstr(err.message, "expected a timestamp"));
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

static void a_duration_is_shown_in_its_two_largest_units(void **state) {
    (void)state;
    static const struct {
        int64_t milliseconds;
        const char *text;
    } cases[] = {{0, "0 ms"},           {640, "640 ms"},          {1000, "1 s"},
                 {59999, "59 s"},       {60000, "1 min"},         {125000, "2 min 5 s"},
                 {3605000, "1 h"},      {12000000, "3 h 20 min"}, {86399000, "23 h 59 min"},
                 {187200000, "2 d 4 h"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DURATION_TEXT_MAX];
        duration_format(cases[i].milliseconds, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_a_whole_number_and_a_unit),
        cmocka_unit_test(a_size_is_printed_in_its_largest_whole_unit),
        cmocka_unit_test(a_duration_is_what_spark_takes_for_one),
        cmocka_unit_test(a_duration_is_shown_in_its_two_largest_units),
        cmocka_unit_test(a_duration_is_that_long_ago_and_all_else_a_timestamp),
        cmocka_unit_test(what_is_neither_is_refused_with_what_was_wanted),
        cmocka_unit_test(a_moment_is_printed_with_the_places_that_it_has),
        cmocka_unit_test(a_moment_in_milliseconds_may_be_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
