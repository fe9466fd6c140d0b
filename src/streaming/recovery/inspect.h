/* inspect.h: what one query's checkpoint and table contain, for read-only callers: no lock
 * is taken and nothing is made, so that a query may run meanwhile. What can't be read is reported
 * as a fault, with the rest. */
#ifndef STREAMING_RECOVERY_INSPECT_H
#define STREAMING_RECOVERY_INSPECT_H

#include "base/error.h"
#include "streaming/changes/change.h"
#include "streaming/kafka/broker.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/checkpoint_notes.h"
#include "streaming/store/store.h"

enum { INSPECTION_FAULTS_MAX = 8 };

/* The numbers of the files in one log. */
struct log_extent {
    size_t count;
    int64_t first, newest; // -1: none
    bool unknown;          // it can't be read
};

/* The outcome of a partition's offsets [start, end), according to manifests and coverage. */
struct inspected_partition {
    int32_t incarnation; // of the topic
    int32_t partition;
    int64_t start, end;
    struct range_outcome counts; // its range is not filled
    int64_t unproven;            // of batches without a manifest, such as Spark's
    int64_t expired, accepted;   // offsets whose rows left the table with a change; late rows may
                                 // have come since
};

/* A change of the table that is recorded (streaming/changes/change.h). */
struct inspected_change {
    int64_t number;
    enum change_kind kind;
    bool of_rejects, finished;
    int64_t batch_id, made_ms;
    int64_t left, added; // files
    int64_t gone;        // offsets
};

struct inspection {
    bool there;  // the checkpoint has been begun
    bool opened; // otherwise nothing below is known, apart from the lock and the paths
    char query_id[37];
    bool locked;
    char holder[CHECKPOINT_HOLDER_MAX];

    struct log_extent plans, commits, manifests;
    int64_t planned_ms;           // when the newest plan was made, by itself
    int64_t committed_ms;         // when the newest commit was written, by the disk
    enum commit_author committed; // who wrote it
    size_t range_count;
    struct offset_range *ranges; // owned; of the newest plan

    bool manifest_read;     // the newest, of batch manifests.newest
    bool manifest_of_spark; // it is of a batch that a cluster has run: it only lists the rejects
    size_t files, reject_files;
    int64_t file_bytes, rows, rejects;
    int64_t folded; // manifests up to this batch are in coverage/; -1: none

    int32_t incarnation; // of the topic, the newest one
    // Kafka's, by what is not committed yet, unless that moves to another topic, or by the newest
    // manifest; "": not known
    char topic_id[TOPIC_ID_MAX];
    bool outcomes_read; // otherwise the following, `folded` and the two above are unknown
    bool counts_rows;   // a record need not be one row
    size_t partition_count;
    struct inspected_partition *partitions; // owned; up to the newest commit
    size_t change_count;
    struct inspected_change *changes; // owned; ascending

    bool sink_log_read, sink_log;
    int64_t logged, compacted, interval; // of the sink log
    char *table, *rejects_table;         // owned; paths
    char owner[37];                      // the query that signed the table; "": nobody
    char *owner_checkpoint;              // owned; NULL: nobody
    bool rewinding;
    char kafka_id[KAFKA_CLUSTER_ID_MAX]; // of the cluster that the offsets are of; "": not noted
    bool on_cluster; // a cluster runs the query, or did when its program was killed:
    struct run_note cluster;

    /* What a start would find and do; constants of streaming/recovery/recovery_table.h. NULL while
     * the query runs, or if it is unknown. */
    const char *state, *next, *cure;

    size_t fault_count;
    struct error *faults[INSPECTION_FAULTS_MAX]; // owned
};

/* ERROR_CONFIG: paths that can't be used. */
MUST_CHECK bool inspect(const struct store_options *options, struct inspection *inspection,
                        struct error *err);
void inspection_deinit(struct inspection *inspection);

#endif
