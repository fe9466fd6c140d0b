/* alerts.h: ALERT_WEBHOOK_URL: one JSON POST when a query gets into trouble, and one when it is out
 * of it (docs/alerts.md says when, and what is in it). Whether it is in trouble is the verdict of
 * health.h; what is decided here is what is news to the receiver.
 *
 * What a receiver has taken is noted in the checkpoint's file `alert`, so that the query's next
 * start knows what was sent: it reports the end, and not the same trouble again. The file
 * is a note only; without it, or with one that can't be read, nothing was sent. */
#ifndef SURFACES_ALERTS_ALERTS_H
#define SURFACES_ALERTS_ALERTS_H

#include "streaming/start/streaming.h"
#include "surfaces/health/health_watch.h"
#include "surfaces/settings/config.h"
#include "surfaces/webhook/webhook.h"

struct alerts;

/* NULL and true: there is no ALERT_WEBHOOK_URL. `streaming` and `health` are borrowed. */
MUST_CHECK bool alerts_open(struct alerts **alerts, const struct config *config,
                            struct streaming *streaming, struct health_watch *health,
                            struct error *err);

/* A few times a second, on one thread; never blocks. Accepts NULL. */
void alerts_update(struct alerts *alerts);

/* Any thread. Accepts NULL. */
struct webhook_counts alerts_counts(struct alerts *alerts);

/* Before streaming_join(). Waits for what is still to be delivered, for a few seconds at most.
 * Accepts NULL. */
void alerts_close(struct alerts *alerts);

/* What a receiver is notified of, the worst last. A query can fall behind and reject records at the
 * same time; one that fails has no other trouble. So troubles are sets, of bits 1 << TROUBLE_…, and
 * the empty set is a healthy query. */
enum alert_trouble {
    TROUBLE_CARE,
    TROUBLE_REJECTING,
    TROUBLE_BEHIND,
    TROUBLE_FAILING,
    TROUBLE_FAILED,
    TROUBLE_COUNT
};

/* What the receiver should know to be the troubles, if `told` was sent last, perhaps by an
 * earlier start: the verdict's, but no end of one before there is proof. So a program that fails
 * again and again causes one notification. Pure. */
unsigned alert_troubles_next(unsigned told, const struct health_verdict *verdict);

#endif
