#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/source/source_file.h"

static char directory[] = "/tmp/source-file-XXXXXX";
static struct source *source;
static struct capture_index *capture_index;

static void append(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static int set_up(void **state) {
    (void)state;
    snprintf(directory + sizeof directory - 7, 7, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    capture_index = capture_index_create();
    source = source_file_open(directory, capture_index);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    source->ops->close(source);
    capture_index_destroy(capture_index);
    const char *names[] = {"t-0.ndjson", "t-1.ndjson"};
    for (size_t i = 0; i < 2; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    return rmdir(directory);
}

static bool open_range(int32_t partition, int64_t start, int64_t end, struct error *err) {
    return source->ops->open_range(
        source, "t", (struct offset_range){.partition = partition, .start = start, .end = end},
        err);
}

static void expect_record(int64_t offset, const char *value) {
    struct record record;
    struct error err;
    assert_int_equal(source->ops->read(source, &record, 0, &err), SOURCE_RECORD);
    assert_int_equal(record.offset, offset);
    assert_int_equal(record.timestamp_ms, offset);
    assert_null(record.key);
    if (value == NULL) {
        assert_null(record.value);
        return;
    }
    assert_int_equal(record.value_size, strlen(value));
    assert_memory_equal(record.value, value, record.value_size);
}

static void expect(enum source_status status) {
    struct record record;
    struct error err;
    assert_int_equal(source->ops->read(source, &record, 0, &err), status);
}

static void a_line_is_a_record_and_its_number_the_offset(void **state) {
    (void)state;
    append("t-0.ndjson", "{\"a\":1}\n\\N\n\n{\"b\":2}");
    struct error err;
    assert_true(open_range(0, 0, 4, &err));
    expect_record(0, "{\"a\":1}");
    expect_record(1, NULL);
    expect_record(2, "");
    expect_record(3, "{\"b\":2}"); // the last line has no end
    expect(SOURCE_END);
}

static void a_range_may_start_and_end_anywhere(void **state) {
    (void)state;
    char line[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(line, sizeof line, "%d\n", i);
        append("t-1.ndjson", line);
    }
    struct error err;
    const int64_t starts[] = {0, 1, 1023, 1024, 1025, 2048, 4095, 4999};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        assert_true(open_range(1, starts[i], starts[i] + 1, &err));
        snprintf(line, sizeof line, "%lld", (long long)starts[i]);
        expect_record(starts[i], line);
        expect(SOURCE_END);
    }
    assert_true(open_range(1, 5000, 5000, &err));
    expect(SOURCE_END);
}

static void an_abandoned_range_can_be_opened_again(void **state) {
    (void)state;
    append("t-0.ndjson", "a\nb\nc\n");
    struct error err;
    assert_true(open_range(0, 0, 3, &err));
    expect_record(0, "a");
    source->ops->abandon_range(source);
    assert_true(open_range(0, 0, 3, &err));
    expect_record(0, "a");
    expect_record(1, "b");
    expect_record(2, "c");
    expect(SOURCE_END);
}

static void beyond_the_last_line_it_waits_for_more(void **state) {
    (void)state;
    append("t-0.ndjson", "a\n");
    struct error err;
    assert_true(open_range(0, 0, 2, &err));
    expect_record(0, "a");
    expect(SOURCE_WAIT);
    append("t-0.ndjson", "b\n");
    expect(SOURCE_WAIT); // and sees it
    expect_record(1, "b");
    expect(SOURCE_END);
}

static void lines_appended_around_a_mark_are_all_found(void **state) {
    (void)state;
    struct error err;
    char line[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(line, sizeof line, "%d\n", i);
        append("t-0.ndjson", line);
        if (i % 100 != 23)
            continue;
        assert_true(open_range(0, i, i + 1, &err));
        snprintf(line, sizeof line, "%d", i);
        expect_record(i, line);
        expect(SOURCE_END);
    }
}

static void a_missing_file_and_an_offset_beyond_it_are_errors(void **state) {
    (void)state;
    struct error err;
    assert_false(open_range(0, 0, 1, &err));
    assert_int_equal(err.kind, ERROR_BROKER);
    append("t-0.ndjson", "a\n");
    assert_false(open_range(0, 2, 3, &err));
    assert_int_equal(err.kind, ERROR_DATA_LOSS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_a_record_and_its_number_the_offset, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_range_may_start_and_end_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_abandoned_range_can_be_opened_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_the_last_line_it_waits_for_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_appended_around_a_mark_are_all_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_and_an_offset_beyond_it_are_errors, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
