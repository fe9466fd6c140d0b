#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "streaming/cluster/engine/spark_reason.h"

static enum error_kind kind_of(const char *error_class, const char *message, const char *cure) {
    struct error err;
    error_set(&err, ERROR_CLUSTER, "Spark: %s", message);
    assert_false(spark_reason_add(error_class, &err));
    assert_non_null(strstr(err.message, message));
    if (cure != NULL)
        assert_non_null(strstr(err.message, cure));
    return err.kind;
}

/* Spark 4.2 names the record; 4.0 and 3.5 say no more than the cause. */
static void a_record_that_stops_spark_for_good_is_not_tried_again(void **state) {
    (void)state;
    static const char by_4_2[] =
        "Record at topic t partition 0 offset 1 has timestamp value 1700000000000000000 that "
        "overflows when converting to Spark's microsecond-precision TimestampType. (cause: "
        "ArithmeticException: long overflow)";
    assert_int_equal(kind_of("", by_4_2, "SPARK_MASTER_URL=local[*]"), ERROR_RECORD);
    assert_int_equal(
        kind_of("", "java.lang.ArithmeticException: long overflow", "which rejects it"),
        ERROR_RECORD);
}

static void what_is_not_known_stays_what_it_is(void **state) {
    (void)state;
    assert_int_equal(kind_of("", "an executor was lost", NULL), ERROR_CLUSTER);
    assert_int_equal(kind_of("KAFKA_DATA_LOSS.X", "offsets", "FAIL_ON_DATA_LOSS=false"),
                     ERROR_DATA_LOSS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_stops_spark_for_good_is_not_tried_again),
        cmocka_unit_test(what_is_not_known_stays_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
