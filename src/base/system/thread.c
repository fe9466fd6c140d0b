#include "base/system/thread.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limit.h"
#include "base/system/clock.h"

bool thread_start(pthread_t *thread, void *(*main)(void *argument), void *argument,
                  const char *what, struct error *err) {
    int failure = pthread_create(thread, NULL, main, argument);
    return failure == 0 || limit_error(err, what, failure);
}

/* Of linux/ioprio.h, which older systems lack. */
enum {
    LEAST_PRIORITY = 19,
    IOPRIO_WHO_PROCESS = 1,
    IOPRIO_CLASS_IDLE = 3,
    IOPRIO_CLASS_SHIFT = 13
};

/* A system that refuses it gives the usual priority. */
void thread_lower_priority(void) {
    (void)!nice(LEAST_PRIORITY); // on Linux, of this thread alone
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
}

void thread_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t monotonic;
    check(pthread_condattr_init(&monotonic) == 0);
    check(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    check(pthread_cond_init(condition, &monotonic) == 0);
    check(pthread_condattr_destroy(&monotonic) == 0);
}

/* ---- mailbox: a list of messages, first come first served, under a lock ----
 *
 * The messages are the list: each has the link to the next one, which is the mailbox's while the
 * message is in it. What was sent before the mailbox was closed is still received, so a receiver
 * that got NULL asks mailbox_is_closed() before it ends. */

void mailbox_init(struct mailbox *box) {
    *box = (struct mailbox){0};
    check(pthread_mutex_init(&box->lock, NULL) == 0);
    thread_condition_init(&box->changed);
}

void mailbox_deinit(struct mailbox *box) {
    check(box->first == NULL);
    check(pthread_cond_destroy(&box->changed) == 0);
    check(pthread_mutex_destroy(&box->lock) == 0);
}

void mailbox_send(struct mailbox *box, struct message *message) {
    message->next = NULL;
    pthread_mutex_lock(&box->lock);
    if (box->first == NULL)
        box->first = message;
    else
        box->last->next = message;
    box->last = message;
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&box->lock);
}

struct message *mailbox_receive(struct mailbox *box, int64_t timeout_ms) {
    struct timespec deadline = clock_deadline(timeout_ms < 0 ? 0 : timeout_ms);
    pthread_mutex_lock(&box->lock);
    bool waiting = true;
    while (box->first == NULL && !box->closed && waiting) {
        if (timeout_ms < 0)
            pthread_cond_wait(&box->changed, &box->lock);
        else
            waiting = pthread_cond_timedwait(&box->changed, &box->lock, &deadline) == 0;
    }
    struct message *message = box->first;
    if (message != NULL)
        box->first = message->next;
    pthread_mutex_unlock(&box->lock);
    return message;
}

void mailbox_close(struct mailbox *box) {
    pthread_mutex_lock(&box->lock);
    box->closed = true;
    pthread_cond_broadcast(&box->changed);
    pthread_mutex_unlock(&box->lock);
}

bool mailbox_is_closed(struct mailbox *box) {
    pthread_mutex_lock(&box->lock);
    bool closed = box->closed && box->first == NULL;
    pthread_mutex_unlock(&box->lock);
    return closed;
}
