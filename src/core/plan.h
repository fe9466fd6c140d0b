/* plan.h: the offset ranges of one micro-batch. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offsets [start, end) of one partition. */
struct offset_range {
    int32_t partition;
    int64_t start, end;
};

struct plan {
    int64_t batch_id;
    int64_t timestamp_ms; // what processing_timestamp says, in milliseconds since 1970
    size_t count;
    struct offset_range *ranges; // owned; every partition of the topic, ascending, empty ranges too
};

/* The outcome of a range. Each offset is one of these:
 *
 *     records + rejects + empty + filtered + absent + lost == end - start
 *
 * and for rows: rows == exploded - filtered_rows. Of a query without LATERAL VIEW and WHERE,
 * rows == exploded == records, and empty, filtered and filtered_rows are 0. */
struct range_outcome {
    struct offset_range range;
    int64_t records; // with at least one row
    int64_t rejects;
    int64_t empty;    // nothing to explode, and no OUTER
    int64_t filtered; // WHERE has left out all rows
    int64_t absent;   // offsets without a record: compacted, aborted, transaction markers
    int64_t lost;     // offsets that were gone before they were read (FAIL_ON_DATA_LOSS=false)
    int64_t rows;     // in the table
    int64_t exploded; // rows before WHERE
    int64_t filtered_rows;
    int32_t incarnation; // of the topic, that the offsets are of
};

/* Adds a count, which is not negative. The sum of damaged ones stays at the largest number. */
static inline void count_add(int64_t *sum, int64_t more) {
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = INT64_MAX;
}

/* Adds the counts of `more`; the ranges stay as they are. */
static inline void range_outcome_add(struct range_outcome *sum, const struct range_outcome *more) {
    count_add(&sum->records, more->records);
    count_add(&sum->rejects, more->rejects);
    count_add(&sum->empty, more->empty);
    count_add(&sum->filtered, more->filtered);
    count_add(&sum->absent, more->absent);
    count_add(&sum->lost, more->lost);
    count_add(&sum->rows, more->rows);
    count_add(&sum->exploded, more->exploded);
    count_add(&sum->filtered_rows, more->filtered_rows);
}

/* The opposite. False: there is not so much in it, and it is of no use any more. */
static inline bool range_outcome_take(struct range_outcome *sum, const struct range_outcome *less) {
    sum->records -= less->records;
    sum->rejects -= less->rejects;
    sum->empty -= less->empty;
    sum->filtered -= less->filtered;
    sum->absent -= less->absent;
    sum->lost -= less->lost;
    sum->rows -= less->rows;
    sum->exploded -= less->exploded;
    sum->filtered_rows -= less->filtered_rows;
    return sum->records >= 0 && sum->rejects >= 0 && sum->empty >= 0 && sum->filtered >= 0 &&
           sum->absent >= 0 && sum->lost >= 0 && sum->rows >= 0 && sum->exploded >= 0 &&
           sum->filtered_rows >= 0;
}

/* Records that are not rejects. */
static inline int64_t range_outcome_accepted(const struct range_outcome *outcome) {
    return outcome->records + outcome->empty + outcome->filtered;
}

/* What was read of a query without LATERAL VIEW and WHERE. */
static inline void range_outcome_set_records(struct range_outcome *outcome, int64_t records) {
    outcome->records = outcome->exploded = outcome->rows = records;
}

#endif
