#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "core/timestamp.h"

static const int64_t now_ms = 1717243200000; // 2024-06-01T12:00:00Z

static bool parse_in(const char *zone, const char *text, int64_t *micros) {
    struct timestamp_context context = {.now_ms = now_ms};
    assert_true(zone_find((struct text){zone, (uint32_t)strlen(zone)}, &context.zone));
    return timestamp_parse((struct text){text, (uint32_t)strlen(text)}, &context, micros);
}

static void the_forms_that_spark_reads(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t micros;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31 23:59:59.999999", -1},
        {"2024-06-01T12:00:00Z", 1717243200000000},
        {"2024-06-01T12:00:00.187Z", 1717243200187000},
        {"2024-06-01T12:00:00.1234567Z", 1717243200123456},
        {"2024-06-01T12:00:00.Z", 1717243200000000},
        {"2024-06-01T12:00:00.", 1717243200000000},
        {"2024-6-1 12:0:0", 1717243200000000},
        {"2024-06-01T12:00", 1717243200000000},
        {"2024-06-01T12", 1717243200000000},
        {"2024-06-01", 1717200000000000},
        {"2024-06", 1717200000000000},
        {"2024", 1704067200000000},
        {"+2024-06-01", 1717200000000000},
        {" \t2024-06-01\n\x01\x7F", 1717200000000000},
        {"2024-06-01T14:00:00+02:00", 1717243200000000},
        {"2024-06-01T14:00:00 +2", 1717243200000000},
        {"2024-06-01T14:00:00Europe/Paris", 1717243200000000},
        {"2024-06-01T14:00:00  CET", 1717243200000000},
        {"2024-06-01T12:00:00 GMT", 1717243200000000},
        {"2024-06-01T12:00:00.5UTC+1:00", 1717239600500000},
        // Where it does not read otherwise, GMT may stand anywhere.
        {"2024-06-01GMT", 1717200000000000},
        {" 2024-06-01 GMT ", 1717200000000000},
        {"GMT2024-06-01T14:00:00+0200GMT", 1717243200000000},
        {"0000-01-01", -62167219200000000},
        {"-0001-12-31", -62167305600000000},
        {"294247-01-10T04:00:54.775807Z", INT64_MAX},
        {"-290308-12-21T19:59:05.224192Z", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t micros = 0;
        bool ok = parse_in("UTC", cases[i].text, &micros);
        if (!ok || micros != cases[i].micros)
            fail_msg("'%s' gave %d, %" PRId64, cases[i].text, ok, micros);
    }
}

static void everything_else_is_none(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "-",
        "T",
        "202",
        "2024-",
        "2024-06-",
        "2024-06-01T",
        "2024-06-01  12:00:00",
        "2024-06-01T12:00Z",
        "2024-06-01Z",
        "2024-06-01+01:00",
        "2024-06-01t12:00:00",
        "2024-06-01T12:00:00z",
        "2024-06-01T12:00:00.5\x7FZ",
        "2024-06-01T12:00:00,5",
        "2024-06-01T12:00:00 PM",
        "2024-06-01T24:00:00Z",
        "2024-06-01T12:60:00Z",
        "2024-06-01T12:00:60Z",
        "2024-06-01T012:00:00Z",
        "2023-02-29",
        "2024-06-31",
        "1900-02-29T00:00:00Z",
        "2024-13-01",
        "2024-00-01",
        "2024-06-00",
        "2024/06/01",
        "20240601",
        "1705329000",
        "294247-01-10T04:00:54.775808Z",
        "-290308-12-21T19:59:05.224191Z",
        "2024-06-01T12:00:00Europe/Nowhere",
        "2024-06-01T12:00:00+19:00",
        "\xC2\xA0-2024-06-01",
        "+10:30",
        " T10:30",
        "now",
        "GMT",
        "GMT2024-06-01T12:00:00 Etc/GMT-2",
    };
    int64_t micros;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (parse_in("UTC", texts[i], &micros))
            fail_msg("'%s' gave %" PRId64, texts[i], micros);
    }
}

static void texts_without_zone_are_in_the_sessions(void **state) {
    (void)state;
    int64_t micros;
    assert_true(parse_in("Europe/Paris", "2024-06-01T14:00:00", &micros));
    assert_int_equal(micros, 1717243200000000);
    assert_true(parse_in("Europe/Paris", "2024-03-31T02:30:00", &micros)); // in the gap
    assert_int_equal(micros, 1711848600000000);
    assert_true(parse_in("Europe/Paris", "2024-06-01T12:00:00Z", &micros));
    assert_int_equal(micros, 1717243200000000);
}

static void times_take_the_day_of_the_batch_in_their_zone(void **state) {
    (void)state;
    int64_t micros;
    assert_true(parse_in("UTC", "10:30:00", &micros));
    assert_int_equal(micros, 1717237800000000);
    assert_true(parse_in("UTC", "T10:30", &micros));
    assert_int_equal(micros, 1717237800000000);
    // In Tokyo it is 21:00 of the same day, on Kiritimati (UTC+14) 02:00 of the next.
    assert_true(parse_in("Pacific/Kiritimati", "1:00", &micros));
    assert_int_equal(micros, 1717239600000000);
    assert_true(parse_in("UTC", "01:00:00 Pacific/Kiritimati", &micros));
    assert_int_equal(micros, 1717239600000000);
}

static void a_long_fraction_is_read_in_one_pass(void **state) {
    (void)state;
    enum { DIGITS = 1 << 20 };
    static char text[DIGITS + 32] = "2024-06-01T12:00:00.";
    memset(text + 20, '7', DIGITS);
    int64_t micros;
    assert_true(parse_in("UTC", text, &micros));
    assert_int_equal(micros, 1717243200777777);
    text[20 + DIGITS] = 'Z';
    assert_true(parse_in("UTC", text, &micros));
    assert_int_equal(micros, 1717243200777777);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_that_spark_reads),
        cmocka_unit_test(everything_else_is_none),
        cmocka_unit_test(texts_without_zone_are_in_the_sessions),
        cmocka_unit_test(times_take_the_day_of_the_batch_in_their_zone),
        cmocka_unit_test(a_long_fraction_is_read_in_one_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
