/* merge_input.h: what is known of the files that are merged into one output: where the chunks of
 * each column are. Small, because there may be tens of thousands: 8 bytes a chunk. */
#ifndef PIPELINE_MERGE_MERGE_INPUT_H
#define PIPELINE_MERGE_MERGE_INPUT_H

#include "pipeline/merge/merge_spool.h"
#include "pipeline/parquet/read/reader.h"
#include "pipeline/parquet/writer.h"

/* How a kind of files has the table's columns. */
struct merge_layout {
    struct file_column *columns; // owned; the file's
    size_t column_count;
    uint32_t *places; // owned; of each of the table's columns: its index in the file, or UINT32_MAX
};

struct merge_chunk {
    uint32_t start; // from the piece's first byte, or its place in the spool
    uint32_t size : 29, has_dictionary : 1, codec : 2;
};

/* One row group of one input. */
struct merge_piece {
    uint32_t input; // index of its file
    uint32_t layout : 31, is_spooled : 1;
    uint32_t rows;
    int64_t start; // in the file
};

struct merge_inputs {
    const struct parquet_table *table; // borrowed
    const char *const *paths;          // borrowed; of the inputs
    size_t count;
    struct merge_layout *layouts; // owned
    size_t layout_count;
    struct bytes pieces; // struct merge_piece, in the order of the inputs
    struct bytes chunks; // struct merge_chunk: of each piece, those of all columns
    int64_t rows, bytes; // bytes: of whole files
    int64_t data_bytes;  // of chunks
    struct merge_spool spool;
    int64_t *plain_bytes; // owned; of each column, without compression
    int64_t *coded_rows;  // owned; of each column: rows of chunks with a dictionary
};

void merge_inputs_init(struct merge_inputs *inputs, const struct parquet_table *table,
                       const char *const *paths, size_t memory_max, const char *directory);
void merge_inputs_deinit(struct merge_inputs *inputs);

/* Adds the next file, which is open. ERROR_STATE: it has a column that the table does not have, or
 * of another type, or lacks one that is never null. */
MUST_CHECK bool merge_inputs_add(struct merge_inputs *inputs, const struct parquet_reader *reader,
                                 struct error *err);

static inline size_t merge_piece_count(const struct merge_inputs *inputs) {
    return inputs->pieces.size / sizeof(struct merge_piece);
}

static inline const struct merge_piece *merge_piece_at(const struct merge_inputs *inputs,
                                                       size_t piece) {
    return (const struct merge_piece *)(const void *)inputs->pieces.at + piece;
}

/* Its column's place in the file, or in the spool. False: the file lacks the column. */
bool merge_piece_chunk(const struct merge_inputs *inputs, size_t piece, size_t column,
                       struct file_chunk *chunk);

/* Of a column that the file has. */
const struct file_column *merge_piece_column(const struct merge_inputs *inputs, size_t piece,
                                             size_t column);

size_t merge_inputs_memory(const struct merge_inputs *inputs);

/* Opens a file for reading some of its bytes; a small one is read as a whole, into `room`. */
MUST_CHECK bool merge_input_open(struct input *input, const char *path, struct bytes *room,
                                 struct error *err);

#endif
