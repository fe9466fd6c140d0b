/* engine.h: who runs a query's batches: this program's workers (streaming/native) or a Spark
 * cluster (streaming/cluster/engine). Neither knows of the other; streaming/start picks one.
 *
 * A stop is not a call: an engine hears it by the query's `stop`, and returns from run(). */
#ifndef STREAMING_QUERY_ENGINE_H
#define STREAMING_QUERY_ENGINE_H

#include "base/error.h"
#include "core/plan.h"

struct engine_ops;

struct engine {
    const struct engine_ops *ops; // first member of every implementation's own struct
};

/* Driver thread, in this order, close() always. */
struct engine_ops {
    /* Waits until batches can be run. Before recovery, so that an engine that is not available is
     * reported before anything else. */
    bool (*open)(struct engine *engine, struct error *err);
    /* Runs batches from the query's position until everything is done (availableNow), a
     * stop was requested (true, or ERROR_STOPPED), or it is stuck. `open_plan` is durable and
     * comes first; NULL: there is none. Recovery has finished, and the topic fits the position. */
    bool (*run)(struct engine *engine, const struct plan *open_plan, struct error *err);
    void (*close)(struct engine *engine);
};

#endif
