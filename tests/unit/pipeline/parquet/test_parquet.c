#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../faulty_reads.h"
#include "base/check.h"
#include "directory.h"
#include "pipeline/parquet/read/reader.h"
#include "pipeline/parquet/writer.h"

static const struct column columns[] = {
    {"id", TYPE_INT64, .required = true},
    {"flag", TYPE_BOOL},
    {"small", TYPE_INT32},
    {"wide", TYPE_INT64},
    {"ratio", TYPE_DOUBLE},
    {"word", TYPE_STRING},
    {"raw", TYPE_BINARY},
    {"moment", TYPE_TIMESTAMP},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

struct file {
    struct directory directory;
    char path[128];
    struct schema schema;
    struct parquet_table table;
    struct rows rows;
    struct parquet_writer *writer;
};

static void start_file(struct file *file, const struct column *of, size_t count,
                       const struct parquet_options *options) {
    file->directory = directory_make();
    (void)snprintf(file->path, sizeof file->path, "%s/file", file->directory.path);
    schema_init_plain(&file->schema, "test", of, count);
    parquet_table_init(&file->table, &file->schema, NULL, 0, options);
    rows_init(&file->rows, &file->schema, ROWS_CAPACITY, 4 << 20);
    file->writer = parquet_writer_create(&file->table, file->path);
}

static void append(struct file *file) {
    struct error err = {0};
    struct row_slice slice;
    row_slice_init(&slice, &file->rows);
    if (!parquet_writer_append(file->writer, &slice, NULL, file->rows.count, &err))
        fail_msg("%s", err.message);
    rows_reset(&file->rows);
}

static void finish_file(struct file *file, struct parquet_reader *reader) {
    struct error err = {0};
    struct parquet_file written = {0};
    append(file);
    check(parquet_writer_finish(file->writer, &written, &err));
    check(parquet_reader_open(reader, file->path, &err));
    assert_int_equal(written.size, reader->input.size);
    assert_int_equal(written.rows, reader->metadata.rows);
}

static void end_file(struct file *file, struct parquet_reader *reader) {
    parquet_reader_close(reader);
    parquet_writer_destroy(file->writer);
    parquet_table_deinit(&file->table);
    rows_deinit(&file->rows);
    directory_remove(&file->directory);
}

/* Any number, the same for the same row and column. */
static uint64_t any(uint64_t row, uint64_t column) {
    uint64_t hash = (row * 31 + column + 1) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 32;
}

/* The value of a row: `cardinality` distinct ones per column. Texts go into `bytes`. */
static bool value_of(enum type type, uint64_t row, uint64_t column, uint64_t cardinality,
                     void *value, char bytes[256]) {
    static const double doubles[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1.5, -3e300};
    uint64_t number = any(any(row, column) % cardinality, column);
    uint32_t length = (uint32_t)(number % 40);
    switch (type) {
    case TYPE_BOOL:
        *(uint8_t *)value = number >> 7 & 1;
        break;
    case TYPE_INT32:
        *(int32_t *)value = (int32_t)number;
        break;
    case TYPE_DOUBLE:
        *(double *)value = number % 3 == 0 ? doubles[number / 3 % 7] : (double)(int64_t)number;
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        for (uint32_t i = 0; i < length; i++)
            bytes[i] = (char)('a' + (number >> i) % 26);
        *(struct text *)value = (struct text){bytes, length};
        break;
    case TYPE_TIMESTAMP:
        *(int64_t *)value = (int64_t)(number % 400000000000000000) - 100000000000000000;
        break;
    default:
        *(int64_t *)value = column == 0 ? (int64_t)row : (int64_t)number;
        break;
    }
    return column == 0 || any(row, column + 100) % 10 != 0;
}

static void add_row(struct file *file, uint64_t row, uint64_t cardinality) {
    struct rows *rows = &file->rows;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        struct vector *vector = &rows->columns[i];
        size_t width = type_width(vector->type);
        char bytes[256];
        void *value = (uint8_t *)vector->values + rows->count * width;
        vector->valid[rows->count] = value_of(vector->type, row, i, cardinality, value, bytes);
        if (vector->type == TYPE_STRING || vector->type == TYPE_BINARY) {
            struct text *text = value;
            text->bytes = memcpy(arena_alloc(&rows->strings, 256), bytes, text->length);
        }
    }
    rows->count++;
}

static void assert_rows_are_there(struct parquet_reader *reader, uint64_t total,
                                  uint64_t cardinality) {
    struct parquet_cursor cursor;
    struct error err = {0};
    size_t all[COLUMN_COUNT], count;
    uint64_t row = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        all[i] = i;
    parquet_cursor_open(&cursor, reader, all, COLUMN_COUNT);
    for (;;) {
        if (!parquet_cursor_next(&cursor, &count, &err))
            fail_msg("%s", err.message);
        for (size_t r = 0; r < count; r++) {
            for (size_t i = 0; i < COLUMN_COUNT; i++) {
                const struct vector *vector = &cursor.vectors[i];
                size_t width = type_width(vector->type);
                union {
                    int64_t number;
                    struct text text;
                } value = {0};
                char bytes[256];
                bool valid = value_of(vector->type, row + r, i, cardinality, &value, bytes);
                assert_int_equal(vector->valid[r], valid);
                if (!valid)
                    continue;
                if (vector->type == TYPE_STRING || vector->type == TYPE_BINARY) {
                    assert_int_equal(vector->texts[r].length, value.text.length);
                    assert_memory_equal(vector->texts[r].bytes, bytes, value.text.length);
                } else {
                    assert_memory_equal((uint8_t *)vector->values + r * width, &value, width);
                }
            }
        }
        row += count;
        if (count == 0)
            break;
    }
    assert_int_equal(row, total);
    parquet_cursor_close(&cursor);
}

static void assert_round_trip(const struct parquet_options *options, uint64_t total,
                              uint64_t cardinality) {
    struct file file;
    struct parquet_reader reader;
    start_file(&file, columns, COLUMN_COUNT, options);
    for (uint64_t row = 0; row < total; row++) {
        if (file.rows.count >= 1000 - row / 1000) // slices of several sizes
            append(&file);
        add_row(&file, row, cardinality);
    }
    finish_file(&file, &reader);
    assert_rows_are_there(&reader, total, cardinality);
    end_file(&file, &reader);
}

static void rows_of_every_type_come_back_in_every_codec(void **state) {
    (void)state;
    for (enum parquet_codec codec = CODEC_NONE; codec <= CODEC_LZ4_RAW; codec++)
        for (enum parquet_timestamp as = TIMESTAMP_AS_MICROS; as <= TIMESTAMP_AS_INT96; as++)
            for (int delta = 0; delta <= 1; delta++)
                assert_round_trip(&(struct parquet_options){codec, as, delta}, 3000, 100);
}

static void rows_of_few_and_many_distinct_values_come_back(void **state) {
    (void)state;
    static const uint64_t cardinalities[] = {1, 2, 300, 15000, UINT64_MAX};
    for (size_t i = 0; i < sizeof cardinalities / sizeof cardinalities[0]; i++)
        for (int delta = 0; delta <= 1; delta++)
            assert_round_trip(&(struct parquet_options){CODEC_SNAPPY, TIMESTAMP_AS_MICROS, delta},
                              25000, cardinalities[i]);
}

static void row_groups_follow_each_other(void **state) {
    (void)state;
    struct file file;
    struct parquet_reader reader;
    struct error err = {0};
    start_file(&file, columns, COLUMN_COUNT,
               &(struct parquet_options){CODEC_SNAPPY, TIMESTAMP_AS_MICROS, .delta = true});
    for (uint64_t row = 0; row < 5000; row++) {
        add_row(&file, row, 1000);
        if (row % 100 == 99) {
            append(&file);
            assert_true(parquet_writer_close_row_group(file.writer, &err));
            assert_int_equal(parquet_writer_open_memory(file.writer), 0);
        }
    }
    finish_file(&file, &reader);
    assert_int_equal(reader.metadata.row_group_count, 50);
    assert_rows_are_there(&reader, 5000, 1000);
    end_file(&file, &reader);
}

static void a_file_without_rows_is_a_file(void **state) {
    (void)state;
    struct file file;
    struct parquet_reader reader;
    start_file(&file, columns, COLUMN_COUNT,
               &(struct parquet_options){CODEC_SNAPPY, TIMESTAMP_AS_MICROS, .delta = true});
    finish_file(&file, &reader);
    assert_int_equal(reader.metadata.row_group_count, 0);
    assert_int_equal(reader.metadata.column_count, COLUMN_COUNT);
    assert_rows_are_there(&reader, 0, 1);
    end_file(&file, &reader);
}

static void the_footer_says_what_spark_says(void **state) {
    (void)state;
    static const struct column two[] = {{"a", TYPE_INT64, .required = true}, {"b", TYPE_STRING}};
    struct file file;
    struct parquet_reader reader;
    start_file(&file, two, 2,
               &(struct parquet_options){CODEC_SNAPPY, TIMESTAMP_AS_MICROS, .delta = true});
    finish_file(&file, &reader);
    struct text json =
        parquet_reader_key_value(&reader, "org.apache.spark.sql.parquet.row.metadata");
    struct text version = parquet_reader_key_value(&reader, "org.apache.spark.version");
    static const char expected[] =
        "{\"type\":\"struct\",\"fields\":["
        "{\"name\":\"a\",\"type\":\"long\",\"nullable\":false,\"metadata\":{}},"
        "{\"name\":\"b\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}";
    assert_int_equal(json.length, strlen(expected));
    assert_memory_equal(json.bytes, expected, strlen(expected));
    assert_true(version.length > 0);
    assert_memory_equal(reader.metadata.created_by.bytes, "esports-stream version ", 23);
    assert_true(reader.metadata.columns[0].required);
    assert_false(reader.metadata.columns[1].required);
    end_file(&file, &reader);
}

static int64_t bound_int64(struct text bound) {
    int64_t value;
    assert_int_equal(bound.length, sizeof value);
    memcpy(&value, bound.bytes, sizeof value);
    return value;
}

static void statistics_cover_nulls_and_bounds(void **state) {
    (void)state;
    static const struct column three[] = {
        {"n", TYPE_INT64}, {"d", TYPE_DOUBLE}, {"nothing", TYPE_STRING}};
    struct file file;
    struct parquet_reader reader;
    start_file(&file, three, 3,
               &(struct parquet_options){CODEC_NONE, TIMESTAMP_AS_MICROS, .delta = true});
    for (int64_t row = 0; row < 50000; row++) { // several pages
        size_t at = file.rows.count++;
        file.rows.columns[0].int64s[at] = row * 3 % 1001 - 500;
        file.rows.columns[0].valid[at] = row % 5 != 0;
        file.rows.columns[1].doubles[at] = row == 30000 ? NAN : (double)row;
        file.rows.columns[1].valid[at] = 1;
        file.rows.columns[2].valid[at] = 0;
        if (file.rows.count == ROWS_CAPACITY)
            append(&file);
    }
    finish_file(&file, &reader);
    const struct file_chunk *chunks = reader.metadata.row_groups[0].chunks;
    assert_int_equal(chunks[0].statistics.nulls, 10000);
    assert_true(chunks[0].statistics.has_bounds);
    assert_int_equal(bound_int64(chunks[0].statistics.min), -500);
    assert_int_equal(bound_int64(chunks[0].statistics.max), 500);
    assert_true(chunks[0].column_index_size > 0 && chunks[0].offset_index_size > 0);
    assert_false(chunks[1].statistics.has_bounds); // a NaN in the second of three pages
    assert_int_equal(chunks[1].column_index_size, 0);
    assert_int_equal(chunks[2].statistics.nulls, 50000);
    assert_false(chunks[2].statistics.has_bounds);
    assert_true(chunks[2].column_index_size > 0); // of null pages
    end_file(&file, &reader);
}

/* The first page's type; a chunk that gave its dictionary up has none in front. */
static int32_t first_page_type(const struct parquet_reader *reader, size_t column) {
    struct bytes bytes = {0};
    struct error err = {0};
    struct page_header header;
    const struct file_chunk *chunk = &reader->metadata.row_groups[0].chunks[column];
    size_t size = chunk->size < 100 ? (size_t)chunk->size : 100;
    assert_true(input_read(&reader->input, chunk->start, size, &bytes, &err));
    assert_true(page_header_parse(&header, bytes.at, size) > 0);
    bytes_deinit(&bytes);
    return header.type;
}

static void a_dictionary_that_does_not_pay_is_given_up(void **state) {
    (void)state;
    static const struct column two[] = {{"few", TYPE_INT64}, {"unique", TYPE_INT64}};
    static const int64_t row_counts[] = {100, 3000, 50000};
    for (size_t i = 0; i < 3; i++) {
        struct file file;
        struct parquet_reader reader;
        start_file(&file, two, 2,
                   &(struct parquet_options){CODEC_NONE, TIMESTAMP_AS_MICROS, .delta = true});
        for (int64_t row = 0; row < row_counts[i]; row++) {
            size_t at = file.rows.count++;
            file.rows.columns[0].int64s[at] = row % 7;
            file.rows.columns[1].int64s[at] = (int64_t)any((uint64_t)row, 0);
            file.rows.columns[0].valid[at] = file.rows.columns[1].valid[at] = 1;
            if (file.rows.count == ROWS_CAPACITY)
                append(&file);
        }
        finish_file(&file, &reader);
        assert_int_equal(first_page_type(&reader, 0), PAGE_DICTIONARY);
        assert_int_equal(first_page_type(&reader, 1), PAGE_DATA);
        const struct file_chunk *chunks = reader.metadata.row_groups[0].chunks;
        assert_true(chunks[0].size < row_counts[i] / 2 + 200);
        assert_true(chunks[1].size < row_counts[i] * 8 + 300);
        end_file(&file, &reader);
    }
}

/* Two of five values are new, so that codes of one, two and four bytes come in turn, until the
 * dictionary has its megabyte and the rest is PLAIN. */
static int64_t growing_value(int64_t row) {
    return row % 5 < 2 ? row : row % 5;
}

static void a_dictionary_grows_until_it_is_full(void **state) {
    (void)state;
    static const struct column one[] = {{"n", TYPE_INT64}};
    enum { COUNT = 400000 };
    struct file file;
    struct parquet_reader reader;
    struct parquet_cursor cursor;
    struct error err = {0};
    size_t column = 0, count;
    int64_t row = 0;
    start_file(&file, one, 1,
               &(struct parquet_options){CODEC_SNAPPY, TIMESTAMP_AS_MICROS, .delta = false});
    for (; row < COUNT; row++) {
        file.rows.columns[0].int64s[file.rows.count] = growing_value(row);
        file.rows.columns[0].valid[file.rows.count++] = 1;
        if (file.rows.count == ROWS_CAPACITY)
            append(&file);
    }
    finish_file(&file, &reader);
    assert_int_equal(first_page_type(&reader, 0), PAGE_DICTIONARY);
    assert_true(reader.metadata.row_groups[0].chunks[0].plain_size > DICTIONARY_SIZE_MAX);
    parquet_cursor_open(&cursor, &reader, &column, 1);
    for (row = 0; parquet_cursor_next(&cursor, &count, &err) && count > 0;)
        for (size_t i = 0; i < count; i++, row++)
            assert_int_equal(cursor.vectors[0].int64s[i], growing_value(row));
    assert_int_equal(row, COUNT);
    parquet_cursor_close(&cursor);
    end_file(&file, &reader);
}

static void long_texts_end_pages_early(void **state) {
    (void)state;
    static const struct column one[] = {{"text", TYPE_BINARY}};
    enum { LONG = 300000, COUNT = 40 };
    struct file file;
    struct parquet_reader reader;
    char *text = must_alloc(LONG, 1);
    start_file(&file, one, 1,
               &(struct parquet_options){CODEC_NONE, TIMESTAMP_AS_MICROS, .delta = true});
    for (size_t row = 0; row < COUNT; row++) {
        memcpy(text, &row, sizeof row); // the slices end before the next changes it
        file.rows.columns[0].texts[0] = (struct text){text, LONG};
        file.rows.columns[0].valid[0] = 1;
        file.rows.count = 1;
        append(&file);
        assert_true(page_scratch_memory(&file.table.scratch) < (size_t)4 * PAGE_SIZE_MAX);
    }
    finish_file(&file, &reader);
    struct parquet_cursor cursor;
    struct error err = {0};
    size_t column = 0, count, total = 0;
    parquet_cursor_open(&cursor, &reader, &column, 1);
    while (parquet_cursor_next(&cursor, &count, &err) && count > 0) {
        assert_true(count <= PAGE_SIZE_MAX / LONG + 1);
        for (size_t row = 0; row < count; row++, total++)
            assert_memory_equal(cursor.vectors[0].texts[row].bytes, &total, sizeof total);
    }
    assert_int_equal(total, COUNT);
    parquet_cursor_close(&cursor);
    end_file(&file, &reader);
    free(text);
}

static void selected_rows_are_written_in_their_order(void **state) {
    (void)state;
    static const struct column one[] = {{"n", TYPE_INT32}};
    static const uint16_t selection[] = {1, 3, 4, 8};
    struct row_slice slice;
    struct file file;
    struct parquet_reader reader;
    struct parquet_cursor cursor;
    struct error err = {0};
    size_t column = 0, count;
    start_file(&file, one, 1,
               &(struct parquet_options){CODEC_SNAPPY, TIMESTAMP_AS_MICROS, .delta = true});
    for (int32_t row = 0; row < 10; row++) {
        file.rows.columns[0].int32s[row] = row * row;
        file.rows.columns[0].valid[row] = row != 4;
    }
    file.rows.count = 10;
    row_slice_init(&slice, &file.rows);
    assert_true(parquet_writer_append(file.writer, &slice, selection, 4, &err));
    rows_reset(&file.rows);
    finish_file(&file, &reader);
    parquet_cursor_open(&cursor, &reader, &column, 1);
    assert_true(parquet_cursor_next(&cursor, &count, &err));
    assert_int_equal(count, 4);
    assert_int_equal(cursor.vectors[0].int32s[0], 1);
    assert_int_equal(cursor.vectors[0].int32s[1], 9);
    assert_false(cursor.vectors[0].valid[2]);
    assert_int_equal(cursor.vectors[0].int32s[3], 64);
    parquet_cursor_close(&cursor);
    end_file(&file, &reader);
}

/* Reads everything that can be read. */
static void read_all(const uint8_t *bytes, size_t size) {
    struct parquet_reader reader;
    struct error err = {0};
    if (parquet_reader_open_memory(&reader, bytes, size, &err) &&
        reader.metadata.column_count > 0) {
        reader.page_size_max = 1 << 20;
        for (size_t column = 0; column < reader.metadata.column_count; column++) {
            struct parquet_cursor cursor;
            size_t rows;
            parquet_cursor_open(&cursor, &reader, &column, 1);
            while (parquet_cursor_next(&cursor, &rows, &err) && rows > 0)
                continue;
            parquet_cursor_close(&cursor);
        }
    }
    parquet_reader_close(&reader);
}

static void damage_is_an_error_and_never_a_crash(void **state) {
    (void)state;
    struct file file;
    struct parquet_reader reader;
    struct bytes bytes = {0};
    struct error err = {0};
    start_file(&file, columns, COLUMN_COUNT,
               &(struct parquet_options){CODEC_SNAPPY, TIMESTAMP_AS_INT96, .delta = true});
    for (uint64_t row = 0; row < 300; row++)
        add_row(&file, row, 20);
    finish_file(&file, &reader);
    assert_true(input_read(&reader.input, 0, (size_t)reader.input.size, &bytes, &err));
    end_file(&file, &reader);

    for (size_t size = 0; size < bytes.size; size += 13) {
        uint8_t *copy = must_alloc(size + 1, 1);
        memcpy(copy, bytes.at, size);
        assert_false(parquet_reader_open_memory(&reader, copy, size, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        parquet_reader_close(&reader);
        free(copy);
    }
    uint8_t *copy = must_alloc(bytes.size, 1);
    for (uint64_t round = 0; round < 4000; round++) {
        memcpy(copy, bytes.at, bytes.size);
        for (uint64_t i = 0; i <= round % 4; i++)
            copy[any(round, i) % bytes.size] = (uint8_t)(any(round, i + 10) >> 5);
        read_all(copy, bytes.size);
    }
    free(copy);
    bytes_deinit(&bytes);
}

/* The kinds differ: what the disk refuses may pass, what is cut off does not come back. */
static void a_read_that_fails_names_the_file(void **state) {
    (void)state;
    static const struct {
        int error_number;
        enum error_kind kind;
    } cases[] = {{EIO, ERROR_RETRY}, {0, ERROR_STATE}};
    static const struct column column[] = {{"a", TYPE_STRING}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file file;
        struct parquet_reader reader, again;
        struct error err = {0};
        struct bytes bytes = {0};
        start_file(&file, column, 1, &(struct parquet_options){CODEC_NONE, TIMESTAMP_AS_MICROS});
        finish_file(&file, &reader);
        faulty_reads_begin(file.path, cases[i].error_number, 4);
        assert_false(input_read(&reader.input, 2, 4, &bytes, &err));
        assert_int_equal(err.kind, cases[i].kind);
        assert_non_null(strstr(err.message, file.path));
        err = (struct error){0};
        assert_false(parquet_reader_open(&again, file.path, &err));
        assert_int_equal(err.kind, cases[i].kind);
        assert_non_null(strstr(err.message, file.path));
        parquet_reader_close(&again);
        disk = &disk_real;
        bytes_deinit(&bytes);
        end_file(&file, &reader);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_type_come_back_in_every_codec),
        cmocka_unit_test(rows_of_few_and_many_distinct_values_come_back),
        cmocka_unit_test(row_groups_follow_each_other),
        cmocka_unit_test(a_file_without_rows_is_a_file),
        cmocka_unit_test(the_footer_says_what_spark_says),
        cmocka_unit_test(statistics_cover_nulls_and_bounds),
        cmocka_unit_test(a_dictionary_that_does_not_pay_is_given_up),
        cmocka_unit_test(a_dictionary_grows_until_it_is_full),
        cmocka_unit_test(long_texts_end_pages_early),
        cmocka_unit_test(selected_rows_are_written_in_their_order),
        cmocka_unit_test(damage_is_an_error_and_never_a_crash),
        cmocka_unit_test(a_read_that_fails_names_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
