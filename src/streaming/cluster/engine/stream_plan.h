/* stream_plan.h: a query as Spark SQL, printed from the plan by which the native engine runs it
 * (sql/plan/plan.h).
 *
 *     Kafka ─▶ from_json ─▶ columns that the reject rules need ─▶ is it accepted, does it have rows
 *           ─▶ counts of records (observed) ─▶ WHERE it is accepted
 *           ─▶ LATERAL VIEWs ─▶ the query's condition ─▶ counts of rows (observed) ─▶ WHERE it is
 * true ─▶ the other columns ─▶ the table's columns
 *
 * What is not accepted is what the native engine makes a reject of. How many there were, and in
 * which windows of offsets, is in each batch's progress, so that our process reads those windows
 * again.
 *
 * A record counts once, no matter how many rows it has: it is counted before the views multiply it.
 * So it is also computed there whether it is empty or filtered. Behind the views, rows are counted.
 */
#ifndef STREAMING_CLUSTER_ENGINE_STREAM_PLAN_H
#define STREAMING_CLUSTER_ENGINE_STREAM_PLAN_H

#include <inttypes.h>

#include "core/reject.h"
#include "sql/plan/plan.h"
#include "streaming/cluster/connect/connect_frame.h"

/* The two observations, and what they count, in their order. */
#define PLAN_OBSERVED_RECORDS "records"
#define PLAN_OBSERVED_ROWS "rows"
enum plan_record_count {
    PLAN_COUNT_RECORDS, // all of them
    PLAN_COUNT_REJECTS,
    PLAN_COUNT_EMPTY,    // accepted, but nothing to explode and no OUTER
    PLAN_COUNT_FILTERED, // accepted and exploded, but WHERE is true for none of the rows
    PLAN_COUNT_WINDOWS,  // of rejects: a list of partition * PLAN_WINDOW_PARTITION + offset /
                         // PLAN_WINDOW
    PLAN_RECORD_COUNTS,
};
enum plan_row_count {
    PLAN_COUNT_EXPLODED, // before WHERE
    PLAN_COUNT_ROWS,
    PLAN_ROW_COUNTS,
};

/* How many offsets a window has. */
enum { PLAN_WINDOW = 1024 };
#define PLAN_WINDOW_PARTITION (INT64_C(1) << 40)

struct stream_plan {
    struct pool pool; // owned; has all that follows
    struct connect_step *steps;
    size_t step_count;
};

/* `partition_columns`: indexes of the query's columns. `mode` is not PARSE_FAILFAST. */
void stream_plan_make(const struct query_plan *query, const size_t *partition_columns,
                      size_t partition_column_count, enum parse_mode mode,
                      struct stream_plan *plan);
void stream_plan_deinit(struct stream_plan *plan);

/* Whether Kafka's source has to read headers, which it does not by itself. */
bool stream_plan_reads_headers(const struct query_plan *query);

#endif
