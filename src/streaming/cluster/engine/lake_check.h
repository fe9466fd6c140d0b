/* lake_check.h: whether every node of the cluster has the lake mounted where we have it.
 *
 * What Spark's executors write elsewhere would be lost silently: each task writes to its own
 * node's disk, and the driver lists its own. So Spark writes a few small files below the table, as
 * many tasks as every executor gets one of, and we check whether all of them are here. The
 * directory's name is not all ASCII, because a JVM whose locale is not UTF-8 can't make such a one,
 * and would fail at the first such partition value. */
#ifndef STREAMING_CLUSTER_ENGINE_LAKE_CHECK_H
#define STREAMING_CLUSTER_ENGINE_LAKE_CHECK_H

#include "base/error.h"
#include "streaming/cluster/connect/connect.h"

/* `staging`: the table's directory of that name, which need not be there. ERROR_CLUSTER: not all
 * of them are, or Spark can't write there. */
MUST_CHECK bool lake_check(struct connect_session *session, const char *staging, struct error *err);

/* Removes what killed checks have left. For callers that know that no Spark runs. */
void lake_check_sweep(const char *staging);

#endif
