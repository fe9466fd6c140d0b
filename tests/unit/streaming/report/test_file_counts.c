#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "streaming/report/file_counts.h"

#define MB (INT64_C(1) << 20)
#define TARGET (128 * MB)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static const int64_t now_ms = 1700000000000;
static struct file_counter *counter;
static struct file_counts counts;

static int begin(void **state) {
    (void)state;
    counter = file_counter_create(TARGET, now_ms);
    return 0;
}

static int end(void **state) {
    (void)state;
    file_counter_free(counter);
    return 0;
}

static void add(const char *path, int64_t size, int64_t age_ms) {
    file_counter_add(counter, path, size, now_ms - age_ms);
}

static void an_empty_table_has_no_files_and_was_counted(void **state) {
    (void)state;
    file_counter_read(counter, &counts);
    assert_int_equal(counts.counted_ms, now_ms);
    assert_int_equal(counts.all.files, 0);
    assert_int_equal(counts.merged_files, 0);
    assert_int_equal(counts.directory_count, 0);
    assert_int_equal(counts.shown, 0);
}

static void files_are_counted_by_size_up_to_and_including_the_bound(void **state) {
    (void)state;
    add("a", FILE_SIZE_SMALLEST, 0);
    add("b", FILE_SIZE_SMALLEST + 1, 0);
    add("c", INT64_C(5) << 30, 0);
    file_counter_read(counter, &counts);
    assert_int_equal(counts.sizes[0], 1);
    assert_int_equal(counts.sizes[1], 1);
    assert_int_equal(counts.sizes[FILE_SIZES - 1], 1);
    assert_int_equal(counts.all.files, 3);
    assert_int_equal(counts.all.bytes, 2 * FILE_SIZE_SMALLEST + 1 + (INT64_C(5) << 30));
}

static void files_are_counted_by_age_and_one_of_the_future_is_new(void **state) {
    (void)state;
    add("a", 1, -DAY);
    add("b", 2, HOUR);
    add("c", 4, HOUR + SECOND);
    add("d", 8, DAY);
    add("e", 16, DAY + SECOND);
    add("f", 32, 7LL * DAY);
    add("g", 64, 7LL * DAY + SECOND);
    file_counter_read(counter, &counts);
    const int64_t bytes[FILE_AGES] = {1 + 2, 4 + 8, 16 + 32, 64}, files[FILE_AGES] = {2, 2, 2, 1};
    for (enum file_age age = FILE_AGE_HOUR; age < FILE_AGES; age++) {
        assert_int_equal(counts.ages[age].files, files[age]);
        assert_int_equal(counts.ages[age].bytes, bytes[age]);
        assert_int_equal(counts.ages[age].small, files[age]);
    }
}

static void a_file_of_three_quarters_of_the_target_is_not_small(void **state) {
    (void)state;
    add("d=1/a", 96 * MB - 1, 0);
    add("d=1/b", 96 * MB, 0);
    file_counter_read(counter, &counts);
    assert_int_equal(counts.small_below, 96 * MB);
    assert_int_equal(counts.all.small, 1);
}

/* What a compaction would leave of one directory with these small files and one large file. */
static int64_t left_of(size_t small_files, int64_t size) {
    struct file_counter *own = file_counter_create(TARGET, now_ms);
    struct file_counts found;
    file_counter_add(own, "d=1/large", 200 * MB, now_ms);
    for (size_t i = 0; i < small_files; i++)
        file_counter_add(own, "d=1/small", size, now_ms);
    file_counter_read(own, &found);
    file_counter_free(own);
    return found.merged_files - 1;
}

static void a_compaction_leaves_as_many_files_as_the_bytes_fill(void **state) {
    (void)state;
    assert_int_equal(left_of(0, 1), 0);
    assert_int_equal(left_of(1, 1), 1);
    assert_int_equal(left_of(1000, 0), 1); // empty files become one, too
    assert_int_equal(left_of(1000, 8000), 1);
    assert_int_equal(left_of(128, MB), 1);
    assert_int_equal(left_of(129, MB), 2);
    assert_int_equal(left_of(2, 90 * MB), 2);
}

static void files_of_different_directories_are_never_merged(void **state) {
    (void)state;
    add("d=1/a", 1, 0);
    add("d=1/b", 1, 2 * DAY);
    add("d=2/a", 1, 2 * DAY);
    add("d=2/s=1/a", 1, 0);
    add("a", 1, 0);
    file_counter_read(counter, &counts);
    assert_int_equal(counts.directory_count, 4);
    assert_int_equal(counts.recent_directories, 3); // not d=2
    assert_int_equal(counts.merged_files, 4);
}

static void the_directories_with_the_most_small_files_are_shown_first(void **state) {
    (void)state;
    for (int directory = 0; directory < 50; directory++)
        for (int file = 0; file <= directory; file++) {
            char path[64];
            (void)snprintf(path, sizeof path, "d=%02d/%d", directory, file);
            add(path, 10, 0);
        }
    for (int file = 0; file < 1000; file++)
        add("d=large/x", 100 * MB, 0);
    file_counter_read(counter, &counts);
    assert_int_equal(counts.directory_count, 51);
    assert_int_equal(counts.shown, FILE_DIRECTORIES_SHOWN);
    for (size_t i = 0; i < counts.shown; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "d=%02zu", 49 - i);
        assert_string_equal(counts.directories[i].name, name);
        assert_int_equal(counts.directories[i].group.small, 50 - i);
        assert_int_equal(counts.directories[i].group.bytes, 10 * (50 - i));
    }
}

static void
directories_with_the_same_beginning_are_different_though_their_names_are_cut(void **state) {
    (void)state;
    char path[2 * FILE_DIRECTORY_MAX];
    for (int i = 0; i < 2; i++) {
        memset(path, 'x', sizeof path);
        (void)snprintf(path + FILE_DIRECTORY_MAX, 32, "%d/file", i);
        add(path, 1, 0);
    }
    file_counter_read(counter, &counts);
    assert_int_equal(counts.directory_count, 2);
    assert_int_equal(strlen(counts.directories[0].name), FILE_DIRECTORY_MAX - 1);
}

static void files_of_more_directories_than_are_remembered_are_counted_too(void **state) {
    (void)state;
    enum { MANY = 20000 };
    for (int directory = 0; directory < MANY; directory++)
        for (int file = 0; file < 2; file++) {
            char path[64];
            (void)snprintf(path, sizeof path, "d=%d/%d", directory, file);
            add(path, 1, 0);
        }
    file_counter_read(counter, &counts);
    assert_int_equal(counts.all.files, 2 * MANY);
    assert_int_equal(counts.directory_count, 16384);
    // What is not known of them does not look like a gain.
    assert_int_equal(counts.merged_files, 16384 + 2 * (MANY - 16384));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_table_has_no_files_and_was_counted),
        TEST(files_are_counted_by_size_up_to_and_including_the_bound),
        TEST(files_are_counted_by_age_and_one_of_the_future_is_new),
        TEST(a_file_of_three_quarters_of_the_target_is_not_small),
        TEST(a_compaction_leaves_as_many_files_as_the_bytes_fill),
        TEST(files_of_different_directories_are_never_merged),
        TEST(the_directories_with_the_most_small_files_are_shown_first),
        TEST(directories_with_the_same_beginning_are_different_though_their_names_are_cut),
        TEST(files_of_more_directories_than_are_remembered_are_counted_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
