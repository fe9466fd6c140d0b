/* thread.h: how a thread of ours is started, what it waits on, and how threads talk. */
#ifndef BASE_SYSTEM_THREAD_H
#define BASE_SYSTEM_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* `what` is for the error: "start a worker thread". ERROR_LIMIT: the machine has no room for it. */
MUST_CHECK bool thread_start(pthread_t *thread, void *(*main)(void *argument), void *argument,
                             const char *what, struct error *err);

/* For work that can wait: the calling thread gets a processor, and the disk, when no other thread
 * needs it. */
void thread_lower_priority(void);

/* For deadlines of clock_deadline(). */
void thread_condition_init(pthread_cond_t *condition);

/* ---- mailbox: how threads hand work to each other, and the only way they do ----
 *
 * Sending hands a message over: the sender must not touch it again, and the receiver owns it. A
 * message carries its own link (struct message as its first member), so sending never allocates and
 * never blocks; what is in flight is bounded because messages are a query's tasks, of which each
 * query has a fixed number. */

struct message {
    struct message *next; // the mailbox's while the message is in it
};

struct mailbox {
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t changed;
    struct message *first, *last;
    bool closed;
};

void mailbox_init(struct mailbox *box);
void mailbox_deinit(struct mailbox *box); // no thread may be inside, and no message left

void mailbox_send(struct mailbox *box, struct message *message);

/* Blocks while there is no message, at most `timeout_ms` (-1: without limit). NULL: closed and
 * nothing left, or timed out. */
struct message *mailbox_receive(struct mailbox *box, int64_t timeout_ms);

/* Receivers get what is left, then NULL. */
void mailbox_close(struct mailbox *box);

/* For a receiver that got NULL: whether nothing will ever come. */
bool mailbox_is_closed(struct mailbox *box);

#endif
