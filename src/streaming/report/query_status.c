/* query_status.c: what changes together is changed under one lock, so a reader never sees the state
 * of one moment with the message of another. The lock is held for a copy, never for memory or I/O.
 * Only the count of records read is outside of it, because workers add to it for each record. */
#include "streaming/report/query_status.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/system/uuid.h"

const char *query_state_name(enum query_state state) {
    static const char *const names[] = {
        [QUERY_STARTING] = "starting", [QUERY_RUNNING] = "running", [QUERY_WAITING] = "waiting",
        [QUERY_RETRYING] = "retrying", [QUERY_FAILED] = "failed",   [QUERY_STOPPED] = "stopped",
    };
    check((size_t)state < sizeof names / sizeof names[0]);
    return names[state];
}

void query_status_init(struct query_status *status, const char *name) {
    *status = (struct query_status){.snapshot = {.name = name,
                                                 .resumed_batch = -1,
                                                 .batch_id = -1,
                                                 .missing_files = -1,
                                                 .changed_files = -1,
                                                 .message = "Initializing sources"}};
    uuid_new(status->snapshot.run_id);
    lag_book_init(&status->lag);
    check(pthread_mutex_init(&status->lock, NULL) == 0);
}

void query_status_deinit(struct query_status *status) {
    lag_book_deinit(&status->lag);
    check(pthread_mutex_destroy(&status->lock) == 0);
}

struct query_snapshot query_status_read(struct query_status *status) {
    pthread_mutex_lock(&status->lock);
    struct query_snapshot copy = status->snapshot;
    pthread_mutex_unlock(&status->lock);
    copy.lag = topic_lag_read(&status->lag, NULL);
    // Relaxed: a number for display; nothing else hangs on it.
    copy.records_read = atomic_load_explicit(&status->records_read, memory_order_relaxed);
    return copy;
}

void query_status_sign(struct query_status *status) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.signs++;
    pthread_mutex_unlock(&status->lock);
}

void query_status_rest(struct query_status *status, int64_t ms) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.rest_until_ms = clock_monotonic_ms() + ms;
    pthread_mutex_unlock(&status->lock);
}

void query_status_set_started(struct query_status *status) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.is_started = true;
    pthread_mutex_unlock(&status->lock);
}

void query_status_open(struct query_status *status, const char id[static 37]) {
    pthread_mutex_lock(&status->lock);
    memcpy(status->snapshot.id, id, sizeof status->snapshot.id);
    pthread_mutex_unlock(&status->lock);
}

/* Under the lock, as the next. */
static void set_state(struct query_snapshot *snapshot, enum query_state state,
                      bool is_data_available, const char *message) {
    snapshot->signs++;
    snapshot->state = state;
    snapshot->is_data_available = is_data_available;
    snapshot->retry = (struct query_retry){0};
    snapshot->held_offsets = snapshot->held_until_ms = 0;
    snprintf(snapshot->message, sizeof snapshot->message, "%s", message);
}

static void set_error(struct query_snapshot *snapshot, const char *error) {
    snprintf(snapshot->error, sizeof snapshot->error, "%s", error);
    snapshot->error_ms = clock_wall_ms();
}

void query_status_say(struct query_status *status, enum query_state state, bool is_data_available,
                      const char *message) {
    pthread_mutex_lock(&status->lock);
    set_state(&status->snapshot, state, is_data_available, message);
    pthread_mutex_unlock(&status->lock);
}

void query_status_hold(struct query_status *status, int64_t offsets, int64_t until_ms) {
    char message[QUERY_MESSAGE_MAX], clock[32] = "MAX_TRIGGER_DELAY is over";
    time_t seconds = (time_t)(until_ms / 1000);
    struct tm local;
    if (until_ms > 0 && localtime_r(&seconds, &local) != NULL)
        strftime(clock, sizeof clock, "%H:%M:%S", &local);
    (void)snprintf(message, sizeof message, "Waiting for %" PRId64 " more offsets or until %s",
                   offsets, clock);
    pthread_mutex_lock(&status->lock);
    set_state(&status->snapshot, QUERY_WAITING, false, message);
    status->snapshot.held_offsets = offsets;
    status->snapshot.held_until_ms = until_ms;
    pthread_mutex_unlock(&status->lock);
}

void query_status_fault(struct query_status *status, enum query_state state, bool is_data_available,
                        const char *message, const char *error) {
    pthread_mutex_lock(&status->lock);
    set_state(&status->snapshot, state, is_data_available, message);
    set_error(&status->snapshot, error);
    status->snapshot.retries += state == QUERY_RETRYING;
    pthread_mutex_unlock(&status->lock);
}

void query_status_retry(struct query_status *status, bool is_data_available, const char *message,
                        const char *error, const struct query_retry *retry) {
    pthread_mutex_lock(&status->lock);
    set_state(&status->snapshot, QUERY_RETRYING, is_data_available, message);
    set_error(&status->snapshot, error);
    status->snapshot.retries++;
    status->snapshot.retry = *retry;
    pthread_mutex_unlock(&status->lock);
}

void query_status_note_error(struct query_status *status, const char *error) {
    pthread_mutex_lock(&status->lock);
    set_error(&status->snapshot, error);
    pthread_mutex_unlock(&status->lock);
}

void query_status_set_missing(struct query_status *status, int64_t count, int64_t changed,
                              const char *names) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.missing_files = count;
    status->snapshot.changed_files = changed;
    snprintf(status->snapshot.missing_names, sizeof status->snapshot.missing_names, "%s", names);
    pthread_mutex_unlock(&status->lock);
}

void query_status_set_active(struct query_status *status, bool is_active) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.is_active = is_active;
    pthread_mutex_unlock(&status->lock);
}

void query_status_set_sink_log(struct query_status *status, bool has_sink_log) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.has_sink_log = has_sink_log;
    pthread_mutex_unlock(&status->lock);
}

void query_status_resume(struct query_status *status, int64_t batch_id, int64_t committed_ms) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.resumed_batch = batch_id;
    status->snapshot.resumed_ms = committed_ms;
    pthread_mutex_unlock(&status->lock);
}

void query_status_add_batch(struct query_status *status, int64_t batch_id, int64_t rows,
                            int64_t rejects) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.batch_id = batch_id;
    status->snapshot.rows += rows;
    status->snapshot.rejects += rejects;
    pthread_mutex_unlock(&status->lock);
}
