/* batch_files.h: which files a committed batch has added to the table, for callers that follow a
 * query, ours or Spark's. Takes no lock. */
#ifndef STREAMING_CHANGES_BATCH_FILES_H
#define STREAMING_CHANGES_BATCH_FILES_H

#include "base/error.h"
#include "core/file_list.h"
#include "streaming/store/store.h"

/* The newest batch of commits/, by which time all its files are in place; -1: there is none. */
MUST_CHECK bool batch_newest(const struct store *store, int64_t *batch_id, struct error *err);

/* Adds the batch's files to `files`; only their paths and sizes count. By its own file of the sink
 * log, or its manifest, or what a compact file has behind the entries of the batch before, or the
 * difference of two compact files. *known false: none of them tells (any more). ERROR_STATE: a log
 * that is damaged, or of a table that was moved; ERROR_RETRY: the disk.
 */
MUST_CHECK bool batch_files_read(struct store *store, int64_t batch_id, struct file_list *files,
                                 bool *known, struct error *err);

/* The time of the batch, which all its rows have as processing_timestamp: by its manifest or its
 * plan, in milliseconds since 1970; -1: neither is there any more. */
MUST_CHECK bool batch_time(const struct store *store, int64_t batch_id, int64_t *time_ms,
                           struct error *err);

#endif
