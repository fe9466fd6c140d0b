/* replay_counts.h: the counts of the rejects that replays have taken (streaming/store/resolved.h),
 * by incarnation and partition.
 *
 * Of a query without LATERAL VIEW and WHERE each of them is one row, which need not be written
 * down. Otherwise a manifest of version 5 and coverage of version 4 say it:
 *
 *     "replayedCounts":[{"partition":0,"records":3,"empty":1,"filtered":0,"rows":9,"exploded":9,
 *                        "filteredRows":0}],
 *     "replayedWithoutRows":[{"partition":0,"offsets":"7"}]
 *
 * with "incarnation":1 and so on behind the first. The second list has the offsets that are empty
 * or filtered; it is left out if there are none. */
#ifndef STREAMING_STORE_REPLAY_COUNTS_H
#define STREAMING_STORE_REPLAY_COUNTS_H

#include "core/plan.h"
#include "streaming/store/resolved.h"

struct replay_counts {
    struct range_outcome *sums; // owned; ascending by incarnation and partition; of `range` only
                                // the partition is set
    size_t count;
    struct resolved rowless; // owned; those whose records have no row
};

void replay_counts_deinit(struct replay_counts *counts); // accepts a zeroed struct

/* Of one record: `exploded` rows, of which WHERE has kept `rows`. */
void replay_counts_add(struct replay_counts *counts, int32_t incarnation, int32_t partition,
                       int64_t offset, int64_t exploded, int64_t rows);

/* Of records that are one row each. */
void replay_counts_add_plain(struct replay_counts *counts, const struct resolved *replayed);

void replay_counts_add_all(struct replay_counts *counts, const struct replay_counts *more);

/* Takes `less` out again. False: it is not in there. */
MUST_CHECK bool replay_counts_drop_all(struct replay_counts *counts,
                                       const struct replay_counts *less);

/* Of a partition; NULL: nothing of it was replayed. */
const struct range_outcome *replay_counts_find(const struct replay_counts *counts,
                                               int32_t incarnation, int32_t partition);

/* Of all partitions. */
struct range_outcome replay_counts_sum(const struct replay_counts *counts);

/* Puts both members into an object, and reads them. False: they are not those of exactly the
 * offsets in `replayed`, or do not add up. */
void replay_counts_print(const struct replay_counts *counts, struct json *object);
MUST_CHECK bool replay_counts_parse(const struct json *object, const struct resolved *replayed,
                                    struct replay_counts *counts);

#endif
