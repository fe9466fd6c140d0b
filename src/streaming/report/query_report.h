/* query_report.h: what a query tells of its topic and its batches: to the log, and to who looks at
 * its status and its history. It knows nothing of how the query runs. Driver thread, but for
 * `status` and `history` (any thread) and `reject_log` (workers). */
#ifndef STREAMING_REPORT_QUERY_REPORT_H
#define STREAMING_REPORT_QUERY_REPORT_H

#include "core/plan.h"
#include "core/schema.h"
#include "streaming/kafka/broker.h"
#include "streaming/report/query_history.h"
#include "streaming/report/query_status.h"
#include "streaming/report/trigger_clock.h"
#include "streaming/store/store.h"
#include "streaming/tasks/reject_log.h"
#include "streaming/tasks/tally.h"

struct query_report {
    const char *name;            // the logger: "match_stream"
    const struct schema *schema; // borrowed; the table's
    struct query_status status;
    struct query_history history;
    struct reject_log reject_log;
    struct trigger_clock clock; // of the trigger under way
};

void query_report_init(struct query_report *report, const char *name, const struct schema *schema);
void query_report_deinit(struct query_report *report);

/* Sums of a manifest's ranges, or of what it replayed; `range` is not filled. */
struct range_outcome query_report_sum(const struct manifest *manifest);

/* The topic was looked at, or the query has moved on. `starts`: where it stands. */
void query_report_lag(struct query_report *report, const struct topic_offsets *topic,
                      const struct offset_range *starts, size_t start_count);

/* The batch is committed. `topic`: the newest listing. Takes the samples out of `tally`. */
void query_report_batch(struct query_report *report, const struct topic_offsets *topic,
                        const struct plan *plan, const struct manifest *manifest,
                        struct tally *tally);

/* Says so in the log and in the status. `counts` are of its rows. */
void query_report_log(struct query_report *report, const struct manifest *manifest,
                      const struct decode_counts *counts, int64_t took_us);

#endif
