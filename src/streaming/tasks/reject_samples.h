/* reject_samples.h: the newest rejected records of a query, with the beginning of their bytes, to
 * show while it runs. */
#ifndef STREAMING_TASKS_REJECT_SAMPLES_H
#define STREAMING_TASKS_REJECT_SAMPLES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"
#include "core/reject.h"

enum { REJECT_SAMPLES_MAX = 100, REJECT_SAMPLE_BYTES_MAX = 2048 };

/* A sample never changes and is shared by count of references. */
struct reject_sample {
    atomic_int references;
    int64_t batch_id;     // filled when it is committed
    int64_t processed_ms; // the batch's timestamp
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; // Kafka's, unchecked
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

#endif
