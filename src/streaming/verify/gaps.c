/* gaps.c: which offsets are in no file, told apart by who answers for them.
 *
 * The ranges that the committed batches took are cut into pieces: each is what one outcome of
 * manifests or coverage accounts for, or what nobody does. As the scan has its passes, the gaps of
 * each window are added to the piece that they lie in; both ascend, so one look over each will do.
 * The sums are exact; only how many gaps are kept by place is bounded. */
#include "streaming/verify/gaps.h"

#include <stdlib.h>

#include "base/check.h"
#include "streaming/kafka/positions.h"

enum { COVERED_GAPS_MAX = GAPS_MAX / 2 }; // what manifests explain must not crowd the others out

void gaps_deinit(struct gaps *gaps) {
    free(gaps->pieces);
    free(gaps->gaps);
    *gaps = (struct gaps){0};
}

/* ---- pieces ---- */

static void add_piece(struct gaps *gaps, size_t range, int64_t start, int64_t end,
                      const struct range_outcome *outcome) {
    if (start < end)
        gaps->pieces[gaps->piece_count++] = (struct piece){
            .range = (uint32_t)range, .start = start, .end = end, .outcome = outcome};
}

/* Whether an outcome's log comes before that of a range, is it, or comes behind it. */
static int compare(const struct range_outcome *outcome, const struct snapshot_range *range) {
    if (outcome->incarnation != range->incarnation)
        return outcome->incarnation < range->incarnation ? -1 : 1;
    return (outcome->range.partition > range->partition) -
           (outcome->range.partition < range->partition);
}

static void cut_range(struct gaps *gaps, size_t index, size_t *at) {
    const struct snapshot_range *range = &gaps->snapshot->ranges[index];
    const struct coverage *outcomes = &gaps->snapshot->outcomes;
    while (*at < outcomes->count && compare(&outcomes->ranges[*at], range) < 0)
        ++*at;
    int64_t done = range->start;
    for (; *at < outcomes->count && compare(&outcomes->ranges[*at], range) == 0; ++*at) {
        const struct range_outcome *outcome = &outcomes->ranges[*at];
        int64_t start = outcome->range.start > done ? outcome->range.start : done;
        int64_t end = outcome->range.end < range->end ? outcome->range.end : range->end;
        if (start >= end)
            continue;
        add_piece(gaps, index, done, start, NULL);
        add_piece(gaps, index, start, end, outcome);
        done = end;
    }
    add_piece(gaps, index, done, range->end, NULL);
}

void gaps_init(struct gaps *gaps, const struct snapshot *snapshot) {
    *gaps = (struct gaps){.snapshot = snapshot};
    gaps->pieces =
        must_alloc(2 * snapshot->outcomes.count + snapshot->range_count + 1, sizeof *gaps->pieces);
    gaps->gaps = must_alloc(GAPS_MAX, sizeof *gaps->gaps);
    size_t at = 0;
    for (size_t i = 0; i < snapshot->range_count; i++)
        cut_range(gaps, i, &at);
}

/* ---- gaps ---- */

static void add_gap(struct gaps *gaps, size_t piece_index, int64_t start, int64_t end) {
    struct piece *piece = &gaps->pieces[piece_index];
    check(gaps->gaps != NULL);
    piece->unmet += end - start;
    if (piece->outcome != NULL && piece->outcome->lost > 0)
        return; // all of it is lost: there is nothing to tell apart
    struct gap *last = gaps->count > 0 ? &gaps->gaps[gaps->count - 1] : NULL;
    if (last != NULL && last->piece == piece_index && last->end == start) {
        last->end = end; // a gap over the end of a window
        return;
    }
    size_t max = piece->outcome != NULL ? COVERED_GAPS_MAX : GAPS_MAX;
    if (gaps->count < max)
        gaps->gaps[gaps->count++] = (struct gap){
            .start = start, .end = end, .range = piece->range, .piece = (uint32_t)piece_index};
}

static void collect_piece(struct gaps *gaps, size_t piece_index, const struct offset_map *map,
                          const struct offset_window *window) {
    const struct piece *piece = &gaps->pieces[piece_index];
    int64_t start = piece->start > window->start ? piece->start : window->start;
    int64_t end = piece->end < window->end ? piece->end : window->end;
    int64_t gap_end;
    for (; start < end && offset_map_gap(map, window, end, &start, &gap_end); start = gap_end)
        add_gap(gaps, piece_index, start, gap_end);
}

void gaps_collect(struct gaps *gaps, const struct offset_map *map) {
    size_t piece = 0;
    for (size_t i = 0; i < map->window_count; i++) {
        const struct offset_window *window = &map->windows[i];
        for (; piece < gaps->piece_count; piece++) {
            const struct piece *at = &gaps->pieces[piece];
            if (at->range > window->log)
                break;
            if (at->range == window->log)
                collect_piece(gaps, piece, map, window);
        }
    }
}

/* ---- on the broker ---- */

struct offset_range gap_on_broker(const struct gaps *gaps, const struct gap *gap,
                                  const struct topic_offsets *topic) {
    const struct snapshot_range *range = &gaps->snapshot->ranges[gap->range];
    struct offset_range there = {range->partition, gap->start, gap->start};
    const struct partition_offsets *log = topic_offsets_find(topic, range->partition);
    if (gaps->renewed || range->incarnation != snapshot_newest(gaps->snapshot) ||
        position_state(range->end, log) > POSITION_WAITS)
        return there;
    there.start = gap->start > log->log_start ? gap->start : log->log_start;
    there.end = gap->end < log->end ? gap->end : log->end;
    if (there.end < there.start)
        there.end = there.start;
    return there;
}
