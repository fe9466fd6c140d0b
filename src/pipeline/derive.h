/* derive.h: the computed columns of rows, filled by the expressions of a query's plan. */
#ifndef PIPELINE_DERIVE_H
#define PIPELINE_DERIVE_H

#include "core/decoder.h"
#include "core/rows.h"
#include "sql/eval/eval.h"

/* Some computed columns of one worker's rows. It must not move. */
struct derive {
    struct timestamp_context context; // its moment, that of the rows' batch, is set by the owner
    struct eval eval;
    size_t *columns; // owned; of the rows
    int64_t *faults; // owned; room for eval's own counts
    size_t count;
};

/* `plan` has the inputs and the columns of the rows' schema, and is borrowed like the rows. */
void derive_init(struct derive *derive, const struct query_plan *plan, const size_t *columns,
                 size_t count, const struct rows *rows, struct zone zone);
/* The same for all computed columns. */
void derive_init_all(struct derive *derive, const struct query_plan *plan, const struct rows *rows,
                     struct zone zone);
void derive_deinit(struct derive *derive); // accepts a zeroed struct

/* Fills the columns of rows [first, first + count). False: `strings` is full; the rows are
 * unspecified, and the call is repeated with more room. */
bool derive_rows(struct derive *derive, size_t first, size_t count, struct arena *strings);

/* Adds the field faults that derive_rows() met in rows [0, count). */
void derive_count_faults(const struct derive *derive, const struct schema *schema, size_t count,
                         struct decode_counts *counts);

#endif
