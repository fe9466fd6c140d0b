#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "core/calendar.h"
#include "core/zone.h"
#include "core/zone_rules.h"

static struct zone zone_named(const char *name) {
    struct zone zone;
    if (!zone_find((struct text){name, (uint32_t)strlen(name)}, &zone))
        fail_msg("no zone '%s'", name);
    return zone;
}

static int64_t seconds(int64_t year, int month, int day, int hour, int minute) {
    return calendar_days((struct date){year, month, day}) * 86400 +
           (hour * 60 + minute) * INT64_C(60);
}

static void names_that_tzdata_has_given_up_are_those_of_regions(void **state) {
    (void)state;
    const int64_t year_1582 = seconds(1582, 3, 4, 12, 0);
    struct zone cet = zone_named("CET");
    assert_int_equal(zone_offset_at(&cet, year_1582), 17 * 60 + 30); // local mean time of Brussels
    assert_int_equal(zone_offset_at(&cet, seconds(2024, 7, 1, 0, 0)), 7200);
}

static void offsets_are_read_in_all_of_javas_forms(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int32_t offset;
    } cases[] = {
        {"Z", 0},
        {"UTC", 0},
        {"GMT", 0},
        {"UT", 0},
        {"+2", 7200},
        {"+02", 7200},
        {"-02:30", -9000},
        {"+0230", 9000},
        {"+1:00", 3600},
        {"+01:3", 3780},
        {"+18:00", 64800},
        {"-18:00", -64800},
        {"UTC+1", 3600},
        {"GMT-03:30", -12600},
        {"UT+0200", 7200},
        {"UTC+1:00", 3600},
        {"+01:02:03", 3723},
        {"-010203", -3723},
        {"EST", -18000},
        {"HST", -36000},
        {"Etc/GMT+5", -18000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone zone = zone_named(cases[i].name);
        assert_int_equal(zone_offset_at(&zone, 0), cases[i].offset);
        assert_int_equal(zone_offset_of_local(&zone, 0), cases[i].offset);
    }
}

static void a_name_unknown_to_java_is_not_a_zone(void **state) {
    (void)state;
    static const char *const names[] = {
        "",
        "z",
        "utc",
        "+",
        "+1:2:3",
        "+19",
        "+18:01",
        "+02:60",
        "+2:",
        "UTC+",
        "GMT+25",
        "Europe/",
        "europe/paris",
        "Europe/Nowhere",
        "ROC",
        "Factory",
        "posixrules",
        "posix/Europe/Paris",
        "right/UTC",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "/etc/passwd",
        "tzdata.zi",
        "Europe",
        "Europe//Paris",
        "PST8PDTT",
        "+0a",
        "12",
        "a-name-that-is-longer-than-the-name-of-any-zone-that-there-is-anywhere",
    };
    struct zone zone;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (zone_find((struct text){names[i], (uint32_t)strlen(names[i])}, &zone))
            fail_msg("'%s' is a zone", names[i]);
    }
    assert_false(zone_find((struct text){"UTC\0x", 5}, &zone));
}

static void short_names_mean_what_java_says(void **state) {
    (void)state;
    struct zone pacific = zone_named("PST"), dhaka = zone_named("BST"), paris = zone_named("ECT");
    assert_int_equal(zone_offset_at(&pacific, seconds(2024, 7, 1, 0, 0)), -7 * 3600);
    assert_int_equal(zone_offset_at(&dhaka, seconds(2024, 7, 1, 0, 0)), 6 * 3600);
    assert_int_equal(zone_offset_at(&paris, seconds(2024, 7, 1, 0, 0)), 2 * 3600);
}

static void a_gap_moves_forward_and_an_overlap_takes_the_earlier_offset(void **state) {
    (void)state;
    struct zone paris = zone_named("Europe/Paris");
    static const struct {
        int month, day, hour, minute;
        int32_t offset;
    } cases[] = {
        {3, 31, 1, 59, 3600},  {3, 31, 2, 0, 3600},   {3, 31, 2, 59, 3600}, {3, 31, 3, 0, 7200},
        {10, 27, 1, 59, 7200}, {10, 27, 2, 30, 7200}, {10, 27, 3, 0, 3600},
    };
    for (int64_t year = 2024; year <= 2424; year += 400) { // the calendar repeats, the table ends
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            int64_t local =
                seconds(year, cases[i].month, cases[i].day, cases[i].hour, cases[i].minute);
            assert_int_equal(zone_offset_of_local(&paris, local), cases[i].offset);
        }
    }
}

static void times_before_the_first_rule_are_local_mean_time(void **state) {
    (void)state;
    struct zone paris = zone_named("Europe/Paris");
    assert_int_equal(zone_offset_at(&paris, seconds(1800, 1, 1, 0, 0)), 561);
}

static void far_years_follow_the_last_rule(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int32_t january, july;
    } cases[] = {
        {"America/New_York", -18000, -14400},  {"Australia/Lord_Howe", 39600, 37800},
        {"Asia/Kolkata", 19800, 19800},        {"Europe/Dublin", 0, 3600},
        {"America/Sao_Paulo", -10800, -10800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone zone = zone_named(cases[i].name);
        assert_int_equal(zone_offset_at(&zone, seconds(2500, 1, 15, 0, 0)), cases[i].january);
        assert_int_equal(zone_offset_at(&zone, seconds(2500, 7, 15, 0, 0)), cases[i].july);
        assert_int_equal(zone_offset_of_local(&zone, seconds(250000, 7, 15, 0, 0)), cases[i].july);
    }
}

static void posix_strings_are_read_with_all_their_parts(void **state) {
    (void)state;
    struct zone_forever forever;
    static const char good[] = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0/-1:30:15";
    assert_true(zone_forever_parse(good, sizeof good - 1, &forever));
    assert_int_equal(forever.standard, 37800);
    assert_int_equal(forever.summer, 39600);
    assert_int_equal(forever.start.seconds, 7200);
    assert_int_equal(forever.end.seconds, -5415);
    assert_int_equal(forever.end.month, 4);

    static const char *const bad[] = {"",
                                      "C-1",
                                      "CET",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.5.0,M10.5.0x",
                                      "<+03-3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(zone_forever_parse(bad[i], strlen(bad[i]), &forever));
}

static void a_damaged_file_is_not_a_zone(void **state) {
    (void)state;
    assert_null(zone_rules_parse((const unsigned char *)"TZif2", 5));
    unsigned char header[200] = "TZif2";
    memset(header + 20, 0xFF, 24); // counts far beyond the file
    assert_null(zone_rules_parse(header, sizeof header));
}

static void *ask_for_zones(void *failures) {
    static const char *const names[] = {"Europe/Berlin", "Asia/Tokyo", "America/Lima", "PST",
                                        "Europe/Nowhere"};
    for (size_t i = 0; i < 1000; i++) {
        const char *name = names[i % 5];
        struct zone zone;
        bool found = zone_find((struct text){name, (uint32_t)strlen(name)}, &zone);
        if (found != (i % 5 != 4) || (found && zone_offset_at(&zone, 0) == 0))
            ++*(int *)failures;
    }
    return NULL;
}

static void threads_may_ask_for_the_same_zones_at_once(void **state) {
    (void)state;
    pthread_t threads[4];
    int failures[4] = {0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_zones, &failures[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(failures[i], 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_read_in_all_of_javas_forms),
        cmocka_unit_test(names_that_tzdata_has_given_up_are_those_of_regions),
        cmocka_unit_test(a_name_unknown_to_java_is_not_a_zone),
        cmocka_unit_test(short_names_mean_what_java_says),
        cmocka_unit_test(a_gap_moves_forward_and_an_overlap_takes_the_earlier_offset),
        cmocka_unit_test(times_before_the_first_rule_are_local_mean_time),
        cmocka_unit_test(far_years_follow_the_last_rule),
        cmocka_unit_test(posix_strings_are_read_with_all_their_parts),
        cmocka_unit_test(a_damaged_file_is_not_a_zone),
        cmocka_unit_test(threads_may_ask_for_the_same_zones_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
