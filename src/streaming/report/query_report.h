/* query_report.h: what a query reports of its topic and its batches: to the log, and to readers of
 * its status and its history. It knows nothing of how the query runs. Driver thread, except
 * `status`, `history` and `care` (any thread). */
#ifndef STREAMING_REPORT_QUERY_REPORT_H
#define STREAMING_REPORT_QUERY_REPORT_H

#include "base/system/clock.h"
#include "core/plan.h"
#include "core/schema.h"
#include "streaming/kafka/broker.h"
#include "streaming/report/care_status.h"
#include "streaming/report/query_history.h"
#include "streaming/report/query_status.h"
#include "streaming/store/store.h"
#include "streaming/tasks/tally.h"

/* How long the parts of the trigger under way have taken that the driver itself does; all except
 * began_ms are monotonic. */
struct trigger_clock {
    int64_t began_us, began_ms; // began_ms: wall clock
    int64_t before_us;          // between the begin of the trigger before and this one's; 0: none
    int64_t listing_us, planning_us, logging_us; // the topic, the plan, offsets/N
    int64_t broker_lost_us, disk_lost_us;        // attempts that failed, with the wait behind them
    int64_t publish_us, forward_us;              // up to the commit point, and behind it
};

/* The next trigger begins. Starts as {0}. */
static inline void trigger_clock_begin(struct trigger_clock *clock) {
    int64_t now_us = clock_monotonic_us();
    *clock =
        (struct trigger_clock){.began_us = now_us,
                               .began_ms = clock_wall_ms(),
                               .before_us = clock->began_us != 0 ? now_us - clock->began_us : 0};
}

/* Adds the time since `since_us` to a part. */
static inline void trigger_clock_add(int64_t *part_us, int64_t since_us) {
    *part_us += clock_monotonic_us() - since_us;
}

struct query_report {
    const char *name;            // the logger: "match_stream"
    const char *job;             // "matches"
    const struct schema *schema; // borrowed; the table's
    struct query_status status;
    struct query_history history;
    struct care_status care;
    struct trigger_clock clock; // of the trigger under way
    struct topic_lag lag_after; // the newest batch
};

void query_report_init(struct query_report *report, const char *name, const char *job,
                       const struct schema *schema);
void query_report_deinit(struct query_report *report);

/* Sums of a manifest's ranges, or of what it replayed; `range` is not filled. */
struct range_outcome query_report_sum(const struct manifest *manifest);

/* The batch is committed: the query's position is after it. `topic`: the listing that it was
 * planned from. Takes the samples out of `tally`. */
void query_report_batch(struct query_report *report, const struct topic_offsets *topic,
                        const struct plan *plan, const struct manifest *manifest,
                        struct tally *tally);

/* Says so in the log and in the status. */
void query_report_log(struct query_report *report, const struct manifest *manifest,
                      const struct tally *tally, int64_t took_us);

/* The part of it about rejects. `accepted`: records of the batch that are not. */
void query_report_log_rejects(const struct query_report *report, int64_t batch_id, int64_t accepted,
                              const struct tally *tally);

#endif
