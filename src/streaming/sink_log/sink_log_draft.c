#include "streaming/sink_log/sink_log_draft.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"

enum {
    SYNC_AT = 1 << 20,    // bytes written between two syncs: what a commit may have to wait for
    SYNC_LEAST = 1 << 16, // less than this is not worth a sync of its own
};

void sink_log_draft_init(struct sink_log_draft *draft, const struct file_path *directory,
                         int64_t interval) {
    *draft = (struct sink_log_draft){.directory = *directory, .interval = interval, .batch_id = -1};
    draft->file.fd = -1;
}

static bool is_compaction(const struct sink_log_draft *draft, int64_t batch_id) {
    return (batch_id + 1) % draft->interval == 0;
}

static bool begin(struct sink_log_draft *draft, int64_t batch_id, struct error *err) {
    char name[40];
    (void)snprintf(name, sizeof name, "%" PRId64 ".compact", batch_id);
    if (!file_draft_open(&draft->file, draft->directory.text, name, err))
        return false;
    draft->batch_id = batch_id;
    draft->next = batch_id < draft->interval ? 0 : batch_id - draft->interval;
    draft->unsynced = 0;
    return file_draft_write(&draft->file, "v1", 2, err);
}

void sink_log_draft_discard(struct sink_log_draft *draft) {
    if (draft->copying)
        sink_log_copy_close(&draft->copy);
    file_draft_discard(&draft->file);
    draft->copying = false;
    draft->batch_id = -1;
}

static bool sync_draft(struct sink_log_draft *draft, struct error *err) {
    draft->unsynced = 0;
    return file_draft_sync(&draft->file, err);
}

static bool open_next(struct sink_log_draft *draft, struct error *err) {
    struct file_path path = file_join_number(draft->directory.text, draft->next);
    if (is_compaction(draft, draft->next)) {
        char name[40];
        (void)snprintf(name, sizeof name, "%" PRId64 ".compact", draft->next);
        path = file_join(draft->directory.text, name);
    }
    draft->copying = sink_log_copy_open(&draft->copy, path.text, err);
    return draft->copying;
}

static bool copy_piece(struct sink_log_draft *draft, struct error *err) {
    if (!draft->copying && !open_next(draft, err))
        return false;
    bool done;
    size_t size;
    if (!sink_log_copy_step(&draft->copy, &draft->file, &size, &done, err))
        return false;
    draft->unsynced += size;
    if (done) {
        sink_log_copy_close(&draft->copy);
        draft->copying = false;
        draft->next++;
    }
    return true;
}

/* A piece of what batches up to `newest` left, or a sync. */
static bool advance(struct sink_log_draft *draft, int64_t newest, bool *more, struct error *err) {
    bool behind = draft->next <= newest;
    *more = behind;
    if (draft->unsynced >= (behind ? SYNC_AT : SYNC_LEAST))
        return sync_draft(draft, err);
    return !behind || copy_piece(draft, err);
}

bool sink_log_draft_advance(struct sink_log_draft *draft, int64_t newest, bool *more,
                            struct error *err) {
    int64_t batch_id = (newest + 1) / draft->interval * draft->interval + draft->interval - 1;
    if (draft->batch_id >= 0 && draft->batch_id != batch_id)
        sink_log_draft_discard(draft); // it was published without us
    if ((draft->batch_id >= 0 || begin(draft, batch_id, err)) && advance(draft, newest, more, err))
        return true;
    *more = false;
    sink_log_draft_discard(draft);
    return false;
}

bool sink_log_draft_publish(struct sink_log_draft *draft, int64_t batch_id, const char *entries,
                            size_t size, struct error *err) {
    check(is_compaction(draft, batch_id));
    bool ok = true;
    for (bool more = true; ok && (more || draft->batch_id < 0);)
        ok = sink_log_draft_advance(draft, batch_id - 1, &more, err);
    if (!ok || !file_draft_write(&draft->file, entries, size, err)) {
        sink_log_draft_discard(draft);
        return false;
    }
    draft->batch_id = -1;
    return file_draft_publish(&draft->file, err);
}
