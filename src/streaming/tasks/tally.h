/* tally.h: what was seen while a task ran, or all tasks of a batch: counts, and
 * where the time went, stage by stage. */
#ifndef STREAMING_TASKS_TALLY_H
#define STREAMING_TASKS_TALLY_H

#include <stdint.h>

#include "base/system/clock.h"
#include "core/decoder.h"
#include "core/record.h"
#include "core/reject.h"
#include "streaming/tasks/reject_samples.h"

/* The stages of a batch, by which durations are broken down. */
enum stage {
    STAGE_PLAN,   // listing the topic, planning, making the plan durable
    STAGE_FETCH,  // getting records from the source, waiting for them included
    STAGE_DECODE, // a record's bytes to its columns
    STAGE_DERIVE, // the other columns
    STAGE_ENCODE, // rows to Parquet pages, in memory
    STAGE_WRITE,  // opening, writing and syncing the staged files
    STAGE_COMMIT, // the manifest, and all that comes after the commit point
    STAGE_COUNT,
};

/* "plan", "fetch", … */
const char *stage_name(enum stage stage);

/* The lowest partition and, in it, the lowest offset. */
struct reject_place {
    int32_t partition;
    int64_t offset;
};

/* Starts as {0}. Owns its samples. */
struct tally {
    struct decode_counts counts;
    int64_t rejects[REJECT_REASON_COUNT];
    struct reject_place first_reject; // if there are any
    int64_t bytes;                    // of values read
    int64_t stage_ns[STAGE_COUNT];    // of work on all workers together
    int64_t oldest_ms, newest_ms;     // Kafka timestamps of rows; 0: no row had one
    struct reject_samples samples;
};

/* Adds up; the samples of `more` move. */
void tally_add(struct tally *sum, struct tally *more);
void tally_deinit(struct tally *tally);

/* Takes a timestamp in. */
void tally_note_timestamp(struct tally *tally, int64_t timestamp_ms);

/* Counts a reject, with a sample of it. `processed_ms` is the batch's timestamp. */
void tally_note_reject(struct tally *tally, const struct record *record,
                       const struct reject *reject, int64_t processed_ms);

/* Of all reasons. */
int64_t tally_rejects(const struct tally *tally);

enum { SAMPLED_FIRST = 16, SAMPLED_EVERY = 64 };

/* Where a task's time goes, without looking at the clock for each record.
 *
 * The first SAMPLED_FIRST records of a task are timed one by one, so that small batches are
 * measured correctly; after them one of SAMPLED_EVERY, which then stands for all of these. A sample
 * reads the clock three times, about 25 ns each: with 1.5 us for a record that is (3 * 25 ns) / 64
 * = 1.2 ns, less than 0.1 %; a record without a sample costs a count and two tests. Encoding and
 * writing are timed per slice of rows and per call to the disk. Fetching is what is left of the
 * task's time: a source answers most reads from memory and a few after a long wait, which samples
 * would miss or multiply. */
struct stage_clock {
    int64_t began_ns; // the task
    int64_t ns[STAGE_COUNT];
    unsigned until_next; // records until the next sample
    unsigned samples;
    int64_t weight;  // of the record under way: how many it stands for; 0: it is not timed
    int64_t mark_ns; // when its stage under way began
};

void stage_clock_start(struct stage_clock *clock);

/* The task is over: what is left of its time was fetching. */
void stage_clock_stop(struct stage_clock *clock);

void stage_clock_sample(struct stage_clock *clock);
void stage_clock_take(struct stage_clock *clock, enum stage stage);

/* A record's first stage begins. */
static inline void stage_clock_record(struct stage_clock *clock) {
    clock->weight = 0;
    if (clock->until_next-- == 0)
        stage_clock_sample(clock);
}

/* The record's stage is over, and the next one begins. */
static inline void stage_clock_lap(struct stage_clock *clock, enum stage stage) {
    if (clock->weight != 0)
        stage_clock_take(clock, stage);
}

#endif
