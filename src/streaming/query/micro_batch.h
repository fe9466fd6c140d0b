/* micro_batch.h: one planned batch from its plan to committed, tried again as often as it takes. */
#ifndef STREAMING_QUERY_MICRO_BATCH_H
#define STREAMING_QUERY_MICRO_BATCH_H

#include "streaming/query/query.h"

/* Runs the plan, which is already durable. Disk trouble is retried with back-off up to
 * WRITE_RETRY_TIMEOUT, before and after the commit point. ERROR_STOPPED: abandoned on request;
 * nothing of the batch is left but its plan. Driver thread. */
MUST_CHECK bool micro_batch_run(struct query *query, const struct plan *plan, struct error *err);

/* What is looked for in a batch that Spark has run and committed. */
struct reject_search {
    const struct plan *plan;            // of the batch
    const struct offset_range *windows; // where rejects are; within the plan's ranges
    size_t window_count;
    /* found */
    struct range_outcome *outcomes; // owned by the caller; the windows' sums, by partition
    size_t outcome_count;
    struct tally tally;    // owned by the caller
    int64_t rows, rejects; // in the windows
};

/* Reads the windows again, writes their rejects, and commits that they are written: the batch's
 * manifest, without a word about its table files. With no windows, that there are none. The errors
 * of micro_batch_run(). */
MUST_CHECK bool micro_batch_rejects(struct query *query, struct reject_search *search,
                                    struct error *err);

/* A replay's batch (streaming/operations/replay.h), whose plan has no offsets: its one worker's
 * source gives the rejects in `taken`, all of which become rows. */
MUST_CHECK bool micro_batch_replay(struct query *query, const struct plan *plan,
                                   const struct resolved *taken, struct error *err);

#endif
