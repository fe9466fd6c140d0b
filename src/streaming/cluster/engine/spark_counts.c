#include "streaming/cluster/engine/spark_counts.h"

#include "base/check.h"
#include "streaming/kafka/planner.h"

bool spark_counts_add_up(const struct spark_progress *progress, const struct plan *plan,
                         const struct query_plan *query) {
    if (progress->records > planner_size(plan->ranges, plan->count))
        return false;
    int64_t accepted = progress->records - progress->rejects;
    int64_t kept = accepted - progress->empty - progress->filtered; // records with rows
    if (query->view_count == 0 && progress->exploded != accepted)
        return false;
    if (query->where == NULL && progress->rows != progress->exploded)
        return false;
    return kept >= 0 && progress->rows >= kept && (kept > 0 || progress->rows == 0) &&
           progress->exploded - progress->rows >= progress->filtered;
}

static int64_t rejects_of(const struct range_outcome *found, size_t count, int32_t partition) {
    for (size_t i = 0; i < count; i++)
        if (found[i].range.partition == partition)
            return found[i].rejects;
    return 0;
}

/* The part of a count of the batch that the range has room for. */
static int64_t take_part(struct range_outcome *outcome, int64_t *left) {
    int64_t part = *left < outcome->records ? *left : outcome->records;
    if (part < 0)
        return 0; // the counts do not add up
    outcome->records -= part;
    *left -= part;
    return part;
}

/* One for each record that has any; the others are shown with the first range that has such a
 * record, or with the first of all, if WHERE has left out all rows. */
static void share_rows(const struct spark_progress *progress, struct range_outcome *outcomes,
                       size_t count) {
    int64_t records = 0;
    size_t first = count;
    for (size_t i = 0; i < count; i++) {
        outcomes[i].rows = outcomes[i].exploded = outcomes[i].records;
        records += outcomes[i].records;
        if (first == count && outcomes[i].records > 0)
            first = i;
    }
    if (count == 0)
        return;
    struct range_outcome *outcome = &outcomes[first < count ? first : 0];
    outcome->rows += progress->rows - records;
    outcome->exploded += progress->exploded - records;
    outcome->filtered_rows = progress->exploded - progress->rows;
}

void spark_counts_share(const struct plan *plan, const struct spark_progress *progress,
                        const struct range_outcome *found, size_t found_count,
                        struct range_outcome **outcomes, size_t *count) {
    int64_t absent = planner_size(plan->ranges, plan->count) - progress->records;
    int64_t empty = progress->empty, filtered = progress->filtered;
    struct range_outcome *shared = must_alloc(plan->count + 1, sizeof *shared);
    *count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct offset_range *range = &plan->ranges[i];
        if (range->end == range->start)
            continue;
        struct range_outcome *outcome = &shared[(*count)++];
        *outcome = (struct range_outcome){
            .range = *range, .rejects = rejects_of(found, found_count, range->partition)};
        outcome->records = range->end - range->start - outcome->rejects;
        outcome->absent = take_part(outcome, &absent);
        outcome->empty = take_part(outcome, &empty);
        outcome->filtered = take_part(outcome, &filtered);
    }
    share_rows(progress, shared, *count);
    *outcomes = shared;
}
