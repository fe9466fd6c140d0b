/* recover.h: what a start finds on disk, and what it does about it. The table is in recover.c. */
#ifndef STREAMING_RECOVERY_RECOVER_H
#define STREAMING_RECOVERY_RECOVER_H

#include "base/error.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/store.h"

/* Everything that the decision depends on. Batches are the newest of each log, -1: none. */
struct survey {
    int64_t planned;   // offsets/
    int64_t committed; // commits/
    int64_t manifest;  // manifests/
    int64_t logged;    // _spark_metadata/

    bool has_metadata;
    bool has_previous_plan; // offsets/<planned - 1> (sources/0/0 for batch 0) is there
    bool plan_is_empty;     // the newest plan, not committed, ends where that one does: a replay's
    bool owned_by_other;    // the table or its rejects are signed by another query
    bool rewinding;         // the checkpoint has a file `rewind`: not finished
    bool log_elsewhere;     // the sink log names files that are not below the table
    bool sink_log_there;
    bool sink_log_promised; // our signature says that a sink log was begun
    bool sink_log_on;       // what SINK_LOG and the table come to
    enum sink_log_mode sink_log;
    bool table_has_files;

    /* about the newest manifest */
    bool manifest_done; // nothing of it is staged any more, and its commit is ours, or Spark's of
                        // what the sink log has from us
    enum sink_log_names
        manifest_in_log; // SILENT also for one that is done and not the log's newest
    enum commit_author manifest_commit;
    bool manifest_of_spark; // it says nothing of the table's files
    struct incarnation incarnation;
};

enum recovery_action {
    RECOVER_STOP,         // touch nothing; state and cure say why (ERROR_STATE)
    RECOVER_REFUSE,       // touch nothing; a setting does not fit the table (ERROR_CONFIG)
    RECOVER_TAKE_BACK,    // the newest manifest's batch is Spark's: remove our files, look again
    RECOVER_ROLL_FORWARD, // finish the newest manifest's batch, look again
    RECOVER_FINISH,       // the planned batch is in the table; write its commit, look again
    RECOVER_START,        // a new query
    RECOVER_RUN_AGAIN,    // the planned batch
    RECOVER_RUN_NEXT,     // plan the next batch
};

struct recovery_case {
    const char *state; // what is on disk, in words
    bool (*holds)(const struct survey *survey);
    enum recovery_action action;
    const char *cure; // RECOVER_STOP, RECOVER_REFUSE
};

/* The first case that holds. There always is one. */
const struct recovery_case *recovery_decide(const struct survey *survey);

/* All of them, in order, for a test that walks the table. */
const struct recovery_case *recovery_cases(size_t *count);

/* Once the newest batch of each log is known: what is damaged of a later one may go, and reading it
 * fails with an error that says so. */
void recovery_note_counting(struct checkpoint *checkpoint, int64_t committed, int64_t manifest,
                            int64_t logged);

/* Looks and decides only. False: what is there can't even be read; *err says why. */
MUST_CHECK bool recovery_look(struct store *store, struct survey *survey,
                              const struct recovery_case **found, struct error *err);

/* The same. False: what is there would be refused, with recover()'s error. */
MUST_CHECK bool recovery_possible(struct store *store, struct error *err);

/* Looks, decides and acts until the next batch can run. */
MUST_CHECK bool recover(struct store *store, struct recovery *recovery, struct error *err);

#endif
