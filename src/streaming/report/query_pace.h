/* query_pace.h: how fast a query moves now, and how long it needs to catch up. The newest batch
 * tells only how fast that batch was, so its rates are shown only while batches follow each other.
 */
#ifndef STREAMING_REPORT_QUERY_PACE_H
#define STREAMING_REPORT_QUERY_PACE_H

#include "streaming/report/query_history.h"
#include "streaming/report/query_status.h"

struct query_pace {
    bool is_moving;                  // else the rates are 0 and mean nothing
    double input_rate, process_rate; // records a second, of the newest batch
    int64_t catch_up_ms;             // -1: not known
};

/* A query moves while it works or waits for its next trigger, its lag is known, and its newest
 * batch is no older than two triggers, twice the batch's own duration and a few seconds. `newest`:
 * NULL, there is none. `now_ms`: wall clock. Pure. */
struct query_pace query_pace_of(const struct query_snapshot *shown,
                                const struct batch_report *newest, int64_t trigger_ms,
                                int64_t now_ms);

#endif
