/* positions.h: a query's positions compared with its topic (docs/internals/positions.md). Pure
 * functions: no I/O, no clock.
 *
 * A position is a partition's next offset. `starts` are ranges with start == end == position,
 * ascending by partition. */
#ifndef STREAMING_KAFKA_POSITIONS_H
#define STREAMING_KAFKA_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/plan.h"
#include "streaming/kafka/broker.h"
#include "streaming/offsets/offset_log.h"

enum position_state {
    POSITION_READY, // up to the end
    POSITION_WAITS, // behind the end, not behind the high watermark: a transaction is open
    POSITION_AHEAD, // behind the high watermark: the log is shorter than what was read of it
    POSITION_GONE,  // the topic has no such partition
};

/* `listed` NULL: the topic does not have the partition. An end before the position needs `high`. */
enum position_state position_state(int64_t position, const struct partition_offsets *listed);

/* Whether an end lies before its position, so that the high watermarks are wanted. */
bool positions_want_high(const struct offset_range *starts, size_t count,
                         const struct topic_offsets *topic);

/* What is to be said of several partitions of a topic, in one line. */
struct partition_texts { // {0}: none yet
    char text[512];      // "<one>; <another>; and 7 more"; always terminated
    size_t used;         // of it, without "and … more"
    size_t count;        // of all that were added
    size_t named;        // of those in `text`
};

void partition_texts_add(struct partition_texts *texts, const char *format, ...) PRINTF_LIKE(2, 3);

struct positions_view {
    struct partition_texts waiting; // each partition that waits
    struct partition_texts broken;  // each that is ahead or gone
    struct partition_texts gone;    // of those
};

void positions_view(const struct offset_range *starts, size_t count,
                    const struct topic_offsets *topic, struct positions_view *view);

/* Ascending by partition. */
void ranges_sort(struct offset_range *ranges, size_t count);

/* The position in a partition; 0 in one that the query has not met. */
int64_t positions_next(const struct offset_range *starts, size_t count, int32_t partition);

/* How many records are known that open transactions hold back behind positions. */
int64_t positions_held_back(const struct offset_range *starts, size_t count,
                            const struct topic_offsets *topic);

/* Where the query stands from now on: in all partitions of a `renewed` topic, at offset 0. Else in
 * one that is ahead, at its new end; in one of `lowest`, no further than there; one that is gone
 * keeps its position. Ascending; the caller owns the ranges. */
struct offset_range *positions_move(const struct offset_range *starts, size_t count,
                                    const struct topic_offsets *topic, bool renewed,
                                    const struct offsets *lowest, size_t *moved_count);

/* Takes in where a partition ends that is ahead, if that is less than what `lowest` has of it. */
void positions_note_lowest(const struct offset_range *starts, size_t count,
                           const struct topic_offsets *topic, struct offsets *lowest);

/* The positions are others now: an end that is not before one says nothing about it. */
void positions_keep_lowest(const struct offset_range *starts, size_t count, struct offsets *lowest);

#endif
