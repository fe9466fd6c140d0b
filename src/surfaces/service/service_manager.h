/* service_manager.h: notifications to systemd, or another program that started us with
 * NOTIFY_SOCKET (sd_notify(3)): the queries run, what they do, they make progress, they stop.
 *
 *     READY=1               every query has finished recovery and listed its topic
 *     STATUS=match_stream: Waiting for next trigger, batch 7, 1203 rows, …; player_stream: …
 *     WATCHDOG=1            several times per WatchdogSec, while main and all queries make progress
 *     EXTEND_TIMEOUT_USEC=  while a start waits for Kafka; and when a stop finishes a batch
 *     STOPPING=1
 *
 * Without NOTIFY_SOCKET nothing happens. It never waits: what a service manager does not take is
 * sent again by the next update. One thread uses it. */
#ifndef SURFACES_SERVICE_SERVICE_MANAGER_H
#define SURFACES_SERVICE_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streaming/declare/stream.h"
#include "streaming/report/query_status.h"

enum { SERVICE_STATUS_MAX = 1024 };

/* When a query last made progress. All times are monotonic. */
struct service_query {
    int64_t signs;
    int64_t alive_ms;
    bool reported; // that it hangs
};

struct service_manager {
    int64_t watchdog_ms;      // WatchdogSec; 0: nobody watches
    bool ready;               // READY=1 was sent
    bool stopping;            // a stop has begun
    bool stop_due, stop_told; // STOPPING=1 must be sent, or its extension again; was sent
    int64_t stop_within_ms;
    int64_t fed_ms, extended_ms, said_ms;
    char said[SERVICE_STATUS_MAX];
    size_t count;
    struct service_query queries[STREAMS_MAX];
};

/* Reads the environment. */
void service_manager_init(struct service_manager *manager);

/* A few times a second, with the queries always in the same order. A query that gives no sign of
 * life for half of WatchdogSec is logged, and the watchdog is not fed until it does: the service
 * manager then ends the program and starts it again. */
void service_manager_update(struct service_manager *manager, const struct query_snapshot *queries,
                            size_t count);

/* A stop has begun and is over within so many milliseconds. May be called again. */
void service_manager_stop(struct service_manager *manager, int64_t within_ms);

#endif
