/* verify.h: an independent account of one query's table: from the checkpoint, the sink log, the
 * manifests, the files, the rejects and the broker it tells for each partition of the topic which
 * offsets are covered, and whether each is there once.
 *
 * What is read of a data file is its footer and the columns `partition` and `offset`; one bit per
 * offset is kept, and when memory has no room for all of them the files are read in several passes
 * over windows of offsets, so that the answer is exact for any number of them. No lock is taken:
 * the newest committed batch at the start is the horizon (streaming/changes/snapshot.h), and what
 * later batches do meanwhile is not looked at.
 *
 * An offset that is in no file is
 *
 *     expired, accepted   its rows left the table with a change (streaming/changes/change.h)
 *     lost       to retention, as a manifest says
 *     absent     a manifest says so (it was compacted, or aborted, or a transaction marker), or, of
 *                a batch without a manifest (Spark's), the broker has no record there
 *     missing    a manifest counts it as a row or a reject, or the broker has a record there
 *     unproven   of a batch without a manifest, and the broker does not hold that offset any more
 */
#ifndef STREAMING_VERIFY_VERIFY_H
#define STREAMING_VERIFY_VERIFY_H

#include "streaming/verify/report.h"

/* True: *report says what was found. ERROR_STATE: the checkpoint or the sink log can't be read;
 * ERROR_BROKER; ERROR_RETRY: the disk. */
MUST_CHECK bool verify_run(const struct verify_options *options, struct verify_report *report,
                           struct error *err);

#endif
