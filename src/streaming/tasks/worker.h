/* worker.h: a thread that walks tasks through all stages: source, decode, derive, sink.
 *
 * Workers are identical and shared by the queries. Each owns its source and, per query, a decoder
 * and the rows being filled; nothing else is shared but the tasks' mailboxes. */
#ifndef STREAMING_TASKS_WORKER_H
#define STREAMING_TASKS_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "pipeline/source/source.h"
#include "streaming/tasks/crew.h"
#include "streaming/tasks/row_maker.h"

struct worker {
    pthread_t thread;
    struct mailbox tasks;
    struct source *source; // owned
    const struct worker_query *queries;
    size_t query_count;
    struct row_maker *makers; // owned; one per query
    size_t memory_max;        // bytes for everything but what the source prefetches
    _Atomic int64_t signs;    // of life: grows with each record and each quiet wait for one
    _Atomic size_t encoded;   // live, for display: bytes that the sinks of its task hold
    pthread_mutex_t lock;     // guards what follows
    struct error waits_for;   // what its source waits for, as it has said; ERROR_NONE: nothing
};

/* Bytes of the rows that it fills, one slice per query, and of what computes them. */
size_t worker_rows_memory(const struct worker *worker);

/* Starts the thread. Takes over `source`: on failure, too, it is closed. */
MUST_CHECK bool worker_start(struct worker *worker, struct source *source,
                             const struct worker_query *queries, size_t query_count,
                             size_t memory_max, struct error *err);

/* Grows as long as the worker makes progress with any task. Any thread. */
int64_t worker_signs(const struct worker *worker);

/* Why the records that it waits for do not come, as far as its source knows. False:
 * nothing does, or it does not wait. Any thread. */
bool worker_waits_for(struct worker *worker, struct error *cause);

/* Lets the worker finish the tasks it has, then ends it. */
void worker_stop(struct worker *worker);

/* The worker threads, shared by the queries; each query has a crew of its own. */
struct worker_crew {
    struct crew crew;
    struct worker *workers; // borrowed
    size_t query;           // index into the workers' queries
    struct mailbox replies;
};

/* `workers` may start later, but before the first task. */
void worker_crew_init(struct worker_crew *crew, struct worker *workers, size_t worker_count,
                      size_t query);
void worker_crew_deinit(struct worker_crew *crew);

#endif
