#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory.h"
#include "pipeline/parquet/read/reader.h"
#include "pipeline/sink/reject_table.h"

enum { COLUMNS = 10 };

struct table {
    struct directory staging;
    struct reject_sink *sink;
    struct file_list files;
    struct parquet_reader reader;
    struct parquet_cursor cursor;
};

static void start(struct table *table) {
    *table = (struct table){.staging = directory_make()};
    struct sink_options options = {.staging_directory = table->staging.path,
                                   .parquet = {.codec = CODEC_SNAPPY, .delta = true},
                                   .task = 3,
                                   .memory_max = 8 << 20};
    table->sink = reject_sink_create("esports-matches", 1764583845123, &options);
}

/* Finishes the file and reads its rows back. */
static size_t read_rows(struct table *table) {
    struct error err = {0};
    char path[512];
    size_t columns[COLUMNS], count;
    if (!reject_sink_finish(table->sink, &table->files, &err))
        fail_msg("%s", err.message);
    assert_int_equal(table->files.count, 1);
    (void)snprintf(path, sizeof path, "%s/%s", table->staging.path, table->files.files[0].staged);
    if (!parquet_reader_open(&table->reader, path, &err))
        fail_msg("%s", err.message);
    assert_int_equal(table->reader.metadata.column_count, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = i;
    parquet_cursor_open(&table->cursor, &table->reader, columns, COLUMNS);
    if (!parquet_cursor_next(&table->cursor, &count, &err))
        fail_msg("%s", err.message);
    return count;
}

static void end(struct table *table) {
    parquet_cursor_close(&table->cursor);
    parquet_reader_close(&table->reader);
    reject_sink_destroy(table->sink);
    file_list_deinit(&table->files);
    directory_remove(&table->staging);
}

static void assert_text(const struct vector *vector, size_t row, const char *text) {
    assert_int_equal(vector->valid[row], 1);
    assert_int_equal(vector->texts[row].length, strlen(text));
    assert_memory_equal(vector->texts[row].bytes, text, strlen(text));
}

static void a_reject_keeps_the_record_and_the_reason(void **state) {
    (void)state;
    struct table table;
    struct error err = {0};
    struct record record = {.partition = 5,
                            .offset = 1LL << 40,
                            .timestamp_ms = 1700000000123,
                            .value = "{\"a\":",
                            .value_size = 5,
                            .key = "k",
                            .key_size = 1};
    struct reject reject = {REJECT_MALFORMED, 5, "JSON is cut off inside an object"};
    start(&table);
    assert_true(reject_sink_append(table.sink, &record, &reject, &err));
    record = (struct record){.partition = 0, .offset = 0, .timestamp_ms = -1, .key = ""};
    reject = (struct reject){REJECT_NULL_VALUE, 0, "the value is null"};
    assert_true(reject_sink_append(table.sink, &record, &reject, &err));
    record.timestamp_ms = 1700000000000000000; // nanoseconds
    assert_true(reject_sink_append(table.sink, &record, &reject, &err));
    assert_int_equal(read_rows(&table), 3);

    const struct vector *vectors = table.cursor.vectors;
    assert_text(&vectors[0], 0, "esports-matches");
    assert_int_equal(vectors[1].int32s[0], 5);
    assert_int_equal(vectors[2].int64s[0], 1LL << 40);
    assert_int_equal(vectors[3].int64s[0], 1700000000123000);
    assert_text(&vectors[4], 0, "k");
    assert_text(&vectors[5], 0, "{\"a\":");
    assert_text(&vectors[6], 0, reject_reason_name(REJECT_MALFORMED));
    assert_text(&vectors[7], 0, "JSON is cut off inside an object");
    assert_int_equal(vectors[8].int64s[0], 5);
    assert_int_equal(vectors[9].int64s[0], 1764583845123000);

    assert_int_equal(vectors[3].int64s[1], -1000); // no timestamp: -1 ms, as in Spark
    assert_int_equal(vectors[3].valid[1], 1);
    assert_int_equal(vectors[3].valid[2], 0); // out of range for a timestamp
    assert_text(&vectors[4], 1, "");          // an empty key is not null
    assert_int_equal(vectors[5].valid[1], 0); // the value is null
    end(&table);
}

static void a_value_of_50_mb_is_kept_whole(void **state) {
    (void)state;
    enum { SIZE = 50 << 20 };
    struct table table;
    struct error err = {0};
    char *value = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        value[i] = (char)(i * i >> 7);
    struct record record = {.value = value, .value_size = SIZE};
    struct reject reject = {REJECT_NOT_AN_OBJECT, 0, "it begins with a number"};
    start(&table);
    assert_true(reject_sink_append(table.sink, &record, &reject, &err));
    assert_int_equal(read_rows(&table), 1);
    assert_int_equal(table.cursor.vectors[5].texts[0].length, SIZE);
    assert_memory_equal(table.cursor.vectors[5].texts[0].bytes, value, SIZE);
    end(&table);
    free(value);
}

static void the_schema_has_its_columns_in_order(void **state) {
    (void)state;
    static const char *const names[COLUMNS] = {
        "topic", "partition", "offset", "kafka_timestamp", "key",
        "value", "reason",    "detail", "position",        "processing_timestamp"};
    for (size_t i = 0; i < COLUMNS; i++)
        assert_string_equal(reject_schema()->columns[i].name, names[i]);
    assert_int_equal(reject_schema()->count, COLUMNS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reject_keeps_the_record_and_the_reason),
        cmocka_unit_test(a_value_of_50_mb_is_kept_whole),
        cmocka_unit_test(the_schema_has_its_columns_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
