/* tally.h: what was seen while a task ran, or all tasks of a batch. */
#ifndef STREAMING_TASKS_TALLY_H
#define STREAMING_TASKS_TALLY_H

#include "core/decode_counts.h"
#include "core/reject.h"
#include "streaming/tasks/reject_samples.h"
#include "streaming/tasks/stage_clock.h"

/* Starts as {0}. Owns its samples. */
struct tally {
    struct decode_counts counts;
    int64_t rejects[REJECT_REASON_COUNT];
    int64_t bytes;                 // of values read
    int64_t stage_ns[STAGE_COUNT]; // of work on all workers together
    int64_t oldest_ms, newest_ms;  // Kafka timestamps of rows; 0: no row had one
    struct reject_samples samples;
};

/* Adds up; the samples of `more` move. */
void tally_add(struct tally *sum, struct tally *more);
void tally_deinit(struct tally *tally);

/* Takes a timestamp in. */
void tally_note_timestamp(struct tally *tally, int64_t timestamp_ms);

#endif
