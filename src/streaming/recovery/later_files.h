/* later_files.h: files of batches that the checkpoint does not know, because it is older than the
 * table or the rejects: a backup that was copied file by file, or restored in part.
 *
 * The sink log shows the same for its table. This finds it where there is no sink log, in the
 * rejects, which have none, and for files that were copied before their entry was written. */
#ifndef STREAMING_RECOVERY_LATER_FILES_H
#define STREAMING_RECOVERY_LATER_FILES_H

#include "base/error.h"
#include "streaming/recovery/recover.h"
#include "streaming/store/store.h"

/* `recovery`: the position at which the query continues. ERROR_STATE names a file, and what to do;
 * nothing was changed. ERROR_RETRY: the disk. */
MUST_CHECK bool later_files_refuse(const struct store *store, int64_t manifest,
                                   const struct recovery *recovery, struct error *err);

#endif
