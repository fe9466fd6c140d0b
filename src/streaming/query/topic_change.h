/* topic_change.h: what a query does when its topic is not the one that it has read: deleted and
 * created again, cut, or not to be read that far yet (ARCHITECTURE.md, "Positions"). Driver thread.
 */
#ifndef STREAMING_QUERY_TOPIC_CHANGE_H
#define STREAMING_QUERY_TOPIC_CHANGE_H

#include "streaming/query/query.h"

/* After a look at the topic: whether the positions fit it. Where they don't, plan->count > 0 and it
 * is the plan that moves them and takes no records; the caller owns its ranges, and query->begun
 * knows of it. ERROR_DATA_LOSS, with FAIL_ON_DATA_LOSS: the plan is written. */
MUST_CHECK bool topic_change_plan(struct query *query, struct plan *plan, struct error *err);

/* Before a planned batch is read: waits as long as it ends behind an open transaction, or Kafka
 * does not list a partition of it though the topic is the same. What the topic does not have any
 * more, planner_clip() takes out. ERROR_STOPPED; ERROR_DATA_LOSS, with FAIL_ON_DATA_LOSS: it moves
 * the positions. */
MUST_CHECK bool topic_change_await(struct query *query, const struct plan *plan, struct error *err);

/* For a query that Spark runs: what was found out about the topic was of the batches so far. From
 * now on the topic is the one that Spark reads. */
void topic_change_settle(struct query *query);

/* What the query waits for, and of which partitions; NULL: for nothing. */
const char *topic_change_wait(const struct query *query, const char **detail);

/* At the end of a query that takes what is there: says what waits. */
void topic_change_say_left(struct query *query);

#endif
