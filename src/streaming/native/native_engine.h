/* native_engine.h: a query whose batches this program plans and runs itself. */
#ifndef STREAMING_NATIVE_NATIVE_ENGINE_H
#define STREAMING_NATIVE_NATIVE_ENGINE_H

#include "streaming/query/engine.h"
#include "streaming/query/query.h"

/* `query` is borrowed until close(), which frees the engine. */
struct engine *native_engine_create(struct query *query);

#endif
