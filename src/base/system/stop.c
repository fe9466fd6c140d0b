#include "base/system/stop.h"

#include "base/check.h"
#include "base/system/clock.h"
#include "base/system/thread.h"

static bool sleep_in_real_time(struct stop *stop, int64_t ms) {
    struct timespec deadline = clock_deadline(ms);

    pthread_mutex_lock(&stop->lock);
    bool waiting = true;
    while (stop->level == STOP_NOT && waiting)
        waiting = pthread_cond_timedwait(&stop->changed, &stop->lock, &deadline) == 0;
    bool asked = stop->level != STOP_NOT;
    pthread_mutex_unlock(&stop->lock);
    return asked;
}

void stop_init(struct stop *stop) {
    *stop = (struct stop){.sleep = sleep_in_real_time};
    check(pthread_mutex_init(&stop->lock, NULL) == 0);
    thread_condition_init(&stop->changed);
}

void stop_deinit(struct stop *stop) {
    check(pthread_cond_destroy(&stop->changed) == 0);
    check(pthread_mutex_destroy(&stop->lock) == 0);
}

void stop_request(struct stop *stop, enum stop_level level) {
    pthread_mutex_lock(&stop->lock);
    if (stop->level < level)
        stop->level = level;
    pthread_cond_broadcast(&stop->changed);
    pthread_mutex_unlock(&stop->lock);
}

enum stop_level stop_read(struct stop *stop) {
    pthread_mutex_lock(&stop->lock);
    enum stop_level level = stop->level;
    pthread_mutex_unlock(&stop->lock);
    return level;
}

bool stop_sleep(struct stop *stop, int64_t ms) {
    return stop->sleep(stop, ms);
}
