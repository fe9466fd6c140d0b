/* A footer is parsed once. What stays of it is one struct merge_chunk for each column and row
 * group, and a layout: which of the file's columns are the table's, in which form. Files of one
 * writer have the same layout, so there are a few.
 *
 * Columns are found by name. What must stay true: every column of a file is one of the table, of
 * the same type, or the file is refused: a value that is not copied would be lost. */
#include "pipeline/merge/merge_input.h"

#include "base/check.h"

enum {
    WHOLE_MAX = 64 * 1024,          // bytes of a file that is read at once
    CHUNK_SIZE_MAX = (1 << 29) - 1, // bytes
};

static const uint32_t NO_COLUMN = UINT32_MAX;

void merge_inputs_init(struct merge_inputs *inputs, const struct parquet_table *table,
                       const char *const *paths, size_t memory_max, const char *directory) {
    *inputs = (struct merge_inputs){.table = table, .paths = paths};
    merge_spool_init(&inputs->spool, table->column_count, memory_max, directory);
    inputs->plain_bytes = must_alloc(table->column_count, sizeof *inputs->plain_bytes);
    inputs->coded_rows = must_alloc(table->column_count, sizeof *inputs->coded_rows);
}

void merge_inputs_deinit(struct merge_inputs *inputs) {
    for (size_t i = 0; i < inputs->layout_count; i++)
        free(inputs->layouts[i].columns), free(inputs->layouts[i].places);
    free(inputs->layouts);
    free(inputs->plain_bytes);
    free(inputs->coded_rows);
    merge_spool_deinit(&inputs->spool);
    bytes_deinit(&inputs->pieces);
    bytes_deinit(&inputs->chunks);
    *inputs = (struct merge_inputs){0};
}

static size_t column_of(const struct parquet_table *table, struct text name) {
    size_t column = 0;
    while (column < table->column_count &&
           !text_equals(name, text_borrow(table->columns[column].name)))
        column++;
    return column;
}

/* Forms of which the bytes are the same have the same answer. */
static enum type form_of(enum type stored) {
    return stored == TYPE_TIMESTAMP ? TYPE_INT64 : stored == TYPE_STRING ? TYPE_BINARY : stored;
}

/* Whether the file's values become those of the table without a change. Spark reads some types from
 * other forms, too: an unsigned INT32 as BIGINT, a decimal from bytes of any length. */
static bool is_same_form(const struct column_format *format, const struct file_column *found) {
    if (format->type == TYPE_DECIMAL) // as an integer or as 16 bytes: both are converted
        return found->type == TYPE_DECIMAL;
    return form_of(found->stored) == form_of(format->stored);
}

static bool fits(const struct parquet_table *table, size_t column, const struct file_column *found,
                 const char *path, struct error *err) {
    if (column == table->column_count)
        return error_set(err, ERROR_STATE,
                         "'%s' has a column '%.*s' that the table does not have: merging would "
                         "lose its values",
                         path, (int)found->name.length, found->name.bytes);
    const struct column_format *format = &table->columns[column];
    struct type_text type =
        type_text_of(type_sql_name(format->type), format->type, format->precision, format->scale);
    bool is_same = found->readable && strcmp(type.text, found->spark_type.text) == 0;
    if (is_same && !is_same_form(format, found))
        return error_set(err, ERROR_STATE,
                         "'%s': column '%s' is %s, but stored as physical type %d in a way that "
                         "cannot be merged",
                         path, format->name, type.text, found->physical);
    if (is_same)
        return true;
    return error_set(
        err, ERROR_STATE, "'%s': column '%s' is %s, but in the table it is %s", path, format->name,
        found->spark_type.text[0] != '\0' ? found->spark_type.text : "of unknown type", type.text);
}

static bool make_layout(const struct parquet_table *table, const struct file_metadata *metadata,
                        const char *path, struct merge_layout *layout, struct error *err) {
    for (size_t i = 0; i < metadata->column_count; i++) {
        const struct file_column *found = &metadata->columns[i];
        size_t column = column_of(table, found->name);
        if (!fits(table, column, found, path, err))
            return false;
        if (layout->places[column] != NO_COLUMN)
            return error_set(err, ERROR_STATE, "'%s' has two columns '%s'", path,
                             table->columns[column].name);
        layout->places[column] = (uint32_t)i;
        layout->columns[i] = *found;
        layout->columns[i].name = text_borrow(table->columns[column].name);
    }
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].required && layout->places[i] == NO_COLUMN)
            return error_set(err, ERROR_STATE,
                             "'%s' lacks the column '%s', which is never null in the table", path,
                             table->columns[i].name);
    return true;
}

static bool has_layout(const struct file_metadata *metadata, const struct merge_layout *layout) {
    if (metadata->column_count != layout->column_count)
        return false;
    for (size_t i = 0; i < layout->column_count; i++) {
        const struct file_column *one = &metadata->columns[i], *other = &layout->columns[i];
        if (one->physical != other->physical || one->readable != other->readable ||
            one->type != other->type || one->stored != other->stored ||
            one->fixed_size != other->fixed_size || one->precision != other->precision ||
            one->scale != other->scale || one->millis != other->millis ||
            one->required != other->required || !text_equals(one->name, other->name) ||
            strcmp(one->spark_type.text, other->spark_type.text) != 0)
            return false;
    }
    return true;
}

static struct merge_layout *new_layout(struct merge_inputs *inputs, size_t column_count) {
    inputs->layouts =
        realloc(inputs->layouts, (inputs->layout_count + 1) * sizeof *inputs->layouts);
    check(inputs->layouts != NULL);
    struct merge_layout *layout = &inputs->layouts[inputs->layout_count++];
    *layout = (struct merge_layout){
        .column_count = column_count,
        .columns = must_alloc(column_count + 1, sizeof *layout->columns),
        .places = must_alloc(inputs->table->column_count, sizeof *layout->places)};
    for (size_t i = 0; i < inputs->table->column_count; i++)
        layout->places[i] = NO_COLUMN;
    return layout;
}

static bool find_layout(struct merge_inputs *inputs, const struct parquet_reader *reader,
                        size_t *index, struct error *err) {
    for (*index = inputs->layout_count; *index > 0; --*index)
        if (has_layout(&reader->metadata, &inputs->layouts[*index - 1]))
            return --*index, true;
    *index = inputs->layout_count;
    struct merge_layout *layout = new_layout(inputs, reader->metadata.column_count);
    return make_layout(inputs->table, &reader->metadata, reader->input.name, layout, err);
}

/* Where the chunk will be found: in the spool, or in the file. */
static bool place_chunk(struct merge_inputs *inputs, const struct parquet_reader *reader,
                        const struct merge_piece *piece, size_t column,
                        const struct file_chunk *from, uint32_t *start, struct error *err) {
    const uint8_t *bytes;
    *start = (uint32_t)(from->start - piece->start);
    if (!piece->is_spooled)
        return true;
    return input_view(&reader->input, from->start, (size_t)from->size, NULL, &bytes, err) &&
           merge_spool_add(&inputs->spool, column, bytes, (size_t)from->size, start, err);
}

static bool add_chunk(struct merge_inputs *inputs, const struct parquet_reader *reader,
                      const struct merge_piece *piece, size_t column, const struct file_chunk *from,
                      struct error *err) {
    enum parquet_codec codec;
    uint32_t start;
    const char *name = inputs->table->columns[column].name;
    if (!codec_of_number(from->codec, &codec))
        return error_set(err, ERROR_STATE, "'%s': column '%s' has codec %d, which is not supported",
                         reader->input.name, name, from->codec);
    if (from->size > CHUNK_SIZE_MAX || from->start - piece->start > UINT32_MAX)
        return error_set(err, ERROR_STATE,
                         "'%s': column '%s' of a row group is too large to be merged",
                         reader->input.name, name);
    if (!place_chunk(inputs, reader, piece, column, from, &start, err))
        return false;
    struct merge_chunk chunk = {.start = start,
                                .size = (uint32_t)from->size & CHUNK_SIZE_MAX,
                                .codec = codec & 3,
                                .has_dictionary = from->has_dictionary};
    bytes_append(&inputs->chunks, &chunk, sizeof chunk);
    inputs->data_bytes += from->size;
    // What a footer claims; the sum of such claims may be no number.
    if (__builtin_add_overflow(inputs->plain_bytes[column], from->plain_size,
                               &inputs->plain_bytes[column]))
        inputs->plain_bytes[column] = INT64_MAX;
    inputs->coded_rows[column] += from->has_dictionary ? piece->rows : 0;
    return true;
}

/* Whether the file is in memory, and its chunks are small. */
static bool may_spool(const struct merge_inputs *inputs, const struct parquet_reader *reader,
                      const struct file_row_group *group) {
    bool fits = reader->input.memory != NULL && inputs->spool.column_count > 1;
    for (size_t i = 0; i < reader->metadata.column_count; i++)
        fits = fits && merge_spool_has_room(&inputs->spool, (size_t)group->chunks[i].size);
    return fits;
}

static bool start_piece(const struct merge_inputs *inputs, const struct parquet_reader *reader,
                        const struct file_row_group *group, struct merge_piece *piece,
                        struct error *err) {
    const struct input *input = &reader->input;
    piece->start = input->size;
    for (size_t i = 0; i < reader->metadata.column_count; i++) {
        const struct file_chunk *chunk = &group->chunks[i];
        // Its rows take at least a page's header.
        if (chunk->start < 0 || chunk->size <= 0 || chunk->plain_size < 0 ||
            chunk->start > input->size || chunk->size > input->size - chunk->start)
            return error_set(err, ERROR_STATE,
                             "'%s' is damaged: a column is outside the file, or has no bytes",
                             input->name);
        piece->start = chunk->start < piece->start ? chunk->start : piece->start;
    }
    piece->is_spooled = may_spool(inputs, reader, group);
    return true;
}

static bool add_piece(struct merge_inputs *inputs, const struct parquet_reader *reader,
                      const struct file_row_group *group, size_t layout, struct error *err) {
    struct merge_piece piece = {.input = (uint32_t)inputs->count,
                                .layout = (uint32_t)layout & INT32_MAX,
                                .rows = (uint32_t)group->rows};
    if (!start_piece(inputs, reader, group, &piece, err))
        return false;
    for (size_t column = 0; column < inputs->table->column_count; column++) {
        uint32_t from = inputs->layouts[layout].places[column];
        if (from != NO_COLUMN &&
            !add_chunk(inputs, reader, &piece, column, &group->chunks[from], err))
            return false;
        if (from == NO_COLUMN)
            bytes_append(&inputs->chunks, &(struct merge_chunk){0}, sizeof(struct merge_chunk));
    }
    bytes_append(&inputs->pieces, &piece, sizeof piece);
    return true;
}

bool merge_inputs_add(struct merge_inputs *inputs, const struct parquet_reader *reader,
                      struct error *err) {
    const struct file_metadata *metadata = &reader->metadata;
    size_t layout;
    if (!find_layout(inputs, reader, &layout, err))
        return false;
    if (metadata->rows > UINT32_MAX - inputs->rows)
        return error_set(err, ERROR_STATE, "'%s' has %lld rows: too many to be merged",
                         reader->input.name, (long long)metadata->rows);
    for (size_t i = 0; i < metadata->row_group_count; i++)
        if (metadata->row_groups[i].rows > 0 &&
            !add_piece(inputs, reader, &metadata->row_groups[i], layout, err))
            return false;
    inputs->count++;
    inputs->rows += metadata->rows;
    inputs->bytes += reader->input.size;
    return true;
}

bool merge_piece_chunk(const struct merge_inputs *inputs, size_t piece, size_t column,
                       struct file_chunk *chunk) {
    const struct merge_piece *of = merge_piece_at(inputs, piece);
    const struct merge_chunk *chunks = (const void *)inputs->chunks.at;
    const struct merge_chunk *from = &chunks[piece * inputs->table->column_count + column];
    *chunk = (struct file_chunk){.codec = (int32_t)codec_number((enum parquet_codec)from->codec),
                                 .values = of->rows,
                                 .start = (of->is_spooled ? 0 : of->start) + from->start,
                                 .size = from->size,
                                 .has_dictionary = from->has_dictionary};
    return inputs->layouts[of->layout].places[column] != NO_COLUMN;
}

const struct file_column *merge_piece_column(const struct merge_inputs *inputs, size_t piece,
                                             size_t column) {
    const struct merge_layout *layout = &inputs->layouts[merge_piece_at(inputs, piece)->layout];
    return &layout->columns[layout->places[column]];
}

size_t merge_inputs_memory(const struct merge_inputs *inputs) {
    return inputs->pieces.size + inputs->chunks.size +
           inputs->layout_count * inputs->table->column_count * sizeof(struct file_column) +
           merge_spool_memory(&inputs->spool);
}

bool merge_input_open(struct input *input, const char *path, struct bytes *room,
                      struct error *err) {
    if (!input_open(input, path, err))
        return false;
    if (input->size > WHOLE_MAX || input_load(input, 0, (size_t)input->size, room, err))
        return true;
    input_close(input);
    return false;
}
