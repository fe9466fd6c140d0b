/* topic_change.h: what a query does when its topic is not the one that it has read: deleted and
 * created again, cut, or not to be read that far yet (ARCHITECTURE.md, "Positions"). Driver thread.
 */
#ifndef STREAMING_QUERY_TOPIC_CHANGE_H
#define STREAMING_QUERY_TOPIC_CHANGE_H

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
    bool unproven; // since the start nothing has told whether the topic is still the same
    struct partition_texts waiting; // which partitions wait for a transaction to end,
    struct partition_texts missing; // and which to be listed again
    int64_t waiting_logged_ms;      // monotonic; 0: none waits
};

/* After a look at the topic: whether the positions fit it. Where they don't, plan->count > 0 and it
 * is the plan that moves them and takes no records; the caller owns its ranges, and its
 * position knows of it. ERROR_DATA_LOSS, with FAIL_ON_DATA_LOSS: the plan is written. */
MUST_CHECK bool topic_change_plan(struct topic_change *change, struct plan *plan,
                                  struct error *err);

/* Before a planned batch is read: waits as long as it ends behind an open transaction, or Kafka
 * does not list a partition of it though the topic is the same. What the topic does not have any
 * more, planner_clip() takes out. ERROR_STOPPED; ERROR_DATA_LOSS, with FAIL_ON_DATA_LOSS: it moves
 * the positions. */
MUST_CHECK bool topic_change_await(struct topic_change *change, const struct plan *plan,
                                   struct error *err);

/* For a query that Spark runs: what was found out about the topic was of the batches so far. From
 * now on the topic is the one that Spark reads. */
void topic_change_settle(struct topic_change *change);

/* What the query waits for, and of which partitions; NULL: for nothing. */
const char *topic_change_wait(const struct topic_change *change, const char **detail);

/* At the end of a query that takes what is there: says what waits. */
void topic_change_say_left(struct topic_change *change);

#endif
