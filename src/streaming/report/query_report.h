/* query_report.h: what a query tells of its topic and its batches. Driver thread. */
#ifndef STREAMING_REPORT_QUERY_REPORT_H
#define STREAMING_REPORT_QUERY_REPORT_H

#include "streaming/query/query.h"
#include "streaming/tasks/tally.h"

/* Sums of a manifest's ranges, or of what it replayed; `range` is not filled. */
struct range_outcome query_report_sum(const struct manifest *manifest);

/* The topic was looked at, or the query has moved on. */
void query_report_lag(struct query *query);

/* The batch is committed. Takes the samples out of `tally`. */
void query_report_batch(struct query *query, const struct plan *plan,
                        const struct manifest *manifest, struct tally *tally);

/* Says so in the log and in the status. `counts` are of its rows. */
void query_report_log(struct query *query, const struct manifest *manifest,
                      const struct decode_counts *counts, int64_t took_us);

#endif
