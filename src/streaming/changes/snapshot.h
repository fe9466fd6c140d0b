/* snapshot.h: what the checkpoint says at one moment, without its lock: the horizon of a
 * verification. A query may run meanwhile.
 *
 * The horizon is the newest committed batch (commits/N): by then all its files are in place and in
 * every log. What later batches have done is not looked at. */
#ifndef STREAMING_CHANGES_SNAPSHOT_H
#define STREAMING_CHANGES_SNAPSHOT_H

#include <time.h>

#include "streaming/changes/changes.h"
#include "streaming/store/coverage.h"
#include "streaming/store/store.h"

/* What the batches up to the horizon took of a partition of one incarnation of the topic: [start,
 * end); of a former one, with what is known to be lost of it. */
struct snapshot_range {
    int32_t incarnation, partition;
    int64_t start, end;
};

/* What a manifest says of a file. */
struct promised_file {
    char *path; // owned; relative to its table
    bool reject;
    int64_t size, rows, batch_id;
};

struct snapshot {
    int64_t horizon;           // batch id; -1: nothing is committed
    struct timespec committed; // when commits/<horizon> was written
    size_t range_count;
    struct snapshot_range *ranges; // owned; ascending by incarnation and partition
    bool starts_known;             // sources/0/0 is there
    struct coverage outcomes; // of all batches that are ours; what is lost is a range of its own,
                              // and what was replayed is a reject no more
    struct changes changes;   // owned; read before all the above
    struct resolved expired, accepted; // owned; offsets whose rows left the table; a row that came
                                       // later is in it all the same
    size_t manifest_count;             // that are not folded
    int64_t newest_manifest;           // of those that count; -1: none
    char topic_id[TOPIC_ID_MAX];       // by that one; "": not known
    struct promised_file *files;       // owned; of those manifests
    size_t file_count, file_capacity;
    int64_t later_ms;  // rows of this time and later are beyond the horizon; 0: not known
    int64_t overtaken; // the manifest of this batch counts no more, Spark ran it; -1: none
};

/* `store` was opened to be read only; its sink log is opened here. ERROR_STATE: what can't be read
 * makes every further look pointless. */
MUST_CHECK bool snapshot_take(struct store *store, struct snapshot *snapshot, struct error *err);
void snapshot_deinit(struct snapshot *snapshot);

/* Once the files are listed: whether an incarnation of the topic has begun beyond the horizon, by
 * the plans. Rows of it may be in files that are listed. */
MUST_CHECK bool snapshot_look_beyond(const struct store *store, struct snapshot *snapshot,
                                     struct error *err);

/* Adds the offsets of changes that were recorded since. */
void snapshot_add_gone(struct snapshot *snapshot, const struct changes *changes);

/* Whether the times of rows tell anything. */
bool snapshot_wants_times(const struct snapshot *snapshot);

/* The newest incarnation of the topic up to the horizon. */
int32_t snapshot_newest(const struct snapshot *snapshot);

/* NULL: no such partition. */
const struct snapshot_range *snapshot_find(const struct snapshot *snapshot, int32_t incarnation,
                                           int32_t partition);

/* "partition 3", or "partition 3 of incarnation 1" where there is more than one. */
enum { SNAPSHOT_NAME_MAX = 64 };
const char *snapshot_name(const struct snapshot *snapshot, const struct snapshot_range *range,
                          char text[static SNAPSHOT_NAME_MAX]);

#endif
