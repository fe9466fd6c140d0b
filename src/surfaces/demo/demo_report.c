#include "surfaces/demo/demo_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "surfaces/rows/lake_files.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/terminal/output.h"

enum { SHOWN_ROWS = 5, REASONS_MAX = REJECT_REASON_COUNT };

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

/* What is shown of a table: its first file says which of the columns are there. */
struct excerpt {
    const char *root;
    struct shown_columns shown;
    struct text_table table;
};

/* The first row of a file. */
static bool add_first_row(struct excerpt *excerpt, const struct lake_file *file,
                          struct error *err) {
    struct table_rows rows;
    bool ok = table_rows_open(&rows, excerpt->root, file->path, NULL, 0, err);
    if (ok && excerpt->table.row_count == 0) {
        shown_columns_keep(&excerpt->shown, &rows);
        shown_columns_begin(&excerpt->shown, "directory", &excerpt->table);
    }
    ok = ok && table_rows_next(&rows, err);
    if (ok && rows.count > 0) {
        scoped(scope_free) char *cells =
            shown_columns_join(&excerpt->shown, file->directory, &excerpt->table, &rows, 0);
        text_table_add_joined(&excerpt->table, cells);
    }
    table_rows_close(&rows);
    return ok;
}

/* One row each of the first directories. */
static bool print_rows(FILE *out, const struct stream *stream, const char *root,
                       const struct lake_files *files, struct error *err) {
    struct excerpt excerpt = {.root = root};
    bool ok = true;
    shown_columns_init(&excerpt.shown, stream, NULL, 0);
    for (size_t i = 0; ok && i < files->count && excerpt.table.row_count < SHOWN_ROWS + 1; i++)
        if (i == 0 || strcmp(files->files[i].directory, files->files[i - 1].directory) != 0)
            ok = add_first_row(&excerpt, &files->files[i], err);
    if (ok && excerpt.table.row_count > 0) {
        (void)fprintf(out, "\n");
        text_table_print(&excerpt.table, 2, out);
    }
    text_table_deinit(&excerpt.table);
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

static void count_reject(void *context, const struct table_rows *rows, size_t row) {
    struct reasons *reasons = context;
    const struct vector *vectors = rows->cursor.vectors;
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

static bool print_rejects(FILE *out, const char *root, const struct lake_files *files,
                          struct error *err) {
    static const struct wanted_column columns[] = {{"reason", TYPE_STRING},
                                                   {"partition", TYPE_INT32},
                                                   {"offset", TYPE_INT64},
                                                   {"detail", TYPE_STRING},
                                                   {"value", TYPE_BINARY}};
    struct reasons *reasons = must_alloc(1, sizeof *reasons);
    bool ok = true;
    for (size_t i = 0; ok && i < files->count; i++)
        ok = table_rows_each(root, files->files[i].path, columns,
                             sizeof columns / sizeof columns[0], count_reject, reasons, err);
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
        ok =
            print_rows(out, stream, table, &files, err) && lake_files_list(rejects, &rejected, err);
    }
    if (ok) {
        snprintf(what, sizeof what, "Rejected %s", stream->job);
        print_total(out, &rejected, what, rejects);
        ok = print_rejects(out, rejects, &rejected, err);
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
