/* The rejects of a batch that Spark has committed.
 *
 * Spark filters out records that can't become rows, and counts them by windows of offsets. Only
 * these windows are read again, by our own parser, which writes the rejects and commits that by the
 * batch's manifest. The counts must agree with Spark's, which are of the batch: it does not report
 * them by partition. */
#include "streaming/cluster/engine/reject_pass.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "streaming/cluster/engine/spark_counts.h"
#include "streaming/kafka/planner.h"

void reject_pass_deinit(struct reject_pass *pass) {
    free(pass->outcomes);
    tally_deinit(&pass->tally);
    *pass = (struct reject_pass){0};
}

/* Spark and we must agree on every record; that they do is what the conformance tests are for. */
static void compare_rejects(struct query *query, const struct spark_progress *progress,
                            const struct reject_search *search) {
    if (progress->rejects == search->rejects)
        return;
    log_write(LOG_ERROR, query->report.name,
              "Spark skipped a different number of records than were rejected | batch_id=%" PRId64
              " | skipped=%" PRId64 " | rejects=%" PRId64
              " | action=run `esports-stream verify`, which names the offsets, and report a bug",
              progress->batch_id, progress->rejects, search->rejects);
    query_status_note_error(&query->report.status,
                            "Spark skipped a different number of records than were rejected; "
                            "`verify` names the offsets");
}

static void compare_rows(struct query *query, const struct plan *plan,
                         const struct spark_progress *progress) {
    if (spark_counts_add_up(progress, plan, &query->definition.options->stream->plan))
        return;
    log_write(LOG_ERROR, query->report.name,
              "Spark's counts of records and rows do not add up | batch_id=%" PRId64
              " | records=%" PRId64 " | rejects=%" PRId64 " | empty=%" PRId64 " | filtered=%" PRId64
              " | exploded=%" PRId64 " | rows=%" PRId64
              " | action=run `esports-stream verify`, which names the offsets, and report a bug",
              progress->batch_id, progress->records, progress->rejects, progress->empty,
              progress->filtered, progress->exploded, progress->rows);
    query_status_note_error(&query->report.status,
                            "Spark's counts of records and rows do not add up; `verify` names the "
                            "offsets");
}

/* All of it was read. What retention took meanwhile is absent from what was read. */
static void account_read(struct reject_search *search, struct reject_pass *pass) {
    pass->outcomes = search->outcomes;
    pass->outcome_count = search->outcome_count;
    search->outcomes = NULL;
    for (size_t i = 0; i < pass->outcome_count; i++) {
        struct range_outcome *outcome = &pass->outcomes[i];
        outcome->absent = outcome->range.end - outcome->range.start - outcome->rejects -
                          range_outcome_accepted(outcome);
    }
}

static void account(const struct plan *plan, const struct spark_progress *progress,
                    struct reject_search *search, struct reject_pass *pass) {
    *pass = (struct reject_pass){.rejects = search->rejects, .tally = search->tally};
    // Of the windows alone, which says nothing of the batch.
    pass->tally.bytes = 0;
    pass->tally.oldest_ms = pass->tally.newest_ms = 0;
    memset(pass->tally.stage_ns, 0, sizeof pass->tally.stage_ns);
    if (progress == NULL)
        account_read(search, pass);
    else
        spark_counts_share(plan, progress, search->outcomes, search->outcome_count, &pass->outcomes,
                           &pass->outcome_count);
    free(search->outcomes);
}

/* With a batch that moves positions, what was found out about the topic has come to pass. */
static void settle_moved(struct query *query, const struct plan *plan) {
    for (size_t i = 0; i < query->position.begun.count; i++)
        if (query->position.begun.begins[i].batch_id == plan->batch_id)
            topic_change_settle(&query->change);
}

/* The windows may end behind a topic that the positions, which Spark has moved since, fit. */
static bool look_at_topic(struct query *query, const struct reject_search *search,
                          struct error *err) {
    return topic_watch_refresh(&query->watch, err) &&
           topic_watch_high(&query->watch, search->windows, search->window_count, err);
}

bool reject_pass_run(struct query *query, const struct plan *plan,
                     const struct spark_progress *progress, struct reject_pass *pass,
                     struct error *err) {
    struct reject_search search = {
        .plan = plan, .windows = plan->ranges, .window_count = plan->count};
    struct offset_range *windows = NULL;
    if (progress != NULL)
        spark_progress_ranges(progress, plan, &windows, &search.window_count);
    if (progress != NULL)
        search.windows = windows;
    settle_moved(query, plan);
    log_write(LOG_DEBUG, query->report.name,
              "Reading rejected records | batch_id=%" PRId64 " | ranges=%zu | offsets=%" PRId64,
              plan->batch_id, search.window_count,
              planner_size(search.windows, search.window_count));
    bool done = (search.window_count == 0 || look_at_topic(query, &search, err)) &&
                micro_batch_rejects(&query->runner, &search, err);
    free(windows);
    if (!done) {
        free(search.outcomes);
        tally_deinit(&search.tally);
        return false;
    }
    if (progress != NULL) {
        compare_rejects(query, progress, &search);
        compare_rows(query, plan, progress);
    }
    account(plan, progress, &search, pass);
    return true;
}
