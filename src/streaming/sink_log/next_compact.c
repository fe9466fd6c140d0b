/* next_compact.c: the next compact file, copied ahead.
 *
 * It consists of the compact file before it and of the files of the batches since, in their order,
 * byte by byte. One file is open to be copied at a time; a step copies one piece of it, or syncs
 * once enough was written, so that none takes long. The draft belongs to one compaction: when the
 * log has passed that without it, it is thrown away and the next one begun. Publishing goes the
 * same steps to their end, appends the batch's own entries, syncs and renames, never over a file
 * that is there. */
#include "streaming/sink_log/next_compact.h"

#include "base/check.h"

enum {
    SYNC_AT = 1 << 20,    // bytes written between two syncs: what a commit may have to wait for
    SYNC_LEAST = 1 << 16, // less than this is not worth a sync of its own
};

void next_compact_init(struct next_compact *next, const struct file_path *directory,
                       int64_t interval) {
    *next = (struct next_compact){.directory = *directory, .interval = interval, .batch_id = -1};
    next->file.fd = -1;
}

static bool is_compaction(const struct next_compact *next, int64_t batch_id) {
    return (batch_id + 1) % next->interval == 0;
}

static bool begin(struct next_compact *next, int64_t batch_id, struct error *err) {
    char name[SINK_LOG_NAME_MAX];
    sink_log_file_name(batch_id, true, name);
    if (!file_draft_open(&next->file, next->directory.text, name, err))
        return false;
    next->batch_id = batch_id;
    next->batch_to_copy = batch_id < next->interval ? 0 : batch_id - next->interval;
    next->unsynced = 0;
    return file_draft_write(&next->file, "v1", 2, err);
}

void next_compact_discard(struct next_compact *next) {
    if (next->copying)
        sink_log_copy_close(&next->copy);
    file_draft_discard(&next->file);
    next->copying = false;
    next->batch_id = -1;
}

static bool sync_draft(struct next_compact *next, struct error *err) {
    next->unsynced = 0;
    return file_draft_sync(&next->file, err);
}

static bool open_next(struct next_compact *next, struct error *err) {
    char name[SINK_LOG_NAME_MAX];
    sink_log_file_name(next->batch_to_copy, is_compaction(next, next->batch_to_copy), name);
    struct file_path path = file_join(next->directory.text, name);
    next->copying = sink_log_copy_open(&next->copy, path.text, err);
    return next->copying;
}

static bool copy_piece(struct next_compact *next, struct error *err) {
    if (!next->copying && !open_next(next, err))
        return false;
    bool done;
    size_t size;
    if (!sink_log_copy_step(&next->copy, &next->file, &size, &done, err))
        return false;
    next->unsynced += size;
    if (done) {
        sink_log_copy_close(&next->copy);
        next->copying = false;
        next->batch_to_copy++;
    }
    return true;
}

/* A piece of what batches up to `newest` left, or a sync. */
static bool advance(struct next_compact *next, int64_t newest, bool *more, struct error *err) {
    bool behind = next->batch_to_copy <= newest;
    *more = behind;
    if (next->unsynced >= (behind ? SYNC_AT : SYNC_LEAST))
        return sync_draft(next, err);
    return !behind || copy_piece(next, err);
}

bool next_compact_advance(struct next_compact *next, int64_t newest, bool *more,
                          struct error *err) {
    int64_t batch_id = (newest + 1) / next->interval * next->interval + next->interval - 1;
    if (next->batch_id >= 0 && next->batch_id != batch_id)
        next_compact_discard(next); // it was published without us
    if ((next->batch_id >= 0 || begin(next, batch_id, err)) && advance(next, newest, more, err))
        return true;
    *more = false;
    next_compact_discard(next);
    return false;
}

bool next_compact_publish(struct next_compact *next, int64_t batch_id, const char *entries,
                          size_t size, struct error *err) {
    check(is_compaction(next, batch_id));
    bool ok = true;
    for (bool more = true; ok && (more || next->batch_id < 0);)
        ok = next_compact_advance(next, batch_id - 1, &more, err);
    if (!ok || !file_draft_write(&next->file, entries, size, err)) {
        next_compact_discard(next);
        return false;
    }
    next->batch_id = -1;
    return file_draft_publish(&next->file, err);
}
