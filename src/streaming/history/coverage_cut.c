/* coverage_cut.c: the inverse of a fold.
 *
 * What a batch has added is the end of a range, because every later batch is out already: its
 * counts are subtracted, and the range ends where the batch began. A range of which nothing is left
 * goes. Anything that does not fit is refused, since the counts are a proof. */
#include "streaming/history/coverage_cut.h"

#include <inttypes.h>
#include <string.h>

static struct range_outcome *find_end(struct coverage *coverage, const struct range_outcome *part) {
    for (size_t i = 0; i < coverage->count; i++) {
        struct range_outcome *range = &coverage->ranges[i];
        if (range->incarnation == part->incarnation &&
            range->range.partition == part->range.partition &&
            range->range.end == part->range.end && range->range.start <= part->range.start &&
            (range->lost > 0) == (part->lost > 0))
            return range;
    }
    return NULL;
}

static void remove_range(struct coverage *coverage, struct range_outcome *range) {
    size_t behind = (size_t)(&coverage->ranges[coverage->count] - (range + 1));
    memmove(range, range + 1, behind * sizeof *range);
    coverage->count--;
}

static bool take_range(struct coverage *coverage, const struct range_outcome *part,
                       struct error *err) {
    struct range_outcome *range = find_end(coverage, part);
    if (range == NULL || !range_outcome_take(range, part))
        return error_set(err, ERROR_STATE,
                         "offsets %" PRId64 " to %" PRId64 " of partition %" PRId32
                         " are not the newest that coverage/ has",
                         part->range.start, part->range.end - 1, part->range.partition);
    range->range.end = part->range.start;
    if (range->range.end == range->range.start)
        remove_range(coverage, range);
    return true;
}

bool coverage_take_out(struct coverage *coverage, const struct coverage *added, struct error *err) {
    // Of one partition, what comes later goes first.
    for (size_t i = added->count; i > 0; i--)
        if (!take_range(coverage, &added->ranges[i - 1], err))
            return false;
    if (!resolved_has_all(&coverage->replayed, &added->replayed) ||
        !replay_counts_drop_all(&coverage->replay_counts, &added->replay_counts))
        return error_set(err, ERROR_STATE, "coverage/ does not have all that was replayed");
    resolved_drop_all(&coverage->replayed, &added->replayed);
    return true;
}

bool coverage_end_at(struct coverage *coverage, int32_t incarnation, const struct offsets *ends,
                     int64_t timestamp_ms, struct error *err) {
    for (size_t i = 0; i < coverage->count; i++) {
        const struct range_outcome *range = &coverage->ranges[i];
        const struct partition_offset *end = offsets_find(ends, range->range.partition);
        if (range->incarnation > incarnation ||
            (range->incarnation == incarnation && (end == NULL || range->range.end > end->offset)))
            return error_set(err, ERROR_STATE,
                             "history/ does not have the batches of offsets up to %" PRId64
                             " of partition %" PRId32,
                             range->range.end - 1, range->range.partition);
    }
    struct incarnations *all = &coverage->incarnations;
    size_t kept = 0;
    for (size_t i = 0; i < all->replay_count; i++)
        if (all->replays[i].timestamp_ms <= timestamp_ms)
            all->replays[kept++] = all->replays[i];
    all->replay_count = kept;
    return true;
}
