/* program_view.h: a running program, as reported over HTTP by the API and /metrics. */
#ifndef SURFACES_HEALTH_PROGRAM_VIEW_H
#define SURFACES_HEALTH_PROGRAM_VIEW_H

#include "streaming/start/streaming.h"
#include "surfaces/health/health_watch.h"
#include "surfaces/settings/config.h"
#include "surfaces/webhook/webhook.h"

struct alerts;
struct disk_watch;

/* Constant while the program runs; all is borrowed. Functions, where a test has others. */
struct program_view {
    const struct config *config;
    int64_t started_ms; // wall clock
    bool is_loopback;   // only this machine can ask
    size_t query_count;
    struct query_view queries[STREAMING_QUERIES_MAX];
    struct health_watch *health;
    struct disk_watch *disks; // NULL: their room is not known
    struct streaming_memory (*memory)(struct streaming *streaming);
    size_t (*sources)(struct streaming *streaming, size_t most, bool *found,
                      struct kafka_statistics *statistics);
    struct streaming *streaming; // for `memory` and `sources`
    struct webhook_counts (*notifications)(struct alerts *alerts);
    struct alerts *alerts; // for `notifications`; NULL: there are none
};

#endif
