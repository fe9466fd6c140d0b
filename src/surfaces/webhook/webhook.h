/* webhook.h: posts JSON to one URL, on a thread of its own, so that nobody ever waits for the
 * receiver.
 *
 * A notification is tried until the receiver takes it (2xx), refuses it for good (3xx, and 4xx but
 * 408 and 429), or `give_up_ms` have passed; between attempts the pause doubles, and a Retry-After
 * is kept. The queue is bounded: what finds no room is dropped. Everything that happens to a
 * notification is logged, with the receiver's scheme and host only, because such URLs hold tokens.
 *
 * http and https only; certificates and host names are verified, redirects are not followed. */
#ifndef SURFACES_WEBHOOK_WEBHOOK_H
#define SURFACES_WEBHOOK_WEBHOOK_H

#include <stdint.h>

#include "base/error.h"

enum { WEBHOOK_QUEUE_MAX = 32 };

struct webhook_options {
    const char *url;            // borrowed
    int64_t attempt_timeout_ms; // of one attempt, from connecting to the whole answer
    int64_t backoff_first_ms, backoff_max_ms;
    int64_t give_up_ms; // after the first attempt began
};

/* What fits receivers out on the internet. */
struct webhook_options webhook_defaults(const char *url);

struct webhook;

/* Starts the thread. ERROR_RETRY: the system has none to give. */
MUST_CHECK bool webhook_open(struct webhook **webhook, const struct webhook_options *options,
                             struct error *err);

/* Takes over `body`, a JSON text from malloc. `label` names the notification in the log.
 * `delivered`, unless NULL, is called on the webhook's thread once the receiver has taken it;
 * `context` lives until webhook_close(). False: the queue is full and the notification dropped.
 * Never blocks. */
bool webhook_post(struct webhook *webhook, const char *label, char *body,
                  void (*delivered)(void *context), void *context);

struct webhook_counts {
    int64_t delivered, dropped; // notifications since the start
    int64_t failed_attempts;
};

/* Any thread. */
struct webhook_counts webhook_counts(struct webhook *webhook);

/* Ends the thread: notifications that are left are tried for `wait_ms` more at most (and about a
 * second, in which an attempt under way is broken off), then dropped. Accepts NULL. */
void webhook_close(struct webhook *webhook, int64_t wait_ms);

#endif
