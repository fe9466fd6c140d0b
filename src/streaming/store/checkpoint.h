/* checkpoint.h: a query's checkpoint directory, as in Spark, with two names of our own.
 *
 *     metadata      {"id":"<uuid>"}, the query's id; written first, kept forever
 *     sources/0/0   the offsets at which the query began
 *     offsets/N     the plan of batch N, written before it runs (streaming/offsets/offset_log.h)
 *     commits/N     batch N is done
 *     manifests/N   ours: batch N is committed (streaming/store/manifest.h)
 *     coverage/N    ours: what the manifests up to N said (streaming/store/coverage.h)
 *     history/S     ours: what is needed to rewind further (streaming/history/history.h)
 *     changes/N     ours: a change of the table, not a batch (streaming/changes/change.h)
 *     lock          ours: who runs the query now
 *     rewind        ours: batches are being taken back (streaming/operations/rewind.c)
 *     cluster       ours: a Spark cluster runs the query for us
 *     kafka         ours: of which Kafka cluster the offsets are
 *                   (both: streaming/store/checkpoint_notes.h)
 *     declaration   ours: how a table of a query file is declared (streaming/store/declaration.h)
 *
 * Offsets and commits are kept for CHECKPOINT_BATCHES_KEPT batches before the newest, manifests
 * too: what older ones said about offsets is folded into coverage/N. Files are published without
 * replacing: two writers can't both believe to have planned N. ERROR_RETRY: the disk;
 * ERROR_RESTART: it may be published, and perhaps not for good; ERROR_STATE: a file that is not
 * what it should be. */
#ifndef STREAMING_STORE_CHECKPOINT_H
#define STREAMING_STORE_CHECKPOINT_H

#include "base/disk/file.h"
#include "base/disk/file_lock.h"
#include "base/error.h"
#include "core/plan.h"
#include "streaming/offsets/incarnation.h"
#include "streaming/offsets/offset_log.h"

#define CHECKPOINT_REWIND "rewind"
#define CHECKPOINT_CLUSTER "cluster"
#define CHECKPOINT_KAFKA "kafka"
#define CHECKPOINT_DECLARATION "declaration"

enum { CHECKPOINT_BATCHES_KEPT = 100 }; // spark.sql.streaming.minBatchesToRetain

struct checkpoint {
    const char *topic; // borrowed
    struct file_path root, sources, offsets, commits, manifests, coverage, history, changes;
    char query_id[37];
    bool has_metadata; // false: query_id is new and not on disk yet
    /* From this batch on nothing is committed, so a damaged plan may go, as the errors then say;
     * INT64_MAX: not known. */
    int64_t uncommitted_from;
    int lock_fd; // -1: not locked
};

/* Sets the paths and a new query id; touches nothing. */
void checkpoint_init(struct checkpoint *checkpoint, const char *root, const char *topic);

/* Makes the root, locks it and reads `metadata`; creates nothing else. ERROR_LOCKED names the
 * holder. */
MUST_CHECK bool checkpoint_open(struct checkpoint *checkpoint, struct error *err);

/* As checkpoint_open(), but takes no lock and makes nothing: for read-only callers. ERROR_STATE:
 * there is no checkpoint. */
MUST_CHECK bool checkpoint_open_to_read(struct checkpoint *checkpoint, struct error *err);

/* Who holds the lock of the checkpoint at `root`, as its file says: "host=a pid=12 since=… …"; ""
 * and held: nobody knows who. Takes nothing, and makes nothing. */
enum { CHECKPOINT_HOLDER_MAX = FILE_LOCK_HOLDER_MAX };
MUST_CHECK bool checkpoint_holder(const char *root, bool *held,
                                  char holder[static CHECKPOINT_HOLDER_MAX], struct error *err);

/* Adds words to what the lock's file says of its holder, "http=…". For the holder alone. */
MUST_CHECK bool checkpoint_note_holder(const char *root, const char *words, struct error *err);

/* ERROR_STATE: the checkpoint that was locked is no longer what its path leads to. */
MUST_CHECK bool checkpoint_check_lock(const struct checkpoint *checkpoint, struct error *err);

void checkpoint_close(struct checkpoint *checkpoint); // accepts a zeroed struct with lock_fd -1

/* Makes the directories and publishes `metadata` if it is missing. Repeatable. */
MUST_CHECK bool checkpoint_create(struct checkpoint *checkpoint, struct error *err);

/* Makes the names in its logs durable, those of the first offsets included, as far as these exist.
 * A process may have died between a name and its sync; what is built on such a name would outlive
 * it in a power cut. */
MUST_CHECK bool checkpoint_sync_names(const struct checkpoint *checkpoint, struct error *err);

/* The highest batch in a log ("offsets", …), -1 when there is none. */
MUST_CHECK bool checkpoint_newest(const struct file_path *log, int64_t *batch_id,
                                  struct error *err);

/* Once the newest batch of each log is known, -1: none. What is damaged of a later one may go, and
 * reading it fails with an error that says so. */
void checkpoint_set_uncommitted(struct checkpoint *checkpoint, int64_t committed, int64_t manifest,
                                int64_t logged);

/* Reads offsets/N. *found false: there is no such file. ERROR_STATE also: of another topic. */
MUST_CHECK bool checkpoint_read_offsets(const struct checkpoint *checkpoint, int64_t batch_id,
                                        struct offset_entry *entry, bool *found, struct error *err);
/* sources/0/0, which counts until batch 0 is committed. From then on a file that can't be read is
 * treated as a missing one: Spark reads it no more. */
MUST_CHECK bool checkpoint_read_initial(const struct checkpoint *checkpoint,
                                        struct offset_entry *starts, bool *found,
                                        struct error *err);

/* offsets/N, and where batch N begins: the ends of the one before, or sources/0/0. ERROR_STATE: it
 * is not there. */
MUST_CHECK bool checkpoint_read_ends(const struct checkpoint *checkpoint, int64_t batch_id,
                                     struct offset_entry *ends, struct error *err);
MUST_CHECK bool checkpoint_read_starts(const struct checkpoint *checkpoint, int64_t batch_id,
                                       struct offset_entry *starts, struct error *err);

/* Both: the plan of batch N, whose ranges the caller frees. A partition that the batch before did
 * not know is new, and is read from its beginning; of one whose position goes back nothing is
 * taken. */
MUST_CHECK bool checkpoint_read_plan(const struct checkpoint *checkpoint, int64_t batch_id,
                                     struct plan *plan, struct error *err);

/* Adds the incarnations of the topic that began with batches `first` to `last`, by their plans, as
 * far back as those are there. What was lost then is known if the plan is ours. */
MUST_CHECK bool checkpoint_find_begun(const struct checkpoint *checkpoint, int64_t first,
                                      int64_t last, struct incarnations *incarnations,
                                      struct error *err);

/* The latest timestamp of the existing plans; 0: there is none. */
MUST_CHECK bool checkpoint_latest_plan(const struct checkpoint *checkpoint, int64_t *timestamp_ms,
                                       struct error *err);

/* Publishes sources/0/0; again is fine as long as it says the same. */
MUST_CHECK bool checkpoint_write_initial(const struct checkpoint *checkpoint,
                                         const struct offsets *starts, struct error *err);

/* Publishes offsets/N (of the checkpoint's topic), then forgets what is older than
 * CHECKPOINT_BATCHES_KEPT. */
MUST_CHECK bool checkpoint_write_offsets(const struct checkpoint *checkpoint, int64_t batch_id,
                                         struct offset_entry *entry, struct error *err);

/* ERROR_STATE: commits/N is damaged, or of a version we don't know. */
MUST_CHECK bool checkpoint_check_commit(const struct checkpoint *checkpoint, int64_t batch_id,
                                        struct error *err);

/* Makes sure that commits/N is there; Spark's own is as good. */
MUST_CHECK bool checkpoint_write_commit(const struct checkpoint *checkpoint, int64_t batch_id,
                                        struct error *err);

/* Who wrote commits/N. */
enum commit_author { COMMIT_MISSING, COMMIT_OURS, COMMIT_SPARKS };
MUST_CHECK bool checkpoint_commit_author(const struct checkpoint *checkpoint, int64_t batch_id,
                                         enum commit_author *author, struct error *err);

/* Removes drafts that a crash left, and offsets and commits that are too old. */
MUST_CHECK bool checkpoint_sweep(const struct checkpoint *checkpoint, int64_t newest_batch,
                                 struct error *err);

/* Removes what a Spark that was killed over its first batch has left in logs that have no entry:
 * Spark does not begin batch 0 with anything in them. For callers that know that no Spark runs. */
MUST_CHECK bool checkpoint_clear_empty_logs(const struct checkpoint *checkpoint, struct error *err);

#endif
