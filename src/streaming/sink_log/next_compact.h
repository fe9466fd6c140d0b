/* next_compact.h: the next compact file of the sink log, made ahead of the batch that publishes
 * it.
 *
 * A compact file is the one before it, then the files of the batches since, then the publishing
 * batch's own entries: all but the last are known early. So a draft, ".<N>.compact.tmp", is begun
 * after the batch before was compacted, and grows by a bounded piece at a time. Bytes are copied,
 * never parsed, and synced as they come, so that publishing writes and syncs little. A draft is
 * only ever a saving: it may be thrown away at any moment, and publishing makes what is missing. */
#ifndef STREAMING_SINK_LOG_NEXT_COMPACT_H
#define STREAMING_SINK_LOG_NEXT_COMPACT_H

#include "base/disk/file.h"
#include "base/error.h"
#include "streaming/sink_log/sink_log_file.h"

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

void next_compact_init(struct next_compact *next, const struct file_path *directory,
                       int64_t interval);

/* The log is complete up to batch `newest`: copies a piece of it. *more: there is more to copy. A
 * failure leaves no draft. ERROR_STATE: a file of the log is missing, or is none. */
MUST_CHECK bool next_compact_advance(struct next_compact *next, int64_t newest, bool *more,
                                     struct error *err);

/* Copies what is missing, appends `entries` and publishes it as <batch_id>.compact. Leaves no draft
 * in any case. The errors of file_draft_publish(), and ERROR_STATE as above. */
MUST_CHECK bool next_compact_publish(struct next_compact *next, int64_t batch_id,
                                     const char *entries, size_t size, struct error *err);

void next_compact_discard(struct next_compact *next);

#endif
