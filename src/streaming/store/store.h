/* store.h: the durable side of one query: its checkpoint, its table, its rejects, and the steps
 * that take a batch from plan to committed (ARCHITECTURE.md, "How a batch runs").
 *
 *     checkpoint   metadata, sources/0/0, offsets/N, commits/N as Spark has them; manifests/N, lock
 *     table        data files, _spark_metadata/N, _staging/N/, _orphans/
 *     rejects      data files, _staging/N/
 *
 * One driver thread per query uses its store; nothing here is shared. */
#ifndef STREAMING_STORE_STORE_H
#define STREAMING_STORE_STORE_H

#include "base/error.h"
#include "core/file_list.h"
#include "core/plan.h"
#include "streaming/declare/stream.h"
#include "streaming/offsets/incarnation.h"
#include "streaming/store/resolved.h"

enum sink_log_mode { SINK_LOG_AUTO, SINK_LOG_ON, SINK_LOG_OFF };

struct store_options {
    const char *query;           // "match_stream"
    const struct stream *stream; // whose columns the table has; NULL: they are not compared
    const char *topic;
    const char *checkpoint; // absolute paths
    const char *table;
    const char *rejects;
    const char *const *partition_by; // names of the partition columns, outermost first
    size_t partition_by_count;
    enum sink_log_mode sink_log;
    int shuffle_partitions; // what a new offset log's configuration map says
};

struct store;

/* What a batch leaves behind; written to manifests/N as the commit point. */
struct manifest {
    int64_t batch_id;
    int64_t timestamp_ms;     // the plan's
    struct file_list files;   // of the table
    struct file_list rejects; // of the rejects table
    size_t outcome_count;
    struct range_outcome *outcomes; // owned; one per partition with a non-empty range
    struct resolved replayed; // owned; of a replay, which took these rejects instead of ranges
    bool of_spark;            // the batch is Spark's, committed by it: only the rejects are ours
    struct incarnation incarnation; // of the topic; of a replay, that of the newest batch
    struct incarnations begun;      // owned; with this batch, and before it since the last manifest
    bool files_unknown; // for reports: `files` is empty because the sink log does not tell
};

void manifest_deinit(struct manifest *manifest);

enum { RECOVERY_NOTES_MAX = 8 };

/* Where the query stands after recovery. */
struct recovery {
    bool new_query;        // it never started before: starts come from STARTING_OFFSETS
    int64_t next_batch;    // the id of the next plan to make
    bool has_open_plan;    // a planned batch must run (again), before any new plan;
    struct plan open_plan; // it has id next_batch, and its ranges' ends are final
    size_t start_count;
    struct offset_range *starts; // owned; start == end == a partition's next, before an open plan
    struct incarnation incarnation; // as the newest manifest says,
    struct incarnations begun; // owned; and those that began since then: Spark moved positions,
                               // or the open plan does
    bool sink_log;             // whether a sink log is written
    bool table_unlogged;  // SINK_LOG=auto, and the table has files but no sink log: worth a warning
    bool orphans_unknown; // too many new files to look for those that a crash of Spark left
    size_t note_count;
    char *notes[RECOVERY_NOTES_MAX]; // owned; what recovery did, a sentence each, to be logged
};

void recovery_deinit(struct recovery *recovery);

/* Creates what is missing and takes the checkpoint's lock. ERROR_LOCKED names the holder;
 * ERROR_CONFIG: paths that can't be used, or a table with other partition columns; ERROR_RETRY,
 * ERROR_LIMIT: it may be opened when it is tried again. */
MUST_CHECK bool store_open(const struct store_options *options, struct store **store,
                           struct error *err);

/* The same for who only looks: takes no lock, makes nothing, and only what reads may be called with
 * it. ERROR_STATE: there is no checkpoint. */
MUST_CHECK bool store_open_to_read(const struct store_options *options, struct store **store,
                                   struct error *err);
void store_close(struct store *store);

/* Brings the disk to a state from which the next batch can run: rolls a committed batch forward,
 * removes or sets aside what an uncommitted one left. ERROR_STATE: a state that must not be
 * touched; the message has cause and cure. Repeatable. */
MUST_CHECK bool store_recover(struct store *store, struct recovery *recovery, struct error *err);

/* Once recovered: lets a thread do ahead what a later commit would wait for. ERROR_LIMIT: there is
 * none, and commits do it themselves. */
MUST_CHECK bool store_start_upkeep(struct store *store, struct error *err);

/* Makes the query's first offsets durable (sources/0/0), before its first plan. */
MUST_CHECK bool store_write_initial(struct store *store, const struct offset_range *starts,
                                    size_t count, struct error *err);

/* Publishes offsets/N without overwriting. ERROR_STATE: somebody else planned this batch. */
MUST_CHECK bool store_write_plan(struct store *store, const struct plan *plan, struct error *err);

/* The same for one that moves positions, with the `known_ends` of streaming/offsets/incarnation.h.
 */
MUST_CHECK bool store_write_move(struct store *store, const struct plan *plan,
                                 const struct offsets *known_ends, struct error *err);

/* Empties and makes the staging directories of a batch. The paths stay valid until the next call.
 */
MUST_CHECK bool store_begin_batch(struct store *store, int64_t batch_id, const char **table_staging,
                                  const char **rejects_staging, struct error *err);

/* Removes the staging directories of an abandoned attempt. */
void store_discard_batch(struct store *store, int64_t batch_id);

/* The commit point. ERROR_RETRY: nothing was committed, discard and run again. ERROR_STATE: nobody
 * knows whether it was; stop, a restart reads the disk. */
MUST_CHECK bool store_commit(struct store *store, const struct manifest *manifest,
                             struct error *err);

/* Everything after the commit point: renames, sink log, reject files, commits/N, each durable
 * before the next. Every step may be repeated: on ERROR_RETRY call again, nothing is ever
 * discarded. */
MUST_CHECK bool store_roll_forward(struct store *store, const struct manifest *manifest,
                                   struct error *err);

/* The query's id, as in the checkpoint's metadata. */
const char *store_query_id(const struct store *store);

#endif
