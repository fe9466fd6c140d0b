/* monitor.h: the status line per query without --await-termination:
 *
 *     Query match_stream status | is_active=True | is_data_available=True | message=Processing … |
 * lag=12
 *
 * every STATUS_INTERVAL, and on every change of what it says. One thread uses it. */
#ifndef SURFACES_SERVICE_MONITOR_H
#define SURFACES_SERVICE_MONITOR_H

#include <stddef.h>
#include <stdint.h>

#include "streaming/declare/stream.h"
#include "streaming/report/query_status.h"

struct monitor {
    int64_t interval_ms;
    int64_t due_ms; // monotonic: when the next line of every query is due
    size_t count;
    struct query_snapshot said[STREAMS_MAX];
};

void monitor_init(struct monitor *monitor, int64_t interval_ms);

/* A few times a second, with the queries always in the same order: logs what is due or changed. */
void monitor_update(struct monitor *monitor, const struct query_snapshot *queries, size_t count);

#endif
