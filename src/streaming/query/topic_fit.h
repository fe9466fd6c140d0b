/* topic_fit.h: what a query does when its topic does not fit its positions: it moves them, waits,
 * or ends (docs/internals/positions.md). Driver thread. */
#ifndef STREAMING_QUERY_TOPIC_FIT_H
#define STREAMING_QUERY_TOPIC_FIT_H

#include "streaming/query/topic_change.h"

/* After a look at the topic: whether the positions fit it. Where they don't, plan->count > 0 and it
 * is the plan that moves them and takes no records; the caller owns its ranges, and the
 * position knows of it. ERROR_DATA_LOSS, with FAIL_ON_DATA_LOSS: the plan is written. */
MUST_CHECK bool topic_fit_plan(struct topic_change *change, struct plan *plan, struct error *err);

/* Before a planned batch is read: waits as long as it ends behind an open transaction, or Kafka
 * does not list a partition of it though the topic is the same. What the topic does not have any
 * more, planner_clip() takes out. ERROR_STOPPED; ERROR_DATA_LOSS, with FAIL_ON_DATA_LOSS: it moves
 * the positions. */
MUST_CHECK bool topic_fit_await(struct topic_change *change, const struct plan *plan,
                                struct error *err);

/* What the query waits for, and of which partitions; NULL: for nothing. */
const char *topic_fit_wait(const struct topic_change *change, const char **detail);

/* At the end of an availableNow query: says what waits. */
void topic_fit_say_left(struct topic_change *change);

#endif
