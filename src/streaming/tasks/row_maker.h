/* row_maker.h: records to rows of a query's table: decoded, with partition values that a directory
 * can have, their computed columns filled, exploded and filtered. Not thread-safe: each worker has
 * one per query. */
#ifndef STREAMING_TASKS_ROW_MAKER_H
#define STREAMING_TASKS_ROW_MAKER_H

#include "core/decoder.h"
#include "core/rows.h"
#include "pipeline/derive.h"
#include "streaming/tasks/expand.h"
#include "streaming/tasks/tally.h"
#include "streaming/tasks/task.h"

struct row_maker {
    const struct worker_query *query; // borrowed
    struct decoder *decoder;
    struct rows rows;      // a slice of records; the caller counts the one at rows.count
    struct derive at_once; // computed columns because of which a record can be a reject
    struct derive later;   // the other computed columns, for all rows of a slice together
    struct expand *expand; // owned; NULL: each record is one row
    size_t *required;      // owned; columns of which a null makes the record a reject
    size_t required_count;
    bool is_by_date;            // the table is partitioned by PLAN_DATE
    struct arena strings;       // owned; their texts, if those of the rows have no room for them
    size_t string_bytes;        // of the rows; more while one large record passes through
    int64_t batch_time_ms;      // the plan's
    const atomic_bool *abandon; // borrowed; of the task: true: flushing ends with ERROR_STOPPED.
                                // NULL: it is never abandoned
};

/* ERROR_CONFIG: no such time zone. */
MUST_CHECK bool row_maker_init(struct row_maker *maker, const struct worker_query *query,
                               size_t capacity, struct error *err);
void row_maker_deinit(struct row_maker *maker); // accepts a zeroed struct

/* A record that is not a reject. DECODE_FULL: row_maker_flush() and row_maker_reset(); with no
 * record to flush, row_maker_grow(). */
enum decode_result row_maker_make(struct row_maker *maker, const struct record *record,
                                  struct stage_clock *clock, struct reject *reject);

/* More room for the texts of one large record than all the rows of a slice usually have.
 * ERROR_CONFIG: it would be more than `memory_max` bytes. */
MUST_CHECK bool row_maker_grow(struct row_maker *maker, const struct record *record,
                               size_t memory_max, struct error *err);

/* Hands on the rows of the slice, all at once or in parts, with all columns filled, and counts
 * field faults. The counts of records and rows are added to `outcome`, so all records must be of
 * its range if row_maker_counts_by_range(). ERROR_CONFIG: their texts need more than `memory_max`
 * bytes; and the errors of `emit`. `emit` NULL: rows are only counted, and their columns are not
 * computed. */
MUST_CHECK bool row_maker_flush(struct row_maker *maker, size_t memory_max,
                                struct range_outcome *outcome, rows_fn *emit, void *context,
                                struct error *err);

/* After a flush that succeeded: how many rows record `index` of the slice became before WHERE, and
 * how many were handed on. */
void row_maker_count_record(const struct row_maker *maker, size_t index, int64_t *exploded,
                            int64_t *rows);

/* Whether row_maker_flush() does not know of which range a record was. */
bool row_maker_counts_by_range(const struct row_maker *maker);

/* Empties the rows, and gives back what they have grown by. */
void row_maker_reset(struct row_maker *maker);

/* Bytes of its rows and expressions when they have not grown. Any thread. */
size_t row_maker_memory(const struct row_maker *maker);

#endif
