/* Samples are a ring of references. A reader takes its own ones, so a sample lives until the last
 * page that shows it is done, and a worker never waits for a reader. */
#include "streaming/tasks/reject_samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void reject_sample_release(struct reject_sample *sample) {
    if (atomic_fetch_sub(&sample->references, 1) == 1)
        free(sample);
}

static void add_sample(struct reject_samples *samples, struct reject_sample *sample) {
    struct reject_sample **oldest = &samples->ring[samples->next];
    if (*oldest != NULL)
        reject_sample_release(*oldest);
    *oldest = sample;
    samples->next = (samples->next + 1) % REJECT_SAMPLES_MAX;
    if (samples->count < REJECT_SAMPLES_MAX)
        samples->count++;
}

void reject_samples_note(struct reject_samples *samples, const struct record *record,
                         const struct reject *reject, int64_t processed_ms) {
    size_t size = record->value != NULL ? record->value_size : 0;
    size_t kept = size < REJECT_SAMPLE_BYTES_MAX ? size : REJECT_SAMPLE_BYTES_MAX;
    struct reject_sample *sample = malloc(sizeof *sample + kept);
    check(sample != NULL);
    *sample = (struct reject_sample){.references = 1,
                                     .processed_ms = processed_ms,
                                     .partition = record->partition,
                                     .offset = record->offset,
                                     .timestamp_ms = record->timestamp_ms,
                                     .reject = *reject,
                                     .value_size = record->value != NULL ? size : SIZE_MAX,
                                     .kept = kept};
    if (kept > 0)
        memcpy(sample->value, record->value, kept);
    add_sample(samples, sample);
}

/* The i-th oldest. */
static struct reject_sample *sample_at(const struct reject_samples *samples, size_t i) {
    size_t first = samples->next + REJECT_SAMPLES_MAX - samples->count;
    return samples->ring[(first + i) % REJECT_SAMPLES_MAX];
}

void reject_samples_move(struct reject_samples *samples, struct reject_samples *newer) {
    for (size_t i = 0; i < newer->count; i++)
        add_sample(samples, sample_at(newer, i));
    *newer = (struct reject_samples){0};
}

size_t reject_samples_share(const struct reject_samples *samples,
                            struct reject_sample *out[static REJECT_SAMPLES_MAX]) {
    for (size_t i = 0; i < samples->count; i++) {
        out[i] = sample_at(samples, samples->count - 1 - i);
        atomic_fetch_add(&out[i]->references, 1);
    }
    return samples->count;
}

void reject_samples_set_batch(struct reject_samples *samples, int64_t batch_id) {
    for (size_t i = 0; i < samples->count; i++)
        sample_at(samples, i)->batch_id = batch_id;
}

size_t reject_samples_memory(const struct reject_samples *samples) {
    size_t bytes = 0;
    for (size_t i = 0; i < samples->count; i++)
        bytes += sizeof **samples->ring + sample_at(samples, i)->kept;
    return bytes;
}

void reject_samples_deinit(struct reject_samples *samples) {
    for (size_t i = 0; i < samples->count; i++)
        reject_sample_release(sample_at(samples, i));
    *samples = (struct reject_samples){0};
}
