/* ask.c: gaps against the records of the topic.
 *
 * Of each gap only the part is asked for that the broker has, of the same incarnation. Near gaps
 * are read in one range; what lies between them is read and passed over. A record in a gap is
 * missing from the table, but for one: Spark drops values that are null or blank. What was not
 * asked for, because there was too much or the broker does not have it any more, stays unproven. */
#include "streaming/verify/ask.h"

#include <inttypes.h>

#include "base/system/clock.h"

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
    if (run->end == run->start + 1)
        verify_say(inquiry->report, VERIFY_MISSING, "partition %" PRId32 ", offset %" PRId64 ": %s",
                   run->partition, run->start, inquiry->question->reason);
    else if (run->end > run->start)
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

/* A value that is null or nothing but white space: from_json() makes no row of it, and the PySpark
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
                return error_set(err, ERROR_BROKER, "the broker sends nothing");
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
        return error_wrap(err, "asking for partition %" PRId32 ", offsets %" PRId64 " to %" PRId64,
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
