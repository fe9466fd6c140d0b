/* group_commit.h: KAFKA_COMMIT_GROUP: commits a query's position to a consumer group, for tools
 * that watch groups (kafka-consumer-groups, Burrow, AKHQ, KEDA). Nothing is ever read back:
 * progress is the checkpoint's. A commit that fails is a WARNING and is retried; it never delays or
 * ends the query. */
#ifndef STREAMING_QUERY_GROUP_COMMIT_H
#define STREAMING_QUERY_GROUP_COMMIT_H

#include <pthread.h>

#include "core/plan.h"
#include "streaming/kafka/broker.h"

struct group_commit {
    struct broker *broker;          // borrowed, as are the next three
    const char *group;              // NULL: commits nothing
    const char *topic, *query;      // the latter for the log
    pthread_mutex_t lock;           // guards what follows
    pthread_cond_t changed;         // `due` or `ends`
    struct offset_range *positions; // owned; the newest; start == end == a partition's next offset
    size_t count;                   // of these
    bool due;                       // they are not committed
    bool ends;                      // the thread ends once they are
    bool runs;                      // there is a thread
    bool cannot_run;                // none could be started
    pthread_t thread;
};

/* All is borrowed. A `group` of "" commits nothing. */
void group_commit_init(struct group_commit *commit, struct broker *broker, const char *group,
                       const char *topic, const char *query);

/* The query has committed up to these positions, which are copied. Never waits. */
void group_commit_move(struct group_commit *commit, const struct offset_range *positions,
                       size_t count);

/* Tries once more to commit what is not committed, for some seconds at most. */
void group_commit_deinit(struct group_commit *commit);

#endif
