/* stream_start.h: how a query is described to Spark: the session's configuration, the source's and
 * the sink's options, and the plan. */
#ifndef STREAMING_CLUSTER_ENGINE_STREAM_START_H
#define STREAMING_CLUSTER_ENGINE_STREAM_START_H

#include "core/reject.h"
#include "core/schema.h"
#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/spark/cluster.h"
#include "streaming/query/query.h"

/* ---- the plan ----
 *
 * A query as Spark SQL, from the same declaration by which the native engine runs it
 * (streaming/declare/stream.h).
 *
 *     Kafka ─▶ from_json(value, DDL) ─▶ record columns, whether there is a value, origin
 *           ─▶ derived columns that the reject rules need ─▶ counts of records (observed)
 *           ─▶ WHERE the record can become a row ─▶ count of rows (observed)
 *           ─▶ the other derived columns ─▶ the table's columns
 *
 * What does not pass is what the native engine makes a reject of. How many there were, and in which
 * windows of offsets, is in each batch's progress, so that our process reads those windows again.
 *
 * Records are counted before the WHERE, which drops rejects, and rows behind it. What makes several
 * rows of a record, or none, belongs between the two counts: a record counts once, no matter how
 * many rows it has, or its offsets would look absent or come out more often than they exist. */

/* The two observations, and what the observation of records counts, in its order. The second has
 * one number. */
#define PLAN_OBSERVED_RECORDS "records"
#define PLAN_OBSERVED_ROWS "rows"
enum plan_count {
    PLAN_COUNT_RECORDS,
    PLAN_COUNT_REJECTS,
    PLAN_COUNT_WINDOWS, // a list of partition * PLAN_WINDOW_PARTITION + offset / PLAN_WINDOW
    PLAN_COUNTS,
};

/* How many offsets a window has. */
enum { PLAN_WINDOW = 1024 };
#define PLAN_WINDOW_PARTITION (INT64_C(1) << 40)

enum { PLAN_STEPS_MAX = 8, PLAN_EXPRESSIONS_MAX = SCHEMA_COLUMNS_MAX + 2 };

struct stream_plan {
    struct connect_step steps[PLAN_STEPS_MAX]; // point into `expressions`: a plan never moves
    size_t step_count;
    char *expressions[PLAN_STEPS_MAX][PLAN_EXPRESSIONS_MAX]; // owned
};

/* `partition_columns`: indexes of the schema. `mode` is not PARSE_FAILFAST. */
void stream_plan_make(const struct schema *schema, const size_t *partition_columns,
                      size_t partition_column_count, enum parse_mode mode,
                      struct stream_plan *plan);
void stream_plan_deinit(struct stream_plan *plan);

/* ---- the session and the start ---- */

/* What makes Spark's rows and files the same as ours, and the user's own properties of spark.sql;
 * one of these that can't be set in a session is warned of. */
MUST_CHECK bool stream_configure(struct connect_session *session, const struct query *query,
                                 const struct cluster_options *options, struct error *err);

/* Starts it. ERROR_CLUSTER. */
MUST_CHECK bool stream_start(struct connect_session *session, const struct query *query,
                             const struct cluster_options *options, struct connect_query *ids,
                             struct error *err);

#endif
