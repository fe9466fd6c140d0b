/* reject_pass.h: the rejects of one batch that Spark has committed: found, written, committed, by
 * reading again the windows of offsets in which Spark has counted some. Driver thread. */
#ifndef STREAMING_CLUSTER_ENGINE_REJECT_PASS_H
#define STREAMING_CLUSTER_ENGINE_REJECT_PASS_H

#include "streaming/cluster/engine/spark_progress.h"
#include "streaming/query/query.h"

struct reject_pass {
    int64_t rejects; // written
    /* The outcome of the plan's ranges, without empty ones. Rejects are those of each range; the
     * other counts are right in sum only (spark_counts.h), unless all of the plan was read. */
    struct range_outcome *outcomes; // owned
    size_t outcome_count;
    struct tally tally; // owned; of the rejects only
};

/* `progress` NULL: Spark's counts are unknown, so all of the plan is read. Counts that
 * disagree with Spark's are logged as an ERROR, and what was found is written. */
MUST_CHECK bool reject_pass_run(struct query *query, const struct plan *plan,
                                const struct spark_progress *progress, struct reject_pass *pass,
                                struct error *err);
void reject_pass_deinit(struct reject_pass *pass);

#endif
