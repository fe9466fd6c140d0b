/* thread.h: how a thread of ours is started, and what it waits on. */
#ifndef BASE_SYSTEM_THREAD_H
#define BASE_SYSTEM_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"

/* `what` is for the error: "start a worker thread". ERROR_LIMIT: the machine has no room for it. */
MUST_CHECK bool thread_start(pthread_t *thread, void *(*main)(void *argument), void *argument,
                             const char *what, struct error *err);

/* For deadlines of clock_deadline(). */
void thread_condition_init(pthread_cond_t *condition);

#endif
