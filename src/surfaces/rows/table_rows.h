/* table_rows.h: the rows of one data file of a table, with the columns that its directories name
 * ("status=live/part-….parquet") behind those in the file, as Spark reads it; and which of its
 * columns are shown. */
#ifndef SURFACES_ROWS_TABLE_ROWS_H
#define SURFACES_ROWS_TABLE_ROWS_H

#include "base/json.h"
#include "pipeline/parquet/read/reader.h"
#include "streaming/changes/kept_files.h"
#include "streaming/declare/stream.h"
#include "surfaces/settings/config.h"
#include "surfaces/terminal/text_table.h"

/* A column that is in the names of directories. */
struct directory_value {
    struct text name; // points into the path
    const char *text; // points into the values; NULL: null
    size_t size;
};

/* Those of a path, relative to the table; `room` has as many bytes as it. Returns how many. */
size_t directory_values_read(const char *path, char *room,
                             struct directory_value values[static PARTITION_BY_MAX]);

struct table_rows {
    struct parquet_reader reader;
    struct parquet_cursor cursor;
    char *path;   // owned; relative to the table
    char *values; // owned; those of its directories
    struct directory_value directories[PARTITION_BY_MAX];
    size_t directory_count;
    int64_t first; // number of the first of the rows read last
    size_t count;  // of them
};

/* Where a table's files are; all is borrowed. */
struct rows_source {
    const char *root;
    struct kept_files *kept; // for files that leave the table meanwhile; NULL: they are gone
    bool of_rejects;
};

/* Opens a file of the table. With `columns`, only these are read, each of which must be there with
 * the type; without, all. Leaves rows that must be closed in any case. ERROR_STATE: the file is not
 * there, damaged, or lacks a column; ERROR_RETRY: the disk. */
struct wanted_column {
    const char *name;
    enum type type;
};
MUST_CHECK bool table_rows_open(struct table_rows *rows, const struct rows_source *source,
                                const char *path, const struct wanted_column *columns,
                                size_t column_count, struct error *err);
void table_rows_close(struct table_rows *rows);

/* The next rows; rows->count 0: there are no more. */
MUST_CHECK bool table_rows_next(struct table_rows *rows, struct error *err);

/* Reads all of them, from opening to closing. */
MUST_CHECK bool table_rows_each(const struct rows_source *source, const char *path,
                                const struct wanted_column *columns, size_t column_count,
                                void (*visit)(void *context, const struct table_rows *rows,
                                              size_t row),
                                void *context, struct error *err);

/* Row `row` of those read last, as an object; owned by the caller. Timestamps are texts in UTC,
 * bytes base64. `schema`: of the table; its columns that an older file does not have are null.
 * *digits: for json_print_digits(). */
struct json *table_row_json(const struct table_rows *rows, size_t row, const struct schema *schema,
                            int *digits);

/* One value as such an object has it; *digits grows to what it needs. */
void table_rows_put(struct json *object, const char *name, const struct vector *vector, size_t row,
                    int *digits);

/* The columns of a table that are worth the width of a terminal: the identifier, the partition
 * columns, where the record came from, and what was derived. */
enum { SHOWN_COLUMNS_MAX = TEXT_TABLE_COLUMNS_MAX - 1 };

struct shown_columns {
    const char *names[SHOWN_COLUMNS_MAX]; // constants
    bool numbers[SHOWN_COLUMNS_MAX];      // whether it is a column of numbers
    size_t count;
};

void shown_columns_init(struct shown_columns *shown, const struct stream *stream,
                        const char *const *partition_by, size_t partition_by_count);

/* The first `most` of them, without where the record came from. */
void shown_columns_identify(struct shown_columns *shown, const struct stream *stream, size_t most);

/* Leaves those that the file itself has. */
void shown_columns_keep(struct shown_columns *shown, const struct table_rows *rows);

/* A table of text with these columns, and one of its rows; `first`: what comes before them; NULL:
 * nothing. */
void shown_columns_begin(const struct shown_columns *shown, const char *first,
                         struct text_table *table);
char *shown_columns_join(const struct shown_columns *shown, const char *first,
                         const struct text_table *table, const struct table_rows *rows, size_t row);

#endif
