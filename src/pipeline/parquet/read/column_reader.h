/* column_reader.h: the values of one column chunk, page by page, some rows at a time.
 *
 * Reads PLAIN, dictionary, differences (integers) and RLE (booleans) in pages of format 1 and 2.
 * What a damaged file says is never believed: a page is decoded in small steps, so no count in it
 * can make us allocate more than its bytes. */
#ifndef PARQUET_COLUMN_READER_H
#define PARQUET_COLUMN_READER_H

#include "core/vector.h"
#include "pipeline/parquet/codec.h"
#include "pipeline/parquet/delta.h"
#include "pipeline/parquet/read/input.h"
#include "pipeline/parquet/read/metadata_reader.h"
#include "pipeline/parquet/rle.h"

enum { READ_ROWS_MAX = 1024 };

struct column_reader {
    const struct input *input; // borrowed, as column and chunk
    const struct file_column *column;
    enum parquet_codec codec;
    struct codec_state *codec_state; // borrowed
    size_t page_size_max;            // a page that claims to be larger is damaged
    int64_t at, end;                 // what is left of the chunk in the file
    int64_t rows_left;               // that the chunk's pages still must have

    struct bytes stored;     // a page as it is in the file, if the input is not in memory
    struct bytes page;       // the same uncompressed
    struct bytes dictionary; // its page, uncompressed
    struct bytes values;     // of the dictionary, in their stored form
    uint32_t dictionary_count;

    // the open page
    int64_t page_rows; // left in it
    bool has_levels;
    struct rle_reader levels;
    enum { VALUES_PLAIN, VALUES_CODES, VALUES_RLE, VALUES_DELTA } form;
    const uint8_t *plain, *plain_end; // what is left
    unsigned plain_bit;               // of the next PLAIN boolean
    struct rle_reader codes;
    struct delta_reader deltas;

    // from here on, what is read last; never cleared
    uint8_t valid[READ_ROWS_MAX];
    uint32_t numbers[READ_ROWS_MAX]; // levels, then codes
    union {
        uint8_t booleans[READ_ROWS_MAX];
        int8_t int8s[READ_ROWS_MAX];
        int16_t int16s[READ_ROWS_MAX];
        int32_t int32s[READ_ROWS_MAX];
        int64_t int64s[READ_ROWS_MAX];
        int128_t decimals[READ_ROWS_MAX];
        struct text texts[READ_ROWS_MAX];
    } row; // the values of the rows read last
};

/* Before it is opened for the first time. It must be closed in any case. */
void column_reader_init(struct column_reader *reader);
void column_reader_close(struct column_reader *reader);

/* Opens a chunk; one that was opened before keeps its memory. ERROR_STATE: a type or codec that we
 * do not read. */
MUST_CHECK bool column_reader_open(struct column_reader *reader, const struct input *input,
                                   const struct file_column *column, const struct file_chunk *chunk,
                                   struct codec_state *codec_state, size_t page_size_max,
                                   struct error *err);

/* Opens the next page when there is none. *rows: how many can be read without another; 0: the chunk
 * is at its end. ERROR_STATE: the file is damaged; ERROR_RETRY: the disk. */
MUST_CHECK bool column_reader_prepare(struct column_reader *reader, int64_t *rows,
                                      struct error *err);

/* Values of some rows as pages store them: only those that are not null, one after another. */
struct column_part {
    size_t rows, values;
    const uint8_t *present; // per row, 1: not null; NULL: none is null
    const uint32_t *codes;  // of the values, in the reader's dictionary; NULL: it has none here
    const void *at;         // without codes: the values, in the column's stored form
};

/* Reads exactly `rows` of those, at most READ_ROWS_MAX. *part stays valid until the next call. */
MUST_CHECK bool column_reader_read_part(struct column_reader *reader, size_t rows,
                                        struct column_part *part, struct error *err);

/* The same in the form of vectors. *vector stays valid until the next call. */
MUST_CHECK bool column_reader_read(struct column_reader *reader, size_t rows, struct vector *vector,
                                   struct error *err);

#endif
