/* merge_passes.h: the rows of a part of the order into one row group, some columns at a time. */
#ifndef PIPELINE_MERGE_MERGE_PASSES_H
#define PIPELINE_MERGE_MERGE_PASSES_H

#include "pipeline/merge/merge_values.h"

struct merge_passes {
    struct merge_inputs *inputs; // borrowed, as all others
    const struct merge_order *order;
    struct parquet_table *table;
    struct merge_breath *breath;
    size_t memory_max; // bytes that the values of columns, and a page, may take
};

/* Rows [from, to) of the order become the writer's next row group, which the caller closes. */
MUST_CHECK bool merge_passes_write(const struct merge_passes *passes, int64_t from, int64_t to,
                                   struct parquet_writer *writer, struct error *err);

#endif
