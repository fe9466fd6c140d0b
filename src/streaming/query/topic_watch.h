/* topic_watch.h: a query's view of its topic: listing it, waiting for it, and saying what is wrong
 * with it often enough and no more. Driver thread. */
#ifndef STREAMING_QUERY_TOPIC_WATCH_H
#define STREAMING_QUERY_TOPIC_WATCH_H

#include "streaming/kafka/planner.h"
#include "streaming/query/kafka_identity.h"
#include "streaming/query/query_definition.h"
#include "streaming/query/query_position.h"

struct topic_watch {
    const struct query_definition *definition; // borrowed, as are the next five
    const struct query_position *position;
    struct query_report *report;
    struct broker *broker;
    struct stop *stop;
    const struct retrier *retrier;
    struct kafka_identity identity;

    struct topic_offsets topic; // newest listing; with high watermarks where positions need them
    bool fits;                  // it goes with the positions; else:
    struct topic_offsets sound; // the last one that did; empty: there was none
    struct offsets lowest;      // owned; where those partitions ended whose logs were too short
    bool was_absent;            // the topic, since a listing fitted,
    bool long_absent;           // for so long that it must be another topic
    int64_t absent_since_ms;    // monotonic; 0: it is there
    int64_t absence_logged_ms;  // when a glance has logged it; 0: none has
    bool in_doubt;              // Kafka failed since the topic was last found to be the same,
    bool id_in_doubt;           // and since its id was asked for
    size_t gone_known;          // partitions that are gone, though the topic is the same
    char loss_text[512];        // the data loss that was logged last,
    int64_t loss_logged_ms;     // and when (monotonic)
};

void topic_watch_init(struct topic_watch *watch, const struct query_definition *definition,
                      const struct query_position *position, struct broker *broker,
                      const struct retrier *retrier);
void topic_watch_deinit(struct topic_watch *watch);

/* Kafka has failed: meanwhile the topic may have been created again, or its log cut. */
void topic_watch_doubt(struct topic_watch *watch);

/* At start: lists the topic, waiting for brokers and topic up to KAFKA_STARTUP_TIMEOUT.
 * ERROR_BROKER: that is over; ERROR_STOPPED. */
MUST_CHECK bool topic_watch_start(struct topic_watch *watch, struct error *err);

/* Later: the same, but waits without limit, with one ERROR line a minute. ERROR_STOPPED. */
MUST_CHECK bool topic_watch_refresh(struct topic_watch *watch, struct error *err);

/* Makes sure that the listing has the high watermarks, if ranges that end there need them. The
 * errors of topic_watch_refresh(). */
MUST_CHECK bool topic_watch_high(struct topic_watch *watch, const struct offset_range *ranges,
                                 size_t count, struct error *err);

/* The positions have moved, or are known now. */
void topic_watch_moved(struct topic_watch *watch);

/* One look, for a second at most; a topic that can't be listed stays as it was. */
void topic_watch_glance(struct topic_watch *watch);

/* Data loss by FAIL_ON_DATA_LOSS: false with ERROR_DATA_LOSS, or a warning and true. */
MUST_CHECK bool topic_watch_loss(struct topic_watch *watch, const struct data_loss *loss,
                                 struct error *err);

/* How long no record has arrived for the running batch. */
struct topic_stall {
    int64_t records;
    int64_t since_ms, looked_ms, logged_ms; // monotonic
};

/* Called while a batch runs: one ERROR a minute while nothing comes. True: nothing will, because
 * the topic does not reach the end of a range any more. `cause`: what blocks a source, as far as it
 * knows; NULL: nothing. */
bool topic_watch_stall(struct topic_watch *watch, const struct offset_range *ranges, size_t count,
                       struct topic_stall *stall, const char *cause);

#endif
