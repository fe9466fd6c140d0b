#include "streaming/report/care_status.h"

#include <stdio.h>

#include "base/check.h"
#include "base/system/clock.h"

void care_status_init(struct care_status *status) {
    *status = (struct care_status){0};
    check(pthread_mutex_init(&status->lock, NULL) == 0);
}

void care_status_deinit(struct care_status *status) {
    check(pthread_mutex_destroy(&status->lock) == 0);
}

struct care_view care_status_read(struct care_status *status) {
    pthread_mutex_lock(&status->lock);
    struct care_view view = status->view;
    pthread_mutex_unlock(&status->lock);
    return view;
}

void care_status_read_files(struct care_status *status, bool of_rejects,
                            struct file_counts *counts) {
    pthread_mutex_lock(&status->lock);
    *counts = of_rejects ? status->rejects : status->table;
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_files(struct care_status *status, bool of_rejects,
                           const struct file_counts *counts) {
    pthread_mutex_lock(&status->lock);
    *(of_rejects ? &status->rejects : &status->table) = *counts;
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_on(struct care_status *status, bool compacts, bool expires) {
    pthread_mutex_lock(&status->lock);
    status->view.compacts = compacts;
    status->view.expires = expires;
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_busy(struct care_status *status, bool is_busy) {
    pthread_mutex_lock(&status->lock);
    status->view.is_busy = is_busy;
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_next(struct care_status *status, int64_t next_look_ms) {
    pthread_mutex_lock(&status->lock);
    status->view.next_look_ms = next_look_ms;
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_looked(struct care_status *status, const struct care_view *counts) {
    pthread_mutex_lock(&status->lock);
    struct care_view *view = &status->view;
    view->looked_ms = clock_wall_ms();
    view->files = counts->files;
    view->bytes = counts->bytes;
    view->small_files = counts->small_files;
    view->waiting_files = counts->waiting_files;
    (void)snprintf(view->waits, sizeof view->waits, "%s", counts->waits);
    pthread_mutex_unlock(&status->lock);
}

static void add_gain(struct care_gain *sum, const struct care_gain *gain) {
    sum->files_before += gain->files_before;
    sum->files_after += gain->files_after;
    sum->bytes_before += gain->bytes_before;
    sum->bytes_after += gain->bytes_after;
    sum->rows += gain->rows;
}

void care_status_add_compaction(struct care_status *status, const struct care_gain *gain,
                                int64_t duration_ms) {
    pthread_mutex_lock(&status->lock);
    status->view.compactions++;
    status->view.last_duration_ms = duration_ms;
    status->view.last_ms = clock_wall_ms();
    status->view.last = *gain;
    add_gain(&status->view.gain, gain);
    status->view.error[0] = '\0';
    pthread_mutex_unlock(&status->lock);
}

void care_status_add_expiry(struct care_status *status, int64_t files, int64_t rows) {
    pthread_mutex_lock(&status->lock);
    status->view.expiries++;
    status->view.last_expiry_ms = clock_wall_ms();
    status->view.expired_files += files;
    status->view.expired_rows += rows;
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_expiry_waits(struct care_status *status, const char *partitions) {
    pthread_mutex_lock(&status->lock);
    (void)snprintf(status->view.expiry_waits, sizeof status->view.expiry_waits, "%s", partitions);
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_error(struct care_status *status, const char *error) {
    pthread_mutex_lock(&status->lock);
    (void)snprintf(status->view.error, sizeof status->view.error, "%s", error);
    status->view.error_ms = *error != '\0' ? clock_wall_ms() : 0;
    status->view.errors += *error != '\0';
    pthread_mutex_unlock(&status->lock);
}

void care_status_set_passed(struct care_status *status, bool failed, size_t left_alone) {
    pthread_mutex_lock(&status->lock);
    struct care_view *view = &status->view;
    view->failing_attempts = failed ? view->failing_attempts + 1 : 0;
    if (!failed || view->failing_ms == 0)
        view->failing_ms = failed ? clock_wall_ms() : 0;
    view->left_alone = (int64_t)left_alone;
    pthread_mutex_unlock(&status->lock);
}
