#include "base/system/thread.h"

#include "base/check.h"
#include "base/limit.h"

bool thread_start(pthread_t *thread, void *(*main)(void *argument), void *argument,
                  const char *what, struct error *err) {
    int failure = pthread_create(thread, NULL, main, argument);
    return failure == 0 || limit_error(err, what, failure);
}

void thread_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t monotonic;
    check(pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_cond_init(condition, &monotonic) == 0);
    check(pthread_condattr_destroy(&monotonic) == 0);
}
