/* row_maker.h: one record to one row of a query's table: decoded, with partition values that a
 * directory can have, and its derived columns filled. Not thread-safe: each worker has one per
 * query. */
#ifndef STREAMING_TASKS_ROW_MAKER_H
#define STREAMING_TASKS_ROW_MAKER_H

#include "core/decoder.h"
#include "core/rows.h"
#include "pipeline/derive.h"
#include "streaming/tasks/tally.h"
#include "streaming/tasks/task.h"

struct row_maker {
    const struct worker_query *query; // borrowed
    struct decoder *decoder;
    struct rows rows;      // the row that is made is at rows.count: the caller counts it
    struct derive at_once; // computed columns because of which a record can be a reject
    struct derive later;   // the other computed columns, for all rows of a slice together
    size_t *required;      // owned; columns of which a null makes the record a reject
    size_t required_count;
    struct arena strings;  // owned; their texts, if those of the rows have no room for them
    size_t string_bytes;   // of the rows; more while one large record passes through
    int64_t batch_time_ms; // the plan's
};

/* ERROR_CONFIG: no such time zone. */
MUST_CHECK bool row_maker_init(struct row_maker *maker, const struct worker_query *query,
                               size_t capacity, struct error *err);
void row_maker_deinit(struct row_maker *maker); // accepts a zeroed struct

/* Leaves out the derived columns of row_maker_complete(). DECODE_FULL: hand the rows on and reset;
 * with none to hand on, row_maker_grow(). */
enum decode_result row_maker_make(struct row_maker *maker, const struct record *record,
                                  struct stage_clock *clock, struct reject *reject);

/* More room for the texts of one large record than all the rows of a slice usually have.
 * ERROR_CONFIG: it would be more than `memory_max` bytes. */
MUST_CHECK bool row_maker_grow(struct row_maker *maker, const struct record *record,
                               size_t memory_max, struct error *err);

/* Fills the derived columns that are left, before rows are handed on, and counts the field faults
 * of all of them. ERROR_CONFIG: their texts need more than `memory_max` bytes. */
MUST_CHECK bool row_maker_complete(struct row_maker *maker, size_t memory_max, struct error *err);

/* Empties the rows, and gives back what they have grown by. */
void row_maker_reset(struct row_maker *maker);

/* Bytes of its rows and expressions when they have not grown. Any thread. */
size_t row_maker_memory(const struct row_maker *maker);

#endif
