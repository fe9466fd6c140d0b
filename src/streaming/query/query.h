/* query.h: one streaming query at work: its driver thread decides when a batch starts and what it
 * holds, hands tasks to the workers, and commits.
 *
 * Everything in struct query belongs to the driver thread once query_start() was called, but
 * `status` and `history` (any thread) and `error`, which is read after query_join(). */
#ifndef STREAMING_QUERY_QUERY_H
#define STREAMING_QUERY_QUERY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/system/mailbox.h"
#include "base/system/stop.h"
#include "core/schema.h"
#include "streaming/cluster/spark/cluster.h"
#include "streaming/declare/stream.h"
#include "streaming/kafka/broker.h"
#include "streaming/kafka/partition_texts.h"
#include "streaming/query/trigger.h"
#include "streaming/report/query_history.h"
#include "streaming/report/query_status.h"
#include "streaming/report/trigger_clock.h"
#include "streaming/store/store.h"
#include "streaming/tasks/reject_log.h"
#include "streaming/tasks/worker.h"

struct query_options {
    const struct stream *stream;
    struct store_options store; // topic, paths, partition columns
    struct trigger trigger;
    int64_t max_offsets_per_trigger; // 0: no limit
    const char *starting_offsets;    // "earliest", "latest" or JSON
    bool fail_on_data_loss;
    enum parse_mode parse_mode;
    const char *time_zone;
    struct parquet_options parquet;
    int64_t kafka_startup_timeout_ms, write_retry_timeout_ms;
};

enum { QUERY_PARTITION_COLUMNS_MAX = 8 };

enum topic_change_kind {
    TOPIC_FITS,    // it is the one that was read
    TOPIC_CUT,     // it is, or may be, and its log has lost its end
    TOPIC_REGROWN, // the same, but it has grown past the position again before that was seen
    TOPIC_RENEWED, // it was deleted and created again
};

struct topic_change {
    enum topic_change_kind kind;
    char evidence[256];
};

struct query {
    const struct query_options *options;
    size_t index; // among the workers' queries
    struct schema schema;
    size_t partition_columns[QUERY_PARTITION_COLUMNS_MAX];
    struct worker_query how;
    struct reject_log reject_log;
    struct query_status status;
    struct query_history history; // its own lock

    struct cluster *cluster; // borrowed, as are the next four; NULL: the native engine runs it
    struct broker *broker;
    struct worker *workers;
    size_t worker_count;
    struct stop *stop;
    void (*on_end)(void);

    struct store *store; // owned
    struct mailbox replies;
    atomic_bool abandon; // tells the workers to give up this query's tasks

    struct trigger_clock clock;
    int64_t next_batch;
    int64_t latest_plan_ms;      // the latest timestamp of all plans; 0: not looked up
    struct offset_range *starts; // owned; where the query stands: start == end == next offset
    size_t start_count;
    char kafka_id[KAFKA_CLUSTER_ID_MAX]; // of the cluster that the offsets are of; "": unknown
    struct topic_offsets topic; // newest listing; with high watermarks where positions want them
    bool topic_fits;            // it goes with the positions; else:
    struct topic_offsets sound; // the last one that did; empty: there was none
    struct offsets lowest;      // owned; where those partitions ended whose logs were too short
    bool topic_was_absent;      // since one did,
    bool topic_long_absent;     // for so long that it tells of another topic
    int64_t absent_since_ms;    // monotonic; 0: it is there
    size_t gone_known;          // partitions that are gone, though the topic is the same
    bool topic_unproven;        // since the start nothing has told whether it is still the same
    struct topic_change change; // what was found out about it since then
    struct incarnation incarnation; // of the newest committed batch
    struct incarnations begun;      // owned; since then, to be said by the next manifest
    struct partition_texts waiting; // which partitions wait for a transaction to end,
    struct partition_texts missing; // and which to be listed again
    int64_t waiting_logged_ms;      // monotonic; 0: none waits
    double bytes_per_record;        // running average of what was read (planner_weigh())
    char loss_text[512];            // the data loss that was logged last,
    int64_t loss_logged_ms;         // and when (monotonic)

    pthread_t thread;
    bool failed;
    int64_t failed_us;  // monotonic; when
    struct error error; // why
};

/* Prepares the query; ERROR_CONFIG: a partition column that the table does not have as a string.
 * `options` is borrowed. */
MUST_CHECK bool query_init(struct query *query, const struct query_options *options, size_t index,
                           struct broker *broker, struct stop *stop, struct error *err);

/* Publishes offsets/N, trying again while the disk fails. */
MUST_CHECK bool query_write_plan(struct query *query, const struct plan *plan, struct error *err);

/* In which incarnation of the topic the query stands, as recovery has found it; takes it out of
 * *recovery. */
void query_take_incarnation(struct query *query, struct recovery *recovery);

/* Sets the timestamp of a plan that is made now: later than that of every plan before. */
MUST_CHECK bool query_set_later(struct query *query, struct plan *plan, struct error *err);

/* Takes in that a batch of Spark's has moved positions, if it has. */
MUST_CHECK bool query_note_begun(struct query *query, int64_t batch_id, struct error *err);

/* That of a batch behind the newest manifest. */
struct incarnation query_incarnation(const struct query *query, int64_t batch_id);

/* Opens the store: takes the checkpoint's lock. */
MUST_CHECK bool query_open(struct query *query, struct error *err);

/* For who runs the query, on its thread: it stands behind the batch now. */
void query_move_past(struct query *query, const struct plan *plan);

/* The same: brings the disk in order, and says in the log what was done. */
MUST_CHECK bool query_recover(struct query *query, struct recovery *recovery, struct error *err);

MUST_CHECK bool query_start(struct query *query, struct worker *workers, size_t worker_count,
                            struct error *err);
void query_join(struct query *query);
void query_deinit(struct query *query);

#endif
