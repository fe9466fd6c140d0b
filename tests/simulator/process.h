/* process.h: one process of the program in a life: a run of the query, or a command; how it ends,
 * and whether it may end so. */
#ifndef SIMULATOR_PROCESS_H
#define SIMULATOR_PROCESS_H

#include "world.h"

enum process_kind {
    PROCESS_RUN,
    PROCESS_COMPACT,
    PROCESS_EXPIRE,
    PROCESS_REWIND,
    PROCESS_REPLAY,
    PROCESS_VERIFY,
    PROCESS_ADOPT,
    PROCESS_RELEASE,
    PROCESS_KINDS
};

enum process_end {
    END_BY_ITSELF,  // availableNow; else a signal when its time is up
    END_BY_SIGNAL,  // SIGTERM at some moment
    END_BY_SIGNALS, // the second follows soon: STOP_NOW, as SHUTDOWN_TIMEOUT does it
    END_BY_KILL,    // at a call of the disk
    END_BY_POWER_CUT,
    PROCESS_ENDS
};

struct process {
    int number;
    enum process_kind kind;
    enum process_end end;
    /* Before which call that changes the disk it is killed: of all, of one kind, or of those right
     * behind a fault. */
    enum { AT_CHANGE, AT_KIND, BEHIND_FAULT } end_at;
    enum disk_call end_at_kind;
    long end_at_change;   // the number of the call among these, from 1
    int64_t end_after_ms; // of the model's clock
    struct query_options options;
    struct disk_faults faults;
    bool last;
    unsigned views; // of ten thousand calls of the disk, before how many readers look at the lake
    struct random random;       // its own
    const char *accident;       // that came before it; NULL: none
    enum error_kind may_refuse; // because of it

    /* when it has ended */
    struct error error;           // ERROR_NONE: ended well
    bool died;                    // killed, or the power was cut
    long calls, changes, counted; // counted: of the calls before one of which it is killed
    long faults_seen;             // of the disk, before its newest call
};

extern const char *const process_kind_names[PROCESS_KINDS];
extern const char *const process_end_names[PROCESS_ENDS];

void process_draw(struct process *process, struct world *world, int number, bool last);

/* From its start to its end; the next one can start then. A finding: it hangs, or ends in a way
 * that is not documented for what it met. */
void process_run(struct process *process, struct world *world);

/* For model_disk_begin(). */
void process_on_call(enum disk_call call, bool changes, const char *text);

/* The newest number of a directory of the checkpoint, such as "commits"; -1: none. */
int64_t newest_number(const char *directory);

/* Whether a rewind was begun and is not finished, and its --to-batch. */
bool unfinished_rewind(int64_t *to_batch);

#endif
