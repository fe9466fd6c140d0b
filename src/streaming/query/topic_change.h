/* topic_change.h: whether a query's topic is still the one that it has read, or was deleted and
 * created again, or cut (docs/internals/positions.md). Driver thread. */
#ifndef STREAMING_QUERY_TOPIC_CHANGE_H
#define STREAMING_QUERY_TOPIC_CHANGE_H

#include "streaming/kafka/positions.h"
#include "streaming/query/topic_watch.h"

enum topic_change_kind {
    TOPIC_FITS,    // it is the one that was read
    TOPIC_CUT,     // it is, or may be, and its log has lost its end
    TOPIC_REGROWN, // the same, but it has grown past the position again before that was seen
    TOPIC_RENEWED, // it was deleted and created again
};

struct topic_change {
    struct topic_watch *watch;       // borrowed, as is the next
    struct query_position *position; // the watch's
    enum topic_change_kind kind;     // what was found out since the topic fitted, and by what
    char evidence[256];
    bool unproven;      // since the start nothing has told whether the topic is still the same,
    bool unproven_said; // as the log says by now
    struct partition_texts waiting; // which partitions wait for a transaction to end,
    struct partition_texts missing; // and which to be listed again
    int64_t waiting_logged_ms;      // monotonic; 0: none waits
};

/* After a look at the topic: sets `kind`. `starts`: the query's positions, or the ends of its plan;
 * *view: how they are to the newest listing. Looks again and reads records where that is needed.
 * ERROR_STOPPED, or what the disk's retry gave up with. */
MUST_CHECK bool topic_change_find(struct topic_change *change, const struct offset_range *starts,
                                  size_t count, struct positions_view *view, struct error *err);

/* What could be found out of the topic as it was listed last has been found out: until Kafka fails
 * again, it is not compared again. */
void topic_change_believe(struct topic_change *change);

/* Positions and topic agree. Also for a query that Spark runs: what was found out was of the
 * batches so far, and from now on the topic is the one that Spark reads. */
void topic_change_settle(struct topic_change *change);

/* The positions are of the topic as it was listed last, whose id may not be known. */
void topic_change_take_id(struct topic_change *change);

/* Whether it is time to log what the query waits for: when it begins, and once a minute. */
bool topic_change_is_time_to_say(struct topic_change *change);

#endif
