/* query_run.h: a query from its start to its end, by whichever engine. */
#ifndef STREAMING_START_QUERY_RUN_H
#define STREAMING_START_QUERY_RUN_H

#include "streaming/cluster/connect/connect_url.h"
#include "streaming/query/engine.h"
#include "streaming/query/query.h"

/* Opens the engine, recovers the disk, fits position and topic, lets the engine run the query, and
 * closes the engine. Opens the store if that is still to be done, and waits for disks and brokers
 * as the settings say. `today`: the Spark server that the settings name; NULL: none.
 *
 * Returns when everything is done (availableNow), when a stop was requested (true, or
 * ERROR_STOPPED), or when the query is stuck. Driver thread, and starts none. */
MUST_CHECK bool query_run(struct query *query, struct engine *engine,
                          const struct connect_url *today, struct error *err);

#endif
