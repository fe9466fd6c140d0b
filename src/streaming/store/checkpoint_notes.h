/* checkpoint_notes.h: two small files of ours among Spark's in a checkpoint. Spark ignores them,
 * as do programs that don't know them. */
#ifndef STREAMING_STORE_CHECKPOINT_NOTES_H
#define STREAMING_STORE_CHECKPOINT_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/reject.h"
#include "streaming/offsets/topic_identity.h"

/* ---- <checkpoint>/cluster ----
 *
 * It says that a Spark cluster runs the query, or did when its program was killed.
 *
 *     v1
 *     {"firstBatch":12,"startedMs":1795366883120,"parseMode":"reject","master":"spark://…",
 *      "pid":4711,"host":"…","port":15002,"ssl":false,"user":"…","session":"<uuid>",
 *      "query":"<uuid>","run":"<uuid>"}
 *
 * It is there before the query is started on the cluster, and goes when that query has ended and
 * all its batches have been looked at. While it is there, the batches from `firstBatch` on that are
 * committed and have no manifest of ours are the cluster's, and their rejects are to be written. */

struct run_note {
    int64_t first_batch; // the first that the cluster may plan or run
    int64_t started_ms;  // wall clock
    enum parse_mode parse_mode;
    char master[512]; // as it may be shown: without a token
    int pid;          // of a server of our own; 0: it is another's
    char host[256];   // where the server listens
    int port;
    bool use_ssl;
    char user_id[128], session_id[37];
    char query_id[37], run_id[37]; // "": it was not started yet
};

/* "reject", "permissive": as the note has it. */
const char *run_note_mode_name(enum parse_mode mode);

/* *found false: there is none. ERROR_STATE: it is damaged. */
MUST_CHECK bool run_note_read(const char *checkpoint, struct run_note *note, bool *found,
                              struct error *err);

/* Durable; replaces an existing one. ERROR_RETRY. */
MUST_CHECK bool run_note_write(const char *checkpoint, const struct run_note *note,
                               struct error *err);

/* Durable. */
MUST_CHECK bool run_note_remove(const char *checkpoint, struct error *err);

/* ---- <checkpoint>/kafka ----
 *
 * It says of which Kafka cluster the checkpoint's offsets are.
 *
 *     v1
 *     {"clusterId":"MkU3OEVBNTcwNTJENDM2Qg","topicId":"PQvrKQzQRkGlIWzKNWr7bA"}
 *
 * Written by the first start that learns the cluster's id. If that is also the first start of all,
 * "topicId" says of which topic the first offsets are, those in sources/0/0; later plans and
 * manifests say it for themselves. */

/* {0}: there is no note. ERROR_STATE: it is damaged. */
MUST_CHECK bool kafka_note_read(const char *checkpoint, struct topic_identity *note,
                                struct error *err);

/* Durable; replaces an existing one. ERROR_RETRY. */
MUST_CHECK bool kafka_note_write(const char *checkpoint, const struct topic_identity *note,
                                 struct error *err);

/* ERROR_STATE, with what to do: the cluster that answers is another than the noted one. */
MUST_CHECK bool kafka_note_compare(const char *checkpoint, const char *noted, const char *answering,
                                   struct error *err);

#endif
