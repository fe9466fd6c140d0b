#include "streaming/query_status.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"

void query_status_init(struct query_status *status, const char *name) {
    *status = (struct query_status){
        .snapshot = {.name = name, .batch_id = -1, .lag = -1, .message = "Initializing sources"}};
    check(pthread_mutex_init(&status->lock, NULL) == 0);
}

void query_status_deinit(struct query_status *status) {
    check(pthread_mutex_destroy(&status->lock) == 0);
}

struct query_snapshot query_status_read(struct query_status *status) {
    pthread_mutex_lock(&status->lock);
    struct query_snapshot copy = status->snapshot;
    pthread_mutex_unlock(&status->lock);
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

void query_status_say(struct query_status *status, bool is_data_available, const char *message) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.signs++;
    status->snapshot.is_data_available = is_data_available;
    snprintf(status->snapshot.message, sizeof status->snapshot.message, "%s", message);
    pthread_mutex_unlock(&status->lock);
}

void query_status_set_active(struct query_status *status, bool is_active) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.is_active = is_active;
    pthread_mutex_unlock(&status->lock);
}

void query_status_set_lag(struct query_status *status, int64_t lag) {
    pthread_mutex_lock(&status->lock);
    status->snapshot.lag = lag;
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
