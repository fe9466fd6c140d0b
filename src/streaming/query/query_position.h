/* query_position.h: a query's position in its topic, and the plans that move it. A plan is
 * durable in the store's offset log before anything acts on it. Driver thread. */
#ifndef STREAMING_QUERY_QUERY_POSITION_H
#define STREAMING_QUERY_QUERY_POSITION_H

#include "base/error.h"
#include "core/plan.h"
#include "streaming/offsets/incarnation.h"
#include "streaming/query/retry.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/store.h"

struct query_position {
    struct store *store;           // borrowed; NULL: it could not be opened yet
    const struct retrier *retrier; // borrowed
    int64_t next_batch;
    int64_t latest_plan_ms;      // the latest timestamp of all plans; 0: not looked up
    bool clock_said;             // that the clock is behind it
    struct offset_range *starts; // owned; start == end == a partition's next offset
    size_t start_count;
    struct incarnation incarnation; // of the topic, at the newest committed batch; its id is that
                                    // of the topic that the positions are of
    const char *cluster_id;         // borrowed; of the topic's Kafka cluster; NULL or "": not known
    struct incarnations begun;      // owned; since then, to be said by the next manifest
};

void query_position_deinit(struct query_position *position);

/* Takes over what recovery has found. */
void query_position_take(struct query_position *position, struct recovery *recovery);

/* The position is after the batch now. */
void query_position_move_past(struct query_position *position, const struct plan *plan);

/* The incarnation that a batch behind the newest manifest belongs to. */
struct incarnation query_position_incarnation(const struct query_position *position,
                                              int64_t batch_id);

/* The manifest is committed: what it says of the topic needs not be said again. */
void query_position_commit(struct query_position *position, const struct manifest *manifest);

/* Takes in that a batch of Spark's has moved positions, if it has. */
MUST_CHECK bool query_position_note_begun(struct query_position *position, int64_t batch_id,
                                          struct error *err);

/* Sets the timestamp of a plan that is made now: later than that of every plan before, so that a
 * row's `processing_timestamp` tells its batch. */
MUST_CHECK bool query_position_set_later(struct query_position *position, struct plan *plan,
                                         struct error *err);

/* Publishes offsets/N, trying again while the disk fails. */
MUST_CHECK bool query_position_write_plan(struct query_position *position, const struct plan *plan,
                                          struct error *err);

#endif
