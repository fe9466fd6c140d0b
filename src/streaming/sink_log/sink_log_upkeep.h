/* sink_log_upkeep.h: what a sink log needs in addition to its commits, done between them: the next
 * compact file is copied ahead, and files too old for any reader are deleted.
 *
 * Once started, a thread of its own does it, a bounded piece at a time; a commit only leaves a note
 * of what is new. Publishing a compact file takes the draft from the thread, finishes it and gives
 * the work back. Without the thread everything is still correct, but a compaction copies the whole
 * log while the batch waits. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_UPKEEP_H
#define STREAMING_SINK_LOG_SINK_LOG_UPKEEP_H

#include <pthread.h>

#include "base/disk/file.h"
#include "base/error.h"
#include "streaming/sink_log/sink_log_file.h"

/* ---- the next compact file, made ahead of the batch that publishes it ----
 *
 * A compact file is the one before it, then the files of the batches since, then the publishing
 * batch's own entries: all except the last are known early. So a draft, ".<N>.compact.tmp", is
 * begun after the batch before was compacted, and grows by a bounded piece at a time. Bytes are
 * copied, never parsed, and synced as they come, so that publishing writes and syncs little. A
 * draft is only ever a saving: it may be thrown away at any moment, and publishing makes what is
 * missing. */

struct next_compact {
    struct file_path directory; // _spark_metadata
    int64_t interval;           // of compaction
    int64_t batch_id;           // which compact file it becomes; -1: no draft is open
    int64_t batch_to_copy;      // the batch whose file is copied next, or now
    bool copying;               // `copy` is open
    struct sink_log_copy copy;
    struct file_draft file;
    size_t unsynced; // bytes
};

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

/* The thread makes no new step until it is resumed: a commit needs the disk to itself. */
void sink_log_upkeep_pause(struct sink_log_upkeep *upkeep, bool pause);

/* Discards the draft, and makes no other one until the upkeep is released: the files that it is
 * made of are being replaced. Waits until the thread rests. */
void sink_log_upkeep_hold(struct sink_log_upkeep *upkeep);
void sink_log_upkeep_release(struct sink_log_upkeep *upkeep);

/* Batch `batch_id` is in the log. */
void sink_log_upkeep_note(struct sink_log_upkeep *upkeep, int64_t batch_id);

/* Does all there is to do, here and now; for when there is no thread. */
void sink_log_upkeep_work(struct sink_log_upkeep *upkeep);

/* Copies what is missing, appends `entries` and publishes it as <batch_id>.compact, while the
 * thread rests; and notes it. Leaves no draft in any case. The errors of file_draft_publish(), and
 * ERROR_STATE: a file of the log is missing, or is none. */
MUST_CHECK bool sink_log_upkeep_publish(struct sink_log_upkeep *upkeep, int64_t batch_id,
                                        const char *entries, size_t size, struct error *err);

#endif
