/* Values are kept as they are smallest: codes of one dictionary for all inputs, where the inputs
 * have dictionaries, so that no text is copied or hashed per row; otherwise as in a page, without
 * nulls. A run of rows is then a run of values, and moves to the output as one piece.
 *
 * Where a run's values begin is its first row, as long as every row has a value of the same size.
 * From the first null on, and for texts, it is noted for each run.
 *
 * What must stay true: rows are added in ascending order, and each row of the range once. */
#include "pipeline/merge/merge_values.h"

#include "base/check.h"

enum { SLICE_ROWS = 1000 }; // PAGE_ROWS_MAX is a multiple of it, so that pages get full

void merge_values_init(struct merge_values *values, const struct column_format *format,
                       const struct merge_range *range, bool is_coded) {
    *values = (struct merge_values){
        .format = format, .range = range, .is_coded = is_coded, .code_size = 1};
    values->dictionary.type = format->stored;
}

void merge_values_deinit(struct merge_values *values) {
    dictionary_deinit(&values->dictionary);
    bytes_deinit(&values->values);
    bytes_deinit(&values->present);
    bytes_deinit(&values->map);
    free(values->starts);
    *values = (struct merge_values){0};
}

size_t merge_values_memory(const struct merge_values *values) {
    return dictionary_memory(&values->dictionary) + values->values.size + values->present.size +
           values->map.capacity +
           (values->starts != NULL ? values->range->count * sizeof *values->starts : 0);
}

static bool is_text(const struct merge_values *values) {
    return !values->is_coded && type_is_text(values->format->stored);
}

/* Bytes of one in `values`; 0: texts. */
static size_t width_of(const struct merge_values *values) {
    return values->is_coded                       ? values->code_size
           : type_is_text(values->format->stored) ? 0
                                                  : type_width(values->format->stored);
}

/* The next value's place, as `starts` has it. */
static size_t next_place(const struct merge_values *values) {
    size_t width = width_of(values);
    return width == 0 ? values->values.size : values->values.size / width;
}

static const struct merge_run *run_at(const struct merge_values *values, size_t index) {
    return &values->range->runs[values->range->by_row[index]];
}

/* From now on a run's place is noted. Until now each row had one value. */
static void start_noting(struct merge_values *values) {
    if (values->starts != NULL)
        return;
    values->starts = must_alloc(values->range->count + 1, sizeof *values->starts);
    for (size_t i = 0; i < values->range->count; i++)
        values->starts[i] = values->range->runs[i].at;
}

/* ---- reading ---- */

static size_t count_present(const struct column_part *part, size_t at, size_t count) {
    size_t ones = 0;
    if (part->present == NULL)
        return count;
    for (size_t i = 0; i < count; i++)
        ones += part->present[at + i];
    return ones;
}

static void add_presence(struct merge_values *values, const uint8_t *present, size_t count,
                         size_t nulls) {
    if (nulls > 0 && values->nulls == 0) {
        uint8_t *ones = bytes_reserve(&values->present, values->rows + 1);
        memset(ones, 1, values->rows);
        values->present.size = values->rows;
    }
    values->nulls += nulls;
    values->rows += count;
    if (values->nulls == 0)
        return;
    uint8_t *to = bytes_reserve(&values->present, count);
    if (present != NULL)
        memcpy(to, present, count);
    else
        memset(to, 1, count);
    values->present.size += count;
}

static bool convert_decimals(const struct column_reader *reader, enum type to, const void *from,
                             size_t count, void *out) {
    enum type stored = reader->column->stored;
    for (size_t i = 0; i < count; i++) {
        int128_t value = stored == TYPE_INT32   ? ((const int32_t *)from)[i]
                         : stored == TYPE_INT64 ? ((const int64_t *)from)[i]
                                                : ((const int128_t *)from)[i];
        if (to == TYPE_INT32)
            ((int32_t *)out)[i] = (int32_t)value;
        else if (to == TYPE_INT64)
            ((int64_t *)out)[i] = (int64_t)value;
        else
            ((int128_t *)out)[i] = value;
        if ((to == TYPE_INT32 && value != (int32_t)value) ||
            (to == TYPE_INT64 && value != (int64_t)value))
            return false;
    }
    return true;
}

/* Values in the form of the table; those of a decimal may be stored otherwise in the file. */
static const void *native(const struct merge_values *values, const struct column_reader *reader,
                          const void *from, size_t count, struct bytes *room, struct error *err) {
    enum type to = values->format->stored;
    if (values->format->type != TYPE_DECIMAL || reader->column->stored == to)
        return from;
    room->size = 0;
    void *out = bytes_reserve(room, count * type_width(to) + 1);
    if (convert_decimals(reader, to, from, count, out))
        return out;
    (void)error_set(err, ERROR_STATE, "'%s': column '%s' has a number of more digits than its type",
                    reader->input->name, values->format->name);
    return NULL;
}

/* The chunk's dictionary into ours. */
static bool make_map(struct merge_values *values, const struct column_reader *reader,
                     struct error *err) {
    struct bytes room = {0};
    size_t count = reader->dictionary_count;
    const void *from = native(values, reader, reader->values.at, count, &room, err);
    if (from == NULL)
        return false;
    values->map.size = 0;
    uint32_t *map = (void *)bytes_reserve(&values->map, (count + 1) * sizeof *map);
    values->is_full = dictionary_encode(&values->dictionary, from, count, map) < count;
    values->has_map = true;
    bytes_deinit(&room);
    return true;
}

static void add_codes(struct merge_values *values, const uint32_t *codes, size_t count) {
    size_t size = code_size_for(values->dictionary.count);
    if (size > values->code_size) {
        codes_widen(&values->values, values->code_size, size);
        values->code_size = size;
    }
    codes_append(&values->values, values->code_size, codes, count);
}

static void add_texts(struct merge_values *values, const struct text *texts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += sizeof texts->length + texts[i].length;
    uint8_t *at = bytes_reserve(&values->values, size);
    values->values.size += size;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, &texts[i].length, sizeof texts->length);
        at += sizeof texts->length;
        if (texts[i].length > 0)
            memcpy(at, texts[i].bytes, texts[i].length);
        at += texts[i].length;
    }
}

static void add_values(struct merge_values *values, const void *from, size_t count) {
    if (is_text(values))
        add_texts(values, from, count);
    else
        bytes_append(&values->values, from, count * width_of(values));
}

/* What a part's values are in `values`: codes of ours, or values of the table's form. */
struct prepared {
    const void *at;
    size_t width; // bytes of one
};

static bool prepare_codes(struct merge_values *values, struct column_reader *reader,
                          const struct column_part *part, uint32_t *codes, struct error *err) {
    if (part->codes == NULL) { // a page without a dictionary among those that have one
        struct bytes room = {0};
        const void *from = native(values, reader, part->at, part->values, &room, err);
        if (from == NULL)
            return false;
        values->is_full =
            dictionary_encode(&values->dictionary, from, part->values, codes) < part->values;
        bytes_deinit(&room);
        return true;
    }
    if (!values->has_map && !make_map(values, reader, err))
        return false;
    const uint32_t *map = (const void *)values->map.at;
    for (size_t i = 0; i < part->values && !values->is_full; i++)
        codes[i] = map[part->codes[i]];
    return true;
}

/* Without a dictionary of ours: values of codes are looked up. */
static const void *prepare_values(struct merge_values *values, struct column_reader *reader,
                                  const struct column_part *part, struct bytes *room,
                                  struct bytes *converted, struct error *err) {
    const void *from = part->at;
    if (part->codes != NULL) {
        size_t width = type_width(reader->column->stored);
        room->size = 0;
        uint8_t *to = bytes_reserve(room, part->values * width + 1);
        for (size_t i = 0; i < part->values; i++)
            memcpy(to + i * width, reader->values.at + part->codes[i] * width, width);
        from = to;
    }
    return native(values, reader, from, part->values, converted, err);
}

/* Adds those of a part's rows that are in the range. */
static void add_rows(struct merge_values *values, size_t row, const struct column_part *part,
                     struct prepared prepared) {
    const struct merge_range *range = values->range;
    size_t at = 0, value = 0; // in the part
    while (at < part->rows && values->run < range->count) {
        const struct merge_run *run = run_at(values, values->run);
        size_t next = row + at;
        if (next < run->row) { // rows of another range
            size_t skipped = run->row - next < part->rows - at ? run->row - next : part->rows - at;
            value += count_present(part, at, skipped);
            at += skipped;
            continue;
        }
        if (next == run->row && values->starts != NULL)
            values->starts[range->by_row[values->run]] = (uint32_t)next_place(values);
        size_t left = run->row + run->count - next;
        size_t count = left < part->rows - at ? left : part->rows - at;
        size_t present = count_present(part, at, count);
        add_presence(values, part->present == NULL ? NULL : part->present + at, count,
                     count - present);
        const uint8_t *from = (const uint8_t *)prepared.at + value * prepared.width;
        if (values->is_coded)
            add_codes(values, (const void *)from, present);
        else
            add_values(values, from, present);
        at += count;
        value += present;
        if (count == left)
            values->run++;
    }
}

static bool add_part(struct merge_values *values, struct column_reader *reader, size_t row,
                     const struct column_part *part, struct error *err) {
    uint32_t codes[READ_ROWS_MAX];
    struct bytes room = {0}, converted = {0};
    struct prepared prepared = {.at = codes, .width = sizeof codes[0]};
    if (part->present != NULL && values->format->required)
        return error_set(err, ERROR_STATE,
                         "'%s': column '%s' has a null, but in the table it is never null",
                         reader->input->name, values->format->name);
    if (part->present != NULL || is_text(values))
        start_noting(values);
    bool done = true;
    if (values->is_coded) {
        done = prepare_codes(values, reader, part, codes, err);
    } else {
        prepared.at = prepare_values(values, reader, part, &room, &converted, err);
        prepared.width = type_width(values->format->stored);
        done = prepared.at != NULL;
    }
    if (done && !values->is_full)
        add_rows(values, row, part, prepared);
    bytes_deinit(&room);
    bytes_deinit(&converted);
    return done;
}

bool merge_values_read(struct merge_values *values, struct column_reader *reader, size_t row,
                       struct error *err) {
    values->has_map = false;
    for (;;) {
        int64_t ready;
        struct column_part part;
        if (!column_reader_prepare(reader, &ready, err))
            return false;
        if (ready == 0 || values->is_full)
            return true;
        size_t rows = ready < READ_ROWS_MAX ? (size_t)ready : READ_ROWS_MAX;
        if (!column_reader_read_part(reader, rows, &part, err) ||
            !add_part(values, reader, row, &part, err))
            return false;
        row += rows;
    }
}

void merge_values_add_nulls(struct merge_values *values, size_t row, size_t rows) {
    static const uint8_t absent[READ_ROWS_MAX];
    start_noting(values);
    while (rows > 0) {
        size_t count = rows < READ_ROWS_MAX ? rows : READ_ROWS_MAX;
        struct column_part part = {.rows = count, .present = absent};
        add_rows(values, row, &part, (struct prepared){.at = absent});
        row += count;
        rows -= count;
    }
}

/* ---- writing ---- */

/* Rows on their way to the writer. */
struct slice {
    size_t rows, values;
    uint8_t present[SLICE_ROWS];
    union {
        uint8_t bytes[SLICE_ROWS * sizeof(int128_t)];
        struct text texts[SLICE_ROWS];
        int128_t aligned;
    } at;
};

struct writing {
    struct merge_values *values;
    struct parquet_writer *writer;
    struct column_writer *column;
    struct page_scratch *scratch;
    struct merge_breath *breath;
    struct slice slice;
};

static bool append_slice(struct writing *writing, struct error *err) {
    const struct merge_values *values = writing->values;
    const struct slice *slice = &writing->slice;
    const uint8_t *present = values->nulls > 0 ? slice->present : NULL;
    if (values->is_coded) {
        struct codes codes = {
            .at = slice->at.bytes, .count = slice->values, .size = values->code_size};
        return column_writer_append_codes(writing->column, codes, present, slice->rows,
                                          writing->scratch, err);
    }
    struct column_slice whole = {.values = slice->at.bytes,
                                 .present = present,
                                 .rows = slice->rows,
                                 .nulls = slice->rows - slice->values};
    return column_writer_append(writing->column, whole, writing->scratch, err);
}

static bool put_slice(struct writing *writing, struct error *err) {
    if (!append_slice(writing, err))
        return false;
    writing->slice.rows = writing->slice.values = 0;
    return parquet_writer_flush_column(writing->writer, err) && merge_breathe(writing->breath, err);
}

/* Appends values from *place on to the slice, and moves *place behind them. */
static void take_values(const struct merge_values *values, struct slice *slice, size_t count,
                        size_t *place) {
    size_t width = width_of(values);
    if (count == 0)
        return;
    if (width > 0) {
        memcpy(slice->at.bytes + slice->values * width, values->values.at + *place * width,
               count * width);
        *place += count;
    } else {
        for (size_t i = 0; i < count; i++) {
            struct text *text = &slice->at.texts[slice->values + i];
            const uint8_t *at = values->values.at + *place;
            memcpy(&text->length, at, sizeof text->length);
            text->bytes = (const char *)at + sizeof text->length;
            *place += sizeof text->length + text->length;
        }
    }
    slice->values += count;
}

static bool write_run(struct writing *writing, size_t index, struct error *err) {
    const struct merge_values *values = writing->values;
    const struct merge_run *run = &values->range->runs[index];
    struct slice *slice = &writing->slice;
    size_t place = values->starts != NULL ? values->starts[index] : run->at;
    for (size_t at = 0; at < run->count;) {
        size_t left = run->count - at, room = SLICE_ROWS - slice->rows;
        size_t rows = left < room ? left : room, present = rows;
        if (values->nulls > 0) {
            const uint8_t *from = values->present.at + run->at + at;
            present = 0;
            for (size_t i = 0; i < rows; i++)
                present += slice->present[slice->rows + i] = from[i];
        }
        take_values(values, slice, present, &place);
        slice->rows += rows;
        at += rows;
        if (slice->rows == SLICE_ROWS && !put_slice(writing, err))
            return false;
    }
    return true;
}

bool merge_values_write(struct merge_values *values, struct parquet_writer *writer, size_t column,
                        struct page_scratch *scratch, struct merge_breath *breath,
                        struct error *err) {
    struct writing *writing = must_alloc(1, sizeof *writing);
    bool done = true;
    check(values->rows == values->range->rows);
    writing->values = values;
    writing->writer = writer;
    writing->column = parquet_writer_column(writer, column);
    writing->scratch = scratch;
    writing->breath = breath;
    if (values->dictionary.count == 0)
        values->is_coded = false; // all is null
    if (values->is_coded)
        column_writer_give_dictionary(writing->column, &values->dictionary);
    for (size_t i = 0; i < values->range->count && done; i++)
        done = write_run(writing, i, err);
    if (done && writing->slice.rows > 0)
        done = put_slice(writing, err);
    free(writing);
    return done;
}
