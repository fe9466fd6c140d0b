/* slice.h: rows on their way into files: those of one file, one column at a time, without nulls. */
#ifndef PARQUET_SLICE_H
#define PARQUET_SLICE_H

#include "core/rows.h"
#include "pipeline/parquet/bytes.h"

/* Rows to be appended, with what is asked of them once and not once per file. */
struct row_slice {
    const struct rows *rows; // borrowed
    bool has_nulls[SCHEMA_COLUMNS_MAX];
};

void row_slice_init(struct row_slice *slice, const struct rows *rows);

/* Values of consecutive rows, in the vector form of the type, nulls left out. */
struct column_slice {
    const void *values;
    const uint8_t *present; // per row, 1: not null; NULL: none is null
    size_t rows, nulls;
};

/* `stored`: the form that the values get (stored_type()). A column's rows whose numbers are in
 * `selection`, or with NULL rows [0, count). They may lie in `room`, and are valid until it is used
 * again. */
struct column_slice slice_gather(const struct row_slice *slice, size_t column, enum type stored,
                                 const uint16_t *selection, size_t count, struct bytes *room);

#endif
