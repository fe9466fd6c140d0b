/* reader.h: reads flat Parquet files, our own and those of Spark and others.
 *
 *     struct parquet_reader reader;
 *     struct parquet_cursor cursor;
 *     size_t columns[2] = {…};
 *     parquet_reader_open(&reader, path, &err);            metadata is in reader.metadata
 *     parquet_cursor_open(&cursor, &reader, columns, 2);   only these columns are read
 *     while (parquet_cursor_next(&cursor, &rows, &err) && rows > 0)
 *         … cursor.vectors[0], cursor.vectors[1]: `rows` rows each
 *
 * Memory: the footer, and per column a page and its dictionary. ERROR_STATE: the file is damaged or
 * of a kind that is not read; ERROR_RETRY: the disk. Not thread-safe. */
#ifndef PARQUET_READER_H
#define PARQUET_READER_H

#include "core/schema.h"
#include "pipeline/parquet/read/column_reader.h"

struct parquet_reader {
    struct input input;
    struct bytes footer; // what the texts in metadata point into
    struct file_metadata metadata;
    struct codec_state codec;
    size_t page_size_max; // bytes; a larger page counts as damage. May be set after opening
};

/* All leave a reader that must be closed, whether they succeed or not. */
MUST_CHECK bool parquet_reader_open(struct parquet_reader *reader, const char *path,
                                    struct error *err);
MUST_CHECK bool parquet_reader_open_memory(struct parquet_reader *reader, const uint8_t *bytes,
                                           size_t size, struct error *err);
/* Of an input that is open; it becomes the reader's. */
MUST_CHECK bool parquet_reader_open_input(struct parquet_reader *reader, const struct input *input,
                                          struct error *err);
void parquet_reader_close(struct parquet_reader *reader);

/* The value of a key in the footer; bytes == NULL: it is not there. */
struct text parquet_reader_key_value(const struct parquet_reader *reader, const char *key);

struct parquet_cursor {
    struct parquet_reader *reader; // borrowed
    size_t column_count;
    size_t columns[SCHEMA_COLUMNS_MAX];
    struct vector vectors[SCHEMA_COLUMNS_MAX]; // the rows read last
    struct column_reader *readers;             // owned
    size_t row_group;                          // the one that is read now
    int64_t rows_left;                         // in it
};

/* Indexes of columns in the file, at most SCHEMA_COLUMNS_MAX. */
void parquet_cursor_open(struct parquet_cursor *cursor, struct parquet_reader *reader,
                         const size_t *columns, size_t column_count);
void parquet_cursor_close(struct parquet_cursor *cursor);

/* The next rows, at most READ_ROWS_MAX; *rows 0: the file is at its end. Vectors and the texts in
 * them stay valid until the next call. */
MUST_CHECK bool parquet_cursor_next(struct parquet_cursor *cursor, size_t *rows, struct error *err);

#endif
