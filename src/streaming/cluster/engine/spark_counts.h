/* spark_counts.h: what Spark has counted of a batch. */
#ifndef STREAMING_CLUSTER_ENGINE_SPARK_COUNTS_H
#define STREAMING_CLUSTER_ENGINE_SPARK_COUNTS_H

#include "sql/plan/plan.h"
#include "streaming/cluster/engine/spark_progress.h"

/* Whether the counts of records and of rows can be those of one batch of the query. */
bool spark_counts_add_up(const struct spark_progress *progress, const struct plan *plan,
                         const struct query_plan *query);

/* The outcomes of the plan's ranges, without empty ones. `found`: the rejects of each partition.
 * Spark does not count the rest by partition. So it is shown with the first ranges that have room:
 * offsets without a record, records that are empty or filtered, and with the first of all what rows
 * there are beyond one of each record. The caller frees *outcomes. */
void spark_counts_share(const struct plan *plan, const struct spark_progress *progress,
                        const struct range_outcome *found, size_t found_count,
                        struct range_outcome **outcomes, size_t *count);

#endif
