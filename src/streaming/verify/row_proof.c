/* row_proof.c: a walk over the sorted runs, record by record.
 *
 * Of one record, a run that begins before the run before it has ended has rows that were met
 * already. Where nothing was filtered, a position that is neither the first one nor follows the one
 * before it shows that rows are missing. That the last rows of a record are missing shows only in
 * the counts: those of a piece, which is what one outcome of manifests or coverage accounts for,
 * or, of records that were replayed, those of the partition. Rows may have left the table with a
 * change (streaming/changes/changes.h): of such a record any positions may be missing, and counts
 * are only the most that may be there. */
#include "streaming/verify/row_proof.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

void row_proof_init(struct row_proof *proof, const struct row_shape *shape, const struct gaps *gaps,
                    struct offset_map *map, struct verify_report *report) {
    *proof = (struct row_proof){.shape = shape, .gaps = gaps, .map = map, .report = report};
    proof->pieces = must_alloc(gaps->piece_count + 1, sizeof *proof->pieces);
    proof->replayed = must_alloc(gaps->snapshot->range_count + 1, sizeof *proof->replayed);
}

void row_proof_deinit(struct row_proof *proof) {
    free(proof->pieces);
    free(proof->replayed);
    *proof = (struct row_proof){0};
}

/* ---- one record ---- */

struct record_walk {
    struct row_proof *proof;
    uint32_t log;
    int64_t offset;
    bool complete;                   // nothing was filtered: all positions must be there
    uint32_t before[ROW_LEVELS_MAX]; // the levels of the run before, `end` in the innermost one
    int64_t rows, rejects, duplicates, named;
};

static const char *name_record(const struct record_walk *walk,
                               char text[static SNAPSHOT_NAME_MAX]) {
    const struct snapshot *snapshot = walk->proof->gaps->snapshot;
    return snapshot_name(snapshot, &snapshot->ranges[walk->log], text);
}

enum { PLACE_MAX = 512 };

/* "pos 4, ": where a run is in the views around a level. */
static void print_outer(const struct record_walk *walk, const struct row_run *run, size_t level,
                        char text[static PLACE_MAX]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < level; i++)
        used =
            run->levels[i] == 0
                ? text_append(text, PLACE_MAX, used, "%s null, ", walk->proof->shape->positions[i])
                : text_append(text, PLACE_MAX, used, "%s %" PRIu32 ", ",
                              walk->proof->shape->positions[i], run->levels[i] - 1);
}

/* Positions [from, to) of a level, as they are in the table. */
static void name_missing(struct record_walk *walk, const struct row_run *run, size_t level,
                         uint32_t from, uint32_t to) {
    char name[SNAPSHOT_NAME_MAX], outer[PLACE_MAX];
    const char *column = walk->proof->shape->positions[level];
    (void)name_record(walk, name);
    print_outer(walk, run, level, outer);
    from = from == 0 ? 1 : from; // null, by one
    if (level + 1 == walk->proof->shape->level_count)
        walk->named += to - from;
    if (to == from + 1)
        verify_say(walk->proof->report, VERIFY_MISSING,
                   "%s, offset %" PRId64 ": the row with %s%s %" PRIu32, name, walk->offset, outer,
                   column, from - 1);
    else
        verify_say(walk->proof->report, VERIFY_MISSING,
                   "%s, offset %" PRId64 ": the rows with %s%s %" PRIu32 " to %" PRIu32, name,
                   walk->offset, outer, column, from - 1, to - 2);
}

/* The files that have it are named with the offset (duplicates.h). The first of them are enough. */
static void note_again(const struct record_walk *walk, const struct row_run *run) {
    struct verify_report *report = walk->proof->report;
    char name[SNAPSHOT_NAME_MAX], outer[PLACE_MAX], position[16] = "null";
    size_t innermost = walk->proof->shape->level_count - 1;
    if (report->texts[VERIFY_NOTE].count >= VERIFY_TEXTS_MAX)
        return;
    print_outer(walk, run, innermost, outer);
    if (run->start > 0)
        (void)snprintf(position, sizeof position, "%" PRIu32, run->start - 1);
    verify_say(report, VERIFY_NOTE,
               "%s, offset %" PRId64 ": the row with %s%s %s is there more than once",
               name_record(walk, name), walk->offset, outer,
               walk->proof->shape->positions[innermost], position);
}

/* A value of a level is there; `before` is where the one before it ended, 0 if it is the first. */
static void see_level(struct record_walk *walk, const struct row_run *run, size_t level,
                      uint32_t before, uint32_t value) {
    if (!walk->complete || !walk->proof->shape->complete[level] || value <= 1)
        return;
    before = before == 0 ? 1 : before;
    if (value > before)
        name_missing(walk, run, level, before, value);
}

static void see_rows(struct record_walk *walk, const struct row_run *run) {
    size_t innermost = walk->proof->shape->level_count - 1, level = 0;
    if (walk->rows > 0)
        while (level < innermost && walk->before[level] == run->levels[level])
            level++;
    int64_t rows = run->end - run->start;
    bool same = walk->rows > 0 && level == innermost;
    uint32_t before = walk->before[innermost];
    // A row of OUTER along with others is one too many, as well.
    if (same && (run->start < before || (before == 1 && run->start == 1))) {
        uint32_t end = run->start < before && run->end > before ? before : run->end;
        walk->duplicates += end - run->start;
        if (run->start < before)
            note_again(walk, run);
    } else if (same) {
        see_level(walk, run, innermost, before, run->start);
    } else {
        see_level(walk, run, level, walk->rows > 0 ? walk->before[level] + (level < innermost) : 0,
                  level < innermost ? run->levels[level] : run->start);
        for (size_t i = level + 1; i <= innermost; i++)
            see_level(walk, run, i, 0, i < innermost ? run->levels[i] : run->start);
    }
    memcpy(walk->before, run->levels, innermost * sizeof *walk->before);
    walk->before[innermost] = same && before > run->end ? before : run->end;
    walk->rows += rows;
}

static void see_reject(struct record_walk *walk) {
    walk->rejects++;
    if (walk->rejects > 1 || walk->rows > 0)
        walk->duplicates++;
}

static void add_record(struct row_count *count, const struct record_walk *walk) {
    count->records++;
    count->rows += walk->rows - walk->duplicates;
    count->named += walk->named;
}

static void end_record(struct record_walk *walk, size_t piece) {
    struct row_proof *proof = walk->proof;
    const struct snapshot *snapshot = proof->gaps->snapshot;
    const struct snapshot_range *range = &snapshot->ranges[walk->log];
    struct verify_partition *partition = &proof->report->partitions[walk->log];
    partition->duplicates += walk->duplicates;
    if (walk->duplicates > 0)
        offset_map_note_duplicate(proof->map, walk->log, walk->offset);
    if (walk->rows == 0)
        return;
    partition->records++;
    if (walk->rejects > 0)
        return; // it is counted as a reject
    if (resolved_has(&snapshot->outcomes.replayed, range->incarnation, range->partition,
                     walk->offset))
        add_record(&proof->replayed[walk->log], walk);
    else if (piece < proof->gaps->piece_count)
        add_record(&proof->pieces[piece], walk);
}

/* Whether rows of a record left the table with a change. */
static bool may_have_left(const struct row_proof *proof, const struct snapshot_range *range,
                          int64_t offset) {
    const struct snapshot *snapshot = proof->gaps->snapshot;
    return resolved_has(&snapshot->expired, range->incarnation, range->partition, offset) ||
           resolved_has(&snapshot->accepted, range->incarnation, range->partition, offset);
}

/* Whether WHERE can have left out rows of a record. */
static bool may_be_filtered(const struct row_proof *proof, const struct piece *piece,
                            const struct snapshot_range *range, int64_t offset) {
    const struct snapshot *snapshot = proof->gaps->snapshot;
    const struct range_outcome *of = piece->outcome;
    if (resolved_has(&snapshot->outcomes.replayed, range->incarnation, range->partition, offset))
        of = replay_counts_find(&snapshot->outcomes.replay_counts, range->incarnation,
                                range->partition);
    return of == NULL ? proof->shape->filters : of->filtered_rows > 0;
}

static void begin_record(struct record_walk *walk, const struct row_run *run, size_t *piece) {
    const struct gaps *gaps = walk->proof->gaps;
    while (*piece < gaps->piece_count &&
           (gaps->pieces[*piece].range < run->log ||
            (gaps->pieces[*piece].range == run->log && gaps->pieces[*piece].end <= run->offset)))
        ++*piece;
    *walk = (struct record_walk){.proof = walk->proof, .log = run->log, .offset = run->offset};
    const struct snapshot_range *range = &gaps->snapshot->ranges[run->log];
    walk->complete = *piece < gaps->piece_count &&
                     !may_be_filtered(walk->proof, &gaps->pieces[*piece], range, run->offset) &&
                     !may_have_left(walk->proof, range, run->offset);
}

void row_proof_take(struct row_proof *proof, const struct row_runs *runs) {
    struct record_walk walk = {.proof = proof};
    struct row_run run;
    size_t piece = 0;
    bool open = false;
    for (size_t at = 0; row_runs_next(runs, &at, &run);) {
        if (open && (walk.log != run.log || walk.offset != run.offset))
            end_record(&walk, piece);
        if (!open || walk.log != run.log || walk.offset != run.offset)
            begin_record(&walk, &run, &piece);
        open = true;
        if (run.reject)
            see_reject(&walk);
        else
            see_rows(&walk, &run);
    }
    if (open)
        end_record(&walk, piece);
}

/* ---- all of them ---- */

/* `where` is a text for people; `has_gone`: rows left the table with a change. Records that are
 * missing as a whole are found as gaps. */
static void compare_rows(const struct row_proof *proof, const char *where, bool has_gone,
                         const struct row_count *met, const struct range_outcome *said) {
    if (has_gone ? met->rows <= said->rows
                 : met->records != said->records || met->rows + met->named == said->rows)
        return;
    verify_say(proof->report, met->rows < said->rows ? VERIFY_MISSING : VERIFY_DUPLICATE,
               "%s: the manifests count %s, but the files have %" PRId64, where,
               text_count(said->rows, "row").text, met->rows);
}

static void compare_piece(const struct row_proof *proof, const struct piece *piece,
                          const struct row_count *met) {
    const struct snapshot *snapshot = proof->gaps->snapshot;
    char name[SNAPSHOT_NAME_MAX], where[SNAPSHOT_NAME_MAX + 64];
    if (piece->outcome == NULL || piece->outcome->lost > 0)
        return;
    (void)snprintf(where, sizeof where, "%s, offsets %" PRId64 " to %" PRId64,
                   snapshot_name(snapshot, &snapshot->ranges[piece->range], name), piece->start,
                   piece->end - 1);
    compare_rows(proof, where, piece->has_gone, met, piece->outcome);
}

static bool has_gone(const struct snapshot *snapshot, const struct snapshot_range *range) {
    return resolved_count_of(&snapshot->expired, range->incarnation, range->partition) +
               resolved_count_of(&snapshot->accepted, range->incarnation, range->partition) >
           0;
}

void row_proof_compare(const struct row_proof *proof) {
    const struct snapshot *snapshot = proof->gaps->snapshot;
    static const struct range_outcome none;
    for (size_t i = 0; i < proof->gaps->piece_count; i++)
        compare_piece(proof, &proof->gaps->pieces[i], &proof->pieces[i]);
    for (size_t i = 0; i < snapshot->range_count; i++) {
        const struct snapshot_range *range = &snapshot->ranges[i];
        const struct range_outcome *said = replay_counts_find(&snapshot->outcomes.replay_counts,
                                                              range->incarnation, range->partition);
        char name[SNAPSHOT_NAME_MAX], where[SNAPSHOT_NAME_MAX + 64];
        (void)snprintf(where, sizeof where, "%s, rejects that were replayed",
                       snapshot_name(snapshot, range, name));
        compare_rows(proof, where, has_gone(snapshot, range), &proof->replayed[i],
                     said == NULL ? &none : said);
    }
}
