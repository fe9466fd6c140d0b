/* recover.h: opens a store to be written, and brings its disk to a state from which the next batch
 * can run. What is found: survey.h; what is done about it: recovery_table.h. */
#ifndef STREAMING_RECOVERY_RECOVER_H
#define STREAMING_RECOVERY_RECOVER_H

#include "base/error.h"
#include "core/plan.h"
#include "streaming/offsets/incarnation.h"
#include "streaming/store/store.h"

enum { RECOVERY_NOTES_MAX = 8 };

/* Where the query stands after recovery. */
struct recovery {
    bool new_query;        // it never started before: starts come from STARTING_OFFSETS
    int64_t next_batch;    // the id of the next plan to make
    bool has_open_plan;    // a planned batch must run (again), before any new plan;
    struct plan open_plan; // it has id next_batch, and its ranges' ends are final
    size_t start_count;
    struct offset_range *starts;   // owned; start == end == a partition's next, before an open plan
    char planned_id[TOPIC_ID_MAX]; // of the topic that the open plan, or the first offsets of a
                                   // query without any plan, are of; "": not known
    struct incarnation incarnation; // as the newest manifest says,
    struct incarnations begun; // owned; and those that began since then: Spark moved positions,
                               // or the open plan does
    bool sink_log;             // whether a sink log is written
    bool table_unlogged;  // SINK_LOG=auto, and the table has files but no sink log: worth a warning
    bool orphans_unknown; // too many new files to look for those that a crash of Spark left
    size_t note_count;
    char *notes[RECOVERY_NOTES_MAX]; // owned; what recovery did, in sentences, to be logged
};

void recovery_deinit(struct recovery *recovery);

/* Kafka's id of the topic that a plan that is not committed was made of, or, with -1, that the
 * first offsets of a query without a plan are of. "": not known. */
MUST_CHECK bool recovery_planned_id(const struct store *store, int64_t planned,
                                    char id[static TOPIC_ID_MAX], struct error *err);

/* Opens a store to be written: creates what is missing and takes the checkpoint's lock.
 * ERROR_LOCKED names the holder; ERROR_CONFIG: paths that can't be used, or a table with other
 * partition columns; ERROR_RETRY, ERROR_LIMIT: opening may succeed when retried. Where there
 * is no checkpoint, also what recover() would refuse. Ends with store_close(). */
MUST_CHECK bool recovery_open(const struct store_options *options, struct store **store,
                              struct error *err);

/* Finishes a change of the table, rolls a committed batch forward, removes or sets aside what an
 * uncommitted one left. ERROR_STATE: a state that must not be touched; the message has cause and
 * fix. Repeatable. */
MUST_CHECK bool recover(struct store *store, struct recovery *recovery, struct error *err);

/* What recover() would come to, without changing anything; the store may be open to read. *settled
 * false: a change or a batch would be finished, or a batch taken back first, as the last note says,
 * and the rest can't be known before. Otherwise all of *recovery except orphans is filled in. */
MUST_CHECK bool recovery_preview(struct store *store, struct recovery *recovery, bool *settled,
                                 struct error *err);

#endif
