/* rewind_split.h: files that a compaction has made of rows from before and after a batch become two
 * each. The rows stay the same, so that nothing depends on whether the rewind is done after it. */
#ifndef STREAMING_OPERATIONS_REWIND_SPLIT_H
#define STREAMING_OPERATIONS_REWIND_SPLIT_H

#include "base/error.h"
#include "streaming/operations/rewind_state.h"

/* Splits rewind->mixed_table and rewind->mixed_rejects, with a change of each table
 * (streaming/changes/change_steps.h). ERROR_STATE: a file cannot be split, because it is damaged or
 * only a later batch makes it one that may leave the table; ERROR_CONFIG: a file system that cannot
 * do it. */
MUST_CHECK bool rewind_split(struct rewind *rewind, struct error *err);

#endif
