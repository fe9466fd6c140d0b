#include "base/system/thread.h"

#include "base/limit.h"

bool thread_start(pthread_t *thread, void *(*main)(void *argument), void *argument,
                  const char *what, struct error *err) {
    int failure = pthread_create(thread, NULL, main, argument);
    return failure == 0 || limit_error(err, what, failure);
}
