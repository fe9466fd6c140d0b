/* survey.h: what a start finds on disk, as far as the decision what to do depends on it. Looks
 * only; nothing is made or changed. */
#ifndef STREAMING_RECOVERY_SURVEY_H
#define STREAMING_RECOVERY_SURVEY_H

#include "base/error.h"
#include "streaming/store/store.h"

/* Batches are the newest of each log, -1: none. */
struct survey {
    int64_t planned;   // offsets/
    int64_t committed; // commits/
    int64_t manifest;  // manifests/
    int64_t logged;    // _spark_metadata/

    bool has_metadata;
    bool has_previous_plan; // offsets/<planned - 1> (sources/0/0 for batch 0) is there
    bool plan_is_empty;     // the newest plan, not committed, ends where that one does: a replay's
    bool owned_by_other;    // the table or its rejects are signed by another query
    bool changed_since;     // the table has had a change that the checkpoint has no record of
    bool rewinding;         // the checkpoint has a file `rewind`: not finished
    bool changing;          // a change of the table is recorded and not finished
    bool log_elsewhere;     // the sink log names files that are not below the table
    bool sink_log_there;
    bool sink_log_promised; // our signature says that a sink log was begun
    bool sink_log_on;       // what SINK_LOG and the table come to
    enum sink_log_mode sink_log;
    bool table_has_files;

    /* about the newest manifest */
    bool manifest_done; // nothing of it is staged any more, and its commit is ours, or Spark's of
                        // what the sink log has from us, or some of its files have left with a
                        // change of the table since
    enum sink_log_names
        manifest_in_log; // SILENT also for one that is done and not the log's newest
    enum commit_author manifest_commit;
    bool manifest_of_spark; // it says nothing of the table's files
    struct incarnation incarnation;

    /* about the newest batch, if it has none (streaming/recovery/batch_without_manifest.h) */
    bool manifest_lost;        // it is this program's
    bool logged_files_missing; // Spark's sink log names files of it that are not in the table
};

/* Opens the store's sink log. ERROR_STATE: it can't even be read. */
MUST_CHECK bool survey_take(struct store *store, struct survey *survey, struct error *err);

#endif
