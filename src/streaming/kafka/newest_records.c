/* Of each partition the last offsets are read. Where they hold few records, because transactions
 * were aborted or the log is compacted, ten times as many offsets before them are read, and so on,
 * a bounded number of times and only until enough records have come. */
#include "streaming/kafka/newest_records.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/system/clock.h"

enum { STEP_MS = 200 };

struct reading {
    struct newest_records *newest;
    struct source *source;
    int64_t deadline_ms;
};

/* The first `wanted` records of the range; *found counts them. */
static bool read_range(struct reading *reading, struct offset_range range, int64_t wanted,
                       int64_t *found, struct error *err) {
    struct newest_records *newest = reading->newest;
    struct source *source = reading->source;
    struct record record;
    if (!source->ops->open_range(source, newest->topic, range, err))
        return false;
    while (*found < wanted && !newest->is_late) {
        switch (source->ops->read(source, &record, STEP_MS, err)) {
        case SOURCE_RECORD:
            ++*found;
            newest->taken++;
            if (!newest->take(newest->context, &record, err))
                return false;
            break;
        case SOURCE_END:
            return true;
        case SOURCE_FAILED:
            return false;
        case SOURCE_WAIT:
            break;
        }
        newest->is_late = clock_monotonic_ms() >= reading->deadline_ms;
    }
    source->ops->abandon_range(source);
    return true;
}

static struct offset_range last_offsets(const struct partition_offsets *partition, int64_t end,
                                        int64_t count) {
    int64_t start = end - count > partition->log_start ? end - count : partition->log_start;
    return (struct offset_range){partition->partition, start, end};
}

static bool read_partition(struct reading *reading, const struct partition_offsets *partition,
                           int64_t wanted, struct error *err) {
    int64_t end = partition->end, found = 0;
    for (int64_t count = wanted;
         count <= reading->newest->offsets_max && end > partition->log_start; count *= 10) {
        struct offset_range range = last_offsets(partition, end, count);
        if (!read_range(reading, range, wanted, &found, err))
            return false;
        if (found * 2 >= wanted || reading->newest->is_late)
            break;
        end = range.start;
    }
    return true;
}

/* The last offsets of each partition that has some; as many partitions as records are wanted. */
static size_t find_ranges(const struct newest_records *newest, const struct topic_offsets *offsets,
                          struct offset_range *ranges) {
    size_t count = 0;
    for (size_t i = 0; i < offsets->count && (int64_t)count < newest->wanted; i++)
        if (offsets->partitions[i].end > offsets->partitions[i].log_start)
            ranges[count++].partition = offsets->partitions[i].partition;
    for (size_t i = 0; i < count; i++) {
        const struct partition_offsets *partition =
            topic_offsets_find(offsets, ranges[i].partition);
        ranges[i] = last_offsets(partition, partition->end, newest->wanted / (int64_t)count);
    }
    return count;
}

static bool read_ranges(struct reading *reading, const struct topic_offsets *offsets,
                        const struct offset_range *ranges, size_t count, struct error *err) {
    struct newest_records *newest = reading->newest;
    reading->source->ops->expect_ranges(reading->source, newest->topic, ranges, count);
    for (size_t i = 0; i < count && !newest->is_late; i++)
        if (!read_partition(reading, topic_offsets_find(offsets, ranges[i].partition),
                            newest->wanted / (int64_t)count, err))
            return false;
    return newest->taken > 0 || !newest->is_late ||
           error_set(err, ERROR_BROKER, "no record arrived within %d seconds",
                     newest->read_ms / 1000);
}

bool newest_records_read(struct newest_records *newest, struct source *source,
                         const struct topic_offsets *offsets, struct error *err) {
    struct reading reading = {newest, source, clock_monotonic_ms() + newest->read_ms};
    struct offset_range *ranges = must_alloc(offsets->count + 1, sizeof *ranges);
    size_t count = find_ranges(newest, offsets, ranges);
    bool ok = read_ranges(&reading, offsets, ranges, count, err);
    free(ranges);
    return ok;
}
