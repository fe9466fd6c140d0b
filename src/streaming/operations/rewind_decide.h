/* rewind_decide.h: which files belong to the batches that a rewind takes back. rewind.c, which does
 * it, describes the text of the decision. */
#ifndef STREAMING_OPERATIONS_REWIND_DECIDE_H
#define STREAMING_OPERATIONS_REWIND_DECIDE_H

#include "streaming/operations/rewind_state.h"

/* Makes the decision durable, as `rewind` in the checkpoint, unless it is a dry run. Files that
 * have rows from before and after the batch are split before. ERROR_STATE: it is not known which
 * files belong to later batches. */
MUST_CHECK bool rewind_decide(struct rewind *rewind, struct error *err);

#endif
