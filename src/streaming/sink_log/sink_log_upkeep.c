/* sink_log_upkeep.c: the thread that works between the commits.
 *
 * Work is done outside the lock, a step at a time, and the thread says so (`busy`). The draft has
 * one user: the thread while it is busy, the publisher while it has taken the draft, who waits
 * until the thread is not busy. A note only says how far the log is complete; so the thread never
 * reads a file of the log that is still being written. All of it is a saving: nothing depends on
 * the thread, and a step that fails leaves the work, and the error, to the commit that needs it. */
#include "streaming/sink_log/sink_log_upkeep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/system/thread.h"

/* ---- the next compact file, copied ahead ----
 *
 * It consists of the compact file before it and of the files of the batches since, in their order,
 * byte by byte. One file is open to be copied at a time; a step copies one piece of it, or syncs
 * once enough was written, so that none takes long. The draft belongs to one compaction: when the
 * log has passed that without it, it is thrown away and the next one begun. Publishing goes the
 * same steps to their end, appends the batch's own entries, syncs and renames, never over an
 * existing file. */

enum {
    SYNC_AT = 1 << 20,    // bytes written between two syncs: what a commit may have to wait for
    SYNC_LEAST = 1 << 16, // less than this is not worth a sync of its own
};

static void next_compact_init(struct next_compact *next, const struct file_path *directory,
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

static void next_compact_discard(struct next_compact *next) {
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

/* The log is complete up to batch `newest`: copies a piece of it. *more: there is more to copy. A
 * failure leaves no draft. ERROR_STATE: a file of the log is missing, or is none. */
static bool next_compact_advance(struct next_compact *next, int64_t newest, bool *more,
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

static bool next_compact_publish(struct next_compact *next, int64_t batch_id, const char *entries,
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

void sink_log_upkeep_init(struct sink_log_upkeep *upkeep, const struct file_path *directory,
                          int64_t interval) {
    *upkeep = (struct sink_log_upkeep){.newest = -1, .compacted = -1, .idle = true};
    next_compact_init(&upkeep->next, directory, interval);
}

/* ---- deleting ---- */

/* A number with or without ".compact", optionally as a checksum's name: ".N.crc". */
static bool batch_of(const char *name, int64_t *batch_id) {
    if (*name == '.')
        name++;
    if (*name < '0' || *name > '9')
        return false;
    char *rest;
    errno = 0;
    *batch_id = strtoll(name, &rest, 10);
    static const char *const endings[] = {"", ".compact", ".crc", ".compact.crc"};
    for (size_t i = 0; errno == 0 && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(rest, endings[i]) == 0)
            return true;
    return false;
}

struct expiry {
    const char *directory;
    int64_t keep_from;       // batches before it may go
    int64_t modified_before; // milliseconds
};

static bool delete_expired(void *context, const char *name) {
    const struct expiry *expiry = context;
    int64_t batch_id;
    struct file_status status;
    struct error ignored;
    if (!batch_of(name, &batch_id) || batch_id >= expiry->keep_from)
        return true;
    struct file_path path = file_join(expiry->directory, name);
    if (file_find(path.text, &status, &ignored) == 1 &&
        (int64_t)status.modified.tv_sec * 1000 <= expiry->modified_before)
        file_discard(path.text); // tidiness: the next compaction tries again
    return true;
}

/* Spark's rule: what only a reader that is 100 batches late could need, if it is old enough that
 * none is in the middle of reading it. */
static void delete_old(const char *directory, int64_t interval, int64_t compacted) {
    int64_t least = compacted + 1 - SINK_LOG_BATCHES_KEPT;
    if (least < interval)
        return;
    struct expiry expiry = {
        .directory = directory,
        .keep_from = least - least % interval - 1,
        .modified_before = clock_wall_ms() - (int64_t)SINK_LOG_CLEANUP_MINUTES * 60 * 1000,
    };
    struct error ignored;
    (void)file_list(directory, delete_expired, &expiry, &ignored);
}

/* ---- a piece at a time ---- */

/* False: there is nothing more to do. What fails is left to the commit that needs it, which says
 * why, or to the next note. */
static bool work_once(struct next_compact *next, int64_t newest, int64_t compacted) {
    if (compacted >= 0) {
        delete_old(next->directory.text, next->interval, compacted);
        return true;
    }
    struct error ignored;
    bool more;
    return newest >= 0 && next_compact_advance(next, newest, &more, &ignored) && more;
}

void sink_log_upkeep_work(struct sink_log_upkeep *upkeep) {
    check(!upkeep->running);
    int64_t compacted = upkeep->compacted;
    upkeep->compacted = -1;
    while (work_once(&upkeep->next, upkeep->newest, compacted))
        compacted = -1;
}

static void *upkeep_main(void *argument) {
    struct sink_log_upkeep *upkeep = argument;
    (void)pthread_setname_np(pthread_self(), "sink-log"); // only for people
    pthread_mutex_lock(&upkeep->lock);
    while (!upkeep->stop) {
        if (upkeep->taken || upkeep->paused || upkeep->idle) {
            pthread_cond_wait(&upkeep->changed, &upkeep->lock);
            continue;
        }
        int64_t newest = upkeep->newest, compacted = upkeep->compacted;
        upkeep->compacted = -1;
        upkeep->idle = true; // unless there is more to do, or a note comes in the meantime
        upkeep->busy = true;
        pthread_mutex_unlock(&upkeep->lock);
        bool more = work_once(&upkeep->next, newest, compacted);
        pthread_mutex_lock(&upkeep->lock);
        upkeep->busy = false;
        upkeep->idle = upkeep->idle && !more;
        pthread_cond_broadcast(&upkeep->changed);
    }
    pthread_mutex_unlock(&upkeep->lock);
    return NULL;
}

/* ---- the thread, and those who wait for it ---- */

bool sink_log_upkeep_start(struct sink_log_upkeep *upkeep, struct error *err) {
    if (upkeep->running)
        return true;
    check(pthread_mutex_init(&upkeep->lock, NULL) == 0);
    check(pthread_cond_init(&upkeep->changed, NULL) == 0);
    upkeep->stop = false;
    upkeep->running = thread_start(&upkeep->thread, upkeep_main, upkeep,
                                   "cannot start the thread that prepares the sink log", err);
    if (upkeep->running)
        return true;
    check(pthread_cond_destroy(&upkeep->changed) == 0);
    check(pthread_mutex_destroy(&upkeep->lock) == 0);
    return false;
}

void sink_log_upkeep_stop(struct sink_log_upkeep *upkeep) {
    if (upkeep->running) {
        pthread_mutex_lock(&upkeep->lock);
        upkeep->stop = true;
        pthread_cond_broadcast(&upkeep->changed);
        pthread_mutex_unlock(&upkeep->lock);
        check(pthread_join(upkeep->thread, NULL) == 0);
        check(pthread_cond_destroy(&upkeep->changed) == 0);
        check(pthread_mutex_destroy(&upkeep->lock) == 0);
        upkeep->running = false;
    }
    if (upkeep->compacted >= 0)
        delete_old(upkeep->next.directory.text, upkeep->next.interval, upkeep->compacted);
    upkeep->compacted = -1;
    next_compact_discard(&upkeep->next);
}

static void lock(struct sink_log_upkeep *upkeep) {
    if (upkeep->running)
        pthread_mutex_lock(&upkeep->lock);
}

static void unlock(struct sink_log_upkeep *upkeep) {
    if (!upkeep->running)
        return;
    pthread_cond_broadcast(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
}

void sink_log_upkeep_pause(struct sink_log_upkeep *upkeep, bool pause) {
    lock(upkeep);
    upkeep->paused = pause;
    unlock(upkeep);
}

void sink_log_upkeep_note(struct sink_log_upkeep *upkeep, int64_t batch_id) {
    lock(upkeep);
    upkeep->newest = batch_id;
    upkeep->idle = false;
    unlock(upkeep);
}

/* From here on the draft is the caller's. */
static void take(struct sink_log_upkeep *upkeep) {
    lock(upkeep);
    upkeep->taken = true;
    while (upkeep->busy)
        pthread_cond_wait(&upkeep->changed, &upkeep->lock);
    unlock(upkeep);
}

void sink_log_upkeep_hold(struct sink_log_upkeep *upkeep) {
    take(upkeep);
    next_compact_discard(&upkeep->next);
}

void sink_log_upkeep_release(struct sink_log_upkeep *upkeep) {
    lock(upkeep);
    upkeep->taken = false;
    upkeep->idle = false; // the draft is to be made again
    unlock(upkeep);
}

bool sink_log_upkeep_publish(struct sink_log_upkeep *upkeep, int64_t batch_id, const char *entries,
                             size_t size, struct error *err) {
    take(upkeep);
    bool done = next_compact_publish(&upkeep->next, batch_id, entries, size, err);
    lock(upkeep);
    upkeep->taken = false;
    if (done)
        upkeep->newest = upkeep->compacted = batch_id;
    upkeep->idle = !done;
    unlock(upkeep);
    return done;
}
