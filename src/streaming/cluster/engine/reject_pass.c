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

/* What must hold of Spark's counts, whatever the records were. */
static bool adds_up(const struct spark_progress *progress, const struct query_plan *plan) {
    int64_t accepted = progress->records - progress->rejects;
    int64_t kept = accepted - progress->empty - progress->filtered; // records with rows
    if (plan->view_count == 0 && progress->exploded != accepted)
        return false;
    if (plan->where == NULL && progress->rows != progress->exploded)
        return false;
    return kept >= 0 && progress->rows >= kept && (kept > 0 || progress->rows == 0) &&
           progress->exploded - progress->rows >= progress->filtered;
}

static void compare_rows(struct query *query, const struct spark_progress *progress) {
    if (adds_up(progress, &query->definition.options->stream->plan))
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

/* All offsets of a range are records with a row at first. */
static void begin_outcomes(const struct plan *plan, struct reject_pass *pass) {
    pass->outcomes = must_alloc(plan->count + 1, sizeof *pass->outcomes);
    for (size_t i = 0; i < plan->count; i++) {
        const struct offset_range *range = &plan->ranges[i];
        if (range->end > range->start)
            pass->outcomes[pass->outcome_count++] =
                (struct range_outcome){.range = *range, .records = range->end - range->start};
    }
}

static struct range_outcome *outcome_of(const struct reject_pass *pass, int32_t partition) {
    for (size_t i = 0; i < pass->outcome_count; i++)
        if (pass->outcomes[i].range.partition == partition)
            return &pass->outcomes[i];
    return NULL;
}

static void take_rejects(const struct reject_search *search, struct reject_pass *pass) {
    for (size_t i = 0; i < search->outcome_count; i++) {
        struct range_outcome *outcome = outcome_of(pass, search->outcomes[i].range.partition);
        if (outcome == NULL)
            continue;
        outcome->rejects = search->outcomes[i].rejects;
        outcome->records -= outcome->rejects;
    }
}

/* The part of a count of the batch that the range has room for. */
static int64_t take_part(struct range_outcome *outcome, int64_t *left) {
    int64_t part = *left < outcome->records ? *left : outcome->records;
    outcome->records -= part;
    *left -= part;
    return part;
}

/* A row for each record that has some; the others are shown with the first such range. */
static void take_rows(const struct spark_progress *progress, struct reject_pass *pass) {
    int64_t records = 0;
    struct range_outcome *first = NULL;
    for (size_t i = 0; i < pass->outcome_count; i++) {
        struct range_outcome *outcome = &pass->outcomes[i];
        outcome->rows = outcome->exploded = outcome->records;
        records += outcome->records;
        if (first == NULL && outcome->records > 0)
            first = outcome;
    }
    if (first == NULL && pass->outcome_count > 0)
        first = &pass->outcomes[0]; // all rows are filtered
    if (first == NULL)
        return;
    first->rows += progress->rows - records;
    first->exploded += progress->exploded - records;
    first->filtered_rows = progress->exploded - progress->rows;
}

/* What Spark counts of the batch as a whole. */
static void account_counts(const struct plan *plan, const struct spark_progress *progress,
                           const struct reject_search *search, struct reject_pass *pass) {
    begin_outcomes(plan, pass);
    take_rejects(search, pass);
    int64_t absent = planner_size(plan->ranges, plan->count) - progress->records;
    int64_t empty = progress->empty, filtered = progress->filtered;
    for (size_t i = 0; i < pass->outcome_count; i++) {
        pass->outcomes[i].absent = take_part(&pass->outcomes[i], &absent);
        pass->outcomes[i].empty = take_part(&pass->outcomes[i], &empty);
        pass->outcomes[i].filtered = take_part(&pass->outcomes[i], &filtered);
    }
    take_rows(progress, pass);
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
        account_counts(plan, progress, search, pass);
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
        compare_rows(query, progress);
    }
    account(plan, progress, &search, pass);
    return true;
}
