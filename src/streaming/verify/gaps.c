/* gaps.c: which offsets are in no file, by what explains them.
 *
 * The ranges that the committed batches took are cut into pieces: each is what one outcome of
 * manifests or coverage accounts for, or what nobody does. As the scan has its passes, the gaps of
 * each window are added to the piece that they lie in; both ascend, so one look over each will do.
 * The sums are exact; only how many gaps are kept by place is bounded. Offsets whose rows left the
 * table with a change (streaming/changes/changes.h) are taken out of the gaps before all else.
 *
 * The broker is asked only for the part of a gap that it still has, of the same incarnation. Near
 * gaps are read in one range; what lies between them is read and passed over. A record in a gap is
 * missing from the table, with one exception: Spark drops values that are null or blank. What was
 * not asked for, because there was too much or the broker does not have it any more, stays
 * unproven. */
#include "streaming/verify/gaps.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "streaming/kafka/positions.h"

enum { COVERED_GAPS_MAX = GAPS_MAX / 2 }; // what manifests explain must not crowd the others out

void gaps_deinit(struct gaps *gaps) {
    free(gaps->pieces);
    free(gaps->gaps);
    *gaps = (struct gaps){0};
}

/* ---- pieces ---- */

/* The next offsets in [*start, end) whose rows left the table. *accepted: by acceptance. */
static bool next_gone(const struct gaps *gaps, uint32_t range_index, int64_t end, int64_t *start,
                      int64_t *gone_end, bool *accepted) {
    const struct snapshot *snapshot = gaps->snapshot;
    const struct snapshot_range *range = &snapshot->ranges[range_index];
    int64_t expired = *start, expired_end = 0, other = *start, other_end = 0;
    bool has_expired = resolved_next_run(&snapshot->expired, range->incarnation, range->partition,
                                         end, &expired, &expired_end);
    bool has_other = resolved_next_run(&snapshot->accepted, range->incarnation, range->partition,
                                       end, &other, &other_end);
    *accepted = has_other && (!has_expired || other < expired);
    *start = *accepted ? other : expired;
    *gone_end = !*accepted ? expired_end : has_expired && expired < other_end ? expired : other_end;
    return has_expired || has_other;
}

static void add_piece(struct gaps *gaps, size_t range, int64_t start, int64_t end,
                      const struct range_outcome *outcome) {
    int64_t gone = start, gone_end;
    bool accepted;
    if (start >= end)
        return;
    gaps->pieces[gaps->piece_count++] = (struct piece){
        .range = (uint32_t)range,
        .start = start,
        .end = end,
        .outcome = outcome,
        .has_gone = next_gone(gaps, (uint32_t)range, end, &gone, &gone_end, &accepted)};
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
        return; // all of it is lost: nothing to distinguish
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

/* The same, without those whose rows left the table. */
static void add_unmet(struct gaps *gaps, size_t piece_index, int64_t start, int64_t end) {
    struct piece *piece = &gaps->pieces[piece_index];
    int64_t gone = start, gone_end;
    bool accepted;
    while (piece->has_gone && next_gone(gaps, piece->range, end, &gone, &gone_end, &accepted)) {
        if (start < gone)
            add_gap(gaps, piece_index, start, gone);
        *(accepted ? &piece->accepted : &piece->expired) += gone_end - gone;
        start = gone = gone_end;
    }
    if (start < end)
        add_gap(gaps, piece_index, start, end);
}

static void collect_piece(struct gaps *gaps, size_t piece_index, const struct offset_map *map,
                          const struct offset_window *window) {
    const struct piece *piece = &gaps->pieces[piece_index];
    int64_t start = piece->start > window->start ? piece->start : window->start;
    int64_t end = piece->end < window->end ? piece->end : window->end;
    int64_t gap_end;
    for (; start < end && offset_map_gap(map, window, end, &start, &gap_end); start = gap_end)
        add_unmet(gaps, piece_index, start, gap_end);
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

enum {
    NEAR_MAX = 1000, // offsets between two gaps that are read rather than sought over
    READ_TIMEOUT_MS = 500,
    PREFETCH_MAX = 16 << 20, // bytes
};

/* Neighbouring offsets that have a record and are in no file. */
struct missing_run {
    int32_t partition;
    int64_t start, end;
};

struct inquiry {
    struct gaps *gaps;
    const struct question *question;
    const struct verify_options *options;
    const struct topic_offsets *topic;
    struct verify_report *report;
    struct source *source;
    struct missing_run missing;
    int64_t offsets, ranges; // asked so far
};

static void end_run(struct inquiry *inquiry) {
    struct missing_run *run = &inquiry->missing;
    if (inquiry->question->reason != NULL && run->end == run->start + 1)
        verify_say(inquiry->report, VERIFY_MISSING, "partition %" PRId32 ", offset %" PRId64 ": %s",
                   run->partition, run->start, inquiry->question->reason);
    else if (inquiry->question->reason != NULL && run->end > run->start)
        verify_say(inquiry->report, VERIFY_MISSING,
                   "partition %" PRId32 ", offsets %" PRId64 " to %" PRId64 ": %s", run->partition,
                   run->start, run->end - 1, inquiry->question->reason);
    *run = (struct missing_run){0};
}

static void see_missing(struct inquiry *inquiry, int32_t partition, int64_t offset) {
    struct missing_run *run = &inquiry->missing;
    if (run->end == run->start || run->partition != partition || run->end != offset) {
        end_run(inquiry);
        *run = (struct missing_run){partition, offset, offset};
    }
    run->end = offset + 1;
}

/* A value that is null, empty or blank: from_json() makes no row of it, and the PySpark
 * job drops it. With us it is a reject, so only batches without a manifest may lack it. */
static bool is_dropped_by_spark(const struct inquiry *inquiry, const struct gap *gap,
                                const struct record *record) {
    if (inquiry->gaps->pieces[gap->piece].outcome != NULL)
        return false;
    for (size_t i = 0; i < record->value_size; i++) {
        char c = record->value[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return true;
}

static void see_record(struct inquiry *inquiry, struct gap *gap, const struct record *record) {
    if (is_dropped_by_spark(inquiry, gap, record)) {
        gap->dropped++;
        return;
    }
    gap->found++;
    see_missing(inquiry, record->partition, record->offset);
}

/* Reads over gaps [first, last]; records come in ascending order. *there false: the broker does not
 * have the offsets any more. */
static bool read_gaps(struct inquiry *inquiry, size_t first, size_t last, bool *there,
                      struct error *err) {
    const struct source_ops *ops = inquiry->source->ops;
    int64_t quiet_since_ms = clock_monotonic_ms();
    for (size_t at = first;;) {
        struct record record;
        switch (ops->read(inquiry->source, &record, READ_TIMEOUT_MS, err)) {
        case SOURCE_RECORD:
            quiet_since_ms = clock_monotonic_ms();
            inquiry->report->asked++;
            while (at < last && inquiry->gaps->gaps[at].end <= record.offset)
                at++;
            struct gap *gap = &inquiry->gaps->gaps[at];
            if (record.offset >= gap->start && record.offset < gap->end)
                see_record(inquiry, gap, &record);
            break;
        case SOURCE_END:
            return true;
        case SOURCE_WAIT:
            if (clock_monotonic_ms() - quiet_since_ms < inquiry->options->timeout_ms)
                break;
            ops->abandon_range(inquiry->source);
            if (err->kind == ERROR_NONE)
                return error_set(err, ERROR_BROKER, "the broker sends no records");
            return false;
        case SOURCE_FAILED:
            *there = err->kind != ERROR_DATA_LOSS;
            return !*there;
        }
    }
}

static bool ask_range(struct inquiry *inquiry, size_t first, size_t last, struct error *err) {
    struct gap *gaps = inquiry->gaps->gaps;
    struct offset_range range = gap_on_broker(inquiry->gaps, &gaps[first], inquiry->topic);
    range.end = gap_on_broker(inquiry->gaps, &gaps[last], inquiry->topic).end;
    bool there = true;
    if (!inquiry->source->ops->open_range(inquiry->source, inquiry->options->store->topic, range,
                                          err) ||
        !read_gaps(inquiry, first, last, &there, err))
        return error_wrap(err, "cannot read partition %" PRId32 ", offsets %" PRId64 " to %" PRId64,
                          range.partition, range.start, range.end - 1);
    inquiry->offsets += range.end - range.start;
    inquiry->ranges++;
    for (size_t i = first; i <= last; i++)
        gaps[i].asked = there;
    return true;
}

static bool is_to_be_asked(const struct inquiry *inquiry, size_t index) {
    const struct gap *gap = &inquiry->gaps->gaps[index];
    struct offset_range there = gap_on_broker(inquiry->gaps, gap, inquiry->topic);
    return there.start < there.end && inquiry->question->wanted(&inquiry->gaps->pieces[gap->piece]);
}

/* The last gap that is read together with `first`. */
static size_t find_last(const struct inquiry *inquiry, size_t first) {
    const struct gap *gaps = inquiry->gaps->gaps;
    size_t last = first;
    while (last + 1 < inquiry->gaps->count && gaps[last + 1].range == gaps[first].range &&
           gaps[last + 1].start - gaps[last].end < NEAR_MAX && is_to_be_asked(inquiry, last + 1))
        last++;
    return last;
}

static bool ask_all(struct inquiry *inquiry, struct error *err) {
    const struct gap *gaps = inquiry->gaps->gaps;
    for (size_t i = 0; i < inquiry->gaps->count; i++) {
        if (!is_to_be_asked(inquiry, i))
            continue;
        size_t last = find_last(inquiry, i);
        // Fewer near gaps at once, if all are more than may still be read.
        while (last > i &&
               inquiry->offsets + gaps[last].end - gaps[i].start > inquiry->question->offsets_max)
            last--;
        if (inquiry->offsets + gaps[last].end - gaps[i].start > inquiry->question->offsets_max ||
            inquiry->ranges == inquiry->question->ranges_max)
            continue; // a smaller one may still do
        if (!ask_range(inquiry, i, last, err))
            return false;
        i = last;
    }
    end_run(inquiry);
    return true;
}

bool gaps_ask(struct gaps *gaps, const struct question *question,
              const struct verify_options *options, const struct topic_offsets *topic,
              struct verify_report *report, struct error *err) {
    struct inquiry inquiry = {
        .gaps = gaps, .question = question, .options = options, .topic = topic, .report = report};
    int64_t share = options->memory_max / 8;
    struct source_memory memory = {.fetched = (size_t)(share < PREFETCH_MAX ? share : PREFETCH_MAX),
                                   .batch = (size_t)share,
                                   .unpacked = (size_t)options->memory_max / 2};
    if (!options->broker->ops->open_source(options->broker, memory, &inquiry.source, err))
        return false;
    bool ok = ask_all(&inquiry, err);
    inquiry.source->ops->close(inquiry.source);
    return ok;
}
