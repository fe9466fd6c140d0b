/* losses.c: gaps by what accounts for them.
 *
 * If more offsets of a piece are in no file than its outcome says, it has lost rows or rejects.
 * Only the records could say which of these offsets, so all of them count as lost. If records have
 * lost some of their rows, only the piece's count of rows shows that, so all records of the piece
 * that are in a file count as such. Both only weaken what later verifications prove of these
 * offsets. */
#include "streaming/verify/losses.h"

#include <stdlib.h>

#include "base/check.h"
#include "streaming/verify/row_proof.h"

void verify_losses_deinit(struct verify_losses *losses) {
    free(losses->pieces);
    resolved_deinit(&losses->unmet);
    resolved_deinit(&losses->partial);
    incarnations_deinit(&losses->incarnations);
    *losses = (struct verify_losses){.horizon = -1};
}

/* For the time being in `partial`: all of them. */
void losses_note_met(struct verify_losses *losses, const struct snapshot *snapshot,
                     const struct offset_map *map) {
    for (size_t i = 0; i < map->window_count; i++) {
        const struct offset_window *window = &map->windows[i];
        const struct snapshot_range *range = &snapshot->ranges[window->log];
        int64_t done = window->start, gap = done, gap_end;
        while (offset_map_gap(map, window, window->end, &gap, &gap_end)) {
            if (done < gap)
                resolved_add_range(&losses->partial, range->incarnation, range->partition, done,
                                   gap - 1);
            done = gap = gap_end;
        }
        if (done < window->end)
            resolved_add_range(&losses->partial, range->incarnation, range->partition, done,
                               window->end - 1);
    }
}

/* Leaves those of pieces in which rows are missing. */
static void keep_partial(struct verify_losses *losses, const struct gaps *gaps,
                         const struct row_proof *proof) {
    struct resolved met = losses->partial;
    losses->partial = (struct resolved){0};
    for (size_t i = 0; i < gaps->piece_count; i++) {
        const struct piece *piece = &gaps->pieces[i];
        const struct snapshot_range *range = &gaps->snapshot->ranges[piece->range];
        if (piece->outcome == NULL || proof->pieces[i].rows >= piece->outcome->rows)
            continue;
        losses->rows += piece->outcome->rows - proof->pieces[i].rows;
        int64_t start = piece->start, end;
        for (; resolved_next_run(&met, range->incarnation, range->partition, piece->end, &start,
                                 &end);
             start = end)
            resolved_add_range(&losses->partial, range->incarnation, range->partition, start,
                               end - 1);
    }
    resolved_deinit(&met);
}

static void take_piece(struct verify_losses *losses, const struct gaps *gaps, size_t index,
                       size_t *at) {
    const struct piece *piece = &gaps->pieces[index];
    const struct snapshot_range *range = &gaps->snapshot->ranges[piece->range];
    int64_t known = 0;
    for (; *at < gaps->count && gaps->gaps[*at].piece == index; ++*at) {
        const struct gap *gap = &gaps->gaps[*at];
        known += gap->end - gap->start;
        resolved_add_range(&losses->unmet, range->incarnation, range->partition, gap->start,
                           gap->end - 1);
    }
    if (piece->unmet == 0 || (piece->outcome != NULL && piece->outcome->lost > 0))
        return;
    losses->complete = losses->complete && known == piece->unmet;
    losses->pieces[losses->piece_count++] = (struct lost_piece){
        .incarnation = range->incarnation,
        .partition = range->partition,
        .start = piece->start,
        .end = piece->end,
        .without = piece->outcome == NULL ? 0 : piece->outcome->absent + piece_rowless(piece),
        .of_spark = piece->outcome == NULL,
    };
}

void losses_take(struct verify_losses *losses, const struct gaps *gaps,
                 const struct row_proof *proof, const struct verify_report *report) {
    size_t at = 0;
    losses->horizon = report->horizon;
    losses->pieces = must_alloc(gaps->piece_count + 1, sizeof *losses->pieces);
    for (size_t i = 0; i < gaps->piece_count; i++)
        take_piece(losses, gaps, i, &at);
    for (size_t i = 0; i < report->partition_count; i++)
        losses->duplicates += report->partitions[i].duplicates;
    if (proof->shape->level_count > 0)
        keep_partial(losses, gaps, proof);
    else
        losses->rows = -1; // as many as offsets, or fewer
    incarnations_add_copies(&losses->incarnations, &gaps->snapshot->outcomes.incarnations,
                            INT64_MAX);
}

/* Adds the offsets of a piece that are in no file, without those that were found. */
static int64_t add_lost(const struct verify_losses *losses, const struct lost_piece *piece,
                        const struct resolved *found, struct resolved *gone) {
    int64_t start = piece->start, end, count = 0;
    for (; resolved_next_run(&losses->unmet, piece->incarnation, piece->partition, piece->end,
                             &start, &end);
         start = end)
        for (int64_t from = start, taken, taken_end; from < end; from = taken_end) {
            taken = from;
            if (!resolved_next_run(found, piece->incarnation, piece->partition, end, &taken,
                                   &taken_end))
                taken = taken_end = end;
            if (from < taken && gone != NULL)
                resolved_add_range(gone, piece->incarnation, piece->partition, from, taken - 1);
            count += taken - from;
        }
    return count;
}

void verify_losses_settle(const struct verify_losses *losses, const struct resolved *found,
                          struct resolved *gone, int64_t *unsure) {
    *unsure = 0;
    for (size_t i = 0; i < losses->piece_count; i++) {
        const struct lost_piece *piece = &losses->pieces[i];
        int64_t count = add_lost(losses, piece, found, NULL);
        if (!piece->of_spark && count <= piece->without)
            continue; // these are they
        (void)add_lost(losses, piece, found, gone);
        *unsure += piece->of_spark ? count : piece->without;
    }
    resolved_add_all(gone, &losses->partial);
}
