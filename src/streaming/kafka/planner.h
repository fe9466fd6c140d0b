/* planner.h: which offsets the next micro-batch takes. Pure functions: no I/O, no clock. */
#ifndef STREAMING_KAFKA_PLANNER_H
#define STREAMING_KAFKA_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/plan.h"
#include "streaming/kafka/broker.h"
#include "streaming/kafka/positions.h"

/* What the topic no longer has, seen while planning or before running. */
struct data_loss {
    int64_t offsets;              // how many are gone for good
    struct partition_texts texts; // which, for the log or an error; none: nothing is lost
};

/* The ranges from where the query stands (`starts`: start == end == next offset, ascending by
 * partition; a partition of `topic` that is not in it is new and begins at 0) to the topic's ends,
 * at most `limit` offsets in all (0: no limit), split over the partitions in proportion to their
 * backlog as Spark's KafkaMicroBatchStream.rateLimit does. Every partition of either is in the
 * result, ascending; a range may be empty, and is where the end lies before the position
 * (streaming/kafka/positions.h). The caller owns *ranges.
 *
 * Retention that took offsets ahead of us is reported in *loss. */
void planner_next(const struct offset_range *starts, size_t start_count,
                  const struct topic_offsets *topic, int64_t limit, struct offset_range **ranges,
                  size_t *range_count, struct data_loss *loss);

/* Cuts ranges down to a limit, as planner_next() does. */
void planner_limit(struct offset_range *ranges, size_t count, int64_t limit);

/* How many offsets the ranges hold. */
int64_t planner_size(const struct offset_range *ranges, size_t count);

/* Cuts off the ranges of a plan what the topic does not have any more, and tells how many offsets
 * of range i those were in lost[i]: those below the log start; all of a range whose end the log
 * does not reach; all, if the topic is `renewed`. An end before that of its range needs `high`. */
void planner_clip(struct offset_range *ranges, size_t count, const struct topic_offsets *topic,
                  bool renewed, int64_t *lost, struct data_loss *loss);

enum {
    // Of values; a batch up to this is one task, and so writes one file per partition value.
    PLANNER_TASK_BYTES = 16 << 20,
    // Before the first batch tells: what an event of these topics has.
    PLANNER_RECORD_BYTES = 700,
};

/* The average size of a record's value, once a batch of so many records and bytes has been read. A
 * batch of none says nothing, one of few little. */
double planner_weigh(double bytes_per_record, int64_t records, int64_t bytes);

/* How many tasks a batch of so many bytes becomes. */
size_t planner_task_count(double bytes, size_t workers, int64_t task_bytes);

/* One task's share of a plan. */
struct task_share {
    size_t count;
    struct offset_range *ranges; // owned
};

/* Deals the ranges out to at most `workers` shares: one while the whole is small (so a small batch
 * writes one file per partition value), else as many as it takes for `task_bytes` each. Partition i
 * of the topic always starts with the same share for the same number of shares, so that it stays
 * with its worker's Kafka handle; what makes a share too large is split off the end of its largest
 * range and given to the smallest share. Empty ranges are left out. The caller owns the shares.
 *
 * bytes_per_record: an estimate, from what was read so far. */
size_t planner_cut(const struct offset_range *ranges, size_t count, double bytes_per_record,
                   size_t workers, int64_t task_bytes, struct task_share *shares);

void task_share_deinit(struct task_share *share);

#endif
