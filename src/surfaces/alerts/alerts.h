/* alerts.h: ALERT_WEBHOOK_URL: one JSON POST when a query gets into trouble, and one when it is out
 * of it (docs/alerts.md says when, and what is in it).
 *
 * What a receiver has taken is noted in the checkpoint's file `alert`, so that the query's next
 * start knows what has been told: it tells of the end, and not of the same trouble again. The file
 * is a note only; without it, or with one that can't be read, nothing was told. */
#ifndef SURFACES_ALERTS_ALERTS_H
#define SURFACES_ALERTS_ALERTS_H

#include "streaming/start/streaming.h"
#include "surfaces/alerts/webhook.h"
#include "surfaces/settings/config.h"

struct alerts;

/* NULL and true: there is no ALERT_WEBHOOK_URL. `streaming` is borrowed. */
MUST_CHECK bool alerts_open(struct alerts **alerts, const struct config *config,
                            struct streaming *streaming, struct error *err);

/* A few times a second, on one thread; never blocks. Accepts NULL. */
void alerts_update(struct alerts *alerts);

/* Any thread. */
struct webhook_counts alerts_counts(struct alerts *alerts);

/* Before streaming_join(). Waits for what is still to be delivered, for a few seconds at most.
 * Accepts NULL. */
void alerts_close(struct alerts *alerts);

#endif
