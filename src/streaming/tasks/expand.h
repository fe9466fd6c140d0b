/* expand.h: from accepted records to the rows of a table that has LATERAL VIEW or WHERE.
 *
 *     records ─▶ view 1 ─▶ … ─▶ last view ─▶ WHERE ─▶ computed columns ─▶ rows
 *
 * All other tables have one row for each record and do not need it. Not thread-safe. */
#ifndef STREAMING_TASKS_EXPAND_H
#define STREAMING_TASKS_EXPAND_H

#include <stdatomic.h>

#include "core/decoder.h"
#include "core/plan.h"
#include "core/rows.h"
#include "core/zone.h"
#include "streaming/tasks/task.h"

struct expand;

/* Whether the query needs it. */
bool expand_is_needed(const struct query_plan *plan);

/* `records` has the inputs of the records, and is borrowed like the query. Its vectors of elements
 * may move between two calls of expand_records(). */
struct expand *expand_create(const struct worker_query *query, const struct rows *records,
                             size_t string_bytes, struct zone zone);
void expand_destroy(struct expand *expand); // accepts NULL

/* Where rows go: `rows` is emptied after the call. */
typedef bool rows_fn(void *context, struct rows *rows, struct error *err);

/* What the records become, in their order, as many rows at a time as a slice has. Their counts are
 * added to `outcome`, and field faults to `counts`. `now_ms`: the moment of their batch.
 * ERROR_CONFIG: texts need more than `memory_max` bytes; and the errors of `emit`. */
struct expand_call {
    int64_t now_ms;
    size_t memory_max;
    struct range_outcome *outcome;
    struct decode_counts *counts;
    const atomic_bool *abandon; // true: give up with ERROR_STOPPED. NULL: never
    rows_fn *emit;              // NULL: rows are counted, not made
    void *context;
};
MUST_CHECK bool expand_records(struct expand *expand, const struct expand_call *call,
                               struct error *err);

/* Of the newest call: how many rows record `index` became before WHERE, and how many it has. */
void expand_count_record(const struct expand *expand, size_t index, int64_t *exploded,
                         int64_t *rows);

/* Bytes, when nothing has grown. */
size_t expand_memory(const struct expand *expand);

#endif
