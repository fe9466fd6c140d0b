/* engine.h: the native engine: the chosen queries, the workers that they share, and their end. */
#ifndef STREAMING_ENGINE_H
#define STREAMING_ENGINE_H

#include "base/error.h"
#include "streaming/query.h"

enum { ENGINE_QUERIES_MAX = 8 };

struct engine_options {
    const struct query_options *queries[ENGINE_QUERIES_MAX]; // borrowed
    size_t query_count;
    size_t worker_count;
    int64_t memory_max;         // bytes; SPARK_DRIVER_MEMORY
    void (*on_query_end)(void); // on the query's thread, when it is not active any more
};

struct engine;

/* Takes every query's checkpoint lock first: if one is held, nothing starts (ERROR_LOCKED). Takes
 * over `broker`. */
MUST_CHECK bool engine_start(struct engine **engine, const struct engine_options *options,
                             struct broker *broker, struct error *err);

/* Any thread. */
void engine_request_stop(struct engine *engine, enum stop_level level);
bool engine_is_active(struct engine *engine); // whether any query still runs
size_t engine_query_count(const struct engine *engine);
struct query_snapshot engine_query_status(struct engine *engine, size_t query);

/* Waits for all queries to end and frees everything. False: *err is the first failed query's. */
MUST_CHECK bool engine_join(struct engine *engine, struct error *err);

#endif
