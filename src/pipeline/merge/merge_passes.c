/* A pass over the inputs reads as many columns as fit into memory together, by what the footers say
 * of them; a footer may be wrong, so memory is looked at as it grows, and what no longer fits is
 * left to the next pass. A column that does not fit alone is read and written in parts: of the rows
 * of the output, some at a time.
 *
 * Files are opened one after another, never two at once. What a pass needs of a small file is one
 * read. */
#include "pipeline/merge/merge_passes.h"

#include "base/check.h"

enum {
    SPAN_MAX = 1024 * 1024, // bytes that are read at once
    SPAN_FACTOR = 3,        // of the bytes that are needed, which may be read with them
    CODE_SIZE = 1,          // bytes, expected of a code
    PART_ROWS_MIN = 1000,
};

/* What a row group needs. */
struct group {
    const struct merge_passes *passes;
    struct parquet_writer *writer;
    struct merge_range range;
    // for reading
    struct column_reader *reader; // owned
    struct codec_state codec;
    struct bytes room;
    struct input input;
    size_t open_input; // its index; SIZE_MAX: none
};

/* Columns that are read together. */
struct batch {
    size_t first, count;         // of columns
    struct merge_values *values; // owned; of `count` columns
    size_t memory_max;
};

/* Other writers have dictionaries of types of which we have none. */
static bool is_coded(const struct group *group, size_t column) {
    const struct merge_inputs *inputs = group->passes->inputs;
    return dictionary_takes(group->passes->table->columns[column].stored) &&
           inputs->coded_rows[column] * 2 > inputs->rows;
}

/* Bytes that all rows of a column take, about. */
static size_t expected_size(const struct group *group, size_t column) {
    const struct merge_inputs *inputs = group->passes->inputs;
    const struct column_format *format = &group->passes->table->columns[column];
    size_t rows = group->range.rows, size = format->required ? 0 : rows;
    if (is_coded(group, column))
        return size + rows * CODE_SIZE;
    if (type_is_text(format->stored)) // a dictionary's texts come more than once
        return size + group->range.count * sizeof(uint32_t) +
               (size_t)((double)inputs->plain_bytes[column] * (double)rows / (double)inputs->rows);
    return size + rows * type_width(format->stored);
}

/* ---- reading ---- */

static void close_input(struct group *group) {
    if (group->open_input != SIZE_MAX)
        input_close(&group->input);
    group->open_input = SIZE_MAX;
}

static bool open_input(struct group *group, size_t index, struct error *err) {
    if (group->open_input == index)
        return true;
    close_input(group);
    if (!input_open(&group->input, group->passes->inputs->paths[index], err))
        return false;
    group->open_input = index;
    return true;
}

/* Reads at once what a batch needs of a piece, if that is not much. */
static bool load_piece(struct group *group, const struct batch *batch, size_t piece,
                       struct error *err) {
    int64_t start = INT64_MAX, end = 0, needed = 0;
    group->input.memory = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        struct file_chunk chunk;
        if (!merge_piece_chunk(group->passes->inputs, piece, batch->first + i, &chunk))
            continue;
        start = chunk.start < start ? chunk.start : start;
        end = chunk.start + chunk.size > end ? chunk.start + chunk.size : end;
        needed += chunk.size;
    }
    if (needed == 0 || end - start > SPAN_MAX || end - start > needed * SPAN_FACTOR)
        return true;
    return input_load(&group->input, start, (size_t)(end - start), &group->room, err);
}

static bool read_chunk(struct group *group, struct batch *batch, size_t index, size_t piece,
                       size_t row, struct error *err) {
    struct merge_inputs *inputs = group->passes->inputs;
    const struct merge_piece *at = merge_piece_at(inputs, piece);
    struct merge_values *values = &batch->values[index];
    size_t column = batch->first + index;
    struct file_chunk chunk;
    if (!merge_piece_chunk(inputs, piece, column, &chunk)) {
        merge_values_add_nulls(values, row, at->rows);
        return true;
    }
    struct input spooled = {.name = inputs->paths[at->input],
                            .file.fd = -1,
                            .memory_size = chunk.size < 0 ? 0 : (size_t)chunk.size,
                            .size = chunk.size};
    if (at->is_spooled) {
        if (!merge_spool_read(&inputs->spool, column, (uint32_t)chunk.start, &spooled.memory, err))
            return false;
        chunk.start = 0;
    }
    return column_reader_open(group->reader, at->is_spooled ? &spooled : &group->input,
                              merge_piece_column(inputs, piece, column), &chunk, &group->codec,
                              group->passes->memory_max, err) &&
           merge_values_read(values, group->reader, row, err);
}

/* Leaves out the columns that do not fit. */
static void shrink(struct batch *batch) {
    size_t memory = 0, kept = 0;
    for (; kept < batch->count; kept++) {
        memory += merge_values_memory(&batch->values[kept]);
        if (memory > batch->memory_max)
            break;
    }
    for (size_t i = kept; i < batch->count; i++)
        merge_values_deinit(&batch->values[i]);
    batch->count = kept;
}

/* Whether a row of the piece is in the range. */
static bool is_needed(const struct batch *batch, const struct merge_range *range, size_t row,
                      size_t rows) {
    size_t run = batch->values[0].run;
    return range->is_whole ||
           (run < range->count && range->runs[range->by_row[run]].row < row + rows);
}

/* Reads the columns of a batch, or the first ones of them. */
static bool read_batch(struct group *group, const struct merge_range *range, struct batch *batch,
                       struct error *err) {
    const struct merge_inputs *inputs = group->passes->inputs;
    size_t row = 0;
    for (size_t piece = 0; piece < merge_piece_count(inputs) && batch->count > 0; piece++) {
        const struct merge_piece *at = merge_piece_at(inputs, piece);
        if (is_needed(batch, range, row, at->rows)) {
            if (!at->is_spooled &&
                (!open_input(group, at->input, err) || !load_piece(group, batch, piece, err)))
                return false;
            for (size_t i = 0; i < batch->count; i++)
                if (!read_chunk(group, batch, i, piece, row, err))
                    return false;
            shrink(batch);
            if (!merge_breathe(group->passes->breath, err))
                return false;
        }
        row += at->rows;
    }
    return true;
}

static void start_batch(const struct group *group, struct batch *batch,
                        const struct merge_range *range, bool may_code) {
    batch->values = must_alloc(batch->count + 1, sizeof *batch->values);
    for (size_t i = 0; i < batch->count; i++)
        merge_values_init(&batch->values[i], &group->passes->table->columns[batch->first + i],
                          range, may_code && is_coded(group, batch->first + i));
}

static void end_batch(struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++)
        merge_values_deinit(&batch->values[i]);
    free(batch->values);
}

/* ---- columns ---- */

static bool write_values(const struct group *group, struct merge_values *values, size_t column,
                         struct error *err) {
    return merge_values_write(values, group->writer, column, &group->passes->table->scratch,
                              group->passes->breath, err);
}

/* Writes columns from *column on, and moves *column behind them. *fits false: the first one does
 * not fit. */
static bool write_batch(struct group *group, size_t *column, bool *fits, struct error *err) {
    struct batch batch = {.first = *column, .memory_max = group->passes->memory_max};
    size_t memory = 0;
    while (*column + batch.count < group->passes->table->column_count) {
        memory += expected_size(group, *column + batch.count);
        if (batch.count > 0 && memory > batch.memory_max)
            break;
        batch.count++;
    }
    start_batch(group, &batch, &group->range, true);
    bool done = read_batch(group, &group->range, &batch, err);
    *fits = batch.count > 0;
    for (size_t i = 0; i < batch.count && done; i++) {
        done = write_values(group, &batch.values[i], batch.first + i, err) &&
               parquet_writer_close_column(group->writer, err);
        merge_values_deinit(&batch.values[i]);
        *column += done;
    }
    end_batch(&batch);
    return done;
}

/* Appends rows [from, from + rows) of a column; *fits false: nothing was appended. */
static bool write_part(struct group *group, size_t column, int64_t from, int64_t rows, bool *fits,
                       struct error *err) {
    struct merge_range range;
    struct batch batch = {.first = column, .count = 1, .memory_max = group->passes->memory_max};
    merge_range_init(&range, group->passes->order, from, from + rows);
    if (rows <= PART_ROWS_MIN)
        batch.memory_max = SIZE_MAX; // values that large are one by one
    start_batch(group, &batch, &range, false);
    bool done = read_batch(group, &range, &batch, err);
    *fits = batch.count > 0;
    done = done && (!*fits || write_values(group, &batch.values[0], column, err));
    end_batch(&batch);
    merge_range_deinit(&range);
    return done;
}

/* A column that does not fit. */
static bool write_in_parts(struct group *group, size_t column, int64_t from, int64_t to,
                           struct error *err) {
    int64_t part = (to - from + 1) / 2;
    while (from < to) {
        int64_t rows = to - from < part ? to - from : part;
        bool fits;
        if (!write_part(group, column, from, rows, &fits, err))
            return false;
        if (fits)
            from += rows;
        else
            part = (part + 1) / 2;
    }
    return parquet_writer_close_column(group->writer, err);
}

static bool write_columns(struct group *group, int64_t from, int64_t to, struct error *err) {
    size_t count = group->passes->table->column_count;
    for (size_t column = 0; column < count;) {
        bool fits = expected_size(group, column) <= group->passes->memory_max;
        if (fits && !write_batch(group, &column, &fits, err))
            return false;
        if (!fits && !write_in_parts(group, column++, from, to, err))
            return false;
    }
    return true;
}

bool merge_passes_write(const struct merge_passes *passes, int64_t from, int64_t to,
                        struct parquet_writer *writer, struct error *err) {
    struct group group = {.passes = passes, .writer = writer, .open_input = SIZE_MAX};
    group.reader = must_alloc(1, sizeof *group.reader);
    column_reader_init(group.reader);
    merge_range_init(&group.range, passes->order, from, to);
    bool done = write_columns(&group, from, to, err);
    close_input(&group);
    merge_range_deinit(&group.range);
    column_reader_close(group.reader);
    codec_state_deinit(&group.codec);
    bytes_deinit(&group.room);
    free(group.reader);
    return done;
}
