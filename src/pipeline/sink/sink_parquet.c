/* The rows of a slice are first given their files, then sorted by file (each file's rows are
 * counted, so their places are known), and then appended file by file: a writer gets many rows of
 * a column at once. When all writers together hold too much, the one that holds most closes its
 * row group.
 *
 * What must stay true: rows of a file stay in the order in which they came. A file is ours, and
 * removed by sink_destroy(), until sink_finish() has handed it over. */
#include "pipeline/sink/sink_parquet.h"

#include "base/check.h"
#include "base/disk/file.h"
#include "base/system/uuid.h"
#include "base/text.h"
#include "pipeline/parquet/writer.h"
#include "pipeline/sink/sink_route.h"

/* One unfinished file. */
struct sink_file {
    struct parquet_writer *writer; // owned
    char *name;                    // owned; "part-….parquet"
    size_t slice_rows;             // of the slice being appended
    size_t slice_end;              // where its part of the slice's selection ends
};

struct sink {
    struct sink_options options;
    struct parquet_table table;
    struct routes routes;
    struct sink_file *files; // owned; one per route
    size_t file_count, file_capacity;
    size_t writers_memory;
    uint32_t route_of[ROWS_CAPACITY];
    uint16_t selection[ROWS_CAPACITY]; // rows of the slice, those of one file together
};

struct sink *sink_create(const struct sink_options *options) {
    struct sink *sink = must_alloc(1, sizeof *sink);
    sink->options = *options;
    parquet_table_init(&sink->table, options->schema, options->partition_columns,
                       options->partition_column_count, &options->parquet);
    routes_init(&sink->routes, options->schema, options->partition_columns,
                options->partition_column_count);
    return sink;
}

char *sink_file_name(unsigned task, enum parquet_codec codec) {
    char id[37];
    uuid_new(id);
    return text_format("part-%05u-%s.c000%s.parquet", task, id, codec_file_word(codec));
}

static void add_file(struct sink *sink) {
    if (sink->file_count == sink->file_capacity) {
        sink->file_capacity = sink->file_capacity == 0 ? 8 : sink->file_capacity * 2;
        sink->files = realloc(sink->files, sink->file_capacity * sizeof *sink->files);
        check(sink->files != NULL);
    }
    struct sink_file file = {.name =
                                 sink_file_name(sink->options.task, sink->options.parquet.codec)};
    char *path = text_format("%s/%s.staged", sink->options.staging_directory, file.name);
    file.writer = parquet_writer_create(&sink->table, path);
    free(path);
    sink->writers_memory += parquet_writer_memory(file.writer);
    sink->files[sink->file_count++] = file;
}

/* Finds the file of each row of a slice and counts the rows of each. */
static bool route_slice(struct sink *sink, const struct rows *rows, struct error *err) {
    for (size_t row = 0; row < rows->count; row++) {
        size_t route;
        if (!routes_find(&sink->routes, rows, row, &route, err))
            return false;
        if (route == sink->file_count)
            add_file(sink);
        sink->route_of[row] = (uint32_t)route;
        sink->files[route].slice_rows++;
    }
    return true;
}

/* Sorts the rows by file, in their order within each; the files appear in order of their first
 * row. */
static void select_rows(struct sink *sink, size_t count) {
    size_t end = 0;
    for (size_t row = 0; row < count; row++) {
        struct sink_file *file = &sink->files[sink->route_of[row]];
        if (file->slice_end == 0) {
            file->slice_end = end + 1; // one more than where its rows begin: 0 means not seen
            end += file->slice_rows;
        }
        sink->selection[file->slice_end - 1] = (uint16_t)row;
        file->slice_end++;
    }
}

static bool append_to_file(struct sink *sink, struct sink_file *file, const struct row_slice *slice,
                           const uint16_t *selection, size_t count, struct error *err) {
    sink->writers_memory -= parquet_writer_memory(file->writer);
    bool done = parquet_writer_append(file->writer, slice, selection, count, err);
    sink->writers_memory += parquet_writer_memory(file->writer);
    return done;
}

static bool append_slice(struct sink *sink, const struct rows *rows, struct error *err) {
    struct row_slice slice;
    row_slice_init(&slice, rows);
    struct sink_file *first = &sink->files[sink->route_of[0]];
    if (first->slice_rows == rows->count) { // all in one file: nothing to sort
        first->slice_rows = 0;
        return append_to_file(sink, first, &slice, NULL, rows->count, err);
    }
    select_rows(sink, rows->count);
    for (size_t start = 0; start < rows->count;) {
        struct sink_file *file = &sink->files[sink->route_of[sink->selection[start]]];
        size_t count = file->slice_rows;
        file->slice_rows = file->slice_end = 0;
        if (!append_to_file(sink, file, &slice, sink->selection + start, count, err))
            return false;
        start += count;
    }
    return true;
}

static struct sink_file *largest_open(struct sink *sink) {
    struct sink_file *largest = &sink->files[0];
    for (size_t i = 1; i < sink->file_count; i++)
        if (parquet_writer_open_memory(sink->files[i].writer) >
            parquet_writer_open_memory(largest->writer))
            largest = &sink->files[i];
    return largest;
}

/* Closes the largest row groups until all fits, but none below ROW_GROUP_SIZE_MIN: with thousands
 * of files, each would end in crumbs that readers pay for. Then the limit is exceeded by that much.
 */
static bool keep_memory(struct sink *sink, struct error *err) {
    while (sink_memory(sink) > sink->options.memory_max) {
        struct sink_file *file = largest_open(sink);
        if (parquet_writer_open_memory(file->writer) < ROW_GROUP_SIZE_MIN)
            return true;
        sink->writers_memory -= parquet_writer_memory(file->writer);
        if (!parquet_writer_close_row_group(file->writer, err))
            return false;
        sink->writers_memory += parquet_writer_memory(file->writer);
    }
    return true;
}

bool sink_append(struct sink *sink, const struct rows *rows, struct error *err) {
    check(rows->count <= ROWS_CAPACITY);
    if (rows->count == 0)
        return true;
    return route_slice(sink, rows, err) && append_slice(sink, rows, err) && keep_memory(sink, err);
}

static struct data_file data_file_of(const struct sink *sink, size_t index,
                                     const struct parquet_file *written) {
    const struct sink_file *file = &sink->files[index];
    const char *directory = sink->routes.routes[index].directory;
    return (struct data_file){
        .path = text_format("%s%s%s", directory, *directory != '\0' ? "/" : "", file->name),
        .staged = text_format("%s.staged", file->name),
        .size = written->size,
        .rows = written->rows,
        .modified_ms = written->modified_ms,
    };
}

bool sink_finish(struct sink *sink, struct file_list *files, struct error *err) {
    struct file_list finished = {0}; // all of them are handed over, or none
    for (size_t i = 0; i < sink->file_count; i++) {
        struct parquet_file written;
        if (!parquet_writer_finish(sink->files[i].writer, &written, err)) {
            file_list_deinit(&finished);
            return false;
        }
        file_list_add(&finished, data_file_of(sink, i, &written));
    }
    // From here on they are the caller's: sink_destroy() must not find them.
    for (size_t i = 0; i < sink->file_count; i++) {
        parquet_writer_destroy(sink->files[i].writer);
        free(sink->files[i].name);
    }
    sink->file_count = 0;
    file_list_move(files, &finished);
    return true;
}

void sink_destroy(struct sink *sink) {
    if (sink == NULL)
        return;
    for (size_t i = 0; i < sink->file_count; i++) {
        // Most often there is no such file yet. What cannot be removed now goes with the staging
        // directory, before the next attempt.
        file_discard(parquet_writer_path(sink->files[i].writer));
        parquet_writer_destroy(sink->files[i].writer);
        free(sink->files[i].name);
    }
    free(sink->files);
    routes_deinit(&sink->routes);
    parquet_table_deinit(&sink->table);
    free(sink);
}

size_t sink_memory(const struct sink *sink) {
    return sizeof *sink + sink->file_capacity * sizeof *sink->files + sink->writers_memory +
           parquet_table_memory(&sink->table) + routes_memory(&sink->routes);
}

int64_t sink_write_ns(const struct sink *sink) {
    return sink->table.write_ns;
}
