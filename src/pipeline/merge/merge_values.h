/* merge_values.h: the values of one column, of the rows of a range: read in the order of the
 * inputs, written in that of the output. */
#ifndef PIPELINE_MERGE_MERGE_VALUES_H
#define PIPELINE_MERGE_MERGE_VALUES_H

#include "pipeline/merge/merge_breath.h"
#include "pipeline/merge/merge_order.h"

struct merge_values {
    const struct column_format *format; // borrowed
    const struct merge_range *range;    // borrowed
    bool is_coded;                      // codes of `dictionary`; otherwise the values themselves
    struct dictionary dictionary;
    size_t code_size;
    struct bytes values;  // those that are not null: codes, values in their stored form, or texts
                          // PLAIN
    struct bytes present; // a byte per row, 1: not null; empty while none is null
    size_t rows, nulls;
    size_t run;       // of range->by_row: the one of the next row, unless the range is whole
    size_t noted;     // runs of range->by_row whose start is known
    uint32_t *starts; // owned; of each run: its first value (texts: byte) in `values`. NULL: each
                      // row has one value
    struct bytes map; // the code of each of the chunk's codes, uint32_t
    bool has_map;
};

void merge_values_init(struct merge_values *values, const struct column_format *format,
                       const struct merge_range *range, bool is_coded);
void merge_values_deinit(struct merge_values *values);
size_t merge_values_memory(const struct merge_values *values);

/* Adds the rows of a chunk; the first of them is the `row`th of all inputs. The reader is open.
 * ERROR_STATE: damaged, or a null where the table allows none. */
MUST_CHECK bool merge_values_read(struct merge_values *values, struct column_reader *reader,
                                  size_t row, struct error *err);

/* Adds as many nulls, for a file that lacks the column. */
void merge_values_add_nulls(struct merge_values *values, size_t row, size_t rows);

/* Appends all to the writer's next column, whose index this is. Breathes meanwhile. */
MUST_CHECK bool merge_values_write(struct merge_values *values, struct parquet_writer *writer,
                                   size_t column, struct page_scratch *scratch,
                                   struct merge_breath *breath, struct error *err);

#endif
