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

enum {
    SLICE_ROWS = 1000,       // PAGE_ROWS_MAX is a multiple of it, so that pages get full
    DICTIONARY_JUDGED = 4096 // values from which on a dictionary is useless that has half of them
};

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
    while (values->noted < values->range->count && run_at(values, values->noted)->at < values->rows)
        values->noted++;
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

/* Whether nothing of the number is lost in so many bytes. */
static bool fits_in(int128_t value, size_t bytes) {
    if (bytes >= sizeof value)
        return true;
    int128_t limit = (int128_t)1 << (8 * bytes - 1);
    return value >= -limit && value < limit;
}

static bool convert_decimals(const struct column_reader *reader, const struct column_format *format,
                             const void *from, size_t count, void *out) {
    enum type stored = reader->column->stored, to = format->stored;
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
        if (!fits_in(value, to == TYPE_DECIMAL ? format->fixed_size : type_width(to)))
            return false;
    }
    return true;
}

/* Values in the form of the table; those of a decimal may be stored otherwise in the file. */
static const void *native(const struct merge_values *values, const struct column_reader *reader,
                          const void *from, size_t count, struct bytes *room, struct error *err) {
    const struct file_column *column = reader->column;
    enum type to = values->format->stored;
    bool is_longer = column->physical == PHYSICAL_FIXED &&
                     (size_t)column->fixed_size > values->format->fixed_size;
    if (values->format->type != TYPE_DECIMAL || (column->stored == to && !is_longer))
        return from;
    room->size = 0;
    void *out = bytes_reserve(room, count * type_width(to) + 1);
    if (convert_decimals(reader, values->format, from, count, out))
        return out;
    (void)error_set(err, ERROR_STATE, "'%s': column '%s' has a number of more digits than its type",
                    reader->input->name, values->format->name);
    return NULL;
}

static void append_text(struct bytes *to, struct text text) {
    bytes_append(to, &text.length, sizeof text.length);
    bytes_append(to, text.bytes, text.length);
}

/* Codes become the values that they stand for, because the dictionary is full, or useless. */
static void give_up_codes(struct merge_values *values) {
    struct bytes codes = values->values;
    size_t size = values->code_size, count = codes.size / size, noted = 0;
    values->is_coded = false;
    values->values = (struct bytes){0};
    if (is_text(values))
        start_noting(values);
    for (size_t i = 0; i < count; i++) {
        uint32_t code = code_load(codes.at, size, i);
        if (!is_text(values)) {
            size_t width = width_of(values);
            bytes_append(&values->values, values->dictionary.values.at + code * width, width);
            continue;
        }
        // A run's place was the number of its first value, and is now a byte.
        for (; noted < values->noted && values->starts[values->range->by_row[noted]] == i; noted++)
            values->starts[values->range->by_row[noted]] = (uint32_t)values->values.size;
        append_text(&values->values, dictionary_text(&values->dictionary, code));
    }
    for (; is_text(values) && noted < values->noted; noted++) // runs of nulls, at the end
        values->starts[values->range->by_row[noted]] = (uint32_t)values->values.size;
    bytes_deinit(&codes);
    dictionary_deinit(&values->dictionary);
}

/* Adds values to the dictionary. False: it is full, or has too many of them to be of use. */
static bool encode(struct merge_values *values, const void *from, size_t count, uint32_t *codes) {
    size_t before = values->values.size / values->code_size;
    if (dictionary_encode(&values->dictionary, from, count, codes) < count)
        return false;
    return values->dictionary.count < DICTIONARY_JUDGED ||
           values->dictionary.count < (before + count) / 2;
}

/* The chunk's dictionary into ours. */
static bool make_map(struct merge_values *values, const struct column_reader *reader,
                     struct error *err) {
    struct bytes room = {0};
    size_t count = reader->dictionary_count;
    const void *from = native(values, reader, reader->values.at, count, &room, err);
    values->map.size = 0;
    uint32_t *map = (void *)bytes_reserve(&values->map, (count + 1) * sizeof *map);
    if (from != NULL && !encode(values, from, count, map))
        give_up_codes(values);
    values->has_map = values->is_coded;
    bytes_deinit(&room);
    return from != NULL;
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

/* The values' codes. `is_coded` is false afterwards if they can't have any. */
static bool prepare_codes(struct merge_values *values, struct column_reader *reader,
                          const struct column_part *part, uint32_t *codes, struct error *err) {
    if (part->codes == NULL) { // a page without a dictionary among those that have one
        struct bytes room = {0};
        const void *from = native(values, reader, part->at, part->values, &room, err);
        if (from != NULL && !encode(values, from, part->values, codes))
            give_up_codes(values);
        bytes_deinit(&room);
        return from != NULL;
    }
    if (!values->has_map && !make_map(values, reader, err))
        return false;
    const uint32_t *map = (const void *)values->map.at;
    for (size_t i = 0; i < part->values && values->has_map; i++)
        codes[i] = map[part->codes[i]];
    return true;
}

/* Inlined per width, so that a value is moved by one instruction. */
static inline __attribute__((always_inline)) void
look_up_width(uint8_t *to, const uint8_t *from, const uint32_t *codes, size_t count, size_t width) {
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * width, from + codes[i] * width, width);
}

static void look_up(uint8_t *to, const uint8_t *from, const uint32_t *codes, size_t count,
                    size_t width) {
    if (width == 4)
        look_up_width(to, from, codes, count, 4);
    else if (width == 8)
        look_up_width(to, from, codes, count, 8);
    else
        look_up_width(to, from, codes, count, width);
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
        look_up(to, reader->values.at, part->codes, part->values, width);
        from = to;
    }
    return native(values, reader, from, part->values, converted, err);
}

/* Bytes or values that some of a part's values take in `values`. */
static size_t size_of(const struct merge_values *values, struct prepared prepared, size_t from,
                      size_t to) {
    const struct text *texts = prepared.at;
    size_t size = to - from;
    if (!is_text(values))
        return size;
    for (size = 0; from < to; from++)
        size += sizeof texts->length + texts[from].length;
    return size;
}

/* Rows of a part that follow one another, and their values. */
struct stretch {
    size_t at, rows, value, values;
};

/* Where runs begin that begin in a stretch, which is about to be added. */
static void note_starts(struct merge_values *values, size_t row, const struct column_part *part,
                        struct prepared prepared, struct stretch stretch) {
    const struct merge_range *range = values->range;
    size_t place = next_place(values), at = stretch.at, value = stretch.value;
    for (; values->starts != NULL && values->noted < range->count; values->noted++) {
        const struct merge_run *run = run_at(values, values->noted);
        if (run->row >= row + stretch.at + stretch.rows)
            return;
        size_t to = run->row - row, next = value + count_present(part, at, to - at);
        place += size_of(values, prepared, value, next);
        values->starts[range->by_row[values->noted]] = (uint32_t)place;
        at = to;
        value = next;
    }
}

static void add_stretch(struct merge_values *values, size_t row, const struct column_part *part,
                        struct prepared prepared, struct stretch stretch) {
    note_starts(values, row, part, prepared, stretch);
    add_presence(values, part->present == NULL ? NULL : part->present + stretch.at, stretch.rows,
                 stretch.rows - stretch.values);
    const uint8_t *from = (const uint8_t *)prepared.at + stretch.value * prepared.width;
    if (values->is_coded)
        add_codes(values, (const void *)from, stretch.values);
    else
        add_values(values, from, stretch.values);
}

/* Rows of other ranges from there on. */
static size_t rows_to_skip(const struct merge_values *values, size_t row, size_t count) {
    const struct merge_range *range = values->range;
    if (range->is_whole)
        return 0;
    if (values->run == range->count)
        return count;
    size_t next = run_at(values, values->run)->row;
    return next <= row ? 0 : next - row < count ? next - row : count;
}

/* Rows of the range from there on, of which there is one. Counts the runs that end. */
static size_t rows_to_take(struct merge_values *values, size_t row, size_t count) {
    const struct merge_range *range = values->range;
    size_t end = row;
    if (range->is_whole)
        return count;
    while (values->run < range->count && run_at(values, values->run)->row <= end) {
        const struct merge_run *run = run_at(values, values->run);
        if (run->row + run->count > row + count)
            return count;
        end = run->row + run->count;
        values->run++;
    }
    return end - row;
}

/* Adds those of a part's rows that are in the range. */
static void add_rows(struct merge_values *values, size_t row, const struct column_part *part,
                     struct prepared prepared) {
    size_t at = 0, value = 0; // in the part
    while (at < part->rows) {
        size_t skipped = rows_to_skip(values, row + at, part->rows - at);
        value += count_present(part, at, skipped);
        at += skipped;
        if (at == part->rows)
            return;
        size_t rows = rows_to_take(values, row + at, part->rows - at);
        struct stretch stretch = {at, rows, value, count_present(part, at, rows)};
        add_stretch(values, row, part, prepared, stretch);
        value += stretch.values;
        at += rows;
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
    if (values->is_coded && !prepare_codes(values, reader, part, codes, err))
        return false;
    if (part->present != NULL || is_text(values))
        start_noting(values);
    if (!values->is_coded) {
        prepared.at = prepare_values(values, reader, part, &room, &converted, err);
        prepared.width = type_width(values->format->stored);
    }
    if (prepared.at != NULL)
        add_rows(values, row, part, prepared);
    bytes_deinit(&room);
    bytes_deinit(&converted);
    return prepared.at != NULL;
}

bool merge_values_read(struct merge_values *values, struct column_reader *reader, size_t row,
                       struct error *err) {
    values->has_map = false;
    for (;;) {
        int64_t ready;
        struct column_part part;
        if (!column_reader_prepare(reader, &ready, err))
            return false;
        if (ready == 0)
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
