/* store_parts.h: what a store is made of, for store.c, commit.c, recover.c, the operations, and
 * what goes on behind Spark (cluster/). */
#ifndef STREAMING_STORE_STORE_PARTS_H
#define STREAMING_STORE_STORE_PARTS_H

#include "streaming/sink_log/sink_log.h"
#include "streaming/store/checkpoint.h"
#include "streaming/store/manifest.h"
#include "streaming/store/store.h"
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

/* Whose manifests are ours; borrowed from the store. */
struct manifest_origin store_origin(const struct store *store);

#endif
