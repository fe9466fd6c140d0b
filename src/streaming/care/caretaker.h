/* caretaker.h: the thread of a running query that takes care of its table: it merges small files,
 * lets dates expire, and answers requests of commands (request.h).
 *
 * It reads the table, and writes only next to it. What it has prepared is a change, which the
 * query's driver publishes between two batches: nothing else of a query is shared between the two.
 * One caretaker of the process works at a time. */
#ifndef STREAMING_CARE_CARETAKER_H
#define STREAMING_CARE_CARETAKER_H

#include "base/error.h"
#include "streaming/query/query.h"

struct caretaker;

/* Driver thread, all of them. `query` is borrowed, recovered and open. NULL: there can be no
 * thread, which was logged; the query runs without. */
struct caretaker *caretaker_start(struct query *query);

/* Publishes what is prepared, if there is anything, and deletes what has left long enough ago.
 * Retries as a batch does. False: a change that is recorded cannot be finished, or a stop was
 * requested meanwhile (ERROR_STOPPED). Accepts NULL. */
MUST_CHECK bool caretaker_attend(struct caretaker *self, struct error *err);

/* For a query that ends: one pass, if the settings ask for any, until it is over or a stop is
 * requested. The same errors. Accepts NULL. */
MUST_CHECK bool caretaker_finish(struct caretaker *self, struct error *err);

/* Abandons what is being prepared, and ends the thread. Accepts NULL. */
void caretaker_stop(struct caretaker *self);

#endif
