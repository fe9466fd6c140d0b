#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "directory.h"
#include "pipeline/sink/reject_table.h"

enum { RECORDS = 5000 };

static const int64_t planned_ms = 1764583845123;

static struct record record_of(int64_t i, char value[static 64]) {
    int size = snprintf(value, 64, "{\"n\":%lld", (long long)i);
    return (struct record){.partition = (int32_t)(i % 3),
                           .offset = 10 * i,
                           .timestamp_ms = i % 5 == 0    ? -1 - i / 5
                                           : i % 13 == 0 ? -62135596800000 - i // the year 0
                                                         : 1700000000000 + i,
                           .value = i % 7 == 0 ? NULL : value,
                           .value_size = i % 7 == 0    ? 0
                                         : i % 11 == 0 ? 0
                                                       : (size_t)size,
                           .key = i % 2 == 0 ? "k" : NULL,
                           .key_size = i % 2 == 0};
}

static void write_file(const struct directory *staging, enum parquet_timestamp timestamp,
                       char path[static 512]) {
    struct error err;
    struct file_list files = {0};
    const struct sink_options options = {.staging_directory = staging->path,
                                         .parquet = {.codec = CODEC_ZSTD, .timestamp = timestamp},
                                         .memory_max = 1 << 20};
    struct reject_sink *sink = reject_sink_create("t", planned_ms, &options);
    for (int64_t i = 0; i < RECORDS; i++) {
        char value[64];
        const struct record record = record_of(i, value);
        struct reject reject = {.reason = REJECT_NOT_AN_OBJECT, .position = (size_t)i};
        (void)snprintf(reject.detail, sizeof reject.detail, "detail %lld", (long long)i);
        assert_true(reject_sink_append(sink, &record, &reject, &err));
    }
    assert_true(reject_sink_finish(sink, &files, &err));
    assert_int_equal(files.count, 1);
    (void)snprintf(path, 512, "%s/%s", staging->path, files.files[0].staged);
    reject_sink_destroy(sink);
    file_list_deinit(&files);
}

static void assert_bytes(const char *found, size_t found_size, const char *bytes, size_t size) {
    assert_int_equal(found == NULL, bytes == NULL);
    assert_int_equal(found_size, size);
    if (size > 0)
        assert_memory_equal(found, bytes, size);
}

static void a_record_comes_back_as_it_was(void **state) {
    (void)state;
    for (int timestamp = TIMESTAMP_AS_MICROS; timestamp <= TIMESTAMP_AS_INT96; timestamp++) {
        struct directory staging = directory_make();
        struct reject_reader *reader;
        struct reject_row row;
        struct error err;
        char path[512];
        bool found;
        write_file(&staging, (enum parquet_timestamp)timestamp, path);
        assert_true(reject_reader_open(&reader, path, 1 << 20, &err));
        for (int64_t i = 0; i < RECORDS; i++) {
            char value[64], detail[64];
            const struct record record = record_of(i, value);
            (void)snprintf(detail, sizeof detail, "detail %lld", (long long)i);
            assert_true(reject_reader_next(reader, &row, &found, &err) && found);
            assert_int_equal(row.record.partition, record.partition);
            assert_int_equal(row.record.offset, record.offset);
            assert_int_equal(row.record.timestamp_ms, record.timestamp_ms);
            assert_int_equal(row.record.planned_ms, planned_ms);
            assert_bytes(row.record.value, row.record.value_size, record.value, record.value_size);
            assert_bytes(row.record.key, row.record.key_size, record.key, record.key_size);
            assert_true(text_equals(row.topic, TEXT("t")));
            assert_true(text_equals(row.reason, TEXT("not_an_object")));
            assert_bytes(row.detail.bytes, row.detail.length, detail, strlen(detail));
            assert_int_equal(row.position, i);
        }
        assert_true(reject_reader_next(reader, &row, &found, &err) && !found);
        reject_reader_close(reader);
        directory_remove(&staging);
    }
}

static void a_file_of_other_columns_than_rejects_is_refused(void **state) {
    (void)state;
    struct directory staging = directory_make();
    struct file_list files = {0};
    struct reject_reader *reader;
    struct error err;
    char path[512];
    static const struct column columns[] = {{"topic", TYPE_STRING}, {"partition", TYPE_INT64}};
    struct schema schema;
    struct rows rows;
    schema_init_plain(&schema, "other", columns, 2);
    rows_init(&rows, &schema, 1, 1);
    rows.count = 1; // of nulls
    const struct sink_options options = {
        .staging_directory = staging.path, .schema = &schema, .memory_max = 1 << 20};
    struct sink *sink = sink_create(&options);
    assert_true(sink_append(sink, &rows, &err) && sink_finish(sink, &files, &err));
    check(files.count == 1 && files.files != NULL);
    (void)snprintf(path, sizeof path, "%s/%s", staging.path, files.files[0].staged);
    assert_false(reject_reader_open(&reader, path, 1 << 20, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "is not a rejects file: it has no column 'partition'"));
    (void)snprintf(path, sizeof path, "%s/none", staging.path);
    assert_false(reject_reader_open(&reader, path, 1 << 20, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    sink_destroy(sink);
    rows_deinit(&rows);
    file_list_deinit(&files);
    directory_remove(&staging);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(a_file_of_other_columns_than_rejects_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
