/* stream_start.h: how a query is started in Spark: the session's configuration, the source's and
 * the sink's options. What it computes is its plan's business (stream_plan.h). */
#ifndef STREAMING_CLUSTER_ENGINE_STREAM_START_H
#define STREAMING_CLUSTER_ENGINE_STREAM_START_H

#include "streaming/cluster/connect/connect.h"
#include "streaming/cluster/spark/cluster.h"
#include "streaming/query/query.h"

/* What makes Spark's rows and files the same as ours, and the user's own properties of spark.sql;
 * one of these that can't be set in a session is warned of. */
MUST_CHECK bool stream_configure(struct connect_session *session, const struct query *query,
                                 const struct cluster_options *options, struct error *err);

/* Starts it. ERROR_CLUSTER. */
MUST_CHECK bool stream_start(struct connect_session *session, const struct query *query,
                             const struct cluster_options *options, struct connect_query *ids,
                             struct error *err);

#endif
