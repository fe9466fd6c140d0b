/* manifest.h: the text of manifests/N, the one file that commits a batch.
 *
 *     v1
 *     {"batch":5,"timestampMs":…,"query":"<uuid>","topic":"…","table":"/…","rejectsTable":"/…",
 * "files":[{"path":"status=live/part-….parquet","staged":"…","size":1,"rows":1,"modifiedMs":1}],
 *      "rejects":[…],
 *      "ranges":[{"partition":0,"start":0,"end":3,"rows":2,"rejects":1,"absent":0,"lost":0}]}
 *
 * (one line). That of a replay (streaming/operations/replay.h) has version 2: it has no ranges
 * and no rejects, and says which rejects its rows were made of:
 *
 *     v2
 *     {…,"files":[…],"rejects":[],"ranges":[],
 *      "replayed":[{"partition":0,"offsets":"5,7-9,12"}]}
 *
 * A program that only knows version 1 refuses it: it would take these rows for another batch's.
 *
 * That of a batch that a Spark cluster ran for us (streaming/cluster/) has version 3. Its rows
 * are Spark's business and in the sink log; what we add are its rejects, and that we have looked:
 *
 *     v3
 *     {…,"files":[],"rejects":[…],"ranges":[],"engine":"spark"}
 *
 * Each may have a member "topicId", Kafka's id of the topic in the cluster that the checkpoint's
 * note names (streaming/store/checkpoint_notes.h); it is removed when the note changes. After the
 * first incarnation of the topic (streaming/offsets/incarnation.h) every manifest has version 4,
 * which has all the members above as needed, and says which incarnation it is, and how it began if
 * that is news:
 *
 *     v4
 *     {…,"incarnation":{"number":1,"sinceMs":…,"begun":[…]}}
 *
 * Of a query that has WHERE or LATERAL VIEW every manifest with rows has version 5: a record can
 * have any number of rows, so that its ranges count both.
 *
 *     v5
 *     {…,"ranges":[{"partition":0,"start":0,"end":9,"rows":11,"rejects":1,"absent":0,"lost":0,
 *                   "records":5,"empty":1,"filtered":2,"exploded":20,"filteredRows":9}]}
 *
 * records + rejects + empty + filtered + absent + lost are the offsets of the range, and rows are
 * exploded - filteredRows (struct range_outcome). That of a replay also has the counts of the
 * rejects that it took (streaming/store/replay_counts.h). As in version 4, the members say whether
 * it is of a replay or of a later incarnation. In the versions before, each record is one row.
 *
 * Reading is strict: after the commit point everything that it says is done, so that a file
 * that does not add up is refused as a whole. Pure: no disk. */
#ifndef STREAMING_STORE_MANIFEST_H
#define STREAMING_STORE_MANIFEST_H

#include "base/error.h"
#include "core/file_list.h"
#include "core/plan.h"
#include "streaming/offsets/incarnation.h"
#include "streaming/store/replay_counts.h"
#include "streaming/store/resolved.h"

/* Bytes: thousands of files with long names; more than that is not a manifest. */
enum { MANIFEST_SIZE_MAX = 256 << 20 };

struct manifest {
    int64_t batch_id;
    int64_t timestamp_ms;     // the plan's
    struct file_list files;   // of the table
    struct file_list rejects; // of the rejects table
    size_t outcome_count;
    struct range_outcome *outcomes; // owned; one per partition with a non-empty range
    bool counts_rows;         // the query has WHERE or LATERAL VIEW: a record need not be one row
    struct resolved replayed; // owned; of a replay, which took these rejects instead of ranges
    struct replay_counts replay_counts; // owned; of their rows
    bool of_spark; // the batch is Spark's, committed by it: only the rejects are ours
    struct incarnation incarnation; // of the topic; of a replay, that of the newest batch
    struct incarnations begun;      // owned; with this batch, and before it since the last manifest
    bool files_unknown; // for reports: `files` is empty because the sink log does not tell
};

void manifest_deinit(struct manifest *manifest);

/* Whose batch it is: what must be the same again when it is rolled forward. Borrowed texts. */
struct manifest_origin {
    const char *query_id, *topic, *table, *rejects_table;
};

/* Owned by the caller. */
char *manifest_print(const struct manifest *manifest, const struct manifest_origin *origin,
                     size_t *size);

/* ERROR_STATE, without the file's name: damaged, of another version, or of another origin; the
 * message says which and what to do. */
MUST_CHECK bool manifest_parse(const char *text, size_t size, int64_t batch_id,
                               const struct manifest_origin *origin, struct manifest *manifest,
                               struct error *err);

/* What a manifest says of its origin, for callers that know none; *table and *rejects are owned by
 * the caller. False: it is none of ours. */
bool manifest_parse_tables(const char *text, size_t size, char query_id[static 37], char **table,
                           char **rejects);

/* The same text with the tables of `origin`, owned by the caller; NULL in *moved: it has them
 * already. The errors of manifest_parse(). */
MUST_CHECK bool manifest_move(const char *text, size_t size, int64_t batch_id,
                              const struct manifest_origin *origin, char **moved,
                              size_t *moved_size, struct error *err);

/* The same text without "topicId", owned by the caller; NULL in *without: it has none. Everything
 * else in it stays, and is not checked. ERROR_STATE: damaged, or of another version. */
MUST_CHECK bool manifest_remove_topic_id(const char *text, size_t size, char **without,
                                         size_t *without_size, struct error *err);

/* Sums of its ranges, or of what it replayed; `range` is not filled. */
struct range_outcome manifest_sum(const struct manifest *manifest);

#endif
