#include "surfaces/demo/demo_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "pipeline/parquet/read/reader.h"
#include "surfaces/rows/lake_files.h"
#include "surfaces/rows/shown_columns.h"
#include "surfaces/terminal/cell_text.h"
#include "surfaces/terminal/output.h"
#include "surfaces/terminal/text_table.h"

enum { SAMPLE_ROWS = 5, REASONS_MAX = REJECT_REASON_COUNT };

/* ---- counts per partition ---- */

static void print_total(FILE *out, const struct lake_files *files, const char *what,
                        const char *path) {
    int64_t rows = 0, bytes = 0;
    for (size_t i = 0; i < files->count; i++) {
        rows += files->files[i].rows;
        bytes += files->files[i].bytes;
    }
    (void)fprintf(out, "\n%s: ", what);
    if (files->count == 0)
        (void)fprintf(out, "none\n");
    else
        (void)fprintf(out, "%lld row%s, %zu file%s, %lld KiB, in %s\n\n", (long long)rows,
                      rows == 1 ? "" : "s", files->count, files->count == 1 ? "" : "s",
                      (long long)(bytes + 1023) / 1024, path);
}

static void print_partitions(FILE *out, const struct lake_files *files) {
    struct text_table table;
    text_table_init(&table, (const char *const[]){"directory", ">rows", ">files"}, 3);
    for (size_t i = 0; i < files->count;) {
        const char *directory = files->files[i].directory;
        long long rows = 0;
        size_t first = i;
        for (; i < files->count && strcmp(files->files[i].directory, directory) == 0; i++)
            rows += files->files[i].rows;
        char rows_text[24], files_text[24];
        snprintf(rows_text, sizeof rows_text, "%lld", rows);
        snprintf(files_text, sizeof files_text, "%zu", i - first);
        text_table_add(&table, (const char *const[]){directory, rows_text, files_text});
    }
    if (files->count > 0)
        text_table_print(&table, 2, out);
    text_table_deinit(&table);
}

/* ---- a few rows ---- */

/* Those that are shown, as far as the file has them. */
static size_t choose_columns(const struct stream *stream, const struct file_metadata *metadata,
                             size_t columns[static TEXT_TABLE_COLUMNS_MAX]) {
    struct shown_columns shown;
    shown_columns_init(&shown, stream, NULL, 0);
    size_t count = 0;
    for (size_t i = 0; i < shown.count && count < TEXT_TABLE_COLUMNS_MAX - 1; i++) {
        int index = file_metadata_find(metadata, shown.names[i]);
        if (index >= 0)
            columns[count++] = (size_t)index;
    }
    return count;
}

static void add_headings(struct text_table *table, const struct file_metadata *metadata,
                         const size_t *columns, size_t count) {
    char names[TEXT_TABLE_COLUMNS_MAX][64];
    const char *headings[TEXT_TABLE_COLUMNS_MAX] = {"directory"};
    for (size_t i = 0; i < count; i++) {
        const struct file_column *column = &metadata->columns[columns[i]];
        bool number =
            column->type == TYPE_INT32 || column->type == TYPE_INT64 || column->type == TYPE_DOUBLE;
        snprintf(names[i], sizeof names[i], "%s%.*s", number ? ">" : "", (int)column->name.length,
                 column->name.bytes);
        headings[i + 1] = names[i];
    }
    text_table_init(table, headings, count + 1);
}

/* The first row of a file. The table is made at the first one, of its columns. */
static bool add_first_row(struct text_table *table, const struct stream *stream,
                          const struct lake_file *file, struct error *err) {
    struct parquet_reader reader;
    struct parquet_cursor cursor = {0};
    size_t columns[TEXT_TABLE_COLUMNS_MAX], rows = 0;
    bool ok = parquet_reader_open(&reader, file->path, err);
    if (ok) {
        size_t count = choose_columns(stream, &reader.metadata, columns);
        if (table->row_count == 0)
            add_headings(table, &reader.metadata, columns, count);
        parquet_cursor_open(&cursor, &reader, columns, count);
        ok = parquet_cursor_next(&cursor, &rows, err);
    }
    if (ok && rows > 0) {
        char texts[TEXT_TABLE_COLUMNS_MAX][CELL_TEXT_MAX];
        const char *cells[TEXT_TABLE_COLUMNS_MAX] = {file->directory};
        for (size_t i = 0; i + 1 < table->column_count; i++) {
            cell_text(&cursor.vectors[i], 0, texts[i]);
            cells[i + 1] = texts[i];
        }
        text_table_add(table, cells);
    }
    parquet_cursor_close(&cursor);
    parquet_reader_close(&reader);
    return ok;
}

/* One row each of the first directories. */
static bool print_sample(FILE *out, const struct stream *stream, const struct lake_files *files,
                         struct error *err) {
    struct text_table table = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < files->count && table.row_count < SAMPLE_ROWS + 1; i++)
        if (i == 0 || strcmp(files->files[i].directory, files->files[i - 1].directory) != 0)
            ok = add_first_row(&table, stream, &files->files[i], err);
    if (ok && table.row_count > 0) {
        (void)fprintf(out, "\n");
        text_table_print(&table, 2, out);
    }
    text_table_deinit(&table);
    return ok;
}

/* ---- rejects ---- */

/* What is told of one reason: how many, and the first as an example. */
struct reason {
    char name[CELL_TEXT_MAX];
    int64_t count;
    char partition[CELL_TEXT_MAX], offset[CELL_TEXT_MAX], detail[CELL_TEXT_MAX];
    char value[CELL_TEXT_MAX];
};

struct reasons {
    struct reason items[REASONS_MAX];
    size_t count;
};

static const char *const reject_columns[] = {"reason", "partition", "offset", "detail", "value"};

enum { REJECT_COLUMNS = sizeof reject_columns / sizeof reject_columns[0] };

static void count_reject(struct reasons *reasons, const struct vector *vectors, size_t row) {
    char name[CELL_TEXT_MAX];
    cell_text(&vectors[0], row, name);
    size_t i = 0;
    while (i < reasons->count && strcmp(reasons->items[i].name, name) != 0)
        i++;
    if (i == REASONS_MAX)
        return; // of another version of this program; the total still has it
    struct reason *reason = &reasons->items[i];
    if (i == reasons->count) {
        reasons->count++;
        memcpy(reason->name, name, sizeof name);
        cell_text(&vectors[1], row, reason->partition);
        cell_text(&vectors[2], row, reason->offset);
        cell_text(&vectors[3], row, reason->detail);
        cell_text(&vectors[4], row, reason->value);
    }
    reason->count++;
}

static bool count_rejects(const struct lake_file *file, struct reasons *reasons,
                          struct error *err) {
    struct parquet_reader reader;
    struct parquet_cursor cursor = {0};
    size_t columns[REJECT_COLUMNS], rows = 1;
    bool ok = parquet_reader_open(&reader, file->path, err);
    for (size_t i = 0; ok && i < REJECT_COLUMNS; i++) {
        int index = file_metadata_find(&reader.metadata, reject_columns[i]);
        columns[i] = (size_t)index;
        if (index < 0)
            ok = error_set(err, ERROR_STATE, "'%s' has no column '%s': it is no file of rejects",
                           file->path, reject_columns[i]);
    }
    if (ok)
        parquet_cursor_open(&cursor, &reader, columns, REJECT_COLUMNS);
    while (ok && rows > 0) {
        ok = parquet_cursor_next(&cursor, &rows, err);
        for (size_t row = 0; ok && row < rows; row++)
            count_reject(reasons, cursor.vectors, row);
    }
    parquet_cursor_close(&cursor);
    parquet_reader_close(&reader);
    return ok;
}

static bool print_rejects(FILE *out, const struct lake_files *files, struct error *err) {
    struct reasons *reasons = must_alloc(1, sizeof *reasons);
    bool ok = true;
    for (size_t i = 0; ok && i < files->count; i++)
        ok = count_rejects(&files->files[i], reasons, err);
    struct text_table table;
    text_table_init(&table,
                    (const char *const[]){"reason", ">records", "first at", "detail", "value"}, 5);
    for (size_t i = 0; i < reasons->count; i++) {
        const struct reason *reason = &reasons->items[i];
        char count[24], place[2 * CELL_TEXT_MAX];
        snprintf(count, sizeof count, "%lld", (long long)reason->count);
        snprintf(place, sizeof place, "partition %s, offset %s", reason->partition, reason->offset);
        text_table_add(&table, (const char *const[]){reason->name, count, place, reason->detail,
                                                     reason->value});
    }
    if (ok && reasons->count > 0)
        text_table_print(&table, 2, out);
    text_table_deinit(&table);
    free(reasons);
    return ok;
}

/* ---- all of it ---- */

static bool print_query(FILE *out, const struct config *config, const struct stream *stream,
                        struct error *err) {
    scoped(scope_free) char *table = config_path(config, PATH_TABLE, stream);
    scoped(scope_free) char *rejects = config_path(config, PATH_REJECTS, stream);
    struct lake_files files, rejected = {0};
    char what[64];
    bool ok = lake_files_list(table, &files, err);
    if (ok) {
        print_total(out, &files, stream->job, table);
        print_partitions(out, &files);
        ok = print_sample(out, stream, &files, err) && lake_files_list(rejects, &rejected, err);
    }
    if (ok) {
        snprintf(what, sizeof what, "Rejected %s", stream->job);
        print_total(out, &rejected, what, rejects);
        ok = print_rejects(out, &rejected, err);
    }
    lake_files_deinit(&rejected);
    lake_files_deinit(&files);
    return ok;
}

static void print_reading(FILE *out, const struct config *config) {
    scoped(scope_free) char *table = config_path(config, PATH_TABLE, streams[0]);
    (void)fprintf(out,
                  "\nReading them\n\n"
                  "  Spark    spark.read.parquet(\"%s\").show()\n\n"
                  "  DuckDB   SELECT * FROM read_parquet('%s/**/*.parquet', hive_partitioning = "
                  "true);\n\n"
                  "  pandas   import pandas, pyarrow.dataset\n"
                  "           pandas.read_parquet(\"%s\",\n"
                  "                               partitioning=pyarrow.dataset.partitioning(flavor="
                  "\"hive\"))\n",
                  table, table, table);
}

bool demo_report_print(FILE *out, const struct config *config, struct error *err) {
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]) && !print_query(out, config, streams[i], err))
            return false;
    print_reading(out, config);
    (void)fprintf(out, "\nEverything is below %s\n", config->data_lake_path);
    return output_flush(out, err);
}
