/* topic_watch.h: a query's view of its topic: listing it, waiting for it, and saying what is wrong
 * with it often enough and no more. Driver thread. */
#ifndef STREAMING_QUERY_TOPIC_WATCH_H
#define STREAMING_QUERY_TOPIC_WATCH_H

#include "streaming/kafka/planner.h"
#include "streaming/query/query.h"

/* At start: lists the topic, waiting for brokers and topic up to KAFKA_STARTUP_TIMEOUT.
 * ERROR_BROKER: that is over; ERROR_STOPPED. */
MUST_CHECK bool topic_watch_start(struct query *query, struct error *err);

/* Later: the same, but waits without limit, with one ERROR line a minute. ERROR_STOPPED. */
MUST_CHECK bool topic_watch_refresh(struct query *query, struct error *err);

/* Makes sure that the listing has the high watermarks, if ranges that end there want them. The
 * errors of topic_watch_refresh(). */
MUST_CHECK bool topic_watch_high(struct query *query, const struct offset_range *ranges,
                                 size_t count, struct error *err);

/* One look, for a second at most; a topic that can't be listed stays as it was. */
void topic_watch_glance(struct query *query);

/* Data loss by FAIL_ON_DATA_LOSS: false with ERROR_DATA_LOSS, or a warning and true. */
MUST_CHECK bool topic_watch_loss(struct query *query, const struct data_loss *loss,
                                 struct error *err);

/* How long the batch under way has brought no record. */
struct topic_stall {
    int64_t records;
    int64_t since_ms, looked_ms, logged_ms; // monotonic
};

/* Called while a batch runs: one ERROR a minute while nothing comes. True: nothing will, because
 * the topic does not reach the end of a range any more. `cause`: what a source has heard of what
 * stands in its way; NULL: nothing. */
bool topic_watch_stall(struct query *query, const struct offset_range *ranges, size_t count,
                       struct topic_stall *stall, const char *cause);

#endif
