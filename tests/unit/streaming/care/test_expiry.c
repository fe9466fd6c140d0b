#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "streaming/care/expiry.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

#define DAY_0 (INT64_C(1795392000000)) // 2026-11-23T00:00:00Z
enum { DAY_NUMBER = 20780 };           // the same, in days

/* A table of five weeks, with retention of 30 days at 2026-11-23. */
static const struct expiry_rules retention = {.before = DAY_NUMBER - 30,
                                              .by_retention = true,
                                              .clock_believed = true,
                                              .first_start_ms = DAY_0 - 35 * (int64_t)DAY,
                                              .now_ms = DAY_0 + HOUR};

static struct expiry make(struct care_files *files, struct expiry_rules rules) {
    struct expiry expiry;
    care_files_sort(files);
    expiry_make(files, &rules, &expiry);
    return expiry;
}

static void assert_one(const char *path, int64_t modified_ms, struct expiry_rules rules,
                       bool listed, enum expiry_verdict verdict) {
    struct care_files files = {0};
    care_files_add(&files, path, 10, modified_ms);
    struct expiry expiry = make(&files, rules);
    assert_int_equal(expiry.count, listed);
    if (listed)
        assert_int_equal(expiry.partitions[0].verdict, verdict);
    expiry_deinit(&expiry);
    care_files_deinit(&files);
}

static void a_date_expires_when_it_and_its_newest_file_are_before_the_limit(void **state) {
    (void)state;
    int64_t old_ms = DAY_0 - 31 * (int64_t)DAY;
    assert_one("day=2026-10-23/a.parquet", old_ms, retention, true, EXPIRY_DUE);
    assert_one("day=2026-10-24/a.parquet", old_ms, retention, false, EXPIRY_DUE); // 30 days ago
    // Rows with an old date that came today.
    assert_one("day=2026-10-23/a.parquet", DAY_0, retention, true, EXPIRY_WAITS);
    assert_one("day=2026-10-23/a.parquet", DAY_0 - 30 * (int64_t)DAY, retention, true,
               EXPIRY_WAITS);
    assert_one("day=2026-10-23/a.parquet", DAY_0 - 30 * (int64_t)DAY - 1, retention, true,
               EXPIRY_DUE);
}

static void a_null_date_and_other_names_never_expire(void **state) {
    (void)state;
    assert_one("day=__HIVE_DEFAULT_PARTITION__/a.parquet", 0, retention, false, EXPIRY_DUE);
    assert_one("day=yesterday/a.parquet", 0, retention, false, EXPIRY_DUE);
    assert_one("a.parquet", 0, retention, false, EXPIRY_DUE);
}

static void dates_that_the_query_can_hardly_have_are_reported(void **state) {
    (void)state;
    int64_t old_ms = DAY_0 - 40 * (int64_t)DAY;
    // It began on 2026-10-19: a week before is the first date that can be.
    assert_one("day=2026-10-12/a.parquet", old_ms, retention, true, EXPIRY_DUE);
    assert_one("day=2026-10-11/a.parquet", old_ms, retention, true, EXPIRY_STRANGE);
    assert_one("day=1970-01-01/a.parquet", old_ms, retention, true, EXPIRY_STRANGE);
    assert_one("day=2026-11-24/a.parquet", old_ms, retention, false, EXPIRY_DUE);
    assert_one("day=2026-11-25/a.parquet", old_ms, retention, true, EXPIRY_STRANGE);
    // Who names a day means these, too.
    struct expiry_rules command = retention;
    command.by_retention = false;
    assert_one("day=1970-01-01/a.parquet", old_ms, command, true, EXPIRY_DUE);
    assert_one("day=2026-11-25/a.parquet", old_ms, command, false, EXPIRY_DUE);
}

static void a_clock_that_is_not_believed_lets_nothing_expire_by_itself(void **state) {
    (void)state;
    int64_t old_ms = DAY_0 - 31 * (int64_t)DAY;
    struct expiry_rules doubted = retention;
    doubted.clock_believed = false;
    assert_one("day=2026-10-23/a.parquet", old_ms, doubted, true, EXPIRY_DOUBTED);
    assert_one("day=2026-10-23/a.parquet", DAY_0, doubted, true, EXPIRY_WAITS);
    assert_one("day=2026-10-24/a.parquet", old_ms, doubted, false, EXPIRY_DUE);
    assert_one("day=1970-01-01/a.parquet", old_ms, doubted, true, EXPIRY_STRANGE);
    doubted.by_retention = false; // somebody has named the day
    assert_one("day=2026-10-23/a.parquet", old_ms, doubted, true, EXPIRY_DUE);
}

static void a_partition_is_all_below_its_date(void **state) {
    (void)state;
    struct care_files files = {0};
    int64_t old_ms = DAY_0 - 40 * (int64_t)DAY;
    care_files_add(&files, "day=2026-10-20/status=a/1.parquet", 10, old_ms);
    care_files_add(&files, "day=2026-10-20/status=b/1.parquet", 20, old_ms + 1);
    care_files_add(&files, "day=2026-10-21/status=a/1.parquet", 40, old_ms);
    care_files_add(&files, "day=2026-11-22/status=a/1.parquet", 80, old_ms);
    struct expiry expiry = make(&files, retention);
    assert_int_equal(expiry.count, 2);
    assert_int_equal(expiry.kept, 1);
    assert_int_equal(expiry.partitions[0].end - expiry.partitions[0].first, 2);
    assert_int_equal(expiry.partitions[0].bytes, 30);
    assert_int_equal(expiry.partitions[0].newest_ms, old_ms + 1);
    assert_int_equal(expiry.partitions[0].length, sizeof "day=2026-10-20" - 1);
    assert_int_equal(expiry.partitions[1].bytes, 40);
    expiry_deinit(&expiry);
    care_files_deinit(&files);
}

static void one_late_file_keeps_the_whole_date(void **state) {
    (void)state;
    struct care_files files = {0};
    care_files_add(&files, "day=2026-10-20/status=a/1.parquet", 10, DAY_0);
    care_files_add(&files, "day=2026-10-20/status=b/1.parquet", 20, DAY_0 - 40 * (int64_t)DAY);
    struct expiry expiry = make(&files, retention);
    assert_int_equal(expiry.count, 1);
    assert_int_equal(expiry.partitions[0].verdict, EXPIRY_WAITS);
    expiry_deinit(&expiry);
    care_files_deinit(&files);
}

static void days_are_those_of_the_zone(void **state) {
    (void)state;
    struct zone east = {.offset = 2 * 3600};
    assert_int_equal(care_day_of(&east, DAY_0 - 2 * HOUR), DAY_NUMBER);
    assert_int_equal(care_day_of(&east, DAY_0 - 2 * HOUR - 1), DAY_NUMBER - 1);
    assert_true(care_day_end_ms(&east, DAY_NUMBER) == DAY_0 + DAY - 2 * HOUR);
    assert_int_equal(care_day_of(&zone_utc, -1), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_expires_when_it_and_its_newest_file_are_before_the_limit),
        cmocka_unit_test(a_null_date_and_other_names_never_expire),
        cmocka_unit_test(dates_that_the_query_can_hardly_have_are_reported),
        cmocka_unit_test(a_clock_that_is_not_believed_lets_nothing_expire_by_itself),
        cmocka_unit_test(a_partition_is_all_below_its_date),
        cmocka_unit_test(one_late_file_keeps_the_whole_date),
        cmocka_unit_test(days_are_those_of_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
