/* micro_batch.h: one planned batch from its plan to committed, tried again as often as it takes. */
#ifndef STREAMING_QUERY_MICRO_BATCH_H
#define STREAMING_QUERY_MICRO_BATCH_H

#include "streaming/query/topic_fit.h"
#include "streaming/tasks/crew.h"

/* What runs the batches of one query. All is borrowed. */
struct batch_runner {
    const struct query_definition *definition;
    struct query_position *position;
    struct topic_change *change; // NULL: the records are not the topic's (a replay)
    const struct retrier *retrier;
    struct crew *crew;
    double bytes_per_record; // running average of what was read (planner_weigh())
};

/* How workers do the tasks of a query. */
struct worker_query micro_batch_work(const struct query_definition *definition,
                                     struct query_report *report);

/* Runs the plan, which is already durable. Disk trouble is retried with back-off up to
 * WRITE_RETRY_TIMEOUT, before and after the commit point. ERROR_STOPPED: abandoned on request;
 * nothing of the batch is left but its plan. Driver thread. */
MUST_CHECK bool micro_batch_run(struct batch_runner *runner, const struct plan *plan,
                                struct error *err);

/* What is looked for in a batch that Spark has run and committed. */
struct reject_search {
    const struct plan *plan;            // of the batch
    const struct offset_range *windows; // where rejects are; within the plan's ranges
    size_t window_count;
    /* found */
    struct range_outcome *outcomes; // owned by the caller; the windows' sums, by partition
    size_t outcome_count;
    struct tally tally;        // owned by the caller
    int64_t accepted, rejects; // records in the windows
};

/* Reads the windows again, writes their rejects, and commits that they are written: the batch's
 * manifest, which does not mention its table files. With no windows, that there are none. The
 * errors of micro_batch_run(). */
MUST_CHECK bool micro_batch_rejects(struct batch_runner *runner, struct reject_search *search,
                                    struct error *err);

/* A replay's batch (streaming/operations/replay.h), whose plan has no offsets: its one worker's
 * source gives the rejects in `taken`, all of which become rows. */
MUST_CHECK bool micro_batch_replay(struct batch_runner *runner, const struct plan *plan,
                                   const struct resolved *taken, struct error *err);

#endif
