/* later_files.h: files of batches that the checkpoint does not know, because it is older than the
 * table or the rejects: a backup that was copied file by file, or restored in part.
 *
 * The sink log shows the same for its table. This finds it where there is no sink log, in the
 * rejects, which have none, and for files that were copied before their entry was written. */
#ifndef STREAMING_RECOVERY_LATER_FILES_H
#define STREAMING_RECOVERY_LATER_FILES_H

#include "base/error.h"
#include "core/plan.h"
#include "streaming/store/store.h"

/* Where the query continues: up to the ends of `starts` it has read, before an open plan. */
struct later_position {
    const struct offset_range *starts;
    size_t start_count;
    const struct plan *open_plan; // NULL: none
    int64_t manifest;             // the newest one; -1: none
};

/* ERROR_STATE names a file, and what to do; nothing was changed. ERROR_RETRY: the disk. */
MUST_CHECK bool later_files_refuse(const struct store *store, const struct later_position *position,
                                   struct error *err);

#endif
