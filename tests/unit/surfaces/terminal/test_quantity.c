#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_a_whole_number_and_a_unit),
        cmocka_unit_test(a_size_is_printed_in_its_largest_whole_unit),
        cmocka_unit_test(a_duration_is_what_spark_takes_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
