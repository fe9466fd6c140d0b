/* micro_batch.h: one planned batch from its plan to committed, tried again as often as it takes. */
#ifndef STREAMING_MICRO_BATCH_H
#define STREAMING_MICRO_BATCH_H

#include "streaming/query.h"

/* Runs the plan, which is already durable. Disk trouble is retried with back-off up to
 * WRITE_RETRY_TIMEOUT, before and after the commit point. ERROR_STOPPED: abandoned on request;
 * nothing of the batch is left but its plan. Driver thread. */
MUST_CHECK bool micro_batch_run(struct query *query, const struct plan *plan, struct error *err);

/* A replay's batch (streaming/replay.h), whose plan has no offsets: its one worker's source gives
 * the rejects in `taken`, all of which become rows. */
MUST_CHECK bool micro_batch_replay(struct query *query, const struct plan *plan,
                                   const struct resolved *taken, struct error *err);

#endif
