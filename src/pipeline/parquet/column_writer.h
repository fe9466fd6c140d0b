/* column_writer.h: one column of the open row group of one file, from values to compressed pages.
 *
 * Everything starts empty and grows: a file of 33 columns with a few rows takes about 10 KiB. */
#ifndef PARQUET_COLUMN_WRITER_H
#define PARQUET_COLUMN_WRITER_H

#include "pipeline/parquet/bounds.h"
#include "pipeline/parquet/dictionary.h"
#include "pipeline/parquet/page_writer.h"
#include "pipeline/parquet/slice.h"

enum {
    PAGE_ROWS_MAX = 20000,       // as Spark's files have it
    PAGE_SIZE_MAX = 1024 * 1024, // of PLAIN values; a page of one value may be larger
};

/* How a column is stored; the same in all files of a table. */
struct column_format {
    const char *name;  // borrowed
    size_t fixed_size; // PHYSICAL_FIXED: bytes of a value
    enum type type;    // as declared
    enum type stored;  // stored_type(): of the values given to the writer
    enum physical physical;
    int precision, scale;
    bool required;
};

/* What the column and offset indexes say of a page. */
struct page_entry {
    int64_t offset; // from the first data page; the writer adds where that is
    int32_t size;   // with header
    int64_t first_row;
    int64_t nulls;
    struct bounds bounds; // BOUNDS_EMPTY: all values are null
};

struct column_writer {
    const struct column_format *format;    // borrowed
    const struct parquet_options *options; // borrowed
    struct dictionary dictionary;
    bool dictionary_useless; // no chunk of the file needs to try it again
    enum { FORM_UNDECIDED, FORM_CODES, FORM_PLAIN } form; // of the open page

    bool is_given; // the dictionary, by column_writer_give_dictionary()

    size_t look_at; // values of an undecided page at which it is looked at
    // the open page
    size_t rows, nulls;
    size_t plain_size;    // what its values take when PLAIN
    size_t code_size;     // bytes of a code: 1, 2 or 4
    struct bytes values;  // codes, texts PLAIN, or native values
    struct bytes present; // a byte per row, 1: not null; empty while no row is null

    // the chunk
    enum parquet_codec codec;        // of all its pages
    int64_t chunk_rows, chunk_nulls; // of closed pages
    struct bytes pages;              // closed data pages with their headers
    size_t taken;                    // bytes of earlier pages, which the file has already
    struct bytes entries;            // struct page_entry of each
    size_t pages_plain_size;         // the same pages uncompressed, with headers
    size_t coded_pages;              // those of dictionary codes
    size_t delta_pages;              // those of differences
};

/* A chunk as it goes into the file: the dictionary page (may be empty), then the data pages. */
struct chunk {
    struct bytes dictionary_page;
    size_t dictionary_plain_size;
    struct bounds bounds;
};

void column_writer_init(struct column_writer *writer, const struct column_format *format,
                        const struct parquet_options *options);
void column_writer_deinit(struct column_writer *writer);

/* ERROR_STATE: a value too large for a Parquet page. */
MUST_CHECK bool column_writer_append(struct column_writer *writer, struct column_slice slice,
                                     struct page_scratch *scratch, struct error *err);

/* Instead of values, a chunk can be given codes of a dictionary that has all its values: the
 * dictionary is moved from the caller, to a writer that has no rows yet. It is written even if it
 * does not pay. `codes` are those of the rows that are not null; `present` is as in a slice; any
 * number of rows up to PAGE_ROWS_MAX. */
void column_writer_give_dictionary(struct column_writer *writer, struct dictionary *dictionary);
MUST_CHECK bool column_writer_append_codes(struct column_writer *writer, struct codes codes,
                                           const uint8_t *present, size_t rows,
                                           struct page_scratch *scratch, struct error *err);

/* Pages may go into the file before the chunk is closed once the dictionary has its last value
 * (FORM_PLAIN): its page first, which is empty when no page needs it, then the others, which the
 * writer then forgets. */
MUST_CHECK bool column_writer_dictionary_page(struct column_writer *writer,
                                              struct page_scratch *scratch, struct bytes *page,
                                              size_t *plain_size, struct error *err);
void column_writer_forget_pages(struct column_writer *writer);

/* Closes the open page and makes the dictionary's, unless it was made before. The chunk's pages
 * stay in the writer until column_writer_reset(), which starts the next chunk. */
MUST_CHECK bool column_writer_close_chunk(struct column_writer *writer,
                                          struct page_scratch *scratch, struct chunk *chunk,
                                          struct error *err);
void column_writer_reset(struct column_writer *writer);

static inline size_t column_writer_memory(const struct column_writer *writer) {
    return dictionary_memory(&writer->dictionary) + writer->values.capacity +
           writer->present.capacity + writer->pages.capacity + writer->entries.capacity;
}

#endif
