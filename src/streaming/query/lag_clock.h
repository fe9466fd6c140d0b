/* lag_clock.h: asks Kafka for the end offsets of topics at an interval of its own (LAG_INTERVAL),
 * so that the lag is known while a batch runs, waits for its trigger, or is retried. It asks
 * only when nobody else has listed the topic for so long; a running driver lists it more often. */
#ifndef STREAMING_QUERY_LAG_CLOCK_H
#define STREAMING_QUERY_LAG_CLOCK_H

#include "base/error.h"
#include "base/system/thread.h"
#include "streaming/declare/stream.h"
#include "streaming/kafka/broker.h"
#include "streaming/report/topic_lag.h"

/* Of one query; all is borrowed. */
struct lag_question {
    struct broker *broker;
    const char *topic;
    struct lag_book *book;
    int64_t interval_ms;
};

/* Asks if it is time to. Returns in how many milliseconds it is next. Any thread; waits for Kafka
 * for LAG_ANSWER_MS at most. */
int64_t lag_question_ask(const struct lag_question *question);

struct lag_clock {
    pthread_t thread;
    struct mailbox box; // nothing is ever sent: it is closed
    size_t count;
    struct lag_question questions[STREAMS_MAX];
};

/* Starts the thread; the clock must not be moved. ERROR_LIMIT. */
MUST_CHECK bool lag_clock_start(struct lag_clock *clock, const struct lag_question *questions,
                                size_t count, struct error *err);

/* Ends it; waits for a question under way. */
void lag_clock_stop(struct lag_clock *clock);

#endif
