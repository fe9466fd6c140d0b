/* dump.c: prints the rows of a Parquet file as values.h does, as our own reader reads them.
 *
 *     parquet_dump FILE */
#include <stdio.h>

#include "base/check.h"
#include "pipeline/parquet/read/reader.h"
#include "values.h"

static bool dump(struct parquet_reader *reader, struct error *err) {
    struct parquet_cursor cursor;
    size_t columns[SCHEMA_COLUMNS_MAX], rows = 0;
    check(reader->metadata.column_count <= SCHEMA_COLUMNS_MAX);
    for (size_t i = 0; i < reader->metadata.column_count; i++)
        columns[i] = i;
    parquet_cursor_open(&cursor, reader, columns, reader->metadata.column_count);
    bool sound = parquet_cursor_next(&cursor, &rows, err);
    while (sound && rows > 0) {
        print_rows(stdout, cursor.vectors, cursor.column_count, rows);
        sound = parquet_cursor_next(&cursor, &rows, err);
    }
    parquet_cursor_close(&cursor);
    return sound;
}

int main(int argc, char **argv) {
    struct parquet_reader reader;
    struct error err = {0};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: parquet_dump FILE\n");
        return 2;
    }
    bool sound = parquet_reader_open(&reader, argv[1], &err) && dump(&reader, &err);
    parquet_reader_close(&reader);
    if (!sound)
        (void)fprintf(stderr, "%s\n", err.message);
    return sound ? 0 : 1;
}
