#include "store_fixture.h"

#include "streaming/recovery/missing_files.h"

enum { LAST = 10 }; // batches 0 to 9 are in a compact file of the sink log

static struct fixture fixture;
static struct stop stop;
static atomic_bool end;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    stop_init(&stop);
    end = false;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    stop_deinit(&stop);
    fixture_clear(&fixture);
    return 0;
}

static bool find(size_t names_max, struct missing_files *missing, struct error *err) {
    const struct missing_files_search search = {&fixture.options, names_max, &stop, &end};
    return missing_files_find(&search, missing, err);
}

static void assert_missing(int64_t expected, int64_t count, const char *names) {
    struct missing_files missing;
    struct error err = {0};
    if (!find(1000, &missing, &err))
        fail_msg("%s", err.message);
    assert_int_equal(missing.expected, expected);
    assert_int_equal(missing.count, count);
    assert_string_equal(missing.names, names);
}

static void lose(const char *directory, int batch) {
    char name[128];
    (void)snprintf(name, sizeof name, "%s/%s/part-%05d-0.c000.snappy.parquet", fixture.table,
                   directory, batch);
    assert_int_equal(unlink(name), 0);
}

static void nothing_is_missing_where_all_files_are_there(void **state) {
    (void)state;
    fixture_must_advance(&fixture, LAST, 0);
    fixture_write(&fixture, "processed/matches/status=live/merged.parquet", "not in the log");
    assert_missing(INT64_C(2) * (LAST + 1), 0, "");
}

static void what_the_sink_log_lists_and_is_gone_is_missing(void **state) {
    (void)state;
    fixture_must_advance(&fixture, LAST, 0);
    lose("status=a%2Fb c", 10);
    lose("status=live", 3);
    assert_missing(INT64_C(2) * (LAST + 1), 2,
                   "status=live/part-00003-0.c000.snappy.parquet, "
                   "status=a%2Fb c/part-00010-0.c000.snappy.parquet");
    lose("status=live", 4);
    lose("status=live", 5);
    assert_missing(INT64_C(2) * (LAST + 1), 4,
                   "status=live/part-00003-0.c000.snappy.parquet, "
                   "status=live/part-00004-0.c000.snappy.parquet, "
                   "status=live/part-00005-0.c000.snappy.parquet");
}

static void a_partition_directory_that_is_gone_is_missing_as_a_whole(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    lose("status=live", 0);
    lose("status=live", 1);
    assert_int_equal(rmdir(file_join(fixture.table, "status=live").text), 0);
    assert_missing(4, 2,
                   "status=live/part-00000-0.c000.snappy.parquet, "
                   "status=live/part-00001-0.c000.snappy.parquet");
}

static void a_table_of_more_names_than_memory_is_compared_share_by_share(void **state) {
    (void)state;
    struct missing_files missing;
    struct error err;
    fixture_must_advance(&fixture, LAST, 0);
    lose("status=live", 3);
    lose("status=live", 10);
    assert_true(find(4, &missing, &err));
    assert_int_equal(missing.expected, 2 * (LAST + 1));
    assert_int_equal(missing.count, 2);
    assert_non_null(strstr(missing.names, "part-00003"));
    assert_non_null(strstr(missing.names, "part-00010"));
}

static void without_a_sink_log_the_manifests_tell(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, 3, 0);
    assert_missing(8, 0, "");
    lose("status=live", 2);
    assert_missing(8, 1, "status=live/part-00002-0.c000.snappy.parquet");
}

static void a_batch_whose_files_are_not_in_place_yet_misses_none(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        fixture.options.sink_log = i == 0 ? SINK_LOG_AUTO : SINK_LOG_OFF;
        fixture_must_advance(&fixture, 0, 0);
        fixture_leave_open(&fixture, 1, true);
        assert_missing(2, 0, "");
        fixture_clear(&fixture);
    }
}

static void a_request_to_stop_ends_the_search(void **state) {
    (void)state;
    struct missing_files missing;
    struct error err;
    fixture_must_advance(&fixture, 0, 0);
    end = true;
    assert_false(find(1000, &missing, &err));
    assert_int_equal(err.kind, ERROR_STOPPED);
    end = false;
    stop_request(&stop, STOP_AFTER_BATCH);
    assert_false(find(1000, &missing, &err));
    assert_int_equal(err.kind, ERROR_STOPPED);
}

static void a_damaged_log_is_an_error_and_no_missing_file(void **state) {
    (void)state;
    struct missing_files missing;
    struct error err;
    fixture_must_advance(&fixture, 0, 0);
    fixture_write(&fixture, "processed/matches/_spark_metadata/0", "v1\n{\"path\"");
    assert_false(find(1000, &missing, &err));
    assert_int_equal(err.kind, ERROR_STATE);
}

static void the_sentence_has_count_names_and_what_to_do(void **state) {
    (void)state;
    struct error text;
    struct missing_files missing = {.by_log = true, .count = 31, .names = "a, b, c"};
    missing_files_describe(&missing, "/lake/t", &text);
    assert_int_equal(text.kind, ERROR_STATE);
    assert_non_null(strstr(text.message, "31 files that the sink log lists are missing from table "
                                         "'/lake/t': a, b, c, …; Spark cannot read the table"));
    assert_non_null(strstr(text.message, "Restore them from a backup"));
    missing = (struct missing_files){.count = 1, .names = "a"};
    missing_files_describe(&missing, "/lake/t", &text);
    assert_non_null(strstr(text.message, "1 file that the checkpoint's manifests name is missing "
                                         "from table '/lake/t': a; "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_missing_where_all_files_are_there),
        TEST(what_the_sink_log_lists_and_is_gone_is_missing),
        TEST(a_partition_directory_that_is_gone_is_missing_as_a_whole),
        TEST(a_table_of_more_names_than_memory_is_compared_share_by_share),
        TEST(without_a_sink_log_the_manifests_tell),
        TEST(a_batch_whose_files_are_not_in_place_yet_misses_none),
        TEST(a_request_to_stop_ends_the_search),
        TEST(a_damaged_log_is_an_error_and_no_missing_file),
        TEST(the_sentence_has_count_names_and_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
