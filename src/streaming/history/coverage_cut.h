/* coverage_cut.h: coverage without the newest batches, for a rewind to a batch whose successors are
 * folded already. What each of them had added is known from history/
 * (streaming/history/history.h). Pure: no disk. */
#ifndef STREAMING_HISTORY_COVERAGE_CUT_H
#define STREAMING_HISTORY_COVERAGE_CUT_H

#include "base/error.h"
#include "streaming/store/coverage.h"

/* Takes out what batches have added: the newest first. ERROR_STATE: they have not, or something was
 * added after them. */
MUST_CHECK bool coverage_take_out(struct coverage *coverage, const struct coverage *added,
                                  struct error *err);

/* Once all later batches are out: nothing is left of an incarnation behind the ends of its newest
 * batch, whose plan has `timestamp_ms`. ERROR_STATE: something is. */
MUST_CHECK bool coverage_end_at(struct coverage *coverage, int32_t incarnation,
                                const struct offsets *ends, int64_t timestamp_ms,
                                struct error *err);

#endif
