/* alert.h: whether one query is in trouble that somebody should be told of, and when it is over.
 *
 *     failed    the query has ended with an error: at once
 *     failing   something is in its way (disk, broker, topic), it tries again and again, and for
 *               `after_ms` nothing has come of it; over with the next batch, or at the topic's end
 *     behind    what the topic held `after_ms` ago is not committed yet, and no fewer records wait
 *               than did then: it will not catch up like this. Not while it tries again, which is
 *               failing in time. Over when what the topic held half of `after_ms` ago is committed
 *
 * A query that catches up after a stop, however far it has to go, is not behind: what waits gets
 * fewer. A failed query's next start carries the trouble on until it gets somewhere, so that a
 * program that fails again and again is told of once. Pure: no clock, no I/O. */
#ifndef SURFACES_ALERTS_ALERT_H
#define SURFACES_ALERTS_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streaming/report/query_status.h"

enum alert_trouble { TROUBLE_NONE, TROUBLE_BEHIND, TROUBLE_FAILING, TROUBLE_FAILED, TROUBLE_COUNT };

/* "none", "falling_behind", "failing", "failed". */
const char *alert_trouble_name(enum alert_trouble trouble);

/* What a look at the query shows. */
struct alert_look {
    int64_t now_ms; // monotonic
    enum query_state state;
    int64_t batch_id;     // newest committed; -1: none yet
    int64_t records_read; // since the start, also of the batch under way
    bool is_topic_known;
    int64_t topic_end, position; // offsets, summed over partitions: at the newest look at the
                                 // topic, and behind the newest committed batch
};

enum { ALERT_SAMPLES = 32 }; // in after_ms

struct alert_sample {
    int64_t at_ms, topic_end, waiting; // waiting: records that were not read yet
};

struct alert {
    int64_t after_ms;
    enum alert_trouble trouble;
    int64_t since_ms;                // monotonic; when its cause was first seen
    int64_t batch_id, records_batch; // newest committed; records_read when that was seen
    int64_t retrying_ms;             // monotonic; since when it tries again in vain; 0: it gets on
    size_t newest, count;            // in the ring:
    struct alert_sample samples[ALERT_SAMPLES + 2];
};

/* `trouble` is what an earlier run of the query ended with. */
void alert_init(struct alert *alert, int64_t after_ms, enum alert_trouble trouble);

/* At least once in after_ms / ALERT_SAMPLES, better more often. True: the trouble has changed. */
bool alert_update(struct alert *alert, const struct alert_look *look);

/* How often alert_update() wants to be called, in milliseconds. */
int64_t alert_interval_ms(const struct alert *alert);

#endif
