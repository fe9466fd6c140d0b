/* A row group's columns grow in memory and are appended to the file when the group is closed; the
 * file is open only for that moment, so that a table with a thousand unfinished files does not
 * need a thousand descriptors. Every close syncs: the kernel reports an error of write-back to the
 * descriptors that are open then, and a later one may never get it. After an error the file is of
 * no use, because it is unknown what of it is on the disk.
 *
 * Columns that come one by one are appended as they end, or even before: the file stays open until
 * the row group is closed. Chunks, indexes and footer are written by the same functions. */
#include "pipeline/parquet/writer.h"

#include "base/check.h"
#include "base/disk/file.h"
#include "base/disk/open_file.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "pipeline/parquet/metadata_writer.h"

/* The file's end while a row group or the footer is appended: bytes gathered, so that small pieces
 * cost no system call each. */
struct output {
    struct file_append file; // its path is borrowed
    int64_t offset;          // of the next byte in the file
    struct bytes *pending;   // borrowed; bytes not yet handed to the system
    int64_t busy_ns;         // time spent waiting for the disk
};

struct parquet_writer {
    struct parquet_table *table; // borrowed
    char *path;                  // owned
    int64_t size;                // of the file so far
    int64_t rows;                // of closed row groups
    int64_t open_rows;           // of the open one
    size_t open_memory;          // of its columns
    struct bytes row_groups;     // their part of the footer
    size_t row_group_count;
    // while a row group is written
    struct output output;
    bool is_open;
    struct chunk_place *places;     // owned; of each column
    size_t written_columns;         // whose chunks are complete
    struct column_writer columns[]; // table->column_count
};

enum {
    PENDING_MAX = 256 * 1024, // bytes
    FLUSH_SIZE = 1024 * 1024, // of a chunk's pages that are worth writing early
};

/* Opens the file for appending at `offset`, which is its size; 0 creates it: it must not exist.
 * All errors here are ERROR_RETRY with path and reason. */
static bool output_open(struct output *output, const char *path, int64_t offset,
                        struct bytes *pending, struct error *err) {
    pending->size = 0;
    *output = (struct output){.offset = offset, .pending = pending};
    int64_t began_ns = clock_stopwatch_ns();
    bool opened = file_append_open(&output->file, path, offset == 0, err);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    return opened;
}

static bool write_all(struct output *output, const uint8_t *bytes, size_t size, struct error *err) {
    int64_t began_ns = clock_stopwatch_ns();
    bool done = file_append_write(&output->file, bytes, size, err);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    return done;
}

static bool write_pending(struct output *output, struct error *err) {
    size_t size = output->pending->size;
    output->pending->size = 0;
    return write_all(output, output->pending->at, size, err);
}

static bool output_write(struct output *output, const void *bytes, size_t size, struct error *err) {
    output->offset += (int64_t)size;
    if (output->pending->size + size > PENDING_MAX && !write_pending(output, err))
        return false;
    if (size > PENDING_MAX) // not worth copying
        return write_all(output, bytes, size, err);
    bytes_append(output->pending, bytes, size);
    return true;
}

/* Closes after an error; what close() says no longer matters. */
static void output_abandon(struct output *output) {
    file_append_abandon(&output->file); // it is going to be removed
}

/* Writes what is pending, syncs and closes. */
static bool output_close(struct output *output, struct error *err) {
    bool done = write_pending(output, err);
    int64_t began_ns = clock_stopwatch_ns();
    done = done && file_append_sync(&output->file, err);
    output->busy_ns += clock_stopwatch_ns() - began_ns;
    if (done)
        return file_append_close(&output->file, err);
    output_abandon(output);
    return false;
}

static bool is_excluded(size_t column, const size_t *excluded, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (excluded[i] == column)
            return true;
    return false;
}

void parquet_table_init(struct parquet_table *table, const struct schema *schema,
                        const size_t *excluded, size_t excluded_count,
                        const struct parquet_options *options) {
    *table = (struct parquet_table){.options = *options};
    for (size_t i = 0; i < schema->count; i++) {
        if (is_excluded(i, excluded, excluded_count))
            continue;
        const struct column *column = &schema->columns[i];
        table->sources[table->column_count] = i;
        enum type stored = stored_type(column->type, column->precision);
        table->columns[table->column_count++] = (struct column_format){
            .name = column->name,
            .type = column->type,
            .stored = stored,
            .physical = physical_of(stored, options->timestamp),
            .fixed_size = stored == TYPE_DECIMAL ? (size_t)decimal_bytes(column->precision) : 0,
            .precision = column->precision,
            .scale = column->scale,
            .required = column->required};
    }
    check(table->column_count > 0);
    metadata_append_row_json(&table->row_json, table->columns, table->column_count);
}

void parquet_table_deinit(struct parquet_table *table) {
    bytes_deinit(&table->row_json);
    page_scratch_deinit(&table->scratch);
    bytes_deinit(&table->pending);
    bytes_deinit(&table->slice);
    *table = (struct parquet_table){0};
}

size_t parquet_table_memory(const struct parquet_table *table) {
    return table->row_json.capacity + page_scratch_memory(&table->scratch) +
           table->pending.capacity + table->slice.capacity;
}

struct parquet_writer *parquet_writer_create(struct parquet_table *table, const char *path) {
    struct parquet_writer *writer =
        must_alloc(1, sizeof *writer + table->column_count * sizeof writer->columns[0]);
    writer->table = table;
    writer->path = text_copy(path);
    writer->output.file.fd = -1;
    for (size_t i = 0; i < table->column_count; i++)
        column_writer_init(&writer->columns[i], &table->columns[i], &table->options);
    return writer;
}

void parquet_writer_destroy(struct parquet_writer *writer) {
    if (writer == NULL)
        return;
    for (size_t i = 0; i < writer->table->column_count; i++)
        column_writer_deinit(&writer->columns[i]);
    if (writer->is_open)
        output_abandon(&writer->output);
    free(writer->places);
    bytes_deinit(&writer->row_groups);
    free(writer->path);
    free(writer);
}

bool parquet_writer_append(struct parquet_writer *writer, const struct row_slice *slice,
                           const uint16_t *selection, size_t count, struct error *err) {
    struct parquet_table *table = writer->table;
    size_t memory = 0;
    check(count <= ROWS_CAPACITY);
    if (count == 0)
        return true;
    for (size_t i = 0; i < table->column_count; i++) {
        struct column_slice values = slice_gather(
            slice, table->sources[i], table->columns[i].stored, selection, count, &table->slice);
        if (!column_writer_append(&writer->columns[i], values, &table->scratch, err))
            return error_wrap(err, "'%s'", writer->path);
        memory += column_writer_memory(&writer->columns[i]);
    }
    writer->open_rows += (int64_t)count;
    writer->open_memory = memory;
    return memory < ROW_GROUP_SIZE_MAX || parquet_writer_close_row_group(writer, err);
}

/* Writes what is pending, syncs and closes. */
static bool close_output(struct parquet_writer *writer, struct error *err) {
    writer->is_open = false;
    writer->size = writer->output.offset;
    bool closed = output_close(&writer->output, err);
    writer->table->write_ns += writer->output.busy_ns;
    return closed;
}

/* Opens the file for more, if it is not open. */
static bool open_output(struct parquet_writer *writer, struct error *err) {
    if (writer->is_open)
        return true;
    if (!output_open(&writer->output, writer->path, writer->size, &writer->table->pending, err))
        return false;
    writer->is_open = true;
    return writer->size > 0 || output_write(&writer->output, PARQUET_MAGIC, MAGIC_SIZE, err);
}

static void start_places(struct parquet_writer *writer) {
    if (writer->places == NULL)
        writer->places = must_alloc(writer->table->column_count, sizeof *writer->places);
}

/* The chunk's next bytes, the first of which say where it begins. */
static bool write_pages(struct parquet_writer *writer, size_t index, struct bytes *dictionary_page,
                        size_t dictionary_plain_size, struct error *err) {
    struct column_writer *column = &writer->columns[index];
    struct chunk_place *place = &writer->places[index];
    if (place->start == 0) {
        place->start = writer->output.offset;
        place->data_at = place->start + (int64_t)dictionary_page->size;
        place->plain_size = (int64_t)dictionary_plain_size;
    }
    return output_write(&writer->output, dictionary_page->at, dictionary_page->size, err) &&
           output_write(&writer->output, column->pages.at, column->pages.size, err);
}

static bool write_chunk(struct parquet_writer *writer, size_t index, struct error *err) {
    struct column_writer *column = &writer->columns[index];
    struct chunk_place *place = &writer->places[index];
    struct chunk chunk;
    bool done =
        column_writer_close_chunk(column, &writer->table->scratch, &chunk, err) &&
        write_pages(writer, index, &chunk.dictionary_page, chunk.dictionary_plain_size, err);
    place->size = writer->output.offset - place->start;
    place->plain_size += (int64_t)column->pages_plain_size;
    place->rows = column->chunk_rows;
    place->nulls = column->chunk_nulls;
    place->pages = column->entries.size / sizeof(struct page_entry);
    place->coded_pages = column->coded_pages;
    place->delta_pages = column->delta_pages;
    place->codec = column->codec;
    place->bounds = chunk.bounds;
    bytes_deinit(&chunk.dictionary_page);
    bytes_deinit(&column->pages); // early, so that memory falls while the group is written
    return done;
}

/* Right behind the row group, not in front of the footer: readers follow the offsets, and what a
 * closed group still takes in memory is its part of the footer only. */
static bool write_indexes(struct parquet_writer *writer, struct error *err) {
    struct bytes *index = &writer->table->scratch.header;
    struct output *output = &writer->output;
    struct chunk_place *places = writer->places;
    for (size_t i = 0; i < writer->table->column_count; i++) {
        const struct column_writer *column = &writer->columns[i];
        index->size = 0;
        if (!metadata_append_column_index(index, column->format->stored,
                                          (const void *)column->entries.at, places[i].pages))
            continue;
        places[i].column_index_at = output->offset;
        places[i].column_index_size = (int32_t)index->size;
        if (!output_write(output, index->at, index->size, err))
            return false;
    }
    for (size_t i = 0; i < writer->table->column_count; i++) {
        const struct column_writer *column = &writer->columns[i];
        index->size = 0;
        metadata_append_offset_index(index, (const void *)column->entries.at, places[i].pages,
                                     places[i].data_at);
        places[i].offset_index_at = output->offset;
        places[i].offset_index_size = (int32_t)index->size;
        if (!output_write(output, index->at, index->size, err))
            return false;
    }
    return true;
}

static bool write_row_group(struct parquet_writer *writer, struct error *err) {
    struct parquet_table *table = writer->table;
    start_places(writer);
    for (; writer->written_columns < table->column_count; writer->written_columns++)
        if (!write_chunk(writer, writer->written_columns, err))
            return false;
    if (!write_indexes(writer, err))
        return false;
    metadata_append_row_group(&writer->row_groups, table->columns, writer->places,
                              table->column_count, writer->row_group_count++);
    for (size_t i = 0; i < table->column_count; i++)
        column_writer_reset(&writer->columns[i]); // remembers only what it learned of dictionaries
    free(writer->places);
    writer->places = NULL;
    writer->written_columns = 0;
    writer->rows += writer->open_rows;
    writer->open_rows = 0;
    writer->open_memory = 0;
    return true;
}

static bool write_footer(struct parquet_writer *writer, struct error *err) {
    struct bytes bytes = {0};
    struct footer footer = {
        .columns = writer->table->columns,
        .column_count = writer->table->column_count,
        .rows = writer->rows,
        .row_groups = &writer->row_groups,
        .row_group_count = writer->row_group_count,
        .row_json = &writer->table->row_json,
    };
    metadata_append_footer(&bytes, &footer);
    uint32_t size = (uint32_t)bytes.size;
    bytes_append(&bytes, &size, sizeof size);
    bytes_append(&bytes, PARQUET_MAGIC, MAGIC_SIZE);
    bool done = output_write(&writer->output, bytes.at, bytes.size, err);
    bytes_deinit(&bytes);
    return done;
}

static bool write_file(struct parquet_writer *writer, bool with_footer, struct error *err) {
    bool done = open_output(writer, err) &&
                (writer->open_rows == 0 || write_row_group(writer, err)) &&
                (!with_footer || write_footer(writer, err));
    if (done)
        return close_output(writer, err);
    output_abandon(&writer->output);
    writer->is_open = false;
    return false;
}

struct column_writer *parquet_writer_column(struct parquet_writer *writer, size_t index) {
    check(index == writer->written_columns && index < writer->table->column_count);
    return &writer->columns[index];
}

bool parquet_writer_flush_column(struct parquet_writer *writer, struct error *err) {
    size_t index = writer->written_columns;
    struct column_writer *column = &writer->columns[index];
    struct bytes page = {0};
    size_t plain_size = 0;
    if (column->form != FORM_PLAIN || column->pages.size < FLUSH_SIZE)
        return true;
    start_places(writer);
    if (!open_output(writer, err))
        return false;
    bool is_first = writer->places[index].start == 0;
    bool done = !is_first || column_writer_dictionary_page(column, &writer->table->scratch, &page,
                                                           &plain_size, err);
    done = done && write_pages(writer, index, &page, plain_size, err);
    column_writer_forget_pages(column);
    bytes_deinit(&page);
    return done;
}

bool parquet_writer_close_column(struct parquet_writer *writer, struct error *err) {
    size_t index = writer->written_columns;
    start_places(writer);
    if (!open_output(writer, err) || !write_chunk(writer, index, err))
        return false;
    writer->written_columns++;
    writer->open_rows = writer->places[index].rows;
    check(writer->open_rows == writer->places[0].rows);
    return true;
}

bool parquet_writer_close_row_group(struct parquet_writer *writer, struct error *err) {
    return writer->open_rows == 0 || write_file(writer, false, err);
}

bool parquet_writer_finish(struct parquet_writer *writer, struct parquet_file *file,
                           struct error *err) {
    // The time of the last write goes into the sink log, as in Spark.
    struct file_status status;
    if (!write_file(writer, true, err) || !file_look(writer->path, &status, err))
        return false;
    *file = (struct parquet_file){
        .size = writer->size, .rows = writer->rows, .modified_ms = file_modified_ms(&status)};
    return true;
}

size_t parquet_writer_open_memory(const struct parquet_writer *writer) {
    return writer->open_memory;
}

size_t parquet_writer_memory(const struct parquet_writer *writer) {
    return sizeof *writer + writer->table->column_count * sizeof writer->columns[0] +
           writer->row_groups.capacity + writer->open_memory;
}

const char *parquet_writer_path(const struct parquet_writer *writer) {
    return writer->path;
}
