/* writer.h: one Parquet file, row group by row group.
 *
 * Columns of a row group grow in memory, encoded and compressed page by page, until the group is
 * closed; then they are appended to the file, which is open only for that moment. The caller bounds
 * memory: it asks parquet_writer_memory() and closes row groups. Not thread-safe; writers that
 * share a parquet_table belong to one thread. */
#ifndef PARQUET_WRITER_H
#define PARQUET_WRITER_H

#include "core/schema.h"
#include "pipeline/parquet/column_writer.h"
#include "pipeline/parquet/slice.h"

/* Encoded bytes after which a row group is closed in any case, as Spark's default is. */
enum { ROW_GROUP_SIZE_MAX = 128 * 1024 * 1024 };

/* What all files of one table have in common, and the memory that their writers share. */
struct parquet_table {
    size_t column_count;
    struct column_format columns[SCHEMA_COLUMNS_MAX];
    size_t sources[SCHEMA_COLUMNS_MAX]; // the column's index in the rows
    struct parquet_options options;
    struct bytes row_json;
    struct page_scratch scratch;
    struct bytes pending; // output's
    struct bytes slice;   // values and null marks of the slice being appended
    int64_t write_ns;     // time spent waiting for the files' disk
};

/* The schema's columns but those in `excluded` (the partition columns) go into the files. */
void parquet_table_init(struct parquet_table *table, const struct schema *schema,
                        const size_t *excluded, size_t excluded_count,
                        const struct parquet_options *options);
void parquet_table_deinit(struct parquet_table *table);
size_t parquet_table_memory(const struct parquet_table *table);

struct parquet_writer;

/* Nothing is on disk before the first row group is closed. `table` is borrowed, `path` copied. */
struct parquet_writer *parquet_writer_create(struct parquet_table *table, const char *path);

/* Frees; the file stays as it is. */
void parquet_writer_destroy(struct parquet_writer *writer);

/* Appends the rows whose numbers are in `selection`, or with NULL rows [0, count). At most
 * ROWS_CAPACITY. After an error the file can only be removed. ERROR_RETRY: the disk. */
MUST_CHECK bool parquet_writer_append(struct parquet_writer *writer, const struct row_slice *slice,
                                      const uint16_t *selection, size_t count, struct error *err);

/* Instead of rows, a row group can be given column by column, in their order, all with as many
 * rows: values go into the column's writer (column_writer_append()), and its chunk into the file,
 * which stays open until the row group is closed. So memory is that of one column, or of a part:
 * flushing writes the pages that no longer wait for their dictionary, if that is worth it. A table
 * has one such writer at a time. */
struct column_writer *parquet_writer_column(struct parquet_writer *writer, size_t index);
MUST_CHECK bool parquet_writer_flush_column(struct parquet_writer *writer, struct error *err);
MUST_CHECK bool parquet_writer_close_column(struct parquet_writer *writer, struct error *err);

/* Writes the open row group, if it has rows, and syncs. */
MUST_CHECK bool parquet_writer_close_row_group(struct parquet_writer *writer, struct error *err);

struct parquet_file {
    int64_t size; // bytes
    int64_t rows;
    int64_t modified_ms;
};

/* Writes the open row group and the footer, and syncs: the file is complete. */
MUST_CHECK bool parquet_writer_finish(struct parquet_writer *writer, struct parquet_file *file,
                                      struct error *err);

/* Bytes of memory of the writer; of them, those that closing the row group gives back. */
size_t parquet_writer_memory(const struct parquet_writer *writer);
size_t parquet_writer_open_memory(const struct parquet_writer *writer);

const char *parquet_writer_path(const struct parquet_writer *writer);

#endif
