/* health_watch.h: the health of the queries of a running engine. Everything that shows it asks
 * here, so that all say the same at the same time. */
#ifndef SURFACES_HEALTH_HEALTH_WATCH_H
#define SURFACES_HEALTH_HEALTH_WATCH_H

#include "streaming/start/streaming.h"
#include "surfaces/health/health.h"
#include "surfaces/settings/config.h"

struct health_watch;

/* What is behind the views is borrowed. */
struct health_watch *health_watch_open(const struct config *config, const struct query_view *views,
                                       size_t count);
void health_watch_close(struct health_watch *watch);

/* Looks at the query now. Any thread; waits only for another thread's call. */
void health_watch_judge(struct health_watch *watch, size_t index, struct health_verdict *verdict);

/* A few times a second, on one thread: looks at all queries from time to time, so that their past
 * is known when somebody asks, and logs which are degraded or stuck, and which are no longer. True:
 * it has looked. */
bool health_watch_update(struct health_watch *watch);

#endif
