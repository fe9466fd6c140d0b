/* query.h: one streaming query, independent of its engine: what it is, its position, its view of
 * the topic and what it reports. The parts know only what they use of each other; an engine drives
 * them.
 *
 * Everything belongs to the query's driver thread once it runs, but the `report`, which says what
 * any thread may read. A query must not be moved: its parts point to each other. */
#ifndef STREAMING_QUERY_QUERY_H
#define STREAMING_QUERY_QUERY_H

#include "streaming/query/group_commit.h"
#include "streaming/query/micro_batch.h"
#include "streaming/query/topic_fit.h"

struct query {
    struct query_definition definition;
    struct query_report report;
    struct retrier retrier;
    struct query_position position;
    struct topic_watch watch;
    struct topic_change change;
    struct batch_runner runner;
    struct group_commit group;
    struct store *store; // owned
    struct stop *stop;   // borrowed
};

/* All is borrowed. ERROR_CONFIG: the errors of query_definition_init(). */
MUST_CHECK bool query_init(struct query *query, const struct query_options *options,
                           struct broker *broker, struct crew *crew, struct stop *stop,
                           struct error *err);
void query_deinit(struct query *query);

/* Opens the store: takes the checkpoint's lock. */
MUST_CHECK bool query_open(struct query *query, struct error *err);

/* Recovers the disk, and logs what was done. */
MUST_CHECK bool query_recover(struct query *query, struct recovery *recovery, struct error *err);

/* Commits the position to the consumer group of the options, if there is one. */
void query_commit_group(struct query *query);

/* The query's position is now after the batch. */
void query_move_past(struct query *query, const struct plan *plan);

#endif
