/* retry.h: disk errors are retried with back-off, up to WRITE_RETRY_TIMEOUT; and how the driver
 * waits for Kafka. Driver thread. */
#ifndef STREAMING_QUERY_RETRY_H
#define STREAMING_QUERY_RETRY_H

#include "base/error.h"
#include "base/log/log_retry.h"
#include "base/system/stop.h"
#include "streaming/report/query_report.h"

/* What all retries of a query have in common. All is borrowed. */
struct retrier {
    struct query_report *report; // reports the retry
    struct stop *stop;           // ends a wait
    int64_t limit_ms;            // WRITE_RETRY_TIMEOUT

    /* What is done in retrier_pause(): the query's other work continues while Kafka is away. NULL:
     * nothing. False: the query cannot continue. */
    bool (*meanwhile)(void *context, struct error *err);
    void *meanwhile_context;
};

/* One step's failures; starts as {0}. */
struct retry {
    int64_t began_ms;   // monotonic, of the first failure; 0: none yet
    int64_t backoff_ms; // the next pause
    int attempts;       // that failed
};

/* Another failure at `now_ms`. */
static inline void retry_note(struct retry *retry, int64_t now_ms) {
    if (retry->began_ms == 0)
        retry->began_ms = now_ms;
    retry->attempts++;
}

/* What is said of an attempt that failed. */
struct retry_words {
    const char *message; // of the status: "Waiting for Kafka"
    const char *text;    // of the log, with the reason; NULL: no line is due
    const char *reason;
    enum log_level level;
    bool is_data_available;
};

/* Says in the log and in the status that a step failed, since when it does, when it is retried
 * and until when. `times.began_ms` and `.attempts` are the retry's. */
void retry_say(struct query_report *report, const struct retry *retry, struct log_retry times,
               const struct retry_words *words);

/* The pause before the next attempt after a failure at `now_ms`: 200 ms first, then twice the pause
 * before, up to 10 seconds. -1: `limit_ms` have passed since the first failure. */
int64_t retry_pause_ms(struct retry *retry, int64_t now_ms, int64_t limit_ms);

/* After a step failed with *err: logs it, waits, and says whether to try the step again. False:
 * *err is neither ERROR_RETRY nor ERROR_LIMIT, the time is up, or a stop was requested (then it is
 * ERROR_STOPPED). */
bool retry_again(const struct retrier *retrier, struct retry *retry, struct error *err);

/* A pause of the driver between two looks at Kafka, when no batch is under way: at most its plan
 * is on disk. "stopped while <why>" (ERROR_STOPPED), or the error of meanwhile(). */
bool retrier_pause(const struct retrier *retrier, int64_t pause_ms, const char *why,
                   struct error *err);

#endif
