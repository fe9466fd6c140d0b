/* follow.h: a query that Spark runs, from its start to its end: its state, its batches, and what
 * happens to the records that they have left out. Driver thread. */
#ifndef STREAMING_CLUSTER_ENGINE_FOLLOW_H
#define STREAMING_CLUSTER_ENGINE_FOLLOW_H

#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/engine/spark_progress.h"
#include "streaming/cluster/spark/cluster.h"
#include "streaming/query/query.h"

struct follow {
    struct query *query;
    struct cluster *cluster;
    struct connect_session *session;
    const struct connect_query *ids;
    const struct cluster_options *options;

    bool ended;            // Spark runs the query no more, and all its batches are looked at
    bool given_up;         // Spark has ended it by an error
    struct error lost;     // a committed file is not here; ERROR_NONE: none is missed
    int64_t stop_asked_ms; // monotonic; 0: not yet
    int64_t stop_batch;    // the batch that was next then
    int64_t glanced_ms;    // monotonic; at the topic
    struct progress_book book;
    int64_t batch_began_ms; // wall clock, of the batch before; 0: there was none
};

/* Until the query has ended (availableNow) or was stopped as `query->stop` asks; all its committed
 * batches are looked at then, also if `lost` is the error. ERROR_CLUSTER: Spark has given it up, or
 * does not answer.
 * ERROR_DATA_LOSS, ERROR_STATE: it has met that. */
MUST_CHECK bool follow_query(struct follow *follow, struct error *err);

#endif
