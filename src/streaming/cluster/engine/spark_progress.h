/* spark_progress.h: what Spark's StreamingQueryProgress says of a batch of stream_plan.h's. */
#ifndef STREAMING_CLUSTER_ENGINE_SPARK_PROGRESS_H
#define STREAMING_CLUSTER_ENGINE_SPARK_PROGRESS_H

#include "base/error.h"
#include "core/plan.h"

struct spark_progress {
    int64_t batch_id;
    int64_t duration_ms; // of the whole trigger
    int64_t latest_offset_ms, query_planning_ms, wal_commit_ms, commit_offsets_ms; // parts of it
    int64_t records; // all of them; -1: nothing was counted (an idle trigger)
    int64_t rejects, empty, filtered;
    int64_t exploded, rows; // before WHERE, and written
    int64_t *windows;       // owned; as stream_plan.h numbers them
    size_t window_count;
};

/* ERROR_CLUSTER: not a progress report. */
MUST_CHECK bool spark_progress_parse(const char *text, struct spark_progress *progress,
                                     struct error *err);
void spark_progress_deinit(struct spark_progress *progress);

/* Reports of batches that nobody has asked for yet: Spark keeps only so many, and more may come
 * while one batch is looked at. */
enum { PROGRESS_BOOK_MAX = 1000 };
struct progress_book {
    struct spark_progress *entries; // owned; in no order
    size_t count;
};

/* Takes the report over, unless it counts nothing, is of a batch before `first`, or is there. */
void progress_book_add(struct progress_book *book, int64_t first, struct spark_progress *progress);

/* Takes it out; false: it is not there. */
bool progress_book_take(struct progress_book *book, int64_t batch_id,
                        struct spark_progress *progress);
void progress_book_deinit(struct progress_book *book);

/* The ranges of the plan that its windows cover, ascending, with small gaps between them. The
 * caller frees *ranges. */
void spark_progress_ranges(const struct spark_progress *progress, const struct plan *plan,
                           struct offset_range **ranges, size_t *count);

#endif
