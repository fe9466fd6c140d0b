/* hand_over.h: how long a command waits until the query's driver publishes what is prepared for it.
 *
 * The driver publishes between batches, and while it waits for Kafka. In the middle of a batch it
 * cannot, and a batch takes as long as Kafka and the disk take. While the batch makes progress the
 * command waits; if it makes none (QUERY_RETRYING), for two minutes. Pure: no clock. */
#ifndef STREAMING_CARE_HAND_OVER_H
#define STREAMING_CARE_HAND_OVER_H

#include "streaming/report/query_status.h"

enum hand_over_verdict {
    HAND_OVER_WAIT,
    HAND_OVER_SAY, // and say what for: once, when it has taken a while
    HAND_OVER_GIVE_UP,
};

/* Starts as {.began_ms = now}. */
struct hand_over {
    int64_t began_ms; // monotonic, as the next
    int64_t stuck_ms; // since then the query makes no progress; 0: it does
    bool said;
};

enum hand_over_verdict hand_over_judge(struct hand_over *wait, int64_t now_ms,
                                       enum query_state state);

#endif
