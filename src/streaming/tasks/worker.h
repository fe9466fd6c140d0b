/* worker.h: a thread that walks tasks through all stages: source, decode, derive, sink.
 *
 * Workers are identical and shared by the queries. Each owns its source and, per query, a decoder
 * and the rows being filled; nothing else is shared but the tasks' mailboxes. */
#ifndef STREAMING_TASKS_WORKER_H
#define STREAMING_TASKS_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/system/mailbox.h"
#include "core/file_list.h"
#include "core/plan.h"
#include "pipeline/json/decode_json.h"
#include "pipeline/sink/sink_parquet.h"
#include "streaming/kafka/broker.h"
#include "streaming/tasks/reject_log.h"
#include "streaming/tasks/row_maker.h"
#include "streaming/tasks/tally.h"

/* How a task of a query is done: the same for all its tasks, constant while the program runs. */
struct worker_query {
    const char *name; // the logger
    const char *topic;
    const struct schema *schema;
    const size_t *partition_columns;
    size_t partition_column_count;
    enum parse_mode parse_mode;
    const char *time_zone;
    struct parquet_options parquet;
    struct reject_log *reject_log;
    _Atomic int64_t *records_read; // live, for the progress display
};

struct task {
    struct message message;

    /* asked */
    size_t query;    // index into the workers' queries
    unsigned number; // in its batch
    int64_t batch_timestamp_ms;
    const char *staging, *reject_staging; // borrowed while the task is out
    const struct offset_range *ranges;    // borrowed likewise
    size_t range_count;
    bool rejects_only;          // the rows are somebody else's: they are counted, not written
    const atomic_bool *abandon; // true: give up at once with ERROR_STOPPED
    struct mailbox *reply;      // where the task goes back to

    bool back; // the asker's note: it came back

    /* answered */
    bool done; // false: `error` says why; nothing is left in the staging directories
    struct error error;
    struct file_list files, rejects;
    struct range_outcome *outcomes; // owned by the asker: room for range_count
    struct tally tally;             // owned by the asker, who starts it as {0}
};

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
    struct error waits_for;   // what its source has said of what is in the way; ERROR_NONE: nothing
};

/* Bytes of the rows that it fills, one slice per query. */
size_t worker_rows_memory(const struct worker *worker);

/* Starts the thread. Takes over `source`: on failure, too, it is closed. */
MUST_CHECK bool worker_start(struct worker *worker, struct source *source,
                             const struct worker_query *queries, size_t query_count,
                             size_t memory_max, struct error *err);

/* Grows as long as the worker gets on with a task, whose ever it is. Any thread. */
int64_t worker_signs(const struct worker *worker);

/* What stands in the way of the records that it waits for, as far as its source knows. False:
 * nothing does, or it does not wait. Any thread. */
bool worker_waits_for(struct worker *worker, struct error *cause);

/* Lets the worker finish the tasks it has, then ends it. */
void worker_stop(struct worker *worker);

#endif
