/* rewind_decide.h: which files belong to the batches that a rewind takes back. rewind.c, which does
 * it, describes the text of the decision. */
#ifndef STREAMING_OPERATIONS_REWIND_DECIDE_H
#define STREAMING_OPERATIONS_REWIND_DECIDE_H

#include "streaming/operations/rewind_target.h"
#include "streaming/sink_log/sink_log_file.h"
#include "streaming/store/store.h"
#include "streaming/table/path_list.h"

struct rewind {
    struct store *store; // recovered
    const struct rewind_request *request;
    struct history history;      // owned
    struct rewind_target target; // owned; the newest batch that stays
    int64_t to_batch;            // its number
    int64_t newest;              // committed batch before the rewind
    int64_t folded;              // the newest batch of coverage/
    int64_t since_ms;            // from when on rows are of the newest incarnation of the topic
    int32_t incarnation;         // its number
    bool dry_run;                // the decision is only counted
    int64_t table_files, reject_files; // that are decided to be set aside
    int64_t mixed_files; // that have rows from before and after the batch, to be split first
    struct sink_log_writer intent;
    struct path_set kept;  // owned; what the log lists as of to_batch
    struct path_set newer; // owned; what the manifests of later batches list
    bool failed;           // *err says why
    struct error *err;
};

/* Makes the decision durable, as `rewind` in the checkpoint, unless it is a dry run. ERROR_STATE:
 * it is not known which files belong to later batches. */
MUST_CHECK bool rewind_decide(struct rewind *rewind, struct error *err);

/* Coverage without the later batches (rewind_cut.c): whether that can be done, and doing it, which
 * is repeatable. ERROR_STATE: it is not known what they have added. */
MUST_CHECK bool rewind_check_coverage(const struct rewind *rewind, struct error *err);
MUST_CHECK bool rewind_cut_coverage(struct rewind *rewind, struct error *err);

#endif
