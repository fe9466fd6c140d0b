/* recovery_table.h: for every state that the disk can be in, what a start does. */
#ifndef STREAMING_RECOVERY_RECOVERY_TABLE_H
#define STREAMING_RECOVERY_RECOVERY_TABLE_H

#include "streaming/recovery/survey.h"

enum recovery_action {
    RECOVER_STOP,         // touch nothing; state and `cure` say why and what to do (ERROR_STATE)
    RECOVER_REFUSE,       // touch nothing; a setting does not fit the table (ERROR_CONFIG)
    RECOVER_CHANGE,       // finish a change of the table, look again
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

#endif
