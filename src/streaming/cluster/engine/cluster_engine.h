/* cluster_engine.h: a query run by Spark: started on the cluster with the same checkpoint and
 * table, followed batch by batch, stopped. */
#ifndef STREAMING_CLUSTER_ENGINE_CLUSTER_ENGINE_H
#define STREAMING_CLUSTER_ENGINE_CLUSTER_ENGINE_H

#include "streaming/cluster/spark/cluster.h"
#include "streaming/query/engine.h"
#include "streaming/query/query.h"

/* Both are borrowed until close(), which frees the engine. */
struct engine *cluster_engine_create(struct query *query, struct cluster *cluster);

#endif
