/* A page is read and uncompressed as a whole, but its levels and values are decoded a few rows at
 * a time. Values come without nulls, and are then spread to their rows. What must stay true: each
 * count and size that the file says is checked against the available bytes before it is used. */
#include "pipeline/parquet/read/column_reader.h"

#include "base/check.h"
#include "pipeline/parquet/format.h"
#include "pipeline/parquet/rle.h"

enum {
    HEADER_TRY_FIRST = 256,       // bytes; headers of our own and Spark's files are shorter
    HEADER_TRY_MAX = 1024 * 1024, // old writers put statistics, so whole values, into them
    PAGE_KEEP = 4 << 20,          // bytes of memory kept for the next page
};

static const int64_t micros_per_day = 86400000000;

static bool damaged(const struct column_reader *reader, const char *what, struct error *err) {
    return error_set(err, ERROR_STATE, "'%s' is damaged: column '%.*s', page before byte %lld: %s",
                     reader->input->name, (int)reader->column->name.length,
                     reader->column->name.bytes, (long long)reader->at, what);
}

void column_reader_init(struct column_reader *reader) {
    memset(reader, 0, offsetof(struct column_reader, valid));
}

bool column_reader_open(struct column_reader *reader, const struct input *input,
                        const struct file_column *column, const struct file_chunk *chunk,
                        struct codec_state *codec_state, size_t page_size_max, struct error *err) {
    reader->input = input;
    reader->column = column;
    reader->codec_state = codec_state;
    reader->page_size_max = page_size_max;
    reader->at = chunk->start;
    reader->rows_left = chunk->values;
    reader->page_rows = 0;
    reader->dictionary_count = 0;
    bytes_reset(&reader->values, PAGE_KEEP);
    if (!column->readable)
        return error_set(
            err, ERROR_STATE, "'%s': column '%.*s' has physical type %d, which is not supported",
            input->name, (int)column->name.length, column->name.bytes, column->physical);
    if (!codec_of_number(chunk->codec, &reader->codec))
        return error_set(err, ERROR_STATE,
                         "'%s': column '%.*s' has codec %d, which is not supported", input->name,
                         (int)column->name.length, column->name.bytes, chunk->codec);
    if (chunk->start < 0 || chunk->start > input->size || chunk->size < 0 ||
        chunk->size > input->size - chunk->start)
        return damaged(reader, "it is outside the file", err);
    reader->end = chunk->start + chunk->size;
    return true;
}

void column_reader_close(struct column_reader *reader) {
    bytes_deinit(&reader->stored);
    bytes_deinit(&reader->page);
    bytes_deinit(&reader->dictionary);
    bytes_deinit(&reader->values);
}

/* Reads the header of the page at `at`, and moves behind it. */
static bool read_header(struct column_reader *reader, struct page_header *header,
                        struct error *err) {
    int64_t left = reader->end - reader->at;
    // A header does not say its own size: if it is not whole in what was read, more is read.
    for (size_t try = HEADER_TRY_FIRST;; try *= 16) {
        size_t size = left < (int64_t)try ? (size_t)left : try;
        const uint8_t *bytes;
        if (!input_view(reader->input, reader->at, size, &reader->stored, &bytes, err))
            return false;
        size_t header_size = page_header_parse(header, bytes, size);
        if (header_size > 0) {
            reader->at += (int64_t)header_size;
            break;
        }
        if ((int64_t)size == left || try >= HEADER_TRY_MAX)
            return damaged(reader, "it has no valid page header", err);
    }
    if (header->size < 0 || header->size > reader->end - reader->at || header->plain_size < 0)
        return damaged(reader, "its sizes are wrong", err);
    if ((size_t)header->plain_size > reader->page_size_max)
        return damaged(reader, "it is too large", err);
    return true;
}

/* Reads and uncompresses a page of which `bare` bytes in front are not compressed. */
static bool read_body(struct column_reader *reader, const struct page_header *header, size_t bare,
                      bool is_compressed, struct bytes *out, struct error *err) {
    size_t size = (size_t)header->size, plain_size = (size_t)header->plain_size;
    if (bare > size || bare > plain_size)
        return damaged(reader, "its levels are longer than the page", err);
    const uint8_t *bytes;
    if (!input_view(reader->input, reader->at, size, &reader->stored, &bytes, err))
        return false;
    reader->at += header->size;
    bytes_reset(out, PAGE_KEEP);
    (void)bytes_reserve(out, plain_size + 1);
    memcpy(out->at, bytes, bare);
    if (!codec_decompress(reader->codec_state, is_compressed ? reader->codec : CODEC_NONE,
                          bytes + bare, size - bare, out->at + bare, plain_size - bare))
        return damaged(reader, "it cannot be decompressed", err);
    out->size = plain_size;
    return true;
}

/* 8 bytes of nanoseconds of the day, 4 of the Julian day; rounded down to microseconds. */
static int64_t int96_micros(const uint8_t *at) {
    int64_t nanos;
    int32_t day;
    memcpy(&nanos, at, sizeof nanos);
    memcpy(&day, at + sizeof nanos, sizeof day);
    uint64_t days = (uint64_t)((int64_t)day - JULIAN_DAY_OF_1970);
    int64_t micros = nanos / 1000 - (nanos % 1000 < 0);
    return (int64_t)(days * (uint64_t)micros_per_day + (uint64_t)micros); // wraps like Java
}

/* Big-endian two's complement. */
static int128_t fixed_decimal(const uint8_t *at, size_t size) {
    uint64_t high = (int8_t)at[0] < 0 ? UINT64_MAX : 0, low = high;
    for (size_t i = 0; i < size; i++) {
        high = high << 8 | low >> 56;
        low = low << 8 | at[i];
    }
    return (int128_t)(int64_t)high * ((int128_t)1 << 64) + (int128_t)low;
}

/* Bytes of a PLAIN value; 0: texts and booleans. */
static size_t plain_width(const struct file_column *column) {
    switch (column->physical) {
    case PHYSICAL_INT32:
    case PHYSICAL_FLOAT:
        return sizeof(int32_t);
    case PHYSICAL_INT64:
    case PHYSICAL_DOUBLE:
        return sizeof(int64_t);
    case PHYSICAL_FIXED:
        return (size_t)column->fixed_size;
    case PHYSICAL_INT96:
        return INT96_SIZE;
    default:
        return 0;
    }
}

/* Takes `count` PLAIN values from *at into vector form. False: they are not all there. */
static bool take_plain(const struct file_column *column, const uint8_t **at, const uint8_t *end,
                       void *values, size_t count) {
    size_t width = plain_width(column);
    if (width == 0) {
        struct text *texts = values;
        for (size_t i = 0; i < count; i++) {
            uint32_t length;
            if ((size_t)(end - *at) < sizeof length)
                return false;
            memcpy(&length, *at, sizeof length);
            *at += sizeof length;
            if ((size_t)(end - *at) < length)
                return false;
            texts[i] = (struct text){.bytes = (const char *)*at, .length = length};
            *at += length;
        }
        return true;
    }
    if ((size_t)(end - *at) / width < count)
        return false;
    if (column->physical == PHYSICAL_INT96) {
        for (size_t i = 0; i < count; i++)
            ((int64_t *)values)[i] = int96_micros(*at + i * width);
    } else if (column->physical == PHYSICAL_FIXED) {
        for (size_t i = 0; i < count; i++)
            ((int128_t *)values)[i] = fixed_decimal(*at + i * width, width);
    } else if (count > 0) {
        memcpy(values, *at, count * width);
    }
    *at += count * width;
    return true;
}

/* Wraps like Java, as INT96 does. */
static void millis_to_micros(int64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t)((uint64_t)values[i] * 1000);
}

static bool read_dictionary(struct column_reader *reader, const struct page_header *header,
                            struct error *err) {
    // A chunk has one dictionary at most.
    if (reader->dictionary_count > 0 || reader->column->physical == PHYSICAL_BOOLEAN)
        return damaged(reader, "it is a dictionary page in the wrong place", err);
    if (header->encoding != ENCODING_PLAIN && header->encoding != ENCODING_PLAIN_DICTIONARY)
        return damaged(reader, "its dictionary has an unknown encoding", err);
    if (!read_body(reader, header, 0, true, &reader->dictionary, err))
        return false;
    // So this much memory is in proportion to the page; a text takes at least its length.
    size_t count = header->values < 0 ? SIZE_MAX : (size_t)header->values;
    size_t width = plain_width(reader->column);
    if (count > reader->dictionary.size / (width == 0 ? sizeof(uint32_t) : width))
        return damaged(reader, "its dictionary claims too many values", err);
    const uint8_t *at = reader->dictionary.at;
    void *values = bytes_reserve(&reader->values, count * type_width(reader->column->stored) + 1);
    if (!take_plain(reader->column, &at, at + reader->dictionary.size, values, count))
        return damaged(reader, "its dictionary is too short", err);
    if (reader->column->millis)
        millis_to_micros(values, count);
    reader->dictionary_count = (uint32_t)count;
    return true;
}

static bool open_values(struct column_reader *reader, const struct page_header *header,
                        const uint8_t *at, const uint8_t *end, struct error *err) {
    uint32_t size;
    reader->plain = at;
    reader->plain_end = end;
    reader->plain_bit = 0;
    switch (header->encoding) {
    case ENCODING_PLAIN:
        reader->form = VALUES_PLAIN;
        return true;
    case ENCODING_PLAIN_DICTIONARY:
    case ENCODING_RLE_DICTIONARY:
        reader->form = VALUES_CODES;
        if (at == end) { // a page of nulls; asking for a code finds none
            rle_reader_init(&reader->codes, at, 0, 0);
            return true;
        }
        // The first byte is the bit width of the codes.
        if (*at > 32)
            return damaged(reader, "its dictionary indexes have too many bits", err);
        rle_reader_init(&reader->codes, at + 1, (size_t)(end - at - 1), *at);
        return true;
    case ENCODING_RLE:
        reader->form = VALUES_RLE;
        if (reader->column->physical != PHYSICAL_BOOLEAN || end - at < (int)sizeof size)
            return damaged(reader, "it has RLE encoding, but the column is not boolean", err);
        memcpy(&size, at, sizeof size);
        at += sizeof size;
        if (size > (size_t)(end - at))
            return damaged(reader, "its run lengths are truncated", err);
        rle_reader_init(&reader->codes, at, size, 1);
        return true;
    case ENCODING_DELTA_BINARY_PACKED:
        reader->form = VALUES_DELTA;
        if (reader->column->physical != PHYSICAL_INT32 &&
            reader->column->physical != PHYSICAL_INT64)
            return damaged(reader, "it has delta encoding, but the column is not an integer", err);
        return delta_reader_init(&reader->deltas, at, (size_t)(end - at)) ||
               damaged(reader, "its delta encoding has an invalid header", err);
    default:
        return damaged(reader, "its encoding is not supported", err);
    }
}

/* Format 1: levels behind their size, then values, all compressed together. */
static bool open_page_1(struct column_reader *reader, const struct page_header *header,
                        struct error *err) {
    if (!read_body(reader, header, 0, true, &reader->page, err))
        return false;
    const uint8_t *at = reader->page.at, *end = at + reader->page.size;
    reader->has_levels = !reader->column->required;
    if (reader->has_levels) {
        uint32_t size;
        if (header->level_encoding != ENCODING_RLE || reader->page.size < sizeof size)
            return damaged(reader, "its levels cannot be read", err);
        memcpy(&size, at, sizeof size);
        at += sizeof size;
        if (size > (size_t)(end - at))
            return damaged(reader, "its levels are truncated", err);
        rle_reader_init(&reader->levels, at, size, 1);
        at += size;
    }
    return open_values(reader, header, at, end, err);
}

/* Format 2: levels in front, never compressed, without their size. */
static bool open_page_2(struct column_reader *reader, const struct page_header *header,
                        struct error *err) {
    size_t level_size = header->level_size < 0 ? SIZE_MAX : (size_t)header->level_size;
    if (!read_body(reader, header, level_size, header->is_compressed, &reader->page, err))
        return false;
    const uint8_t *at = reader->page.at;
    reader->has_levels = !reader->column->required;
    if (reader->has_levels)
        rle_reader_init(&reader->levels, at, level_size, 1);
    return open_values(reader, header, at + level_size, at + reader->page.size, err);
}

bool column_reader_prepare(struct column_reader *reader, int64_t *rows, struct error *err) {
    while (reader->page_rows == 0 && reader->rows_left > 0) {
        struct page_header header;
        if (!read_header(reader, &header, err))
            return false;
        if (header.type == PAGE_DICTIONARY) {
            if (!read_dictionary(reader, &header, err))
                return false;
            continue;
        }
        if (header.type != PAGE_DATA && header.type != PAGE_DATA_V2) {
            reader->at += header.size; // of a kind that may be skipped
            continue;
        }
        if (header.values < 0 || header.values > reader->rows_left)
            return damaged(reader, "it has more rows than its column chunk", err);
        if (!(header.type == PAGE_DATA ? open_page_1(reader, &header, err)
                                       : open_page_2(reader, &header, err)))
            return false;
        reader->page_rows = header.values;
        reader->rows_left -= header.values;
    }
    *rows = reader->page_rows;
    return true;
}

/* *values: how many of the next rows are not null; which, is in reader->valid unless all are. */
static bool read_levels(struct column_reader *reader, size_t rows, size_t *values,
                        struct error *err) {
    *values = rows;
    if (!reader->has_levels || rle_skip_run(&reader->levels, 1, rows))
        return true;
    if (!rle_read(&reader->levels, reader->numbers, rows))
        return damaged(reader, "it has too few levels", err);
    *values = 0;
    for (size_t i = 0; i < rows; i++) {
        reader->valid[i] = reader->numbers[i] == 1;
        *values += reader->valid[i];
    }
    return true;
}

static bool read_plain_booleans(struct column_reader *reader, size_t count) {
    size_t left = (size_t)(reader->plain_end - reader->plain) * 8;
    if (left < reader->plain_bit + count)
        return false;
    for (size_t i = 0; i < count; i++, reader->plain_bit++)
        reader->row.booleans[i] =
            reader->plain[reader->plain_bit / 8] >> (reader->plain_bit % 8) & 1;
    reader->plain += reader->plain_bit / 8;
    reader->plain_bit %= 8;
    return true;
}

/* Codes of `count` values, or booleans as run lengths. */
static bool read_numbers(struct column_reader *reader, size_t count, struct error *err) {
    if (!rle_read(&reader->codes, reader->numbers, count))
        return damaged(reader, "it has too few values", err);
    if (reader->form == VALUES_RLE) {
        for (size_t i = 0; i < count; i++)
            reader->row.booleans[i] = reader->numbers[i] != 0;
        return true;
    }
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = reader->numbers[i] > largest ? reader->numbers[i] : largest;
    if (count > 0 && largest >= reader->dictionary_count)
        return damaged(reader, "it has a dictionary index without a value", err);
    return true;
}

/* Reads `count` values without nulls, into reader->row or as codes. */
static bool read_values(struct column_reader *reader, size_t count, struct error *err) {
    bool found;
    if (reader->form == VALUES_CODES || reader->form == VALUES_RLE)
        return read_numbers(reader, count, err);
    if (reader->form == VALUES_DELTA)
        found = delta_read(&reader->deltas, &reader->row, plain_width(reader->column), count);
    else if (reader->column->physical == PHYSICAL_BOOLEAN)
        found = read_plain_booleans(reader, count);
    else
        found = take_plain(reader->column, &reader->plain, reader->plain_end, &reader->row, count);
    return found || damaged(reader, "it has too few values", err);
}

bool column_reader_read_part(struct column_reader *reader, size_t rows, struct column_part *part,
                             struct error *err) {
    check(rows <= READ_ROWS_MAX && (int64_t)rows <= reader->page_rows);
    size_t values;
    if (!read_levels(reader, rows, &values, err) || !read_values(reader, values, err))
        return false;
    bool is_coded = reader->form == VALUES_CODES;
    if (reader->column->millis && !is_coded)
        millis_to_micros(reader->row.int64s, values);
    reader->page_rows -= (int64_t)rows;
    *part = (struct column_part){.rows = rows,
                                 .values = values,
                                 .present = values < rows ? reader->valid : NULL,
                                 .codes = is_coded ? reader->numbers : NULL,
                                 .at = is_coded ? NULL : &reader->row};
    return true;
}

/* The values of codes, into reader->row. */
static void look_up(struct column_reader *reader, size_t count) {
    size_t width = type_width(reader->column->stored);
    for (size_t i = 0; i < count; i++)
        memcpy((uint8_t *)&reader->row + i * width, reader->values.at + reader->numbers[i] * width,
               width);
}

/* Values in the form of pages get the one of vectors: from the first on if they get shorter, from
 * the last on if they get longer. */
static void convert_values(struct column_reader *reader, size_t count) {
    enum type stored = reader->column->stored;
    switch (reader->column->type) {
    case TYPE_INT8:
        for (size_t i = 0; i < count; i++)
            reader->row.int8s[i] = (int8_t)reader->row.int32s[i];
        break;
    case TYPE_INT16:
        for (size_t i = 0; i < count; i++)
            reader->row.int16s[i] = (int16_t)reader->row.int32s[i];
        break;
    case TYPE_DECIMAL:
        for (size_t i = count; i > 0 && stored != TYPE_DECIMAL; i--)
            reader->row.decimals[i - 1] =
                stored == TYPE_INT32 ? reader->row.int32s[i - 1] : reader->row.int64s[i - 1];
        break;
    default:
        break;
    }
}

/* Values without nulls move to their rows, from the last to the first. */
static void spread(struct column_reader *reader, size_t rows, size_t values) {
    size_t width = type_width(reader->column->type);
    uint8_t *base = (uint8_t *)&reader->row;
    // From the last one on, so that none is overwritten; with as many values as rows, all are
    // there.
    for (size_t row = rows; row > 0 && values < row; row--) {
        if (reader->valid[row - 1])
            memmove(base + (row - 1) * width, base + --values * width, width);
        else
            memset(base + (row - 1) * width, 0, width);
    }
}

bool column_reader_read(struct column_reader *reader, size_t rows, struct vector *vector,
                        struct error *err) {
    struct column_part part;
    if (!column_reader_read_part(reader, rows, &part, err))
        return false;
    if (part.codes != NULL)
        look_up(reader, part.values);
    convert_values(reader, part.values);
    if (part.present == NULL)
        memset(reader->valid, 1, rows);
    spread(reader, rows, part.values);
    *vector = (struct vector){.type = reader->column->type,
                              .valid = reader->valid,
                              .values = &reader->row,
                              .scale = reader->column->scale};
    return true;
}
