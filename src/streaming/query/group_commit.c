/* Committing to a consumer group.
 *
 * One thread per query commits the newest positions; those that came in between are left out. It
 * starts with the first positions, so a query without a group has none. A failure is retried after
 * a pause, and the same reason is logged once in a while. A group without members forgets its
 * offsets after some days (offsets.retention.minutes), so those of an idle topic are committed
 * again every hour. */
#include "streaming/query/group_commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/system/thread.h"

enum {
    REQUEST_MS = 3000,
    RETRY_MS = 10 * 1000,
    LOG_EVERY_MS = 10 * 60 * 1000,
    RENEW_MS = 60 * 60 * 1000,
};

/* The thread's own. */
struct attempt {
    bool said_ok;
    struct error failure; // the last one that was logged; ERROR_NONE: it works
    int64_t logged_ms;    // monotonic
};

void group_commit_init(struct group_commit *commit, struct broker *broker, const char *group,
                       const char *topic, const char *query) {
    bool commits = group != NULL && *group != '\0' && broker->ops->commit_group != NULL;
    *commit = (struct group_commit){
        .broker = broker, .group = commits ? group : NULL, .topic = topic, .query = query};
    check(pthread_mutex_init(&commit->lock, NULL) == 0);
    thread_condition_init(&commit->changed);
}

static void say_result(const struct group_commit *commit, struct attempt *attempt, bool ok,
                       const struct error *err) {
    int64_t now_ms = clock_monotonic_ms();
    if (ok) {
        if (!attempt->said_ok || attempt->failure.kind != ERROR_NONE)
            log_write(LOG_INFO, commit->query,
                      "Offsets are also committed to a consumer group | group=%s | topic=%s",
                      commit->group, commit->topic);
        attempt->said_ok = true;
        attempt->failure.kind = ERROR_NONE;
        return;
    }
    if (attempt->failure.kind != ERROR_NONE &&
        strcmp(attempt->failure.message, err->message) == 0 &&
        now_ms - attempt->logged_ms < LOG_EVERY_MS)
        return;
    attempt->failure = *err;
    attempt->logged_ms = now_ms;
    log_write(LOG_WARNING, commit->query,
              "Offsets could not be committed to the consumer group; the query continues, its "
              "progress is in the checkpoint | group=%s | topic=%s | error=%s",
              commit->group, commit->topic, err->message);
}

static bool commit_positions(const struct group_commit *commit,
                             const struct offset_range *positions, size_t count,
                             struct attempt *attempt) {
    struct error err = {0};
    bool ok = commit->broker->ops->commit_group(commit->broker, commit->group, commit->topic,
                                                positions, count, REQUEST_MS, &err);
    say_result(commit, attempt, ok, &err);
    return ok;
}

/* With the lock: waits until there is something to commit. False: the thread ends. */
static bool await_due(struct group_commit *commit) {
    struct timespec renewal = clock_deadline(RENEW_MS);
    while (!commit->due && !commit->ends)
        if (pthread_cond_timedwait(&commit->changed, &commit->lock, &renewal) != 0)
            commit->due = true;
    return commit->due;
}

/* With the lock: a pause that only the end cuts short. */
static void pause_before_retry(struct group_commit *commit) {
    struct timespec until = clock_deadline(RETRY_MS);
    while (!commit->ends && pthread_cond_timedwait(&commit->changed, &commit->lock, &until) == 0)
        ;
}

static void *commit_main(void *argument) {
    struct group_commit *commit = argument;
    struct attempt attempt = {0};
    pthread_mutex_lock(&commit->lock);
    while (await_due(commit)) {
        size_t count = commit->count;
        struct offset_range *positions = must_alloc(count + 1, sizeof *positions);
        memcpy(positions, commit->positions, count * sizeof *positions);
        commit->due = false;
        bool last = commit->ends;
        pthread_mutex_unlock(&commit->lock);
        bool ok = commit_positions(commit, positions, count, &attempt);
        free(positions);
        pthread_mutex_lock(&commit->lock);
        if (ok)
            continue;
        if (last)
            break;
        commit->due = true;
        pause_before_retry(commit);
    }
    pthread_mutex_unlock(&commit->lock);
    return NULL;
}

/* With the lock. */
static void start_thread(struct group_commit *commit) {
    struct error err;
    commit->runs = thread_start(&commit->thread, commit_main, commit,
                                "cannot start the consumer group thread", &err);
    commit->cannot_run = !commit->runs;
    if (!commit->runs)
        log_write(LOG_WARNING, commit->query,
                  "Offsets will not be committed to the consumer group | group=%s | error=%s",
                  commit->group, err.message);
}

void group_commit_move(struct group_commit *commit, const struct offset_range *positions,
                       size_t count) {
    if (commit->group == NULL || count == 0)
        return;
    pthread_mutex_lock(&commit->lock);
    free(commit->positions);
    commit->positions = must_alloc(count, sizeof *commit->positions);
    memcpy(commit->positions, positions, count * sizeof *positions);
    commit->count = count;
    commit->due = true;
    if (!commit->runs && !commit->cannot_run)
        start_thread(commit);
    pthread_cond_signal(&commit->changed);
    pthread_mutex_unlock(&commit->lock);
}

void group_commit_deinit(struct group_commit *commit) {
    pthread_mutex_lock(&commit->lock);
    commit->ends = true;
    pthread_cond_signal(&commit->changed);
    pthread_mutex_unlock(&commit->lock);
    if (commit->runs)
        check(pthread_join(commit->thread, NULL) == 0);
    free(commit->positions);
    check(pthread_cond_destroy(&commit->changed) == 0);
    check(pthread_mutex_destroy(&commit->lock) == 0);
}
