/* retry.h: disk errors are retried with back-off, up to WRITE_RETRY_TIMEOUT. Driver thread. */
#ifndef STREAMING_QUERY_RETRY_H
#define STREAMING_QUERY_RETRY_H

#include "base/error.h"
#include "base/system/stop.h"
#include "streaming/report/query_report.h"

/* What all retries of a query have in common. All is borrowed. */
struct retrier {
    struct query_report *report; // reports the retry
    struct stop *stop;           // ends a wait
    int64_t limit_ms;            // WRITE_RETRY_TIMEOUT
};

/* One step's failures; starts as {0}. */
struct retry {
    int64_t began_ms;   // monotonic, of the first failure; 0: none yet
    int64_t backoff_ms; // the next pause
};

/* The pause before the next attempt after a failure at `now_ms`: 200 ms first, then twice the pause
 * before, up to 10 seconds. -1: `limit_ms` have passed since the first failure. */
int64_t retry_pause_ms(struct retry *retry, int64_t now_ms, int64_t limit_ms);

/* After a step failed with *err: logs it, waits, and says whether to try the step again. False:
 * *err is neither ERROR_RETRY nor ERROR_LIMIT, the time is up, or a stop was requested (then it is
 * ERROR_STOPPED). */
bool retry_again(const struct retrier *retrier, struct retry *retry, struct error *err);

#endif
