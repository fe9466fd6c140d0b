/* sink_log_upkeep.h: what a sink log needs beside its commits, done between them: the next compact
 * file is copied ahead (streaming/sink_log/next_compact.h), and files too old for any reader are
 * deleted.
 *
 * Once started, a thread of its own does it, a bounded piece at a time; a commit only leaves a note
 * of what is new. Publishing a compact file takes the draft from the thread, finishes it and gives
 * the work back. Without the thread everything is right all the same, but a compaction copies the
 * whole log while it is waited for. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_UPKEEP_H
#define STREAMING_SINK_LOG_SINK_LOG_UPKEEP_H

#include <pthread.h>

#include "base/disk/file.h"
#include "base/error.h"
#include "streaming/sink_log/next_compact.h"

enum {
    SINK_LOG_BATCHES_KEPT = 100,  // spark.sql.streaming.minBatchesToRetain
    SINK_LOG_CLEANUP_MINUTES = 10 // spark.sql.streaming.fileSink.log.cleanupDelay
};

struct sink_log_upkeep {
    struct next_compact next; // the thread's while it is busy, the publisher's while it is taken

    /* under the lock, if the thread runs */
    int64_t newest;    // the log is complete up to it; -1: nothing was noted yet
    int64_t compacted; // the newest compact file, until old files were deleted; else -1
    bool idle;         // nothing to do before the next note
    bool busy, taken, paused, stop;

    bool running; // the thread is there
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
};

void sink_log_upkeep_init(struct sink_log_upkeep *upkeep, const struct file_path *directory,
                          int64_t interval);

/* Starts the thread; where there can be none, does nothing. */
MUST_CHECK bool sink_log_upkeep_start(struct sink_log_upkeep *upkeep, struct error *err);

/* Ends the thread, deletes what was due to be deleted, and leaves no draft. */
void sink_log_upkeep_stop(struct sink_log_upkeep *upkeep);

/* The thread makes no new step until it is let go on: a commit wants the disk to itself. */
void sink_log_upkeep_pause(struct sink_log_upkeep *upkeep, bool pause);

/* Batch `batch_id` is in the log. */
void sink_log_upkeep_note(struct sink_log_upkeep *upkeep, int64_t batch_id);

/* Does all there is to do, here and now; for when there is no thread. */
void sink_log_upkeep_work(struct sink_log_upkeep *upkeep);

/* next_compact_publish(), while the thread rests; and notes it. */
MUST_CHECK bool sink_log_upkeep_publish(struct sink_log_upkeep *upkeep, int64_t batch_id,
                                        const char *entries, size_t size, struct error *err);

#endif
