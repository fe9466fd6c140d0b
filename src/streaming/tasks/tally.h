/* tally.h: what was seen while a task ran, or all tasks of a batch. */
#ifndef STREAMING_TASKS_TALLY_H
#define STREAMING_TASKS_TALLY_H

#include <stdatomic.h>

#include "core/decoder.h"
#include "core/record.h"
#include "core/reject.h"
#include "streaming/tasks/stage_clock.h"

enum { REJECT_SAMPLES_MAX = 100, REJECT_SAMPLE_BYTES_MAX = 2048 };

/* One of the newest rejected records, with the beginning of its bytes, for people who look at a
 * running query. A sample never changes and is shared by count of references. */
struct reject_sample {
    atomic_int references;
    int64_t batch_id;     // filled when it is committed
    int64_t processed_ms; // the batch's timestamp
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; // Kafka's, whatever it is
    struct reject reject;
    size_t value_size; // of the record; SIZE_MAX: a null value
    size_t kept;       // bytes of it in `value`
    char value[];
};

/* At most REJECT_SAMPLES_MAX, ascending by age of arrival; starts as {0}. Not thread-safe. */
struct reject_samples {
    size_t count;
    size_t next; // where the next one goes; once full, the oldest is there
    struct reject_sample *ring[REJECT_SAMPLES_MAX];
};

void reject_samples_note(struct reject_samples *samples, const struct record *record,
                         const struct reject *reject, int64_t processed_ms);

/* Moves all of `newer` to the end of `samples`; `newer` is empty afterwards. */
void reject_samples_move(struct reject_samples *samples, struct reject_samples *newer);

/* Fills `out` with references, newest first; the number. Each is given back by release. */
size_t reject_samples_share(const struct reject_samples *samples,
                            struct reject_sample *out[static REJECT_SAMPLES_MAX]);

/* All of them are of this batch. Before they are shared. */
void reject_samples_set_batch(struct reject_samples *samples, int64_t batch_id);

size_t reject_samples_memory(const struct reject_samples *samples);
void reject_samples_deinit(struct reject_samples *samples);

/* Any thread. */
void reject_sample_release(struct reject_sample *sample);

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
