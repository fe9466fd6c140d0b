/* reader.c: a Parquet file is opened by its footer; a cursor reads some of its columns together.
 *
 * The footer's length and the magic are the file's last bytes, so a truncated file is recognised
 * at once. Columns have pages of different sizes: a step takes as many rows as every column has in
 * its open page, so that no page is held longer than it is read. */
#include "pipeline/parquet/read/reader.h"

#include "base/check.h"
#include "pipeline/parquet/format.h"

enum {
    TAIL_SIZE = sizeof(uint32_t) + MAGIC_SIZE, // length of the footer, magic
    FILE_SIZE_MIN = MAGIC_SIZE + TAIL_SIZE,
};

static bool read_footer(struct parquet_reader *reader, struct error *err) {
    const struct input *input = &reader->input;
    uint32_t size;
    if (input->size < FILE_SIZE_MIN)
        return error_set(err, ERROR_STATE, "'%s' is not a Parquet file: it has only %lld bytes",
                         input->name, (long long)input->size);
    if (!input_read(input, input->size - TAIL_SIZE, TAIL_SIZE, &reader->footer, err))
        return false;
    if (memcmp(reader->footer.at + sizeof size, PARQUET_MAGIC, MAGIC_SIZE) != 0)
        return error_set(err, ERROR_STATE,
                         "'%s' is not a complete Parquet file: it does not end with %s",
                         input->name, PARQUET_MAGIC);
    memcpy(&size, reader->footer.at, sizeof size);
    if (size > input->size - FILE_SIZE_MIN)
        return error_set(err, ERROR_STATE, "'%s' is damaged: its footer is larger than the file",
                         input->name);
    if (!input_read(input, input->size - TAIL_SIZE - size, size, &reader->footer, err))
        return false;
    return file_metadata_parse(&reader->metadata, reader->footer.at, size, err) ||
           error_wrap(err, "'%s'", input->name);
}

bool parquet_reader_open(struct parquet_reader *reader, const char *path, struct error *err) {
    *reader = (struct parquet_reader){.page_size_max = INT32_MAX};
    return input_open(&reader->input, path, err) && read_footer(reader, err);
}

bool parquet_reader_open_memory(struct parquet_reader *reader, const uint8_t *bytes, size_t size,
                                struct error *err) {
    *reader = (struct parquet_reader){.page_size_max = INT32_MAX};
    input_open_memory(&reader->input, bytes, size);
    return read_footer(reader, err);
}

bool parquet_reader_open_input(struct parquet_reader *reader, const struct input *input,
                               struct error *err) {
    *reader = (struct parquet_reader){.page_size_max = INT32_MAX, .input = *input};
    return read_footer(reader, err);
}

void parquet_reader_close(struct parquet_reader *reader) {
    file_metadata_deinit(&reader->metadata);
    bytes_deinit(&reader->footer);
    codec_state_deinit(&reader->codec);
    input_close(&reader->input);
}

struct text parquet_reader_key_value(const struct parquet_reader *reader, const char *key) {
    for (size_t i = 0; i < reader->metadata.key_value_count; i++)
        if (text_equals(reader->metadata.key_values[i].key, text_borrow(key)))
            return reader->metadata.key_values[i].value;
    return (struct text){0};
}

void parquet_cursor_open(struct parquet_cursor *cursor, struct parquet_reader *reader,
                         const size_t *columns, size_t column_count) {
    check(column_count > 0 && column_count <= SCHEMA_COLUMNS_MAX);
    // Most of a cursor is room for more columns and rows than these, which is not cleared.
    cursor->reader = reader;
    cursor->column_count = column_count;
    cursor->row_group = 0;
    cursor->rows_left = 0;
    cursor->readers = malloc(column_count * sizeof *cursor->readers);
    check(cursor->readers != NULL);
    for (size_t i = 0; i < column_count; i++) {
        check(columns[i] < reader->metadata.column_count);
        cursor->columns[i] = columns[i];
        column_reader_init(&cursor->readers[i]);
    }
}

static void close_columns(struct parquet_cursor *cursor) {
    for (size_t i = 0; i < cursor->column_count; i++)
        column_reader_close(&cursor->readers[i]);
}

void parquet_cursor_close(struct parquet_cursor *cursor) {
    close_columns(cursor);
    free(cursor->readers);
    cursor->readers = NULL;
    cursor->column_count = 0;
}

/* Opens row groups until one has rows. */
static bool open_row_group(struct parquet_cursor *cursor, struct error *err) {
    const struct file_metadata *metadata = &cursor->reader->metadata;
    while (cursor->rows_left == 0 && cursor->row_group < metadata->row_group_count) {
        const struct file_row_group *group = &metadata->row_groups[cursor->row_group++];
        for (size_t i = 0; i < cursor->column_count; i++)
            if (!column_reader_open(&cursor->readers[i], &cursor->reader->input,
                                    &metadata->columns[cursor->columns[i]],
                                    &group->chunks[cursor->columns[i]], &cursor->reader->codec,
                                    cursor->reader->page_size_max, err))
                return false;
        cursor->rows_left = group->rows;
    }
    return true;
}

bool parquet_cursor_next(struct parquet_cursor *cursor, size_t *rows, struct error *err) {
    *rows = 0;
    if (!open_row_group(cursor, err))
        return false;
    int64_t count = cursor->rows_left < READ_ROWS_MAX ? cursor->rows_left : READ_ROWS_MAX;
    for (size_t i = 0; i < cursor->column_count && count > 0; i++) {
        int64_t ready;
        if (!column_reader_prepare(&cursor->readers[i], &ready, err))
            return false;
        count = ready < count ? ready : count;
    }
    // The footer's counts agree, and no chunk has more rows than it says: none is at its end early.
    check(count > 0 || cursor->rows_left == 0);
    for (size_t i = 0; i < cursor->column_count && count > 0; i++)
        if (!column_reader_read(&cursor->readers[i], (size_t)count, &cursor->vectors[i], err))
            return false;
    cursor->rows_left -= count;
    *rows = (size_t)count;
    return true;
}
