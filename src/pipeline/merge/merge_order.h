/* merge_order.h: in which order the rows of the inputs go into the outputs. */
#ifndef PIPELINE_MERGE_MERGE_ORDER_H
#define PIPELINE_MERGE_MERGE_ORDER_H

#include "pipeline/merge/merge_breath.h"
#include "pipeline/merge/merge_input.h"
#include "pipeline/merge/merge_keys.h"

/* Rows [row, row + count), counted over all inputs in their order, that follow one another in the
 * output, too. `at`: in an order, the run's number by rows; in a range, where the first of its rows
 * is among the rows that are read. */
struct merge_run {
    uint32_t row, count, at;
};

struct merge_order {
    const struct merge_key_columns *keys; // borrowed
    struct bytes runs;                    // struct merge_run, in the order of the output
    struct bytes ends;                    // while inputs are added: first and last key of each run
    struct merge_key last;                // the last one that was added
    int64_t rows;
    int64_t later;                  // rows [later, rows) of the order are behind split_after_us
    struct merge_digest digests[2]; // of the inputs' keys: not later, later
};

void merge_order_init(struct merge_order *order, const struct merge_key_columns *keys);
void merge_order_deinit(struct merge_order *order);

/* Reads the keys of the next input. */
MUST_CHECK bool merge_order_add(struct merge_order *order, struct parquet_reader *reader,
                                struct error *err);

/* Bytes that the order takes now; and what sorting may take, if runs overlap. */
size_t merge_order_memory(const struct merge_order *order);
size_t merge_order_sort_memory(const struct merge_order *order);

/* Sorts what was added. Keys are read again if runs overlap; ERROR_LIMIT: that would take more than
 * memory_max. */
MUST_CHECK bool merge_order_sort(struct merge_order *order, const struct merge_inputs *inputs,
                                 size_t memory_max, struct merge_breath *breath, struct error *err);

/* A part of the order: rows [from, to) of it, as they are read and as they are written. */
struct merge_range {
    struct merge_run *runs; // owned; in the order of the output
    uint32_t *by_row;       // owned; indexes of runs, in the order of the inputs
    size_t count;
    size_t rows;
    bool is_whole; // all rows of all inputs
};

void merge_range_init(struct merge_range *range, const struct merge_order *order, int64_t from,
                      int64_t to);
void merge_range_deinit(struct merge_range *range);
size_t merge_range_memory(const struct merge_range *range);

#endif
