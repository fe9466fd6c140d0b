/* batch_without_manifest.h: the newest batch, if it is committed or in the sink log and has no
 * manifest. Spark ran it; or it is this program's, and the checkpoint is a copy that was made file
 * by file while the query ran, so that it is older than the table. */
#ifndef STREAMING_RECOVERY_BATCH_WITHOUT_MANIFEST_H
#define STREAMING_RECOVERY_BATCH_WITHOUT_MANIFEST_H

#include "base/error.h"
#include "streaming/store/store.h"

/* The newest batch of each log, -1: none, or there is no such log. */
struct newest_batches {
    int64_t planned, committed, manifest, logged;
};

struct batch_without_manifest {
    bool is_ours;          // its manifest is lost
    bool has_missing_file; // Spark's sink log names a file of it that is not in the table
};

/* The store's sink log is open. ERROR_STATE: a file of it is damaged; ERROR_RETRY: the disk. */
MUST_CHECK bool batch_without_manifest_look(const struct store *store,
                                            const struct newest_batches *newest,
                                            struct batch_without_manifest *batch,
                                            struct error *err);

#endif
