/* batch_without_manifest.h: the newest batch, if it is committed or in the sink log and has no
 * manifest. Spark ran it; or it is this program's, and the checkpoint is a copy that was made file
 * by file while the query ran, so that it is older than the table. */
#ifndef STREAMING_RECOVERY_BATCH_WITHOUT_MANIFEST_H
#define STREAMING_RECOVERY_BATCH_WITHOUT_MANIFEST_H

#include "streaming/recovery/survey.h"

/* Sets `manifest_lost` and `logged_files_missing`; what is above them must be known. ERROR_STATE: a
 * file of the sink log is damaged; ERROR_RETRY: the disk. */
MUST_CHECK bool batch_without_manifest_look(const struct store *store, struct survey *survey,
                                            struct error *err);

#endif
