/* Values gather in the page that is open. At first they are PLAIN. When there are enough to judge
 * by, or when the page is closed, they become codes of a dictionary if that is worth it. A full
 * page is encoded, compressed and put behind the chunk's other pages; the dictionary's own page
 * comes in front of them when the chunk is closed.
 *
 * As in Spark's files the dictionary is given up when it gets too large, or when the first page
 * shows that it does not pay; pages written with it stay as they are. Integers without a
 * dictionary are written as differences (delta.h) where that is smaller. A chunk whose first full
 * page hardly gets smaller by compression is not compressed. */
#include "pipeline/parquet/column_writer.h"

#include "base/check.h"
#include "pipeline/parquet/delta.h"
#include "pipeline/parquet/rle.h"

enum {
    VALUES_KEEP = 2 << 20, // bytes of an open page's memory kept for the next page
    // Numbers of values at which an undecided page is looked at. Few distinct values show early,
    // and are smaller as codes. At the last of them it shows whether the column may have a
    // dictionary at all: when 99 in 100 are new, a full page of 20,000 values would find about
    // 90 % of them new.
    LOOK_FIRST = 64,
    LOOK_FACTOR = 8,
    LOOK_LAST = 4096,
    LAST_NEW_PER_CENT = 99,
    DICTIONARY_PAGE_COST = 32, // bytes of its header and place in the footer
    TEXTS_AT_ONCE = 256,
};

static size_t native_width(enum type type) {
    return type_is_text(type) ? 0 : type_width(type);
}

static size_t plain_width(const struct column_format *format) {
    if (format->physical == PHYSICAL_FIXED)
        return format->fixed_size;
    return format->physical == PHYSICAL_INT96 ? INT96_SIZE : native_width(format->stored);
}

/* Whether what has no dictionary may be written as differences. */
static bool has_delta(const struct column_writer *writer) {
    return writer->options->delta && (writer->format->physical == PHYSICAL_INT32 ||
                                      writer->format->physical == PHYSICAL_INT64);
}

static void start_chunk(struct column_writer *writer) {
    // Decimals of more than 18 digits, which have none, are rare, and hardly ever the same.
    bool plain = !dictionary_takes(writer->format->stored) || writer->dictionary_useless;
    writer->form = plain ? FORM_PLAIN : FORM_UNDECIDED;
    writer->look_at = LOOK_FIRST;
    writer->dictionary.type = writer->format->stored;
    writer->codec = writer->options->codec;
}

void column_writer_init(struct column_writer *writer, const struct column_format *format,
                        const struct parquet_options *options) {
    *writer = (struct column_writer){.format = format, .options = options};
    start_chunk(writer);
}

void column_writer_deinit(struct column_writer *writer) {
    dictionary_deinit(&writer->dictionary);
    bytes_deinit(&writer->values);
    bytes_deinit(&writer->present);
    bytes_deinit(&writer->pages);
    bytes_deinit(&writer->entries);
}

void column_writer_reset(struct column_writer *writer) {
    bool useless = writer->dictionary_useless;
    column_writer_deinit(writer);
    *writer = (struct column_writer){
        .format = writer->format, .options = writer->options, .dictionary_useless = useless};
    start_chunk(writer);
}

static size_t value_count(const struct column_writer *writer) {
    return writer->rows - writer->nulls;
}

/* The open page's integers as native values: its own, or what its codes stand for. */
static const void *native_values(const struct column_writer *writer, struct bytes *room) {
    if (writer->form != FORM_CODES)
        return writer->values.at;
    size_t width = native_width(writer->format->stored), count = value_count(writer);
    room->size = 0;
    uint8_t *at = bytes_reserve(room, count * width);
    for (size_t i = 0; i < count; i++) {
        uint32_t code = code_load(writer->values.at, writer->code_size, i);
        memcpy(at + i * width, writer->dictionary.values.at + code * width, width);
    }
    return at;
}

/* What the open page's values take as differences; SIZE_MAX: they can't be, or are too few to tell.
 */
static size_t delta_size(const struct column_writer *writer, struct page_scratch *scratch) {
    if (!has_delta(writer) || value_count(writer) < LOOK_LAST)
        return SIZE_MAX;
    const void *values = native_values(writer, &scratch->codes);
    scratch->body.size = 0;
    delta_encode(&scratch->body, values, native_width(writer->format->stored), value_count(writer));
    return scratch->body.size;
}

/* Whether dictionary and codes together are smaller than the same values as differences, and
 * clearly smaller than PLAIN: these shrink more when they are compressed. Three quarters gave
 * smaller files than Spark's "smaller at all" on matches and players, and less work. Only asked of
 * the first page: later ones find the dictionary already paid. */
static bool dictionary_pays(const struct column_writer *writer, struct page_scratch *scratch) {
    size_t dictionary_size = writer->format->physical == PHYSICAL_INT96
                                 ? (size_t)writer->dictionary.count * INT96_SIZE
                                 : writer->dictionary.values.size;
    size_t codes_size = value_count(writer) * rle_width(writer->dictionary.count) / 8;
    size_t size = dictionary_size + codes_size + DICTIONARY_PAGE_COST;
    return size < writer->plain_size * 3 / 4 && size < delta_size(writer, scratch);
}

/* The open page's codes. */
static struct codes page_codes(const struct column_writer *writer) {
    return (struct codes){
        .at = writer->values.at, .count = value_count(writer), .size = writer->code_size};
}

/* Adds codes to the open page, in as few bytes each as the dictionary's count allows. */
static void add_codes(struct column_writer *writer, const uint32_t *codes, size_t count) {
    size_t size = code_size_for(writer->dictionary.count);
    if (size > writer->code_size) {
        codes_widen(&writer->values, writer->code_size, size); // rare: at 256 and 65,536 values
        writer->code_size = size;
    }
    codes_append(&writer->values, size, codes, count);
}

/* Codes PLAIN texts. False: the dictionary is full. */
static bool code_texts(struct dictionary *dictionary, const uint8_t *plain, size_t count,
                       uint32_t *codes) {
    struct text texts[TEXTS_AT_ONCE];
    while (count > 0) {
        size_t part = count < TEXTS_AT_ONCE ? count : TEXTS_AT_ONCE;
        for (size_t i = 0; i < part; i++) {
            memcpy(&texts[i].length, plain, sizeof texts->length);
            texts[i].bytes = (const char *)plain + sizeof texts->length;
            plain += sizeof texts->length + texts[i].length;
        }
        if (dictionary_encode(dictionary, texts, part, codes) < part)
            return false;
        codes += part;
        count -= part;
    }
    return true;
}

/* The open page's PLAIN values become codes, in scratch->codes. False: the dictionary is full. */
static bool code_page(struct column_writer *writer, struct page_scratch *scratch) {
    size_t count = value_count(writer);
    if (writer->plain_size > (size_t)2 * DICTIONARY_SIZE_MAX)
        return false;
    scratch->codes.size = 0;
    uint32_t *codes = (void *)bytes_reserve(&scratch->codes, (count + 1) * sizeof *codes);
    scratch->codes.size = count * sizeof *codes;
    if (type_is_text(writer->format->stored))
        return code_texts(&writer->dictionary, writer->values.at, count, codes);
    return dictionary_encode(&writer->dictionary, writer->values.at, count, codes) == count;
}

/* While a page is undecided its values are PLAIN, which takes far less memory than a dictionary of
 * mostly new values. `closing`: no more values will come to this page. */
static void decide(struct column_writer *writer, struct page_scratch *scratch, bool closing) {
    size_t count = value_count(writer);
    bool last = count >= LOOK_LAST;
    bool useful = code_page(writer, scratch);
    // The page is not full, so what it will take is not known; only whether values come again.
    if (useful && last && !closing)
        useful = (size_t)writer->dictionary.count * 100 < count * LAST_NEW_PER_CENT;
    else if (useful)
        useful = dictionary_pays(writer, scratch);
    if (useful) {
        writer->form = FORM_CODES;
        writer->code_size = code_size_for(writer->dictionary.count);
        bytes_deinit(&writer->values);
        add_codes(writer, (const uint32_t *)(const void *)scratch->codes.at, count);
        return;
    }
    dictionary_deinit(&writer->dictionary);
    writer->dictionary_useless = writer->dictionary_useless || last;
    writer->look_at = count * LOOK_FACTOR < LOOK_LAST ? count * LOOK_FACTOR : LOOK_LAST;
    if (closing || last)
        writer->form = FORM_PLAIN;
}

/* The open page's codes become PLAIN values again. At most a little more than the dictionary's
 * size, because it is only done when the dictionary does not pay. */
static void drop_dictionary(struct column_writer *writer) {
    const uint8_t *codes = writer->values.at;
    size_t count = value_count(writer), width = native_width(writer->format->stored);
    struct bytes plain = {0};
    (void)bytes_reserve(&plain, writer->plain_size);
    for (size_t i = 0; i < count; i++) {
        uint32_t code = code_load(codes, writer->code_size, i);
        if (width != 0) {
            bytes_append(&plain, writer->dictionary.values.at + code * width, width);
            continue;
        }
        struct text text = dictionary_text(&writer->dictionary, code);
        bytes_append(&plain, text.bytes - sizeof text.length, sizeof text.length + text.length);
    }
    bytes_deinit(&writer->values);
    writer->values = plain;
    writer->dictionary_useless = true;
    dictionary_deinit(&writer->dictionary);
    writer->form = FORM_PLAIN;
}

/* Bounds of the values whose codes are in the open page. */
static void bounds_of_codes(const struct column_writer *writer, struct page_scratch *scratch,
                            struct bounds *bounds) {
    const struct dictionary *dictionary = &writer->dictionary;
    size_t width = native_width(dictionary->type);
    scratch->codes.size = 0;
    uint8_t *seen = bytes_reserve(&scratch->codes, dictionary->count);
    memset(seen, 0, dictionary->count);
    codes_mark(page_codes(writer), seen, dictionary->count);

    scratch->body.size = 0; // not yet in use: bounds are found before the page is put together
    struct text min = {0}, max = {0};
    for (uint32_t code = 0; code < dictionary->count; code++) {
        if (!seen[code])
            continue;
        if (width != 0) {
            bytes_append(&scratch->body, dictionary->values.at + code * width, width);
            continue;
        }
        struct text text = dictionary_text(dictionary, code);
        if (min.bytes == NULL || text_compare(text, min) < 0)
            min = text;
        if (max.bytes == NULL || text_compare(text, max) > 0)
            max = text;
    }
    if (width != 0)
        bounds_of_values(bounds, dictionary->type, scratch->body.at, scratch->body.size / width);
    else if (min.bytes != NULL)
        bounds_of_texts(bounds, dictionary->type, min, max);
}

static void bounds_of_page(const struct column_writer *writer, struct page_scratch *scratch,
                           struct bounds *bounds) {
    enum type type = writer->format->stored;
    *bounds = (struct bounds){.state = BOUNDS_EMPTY};
    if (writer->values.size == 0)
        return;
    if (writer->format->physical == PHYSICAL_INT96) { // which has no order in the format
        bounds->state = BOUNDS_UNKNOWN;
    } else if (writer->form == FORM_CODES) {
        bounds_of_codes(writer, scratch, bounds);
    } else if (!type_is_text(type)) {
        bounds_of_values(bounds, type, writer->values.at, writer->values.size / type_width(type));
        if (writer->format->physical == PHYSICAL_FIXED)
            bounds_shorten(bounds, writer->format->fixed_size);
    } else {
        struct text min, max;
        bounds_find_texts(writer->values.at, writer->values.size, &min, &max);
        bounds_of_texts(bounds, type, min, max);
    }
}

/* Appends the open page's integers as differences, if that is smaller than PLAIN. */
static bool put_delta(const struct column_writer *writer, struct bytes *body) {
    size_t start = body->size;
    size_t width = writer->format->physical == PHYSICAL_INT32 ? sizeof(int32_t) : sizeof(int64_t);
    if (!has_delta(writer) || writer->values.size == 0)
        return false;
    delta_encode(body, writer->values.at, width, writer->values.size / width);
    if (body->size - start < writer->values.size)
        return true;
    body->size = start;
    return false;
}

/* Puts the page together in scratch->body, and leaves the writer's values empty. */
static enum encoding put_body(struct column_writer *writer, struct page_scratch *scratch) {
    struct bytes *body = &scratch->body;
    enum encoding encoding = ENCODING_PLAIN;
    body->size = 0;
    if (!writer->format->required)
        page_append_levels(body, writer->nulls > 0 ? writer->present.at : NULL, writer->rows);
    if (writer->form == FORM_CODES) {
        encoding = ENCODING_PLAIN_DICTIONARY;
        page_append_codes(body, page_codes(writer), writer->dictionary.count);
    } else if (put_delta(writer, body)) {
        encoding = ENCODING_DELTA_BINARY_PACKED;
    } else {
        page_append_plain(body, writer->format->physical, writer->format->fixed_size,
                          &writer->values);
    }
    bytes_reset(&writer->values, VALUES_KEEP);
    bytes_reset(&writer->present, VALUES_KEEP);
    return encoding;
}

/* `full`: more rows follow in the chunk. */
static bool close_page(struct column_writer *writer, bool full, struct page_scratch *scratch,
                       struct error *err) {
    if (writer->rows == 0)
        return true;
    if (writer->form == FORM_UNDECIDED && value_count(writer) > 0)
        decide(writer, scratch, true);
    else if (writer->form == FORM_CODES && writer->coded_pages == 0 && !writer->is_given &&
             !dictionary_pays(writer, scratch))
        drop_dictionary(writer);

    struct page_entry entry = {.offset = (int64_t)(writer->taken + writer->pages.size),
                               .first_row = writer->chunk_rows,
                               .nulls = (int64_t)writer->nulls};
    bounds_of_page(writer, scratch, &entry.bounds);
    struct page_kind kind = {
        .type = PAGE_DATA,
        .encoding = put_body(writer, scratch),
        .required = writer->format->required,
        .values = writer->rows,
        // A chunk of less than a page has too little to judge by.
        .judges_codec = full && writer->chunk_rows == 0,
    };
    size_t plain_size = page_put(&writer->pages, kind, &writer->codec, scratch, err);
    if (plain_size == 0)
        return error_wrap(err, "column '%s'", writer->format->name);

    entry.size = (int32_t)(writer->taken + writer->pages.size - (size_t)entry.offset);
    bytes_append(&writer->entries, &entry, sizeof entry);
    writer->pages_plain_size += plain_size;
    writer->coded_pages += kind.encoding == ENCODING_PLAIN_DICTIONARY;
    writer->delta_pages += kind.encoding == ENCODING_DELTA_BINARY_PACKED;
    writer->chunk_rows += (int64_t)writer->rows;
    writer->chunk_nulls += (int64_t)writer->nulls;
    writer->rows = writer->nulls = writer->plain_size = 0;
    return true;
}

/* The dictionary has coded its last value. A page that it served well keeps its codes. */
static bool stop_dictionary(struct column_writer *writer, struct page_scratch *scratch,
                            struct error *err) {
    if (writer->coded_pages == 0 && !dictionary_pays(writer, scratch))
        drop_dictionary(writer);
    else if (!close_page(writer, true, scratch, err))
        return false;
    writer->form = FORM_PLAIN;
    return true;
}

/* True: coded. False: the dictionary is full, nothing was added to the page. */
static bool append_codes(struct column_writer *writer, struct column_slice slice,
                         struct page_scratch *scratch) {
    size_t count = slice.rows - slice.nulls;
    scratch->codes.size = 0;
    uint32_t *codes = (void *)bytes_reserve(&scratch->codes, (count + 1) * sizeof *codes);
    if (dictionary_encode(&writer->dictionary, slice.values, count, codes) < count)
        return false;
    add_codes(writer, codes, count);
    return true;
}

/* memcpy() without the call: most texts are a few bytes long. Words that overlap cover the rest. */
static inline uint8_t *copy_text(uint8_t *to, const char *from, size_t length) {
    if (length >= 8 && length <= 32) {
        for (size_t i = 0; i + 8 < length; i += 8)
            memcpy(to + i, from + i, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4 && length < 8) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else if (length > 0) {
        memcpy(to, from, length);
    }
    return to + length;
}

static void append_plain(struct column_writer *writer, struct column_slice slice,
                         size_t plain_size) {
    size_t count = slice.rows - slice.nulls;
    if (!type_is_text(writer->format->stored)) {
        bytes_append(&writer->values, slice.values, count * native_width(writer->format->stored));
        return;
    }
    const struct text *texts = slice.values;
    uint8_t *at = bytes_reserve(&writer->values, plain_size);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, &texts[i].length, sizeof texts->length);
        at = copy_text(at + sizeof texts->length, texts[i].bytes, texts[i].length);
    }
    writer->values.size += plain_size;
}

/* Bytes per row only from the first null of a page on: until then there is nothing to say. */
static void append_present(struct column_writer *writer, struct column_slice slice) {
    if (writer->nulls == 0 && slice.nulls == 0)
        return;
    if (writer->nulls == 0) {
        memset(bytes_reserve(&writer->present, writer->rows + slice.rows), 1, writer->rows);
        writer->present.size = writer->rows;
    }
    uint8_t *present = bytes_reserve(&writer->present, slice.rows);
    if (slice.present != NULL)
        memcpy(present, slice.present, slice.rows);
    else
        memset(present, 1, slice.rows);
    writer->present.size += slice.rows;
}

static size_t plain_size_of(const struct column_format *format, struct column_slice slice) {
    size_t count = slice.rows - slice.nulls;
    if (!type_is_text(format->stored))
        return count * plain_width(format);
    const struct text *texts = slice.values;
    size_t size = count * sizeof texts->length;
    for (size_t i = 0; i < count; i++)
        size += texts[i].length;
    return size;
}

static bool append_whole(struct column_writer *writer, struct column_slice slice, size_t plain_size,
                         struct page_scratch *scratch, struct error *err) {
    if (writer->rows + slice.rows > PAGE_ROWS_MAX && !close_page(writer, true, scratch, err))
        return false;
    if (writer->form == FORM_CODES && !append_codes(writer, slice, scratch) &&
        !stop_dictionary(writer, scratch, err))
        return false;
    if (writer->form != FORM_CODES)
        append_plain(writer, slice, plain_size);
    append_present(writer, slice);
    writer->rows += slice.rows;
    writer->nulls += slice.nulls;
    writer->plain_size += plain_size;

    if (writer->form == FORM_UNDECIDED && value_count(writer) >= writer->look_at)
        decide(writer, scratch, false);
    if (writer->form != FORM_CODES && writer->plain_size >= PAGE_SIZE_MAX)
        return close_page(writer, true, scratch, err);
    return true;
}

bool column_writer_append(struct column_writer *writer, struct column_slice slice,
                          struct page_scratch *scratch, struct error *err) {
    check(slice.nulls == 0 || !writer->format->required);
    size_t plain_size = plain_size_of(writer->format, slice);
    if (plain_size <= PAGE_SIZE_MAX)
        return append_whole(writer, slice, plain_size, scratch, err);

    // Long texts: row by row, so that a page ends soon after its limit.
    const struct text *texts = slice.values;
    for (size_t row = 0; row < slice.rows; row++) {
        bool is_null = slice.nulls > 0 && !slice.present[row];
        const uint8_t *present = slice.present == NULL ? NULL : slice.present + row;
        struct column_slice one = {
            .values = texts, .present = present, .rows = 1, .nulls = is_null};
        texts += !is_null;
        if (!append_whole(writer, one, plain_size_of(writer->format, one), scratch, err))
            return false;
    }
    return true;
}

void column_writer_give_dictionary(struct column_writer *writer, struct dictionary *dictionary) {
    check(writer->chunk_rows == 0 && writer->rows == 0);
    dictionary_deinit(&writer->dictionary);
    writer->dictionary = *dictionary;
    *dictionary = (struct dictionary){0};
    writer->is_given = true;
    writer->form = FORM_CODES;
    writer->code_size = code_size_for(writer->dictionary.count);
}

bool column_writer_append_codes(struct column_writer *writer, struct codes codes,
                                const uint8_t *present, size_t rows, struct page_scratch *scratch,
                                struct error *err) {
    struct column_slice slice = {.present = present, .rows = rows, .nulls = rows - codes.count};
    check(writer->is_given && codes.size == writer->code_size && rows <= PAGE_ROWS_MAX);
    check(slice.nulls == 0 || !writer->format->required);
    if (writer->rows + rows > PAGE_ROWS_MAX && !close_page(writer, true, scratch, err))
        return false;
    bytes_append(&writer->values, codes.at, codes.count * codes.size);
    append_present(writer, slice);
    writer->rows += slice.rows;
    writer->nulls += slice.nulls;
    return true;
}

bool column_writer_dictionary_page(struct column_writer *writer, struct page_scratch *scratch,
                                   struct bytes *page, size_t *plain_size, struct error *err) {
    if (writer->coded_pages == 0)
        return true;
    scratch->body.size = 0;
    page_append_plain(&scratch->body, writer->format->physical, writer->format->fixed_size,
                      &writer->dictionary.values);
    struct page_kind kind = {.type = PAGE_DICTIONARY,
                             .encoding = ENCODING_PLAIN_DICTIONARY,
                             .values = writer->dictionary.count};
    *plain_size = page_put(page, kind, &writer->codec, scratch, err);
    return *plain_size > 0 || error_wrap(err, "column '%s'", writer->format->name);
}

void column_writer_forget_pages(struct column_writer *writer) {
    writer->taken += writer->pages.size;
    bytes_reset(&writer->pages, VALUES_KEEP);
}

bool column_writer_close_chunk(struct column_writer *writer, struct page_scratch *scratch,
                               struct chunk *chunk, struct error *err) {
    *chunk = (struct chunk){0};
    if (!close_page(writer, false, scratch, err))
        return false;
    if (writer->taken == 0 &&
        !column_writer_dictionary_page(writer, scratch, &chunk->dictionary_page,
                                       &chunk->dictionary_plain_size, err))
        return false;
    const struct page_entry *entries = (const void *)writer->entries.at;
    for (size_t i = 0; i < writer->entries.size / sizeof *entries; i++)
        bounds_widen(&chunk->bounds, writer->format->stored, &entries[i].bounds);
    return true;
}
