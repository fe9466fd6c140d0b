/* store.h: the durable side of one query: its checkpoint, its table and its rejects.
 *
 *     checkpoint   metadata, sources/0/0, offsets/N, commits/N as in Spark; manifests/N, lock
 *     table        data files, _spark_metadata/N, _staging/N/, _orphans/
 *     rejects      data files, _staging/N/
 *
 * Here it is opened to be read; who will write opens it with recovery_open()
 * (streaming/recovery/recover.h). What takes a batch from plan to committed is in
 * streaming/store/batch_steps.h. One driver thread per query uses its store; nothing is shared. */
#ifndef STREAMING_STORE_STORE_H
#define STREAMING_STORE_STORE_H

#include "base/error.h"
#include "streaming/sink_log/sink_log.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/manifest.h"
#include "streaming/store/store_options.h"
#include "streaming/table/table.h"

struct store {
    struct store_options options; // every text in it owned
    struct checkpoint checkpoint;
    struct table table, rejects;
    struct sink_log sink_log;
    bool recovered;                                  // the disk is in order, and ours to write to
    bool sink_log_on;                                // decided by recovery
    struct file_path table_staging, rejects_staging; // what store_begin_batch() handed out
};

/* Opens for reading: takes no lock and creates nothing. Only functions that read may be called with
 * it. ERROR_STATE: there is no checkpoint; ERROR_CONFIG: paths that can't be used; ERROR_RETRY,
 * ERROR_LIMIT: a later attempt may open it. */
MUST_CHECK bool store_open_to_read(const struct store_options *options, struct store **store,
                                   struct error *err);

/* What every way of opening has in common. `open_checkpoint` is called when the signatures of both
 * tables are read, with the checkpoint's paths set. The same errors, and those of the callback. */
MUST_CHECK bool store_open_with(const struct store_options *options,
                                bool (*open_checkpoint)(struct store *store, struct error *err),
                                struct store **store, struct error *err);

void store_close(struct store *store); // accepts NULL

/* For a caller that will write: keeps a process with a copy of this checkpoint away from the two
 * tables, those of them that exist. *fresh: it was not so before, so what was seen of them may be
 * old. ERROR_LOCKED names the holder. */
MUST_CHECK bool store_lock_tables(struct store *store, bool *fresh, struct error *err);

/* Before anything is written that counts. ERROR_STATE: what was locked was removed, moved or
 * replaced under the query, or its file system was unmounted. Writing by path would then damage
 * another lake, or begin a lake in a place where none should be. */
MUST_CHECK bool store_check_locks(const struct store *store, struct error *err);

/* The query's id, as in the checkpoint's metadata. */
const char *store_query_id(const struct store *store);

/* Whose manifests are ours; borrowed from the store. */
struct manifest_origin store_origin(const struct store *store);

/* Whether the sink log, which is open, names files of this table. ERROR_STATE: it was moved or
 * copied; the message says where it was and what to do. */
MUST_CHECK bool store_check_root(const struct store *store, struct error *err);

/* Reads manifests/N. ERROR_STATE: missing, damaged, or of another query or table. */
MUST_CHECK bool store_read_manifest(const struct store *store, int64_t batch_id,
                                    struct manifest *manifest, struct error *err);

#endif
