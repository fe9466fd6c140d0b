/* cluster_run.h: one query run by Spark: started on the cluster with the same checkpoint and table,
 * followed batch by batch, stopped. Driver thread. */
#ifndef STREAMING_CLUSTER_ENGINE_CLUSTER_ENGINE_H
#define STREAMING_CLUSTER_ENGINE_CLUSTER_ENGINE_H

#include "streaming/query/query.h"

/* After the query's recovery; returns when all that was to be done is (availableNow), when a stop
 * was requested, or when Spark can't go on.
 *
 * A query that Spark gives up is started again with back-off, as long as batches get committed in
 * between, or for WRITE_RETRY_TIMEOUT. */
MUST_CHECK bool cluster_run(struct query *query, struct error *err);

#endif
