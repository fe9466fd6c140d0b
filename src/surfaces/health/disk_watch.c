/* disk_watch.c: a disk that hangs, such as a lost NFS server, must not hang a request for its free
 * space: the HTTP server has one thread. So another thread looks, on request. A reader waits for it
 * for a moment; while it hangs, readers do not wait and get nothing.
 *
 * A thread that still hangs at the end is left behind with its memory: the process ends soon. */
#include "surfaces/health/disk_watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/filesystem.h"
#include "base/system/clock.h"
#include "base/system/thread.h"
#include "base/text.h"

enum {
    ANSWER_MS = 200, // how long a reader waits
    CLOSE_MS = 1000,
};

struct disk_watch {
    char *paths[DISKS_MAX]; // owned, because a thread that hangs outlives the settings; or NULL
    pthread_t thread;
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t changed;
    bool is_looking, is_closed;
    size_t count;
    struct disk_look disks[DISKS_MAX]; // as of the last time
};

static const char *const places[DISKS_MAX] = {"data_lake", "processed", "checkpoint"};

/* A directory that does not exist yet is made on the file system of the one above it, by the first
 * batch at the latest; until then its room is not known. */
static size_t look_at_disks(char *const paths[static DISKS_MAX],
                            struct disk_look disks[static DISKS_MAX]) {
    uint64_t seen[DISKS_MAX] = {0};
    size_t count = 0;
    for (size_t i = 0; i < DISKS_MAX; i++) {
        struct filesystem_place place;
        struct filesystem_room room;
        if (paths[i] == NULL || !filesystem_place(paths[i], &place) ||
            !filesystem_room(paths[i], &room))
            continue;
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || seen[j] == place.device;
        if (known)
            continue;
        seen[count] = place.device;
        disks[count++] = (struct disk_look){places[i], paths[i], room.size, room.free};
    }
    return count;
}

static void *watch_main(void *argument) {
    struct disk_watch *watch = argument;
    (void)pthread_setname_np(pthread_self(), "disk"); // only for people
    pthread_mutex_lock(&watch->lock);
    while (!watch->is_closed) {
        if (!watch->is_looking) {
            pthread_cond_wait(&watch->changed, &watch->lock);
            continue;
        }
        pthread_mutex_unlock(&watch->lock);
        struct disk_look disks[DISKS_MAX];
        size_t count = look_at_disks(watch->paths, disks);
        pthread_mutex_lock(&watch->lock);
        memcpy(watch->disks, disks, count * sizeof *disks);
        watch->count = count;
        watch->is_looking = false;
        pthread_cond_broadcast(&watch->changed);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

static void destroy(struct disk_watch *watch) {
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    for (size_t i = 0; i < DISKS_MAX; i++)
        free(watch->paths[i]);
    free(watch);
}

bool disk_watch_open(const struct config *config, struct disk_watch **watch, struct error *err) {
    struct disk_watch *self = must_alloc(1, sizeof *self);
    const char *const paths[DISKS_MAX] = {config->data_lake_path, config->processed_path,
                                          config->checkpoint_path};
    for (size_t i = 0; i < DISKS_MAX; i++)
        self->paths[i] = paths[i] != NULL ? text_copy(paths[i]) : NULL;
    check(pthread_mutex_init(&self->lock, NULL) == 0);
    thread_condition_init(&self->changed);
    *watch = self;
    if (thread_start(&self->thread, watch_main, self,
                     "cannot start the thread that checks free disk space", err))
        return true;
    destroy(self);
    *watch = NULL;
    return false;
}

/* With the lock: whether the thread has answered, in `ms` at most. */
static bool await_look(struct disk_watch *watch, int64_t ms) {
    struct timespec until = clock_deadline(ms);
    while (watch->is_looking && pthread_cond_timedwait(&watch->changed, &watch->lock, &until) == 0)
        ;
    return !watch->is_looking;
}

size_t disk_watch_read(struct disk_watch *watch, struct disk_look disks[static DISKS_MAX]) {
    if (watch == NULL)
        return 0;
    pthread_mutex_lock(&watch->lock);
    bool hangs = watch->is_looking;
    watch->is_looking = true;
    pthread_cond_broadcast(&watch->changed);
    size_t count = !hangs && await_look(watch, ANSWER_MS) ? watch->count : 0;
    memcpy(disks, watch->disks, count * sizeof *disks);
    pthread_mutex_unlock(&watch->lock);
    return count;
}

void disk_watch_close(struct disk_watch *watch) {
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->is_closed = true;
    pthread_cond_broadcast(&watch->changed);
    bool ended = await_look(watch, CLOSE_MS);
    pthread_mutex_unlock(&watch->lock);
    if (!ended) {
        check(pthread_detach(watch->thread) == 0);
        return;
    }
    check(pthread_join(watch->thread, NULL) == 0);
    destroy(watch);
}
