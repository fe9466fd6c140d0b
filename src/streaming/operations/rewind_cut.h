/* rewind_cut.h: what the checkpoint says of all batches, without the later ones. */
#ifndef STREAMING_OPERATIONS_REWIND_CUT_H
#define STREAMING_OPERATIONS_REWIND_CUT_H

#include "streaming/operations/rewind_state.h"

/* Whether coverage/ can be cut. ERROR_STATE: it is not known what later batches have added. */
MUST_CHECK bool rewind_check_coverage(const struct rewind *rewind, struct error *err);

/* Cuts it, and the records of changes/: offsets that left the table and will be read again have not
 * left, and what later batches have added to the files is no more. Repeatable. */
MUST_CHECK bool rewind_cut(struct rewind *rewind, struct error *err);

#endif
