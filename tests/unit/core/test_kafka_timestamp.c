#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/calendar.h"

/* As Spark 4.2 answered, by DateTimeUtils.fromJavaTimestamp(new java.sql.Timestamp(ms)) in a JVM of
 * zone UTC. */
static const struct {
    int64_t ms, micros;
} sparks[] = {
    {0, 0},
    {-1, -1000},
    {-2, -2000},
    {-1000, -1000000},
    {1700000000000000, 1700000000000000000},
    {9223372036854775, 9223372036854775000},
    {-2208988800000, -2208988800000000},
    {-12219292800000, -12219292800000000}, // 1582-10-15, the first day of the Gregorian calendar
    {-12219292800001, -12220156800001000}, // the day before was 1582-10-04
    {-12219379200000, -12220243200000000}, // its midnight
    {-30609792000000, -30610224000000000}, // 1000-01-01
    {-62135596800000, -62135424000000000}, // 0001-01-01 becomes 0001-01-03
    {-62167219200000, -62167046400000000}, // 0000-01-01 becomes 0000-01-03
    {-99999999999999, -99999049599999000},
    {-9205228036854775, -9205040116854775000},
    {-9223372036854775, -9223183684854775000},
};

static void a_timestamp_is_the_same_as_in_spark(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sparks / sizeof sparks[0]; i++) {
        assert_true(kafka_timestamp_fits(sparks[i].ms));
        assert_int_equal(kafka_timestamp_micros(sparks[i].ms), sparks[i].micros);
        assert_int_equal(kafka_timestamp_ms(sparks[i].micros), sparks[i].ms);
    }
}

static void what_overflows_in_spark_does_not_fit(void **state) {
    (void)state;
    static const int64_t cases[] = {9223372036854776, -9223372036854776, 1700000000000000000,
                                    INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_false(kafka_timestamp_fits(cases[i]));
}

/* Not of the milliseconds: 1000-02-29, which only the Julian calendar has, is 1000-03-01 in Spark,
 * as the day after it. */
static void the_way_there_and_back_gives_the_same_column(void **state) {
    (void)state;
    static const int64_t day_ms = 86400000;
    for (int64_t day = -1200000; day < -140000; day += 7) {
        int64_t micros = kafka_timestamp_micros(day * day_ms + 1234);
        assert_int_equal(kafka_timestamp_micros(kafka_timestamp_ms(micros)), micros);
    }
    for (int64_t day = -354230; day < -354210; day++) { // around 1000-02-29
        int64_t micros = kafka_timestamp_micros(day * day_ms);
        assert_int_equal(kafka_timestamp_micros(kafka_timestamp_ms(micros)), micros);
    }
    assert_int_equal(kafka_timestamp_micros(-30604694400000), -30605126400000000);
    assert_int_equal(kafka_timestamp_micros(-30604608000000), -30605126400000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timestamp_is_the_same_as_in_spark),
        cmocka_unit_test(what_overflows_in_spark_does_not_fit),
        cmocka_unit_test(the_way_there_and_back_gives_the_same_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
