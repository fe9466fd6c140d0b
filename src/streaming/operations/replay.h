/* replay.h: rejects are parsed again, after a fix of the program or with another PARSE_MODE, and
 * those that can become rows now do.
 *
 * For a query that is stopped. A batch of a replay is the query's next one, with an empty range:
 * its plan repeats the ends of the one before, so that the sink log never runs ahead of the offset
 * log and Spark continues after it. It goes the way of any batch, from plan over staged files and
 * manifest to commit, with the same promise: killed anywhere and run again, every record is there
 * once. Its manifest lists the rejects that it took (streaming/store/resolved.h); their rows in the
 * rejects table stay. A reject that fails again stays as it is and is not written a second time.
 *
 * The rows are those that the rejects' own batches would have made of the records, except
 * `processing_timestamp`, which is that of the replay's plan.
 *
 * Memory: what a worker takes, 100 bytes per rejects file, and the resolved set. At most
 * REPLAY_BATCH_MAX rejects are one batch; more become several. */
#ifndef STREAMING_OPERATIONS_REPLAY_H
#define STREAMING_OPERATIONS_REPLAY_H

#include <stdio.h>

#include "base/error.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/query/query.h"
#include "streaming/query/query_definition.h"

enum { REPLAY_BATCH_MAX = 250000 };

struct replay_options {
    const struct query_options *query; // the sink log is as it is, no matter what these say
    /* Which of the unresolved rejects; NULL: all. */
    bool (*is_chosen)(const void *context, const struct reject_row *row);
    const void *context;
    bool dry_run;       // only says what would happen to them; takes no lock, changes nothing
    int64_t memory_max; // bytes; SPARK_DRIVER_MEMORY
};

enum { REPLAY_REASONS = REJECT_REASON_COUNT + 1 }; // the last one: reasons of other versions

struct replay_report {
    int64_t unresolved;                  // rejects that were not resolved before
    int64_t rows, still_rejected;        // of those that were chosen; rows: no longer rejected,
                                         // each with one row or, by the query, more or none
    int64_t rows_by[REPLAY_REASONS];     // by the reason that the rejects table has
    int64_t rejected_by[REPLAY_REASONS]; // by the reason why they fail now
    int64_t first_batch, batches;        // that were committed
};

/* *report is filled also when it fails: its batches stay. What recovery did is said on `out`.
 * ERROR_RECORD: PARSE_MODE=failfast, and one fails again. ERROR_STATE also: a planned batch must
 * run first. Otherwise as the operations of streaming/operations/operations.h. */
MUST_CHECK bool operation_replay(const struct replay_options *options, struct replay_report *report,
                                 FILE *out, struct error *err);

#endif
