/* The tables are read back from disk as any reader would, not told from what the queries counted:
 * rows by the footers of the files, one row of each of the first few directories, and all rejects
 * by reason. */
#include "surfaces/demo/demo_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/scope.h"
#include "base/text.h"
#include "pipeline/parquet/read/reader.h"
#include "streaming/changes/rejects.h"
#include "surfaces/demo/sample.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/terminal/output.h"

/* So that a report is about one screen of 80 columns. */
enum { SHOWN_ROWS = 3, SHOWN_COLUMNS = 5, DIRECTORIES_MAX = 5, REASONS_MAX = REJECT_REASON_COUNT };

/* ---- counts per directory ---- */

/* A directory of partition values, and what is in it. */
struct leaf {
    char *directory; // owned, as the path; relative to the table: "status=live"; "": the table's
    char *path;      // of its first file
    int64_t rows, bytes;
    size_t files;
};

struct leaves {
    const char *root;
    struct leaf *items; // owned; ascending once all files are counted
    size_t count;
    struct error *err;
    bool failed;
};

/* The directory that the file is in. */
static struct leaf *find_leaf(struct leaves *leaves, const char *path) {
    const char *slash = strrchr(path, '/');
    size_t size = slash != NULL ? (size_t)(slash - path) : 0;
    for (size_t i = 0; i < leaves->count; i++)
        if (strlen(leaves->items[i].directory) == size &&
            memcmp(leaves->items[i].directory, path, size) == 0)
            return &leaves->items[i];
    leaves->items = reallocarray(leaves->items, leaves->count + 1, sizeof *leaves->items);
    check(leaves->items != NULL);
    struct leaf *leaf = &leaves->items[leaves->count++];
    *leaf = (struct leaf){.directory = strndup(path, size)};
    check(leaf->directory != NULL);
    return leaf;
}

/* One that has gone since it was listed is none. */
static bool count_file(void *context, const char *path) {
    struct leaves *leaves = context;
    struct parquet_reader reader;
    struct file_path full = file_join(leaves->root, path);
    int64_t bytes = 0;
    bool ok = parquet_reader_open(&reader, full.text, leaves->err) &&
              file_exists(full.text, &bytes, leaves->err) >= 0;
    if (ok) {
        struct leaf *leaf = find_leaf(leaves, path);
        leaf->rows += reader.metadata.rows;
        leaf->bytes += bytes;
        leaf->files++;
        if (leaf->path == NULL || strcmp(path, leaf->path) < 0) {
            free(leaf->path);
            leaf->path = text_copy(path);
        }
    }
    parquet_reader_close(&reader);
    leaves->failed = !ok && !file_is_gone(full.text);
    return !leaves->failed;
}

static int by_directory(const void *a, const void *b) {
    return strcmp(((const struct leaf *)a)->directory, ((const struct leaf *)b)->directory);
}

/* Leaves what leaves_deinit() takes, in any case. */
static bool count_files(struct leaves *leaves, const char *root, size_t depth, struct error *err) {
    struct table table;
    *leaves = (struct leaves){.root = root, .err = err};
    bool ok = table_open(&table, root, err) &&
              table_each_file(&table, depth, count_file, leaves, err) && !leaves->failed;
    table_close(&table);
    if (leaves->count > 1)
        qsort(leaves->items, leaves->count, sizeof *leaves->items, by_directory);
    return ok;
}

static void leaves_deinit(struct leaves *leaves) {
    for (size_t i = 0; i < leaves->count; i++) {
        free(leaves->items[i].directory);
        free(leaves->items[i].path);
    }
    free(leaves->items);
}

static void print_total(FILE *out, const struct leaves *leaves, const char *what) {
    struct leaf all = {0};
    for (size_t i = 0; i < leaves->count; i++) {
        all.rows += leaves->items[i].rows;
        all.bytes += leaves->items[i].bytes;
        all.files += leaves->items[i].files;
    }
    (void)fprintf(out, "\n%s: ", what);
    if (all.files == 0)
        (void)fprintf(out, "none\n");
    else
        (void)fprintf(out, "%s in %s, %" PRId64 " KiB\n\n", text_count(all.rows, "row").text,
                      text_count((int64_t)all.files, "file").text, (all.bytes + 1023) / 1024);
}

/* The first few, if there are many. */
static void print_directories(FILE *out, const struct leaves *leaves) {
    struct text_table table;
    size_t shown = leaves->count > DIRECTORIES_MAX ? DIRECTORIES_MAX - 1 : leaves->count;
    text_table_init(&table, (const char *const[]){"directory", ">rows", ">files"}, 3);
    for (size_t i = 0; i < shown; i++) {
        const struct leaf *leaf = &leaves->items[i];
        char rows[24], files[24];
        (void)snprintf(rows, sizeof rows, "%" PRId64, leaf->rows);
        (void)snprintf(files, sizeof files, "%zu", leaf->files);
        const char *directory = *leaf->directory != '\0' ? leaf->directory : ".";
        text_table_add(&table, (const char *const[]){directory, rows, files});
    }
    if (leaves->count > 0)
        text_table_print(&table, 2, out);
    if (shown < leaves->count)
        (void)fprintf(out, "  … and %zu more directories\n", leaves->count - shown);
    text_table_deinit(&table);
}

/* ---- a few rows ---- */

/* What is shown of a table: its first file says which of the columns are there. */
struct excerpt {
    const char *root;
    struct shown_columns shown;
    struct text_table table;
};

static bool add_first_row(struct excerpt *excerpt, const struct leaf *leaf, struct error *err) {
    struct table_rows rows;
    bool ok = table_rows_open(&rows, &(struct rows_source){.root = excerpt->root}, leaf->path, NULL,
                              0, err);
    if (ok && excerpt->table.row_count == 0) {
        shown_columns_keep(&excerpt->shown, &rows);
        shown_columns_begin(&excerpt->shown, NULL, &excerpt->table);
    }
    ok = ok && table_rows_next(&rows, err);
    if (ok && rows.count > 0) {
        scoped(scope_free) char *cells =
            shown_columns_join(&excerpt->shown, NULL, &excerpt->table, &rows, 0);
        text_table_add_joined(&excerpt->table, cells);
    }
    table_rows_close(&rows);
    return ok;
}

/* One row each of the first directories. */
static bool print_rows(FILE *out, const struct stream *stream, const struct leaves *leaves,
                       struct error *err) {
    struct excerpt excerpt = {.root = leaves->root};
    bool ok = true;
    shown_columns_identify(&excerpt.shown, stream, SHOWN_COLUMNS);
    for (size_t i = 0; ok && i < leaves->count && excerpt.table.row_count < SHOWN_ROWS + 1; i++)
        ok = add_first_row(&excerpt, &leaves->items[i], err);
    if (ok && excerpt.table.row_count > 0) {
        (void)fprintf(out, "\n");
        text_table_print(&excerpt.table, 2, out);
    }
    text_table_deinit(&excerpt.table);
    return ok;
}

/* ---- rejects ---- */

/* What is shown of one reason: how many, and the first as an example. */
struct reason {
    char name[CELL_TEXT_MAX];
    int64_t count;
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
        cell_text(&vectors[1], row, reason->value);
    }
    reason->count++;
}

static void print_reasons(FILE *out, const struct reasons *reasons) {
    struct text_table table;
    text_table_init(&table, (const char *const[]){"reason", ">records", "value of the first"}, 3);
    for (size_t i = 0; i < reasons->count; i++) {
        const struct reason *reason = &reasons->items[i];
        char count[24];
        (void)snprintf(count, sizeof count, "%" PRId64, reason->count);
        text_table_add(&table, (const char *const[]){reason->name, count, reason->value});
    }
    if (reasons->count > 0)
        text_table_print(&table, 2, out);
    text_table_deinit(&table);
}

static bool print_rejects(FILE *out, const char *root, struct error *err) {
    static const struct wanted_column columns[] = {{"reason", TYPE_STRING}, {"value", TYPE_BINARY}};
    struct table table;
    struct reject_files files = {0};
    struct reasons *reasons = must_alloc(1, sizeof *reasons);
    bool ok = table_open(&table, root, err) && reject_files_list(&table, &files, err);
    for (size_t i = 0; ok && i < files.list.count; i++)
        ok = table_rows_each(&(struct rows_source){.root = root}, files.list.paths[i], columns,
                             sizeof columns / sizeof columns[0], count_reject, reasons, err);
    if (ok)
        print_reasons(out, reasons);
    reject_files_deinit(&files);
    table_close(&table);
    free(reasons);
    return ok;
}

/* ---- all of it ---- */

static bool print_query(FILE *out, const struct config *config, const struct stream *stream,
                        struct error *err) {
    struct store_options store = config_store_options(config, stream);
    struct leaves leaves, rejected = {0};
    char what[64];
    bool ok = count_files(&leaves, store.table, store.partition_by_count, err);
    if (ok) {
        print_total(out, &leaves, stream->job);
        print_directories(out, &leaves);
        ok = print_rows(out, stream, &leaves, err) && count_files(&rejected, store.rejects, 0, err);
    }
    if (ok) {
        (void)snprintf(what, sizeof what, "rejected %s", stream->job);
        print_total(out, &rejected, what);
        ok = print_rejects(out, store.rejects, err);
    }
    leaves_deinit(&rejected);
    leaves_deinit(&leaves);
    config_store_options_deinit(&store);
    return ok;
}

static const struct stream *first_of(const struct config *config) {
    size_t i = 0;
    while (streams[i] != NULL && !config_runs(config, streams[i]))
        i++;
    check(streams[i] != NULL);
    return streams[i];
}

/* Commands that work as they are printed. */
static void print_next(FILE *out, const struct config *config) {
    const char *program = program_invocation_name;
    const struct stream *stream = first_of(config);
    scoped(scope_free) char *jobs = config_jobs(config);
    bool all = strcmp(jobs, "all") == 0;
    scoped(scope_free) char *table = config_path(config, PATH_TABLE, stream);
    (void)fprintf(out,
                  "\nNext: look at what the demo made (delete the directory afterwards)\n\n"
                  "  export DATA_LAKE_PATH=%s\n"
                  "  %s tail --job %s\n"
                  "  %s rejects ls --job %s\n"
                  "  %s rejects show 0:13 --job %s\n\n"
                  "  Spark    spark.read.parquet(\"%s\")\n"
                  "  DuckDB   FROM read_parquet('%s/**/*.parquet', hive_partitioning = true);\n"
                  "  pandas   pandas.read_parquet(\"%s\", partitioning=\n"
                  "             pyarrow.dataset.partitioning(flavor=\"hive\"))\n",
                  config->data_lake_path, program, stream->job, program, stream->job, program,
                  stream->job, table, table, table);
    if (!config->live)
        (void)fprintf(out, "\nWatch it run, with its status page:\n\n  %s --demo --live%s%s\n",
                      program, all ? "" : " --job ", all ? "" : jobs);
    (void)fprintf(out,
                  "\nRun it on your Kafka:\n\n"
                  "  export KAFKA_BOOTSTRAP_SERVERS=kafka:9092 DATA_LAKE_PATH=/data/lake\n"
                  "  %s doctor\n"
                  "  %s --job %s\n",
                  program, program, jobs);
}

bool demo_report_print(FILE *out, const struct config *config, struct error *err) {
    (void)fprintf(out,
                  "The sample records were read from an embedded Kafka into Parquet tables.\n"
                  "One record in %d has a fault, and most of these are rejects.\n",
                  SAMPLE_FAULT_EVERY);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (config_runs(config, streams[i]) && !print_query(out, config, streams[i], err))
            return false;
    print_next(out, config);
    return output_flush(out, err);
}
