/* planner.c: what a batch takes, and how it is divided among workers.
 *
 * planner_next() takes everything from the positions to the topic's ends. A limit is split in
 * proportion to the backlogs, as Spark splits it: limit * size / total, rounded down, or up where
 * it is less than one, so that a small partition is never starved. The sum may exceed the limit by
 * that.
 *
 * planner_cut() first deals whole partitions out in turn, so that a partition stays with its worker
 * from batch to batch. Then, as long as the largest share exceeds the average by a quarter, the end
 * of its largest range moves to the smallest share. Every offset of the plan stays in exactly one
 * share. */
#include "streaming/kafka/planner.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/check.h"

/* How far a share may exceed the average before it is split, as a factor. */
static const double share_tolerance = 1.25;

/* A position never goes back here: streaming/kafka/positions.h. */
static struct offset_range backlog(const struct partition_offsets *partition, int64_t start,
                                   struct data_loss *loss) {
    struct offset_range range = {partition->partition, start, partition->end};
    if (start > partition->end) {
        range.end = start;
    } else if (start < partition->log_start) {
        loss->offsets += partition->log_start - start;
        partition_texts_add(&loss->texts,
                            "partition %" PRId32 " begins at offset %" PRId64
                            "; retention deleted offsets %" PRId64 " to %" PRId64 "",
                            partition->partition, partition->log_start, start,
                            partition->log_start - 1);
    }
    return range;
}

/* As Spark: a partition's part is cut down to whole offsets, but a small one is not starved. */
void planner_limit(struct offset_range *ranges, size_t count, int64_t limit) {
    int64_t total = planner_size(ranges, count);
    if (limit == 0 || total <= limit)
        return;
    for (size_t i = 0; i < count; i++) {
        int64_t size = ranges[i].end - ranges[i].start;
        double part = (double)limit * ((double)size / (double)total);
        int64_t whole = (int64_t)(part < 1 ? ceil(part) : floor(part));
        if (whole < size)
            ranges[i].end = ranges[i].start + whole;
    }
}

void planner_next(const struct offset_range *starts, size_t start_count,
                  const struct topic_offsets *topic, int64_t limit, struct offset_range **ranges,
                  size_t *range_count, struct data_loss *loss) {
    *loss = (struct data_loss){0};
    struct offset_range *all = must_alloc(topic->count + start_count, sizeof *all);
    size_t count = 0;
    for (size_t i = 0; i < topic->count; i++) {
        int64_t start = positions_next(starts, start_count, topic->partitions[i].partition);
        all[count++] = backlog(&topic->partitions[i], start, loss);
    }
    // A partition that is gone stays in the plan, with nothing to read, or its position would be
    // forgotten.
    for (size_t i = 0; i < start_count; i++) {
        if (topic_offsets_find(topic, starts[i].partition) == NULL)
            all[count++] = (struct offset_range){starts[i].partition, starts[i].end, starts[i].end};
    }
    ranges_sort(all, count);
    planner_limit(all, count, limit);
    *ranges = all;
    *range_count = count;
}

int64_t planner_size(const struct offset_range *ranges, size_t count) {
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += ranges[i].end - ranges[i].start;
    return total;
}

void planner_clip(struct offset_range *ranges, size_t count, const struct topic_offsets *topic,
                  bool renewed, int64_t *lost, struct data_loss *loss) {
    *loss = (struct data_loss){0};
    for (size_t i = 0; i < count; i++) {
        const struct partition_offsets *partition = topic_offsets_find(topic, ranges[i].partition);
        lost[i] = 0;
        if (ranges[i].start == ranges[i].end)
            continue;
        // A log that is shorter is not the one that was planned from: all of the range is lost.
        bool there = !renewed && position_state(ranges[i].end, partition) <= POSITION_WAITS;
        int64_t start = there ? partition->log_start : ranges[i].end;
        if (start <= ranges[i].start)
            continue;
        if (start > ranges[i].end)
            start = ranges[i].end;
        lost[i] = start - ranges[i].start;
        loss->offsets += lost[i];
        partition_texts_add(&loss->texts,
                            "partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
                            " of the planned batch are gone from the topic",
                            ranges[i].partition, ranges[i].start, start - 1);
        ranges[i].start = start;
    }
}

static int64_t share_size(const struct task_share *share) {
    return planner_size(share->ranges, share->count);
}

static size_t extreme_share(const struct task_share *shares, size_t count, bool largest) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t size = share_size(&shares[i]), best_size = share_size(&shares[best]);
        if (largest ? size > best_size : size < best_size)
            best = i;
    }
    return best;
}

static struct offset_range *largest_range(const struct task_share *share) {
    struct offset_range *best = &share->ranges[0];
    for (size_t i = 1; i < share->count; i++)
        if (share->ranges[i].end - share->ranges[i].start > best->end - best->start)
            best = &share->ranges[i];
    return best;
}

/* Moves offsets from the largest share to the smallest. False: they are even enough. */
static bool even_out(struct task_share *shares, size_t count, int64_t total) {
    double average = (double)total / (double)count;
    struct task_share *from = &shares[extreme_share(shares, count, true)];
    struct task_share *to = &shares[extreme_share(shares, count, false)];
    if ((double)share_size(from) <= average * share_tolerance)
        return false;

    struct offset_range *range = largest_range(from);
    int64_t excess = share_size(from) - (int64_t)average;
    int64_t room = (int64_t)average - share_size(to);
    int64_t moved = excess < room ? excess : room;
    if (moved > range->end - range->start)
        moved = range->end - range->start;
    if (moved <= 0)
        return false;
    to->ranges[to->count++] =
        (struct offset_range){range->partition, range->end - moved, range->end};
    range->end -= moved;
    return true;
}

double planner_weigh(double bytes_per_record, int64_t records, int64_t bytes) {
    enum { HALF = 1000 }; // records that weigh as much as all before them
    if (records <= 0)
        return bytes_per_record;
    double weight = (double)records / (double)(records + HALF);
    return bytes_per_record + weight * ((double)bytes / (double)records - bytes_per_record);
}

size_t planner_task_count(double bytes, size_t workers, int64_t task_bytes) {
    double wanted = bytes <= (double)task_bytes ? 1 : bytes / (double)task_bytes + 1;
    return wanted < (double)workers ? (size_t)wanted : workers;
}

size_t planner_cut(const struct offset_range *ranges, size_t count, double bytes_per_record,
                   size_t workers, int64_t task_bytes, struct task_share *shares) {
    int64_t total = planner_size(ranges, count);
    size_t share_count = planner_task_count((double)total * bytes_per_record, workers, task_bytes);
    check(share_count > 0);

    // Each pass of even_out() adds one range to one share, and there are at most share_count
    // passes.
    for (size_t i = 0; i < share_count; i++)
        shares[i] = (struct task_share){
            .ranges = must_alloc(count + share_count, sizeof *shares[i].ranges)};
    for (size_t i = 0; i < count; i++) {
        struct task_share *share = &shares[i % share_count];
        if (ranges[i].end > ranges[i].start)
            share->ranges[share->count++] = ranges[i];
    }
    for (size_t i = 0; i < share_count && even_out(shares, share_count, total); i++)
        continue;
    return share_count;
}

void task_share_deinit(struct task_share *share) {
    free(share->ranges);
    *share = (struct task_share){0};
}
