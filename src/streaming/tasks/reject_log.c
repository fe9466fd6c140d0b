/* reject_log.c: a window of time has a fixed number of lines. It is begun by the first reject after
 * the former one has ended, not by a clock, so the count of what was kept back is logged then or at
 * the end of the batch.
 *
 * Samples are a ring of references. A reader takes its own ones, so a sample lives until the last
 * page that shows it is done, and a worker never waits for a reader. */
#include "streaming/tasks/reject_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/clock.h"

void reject_log_init(struct reject_log *log) {
    *log = (struct reject_log){.window_began_ms = clock_monotonic_ms()};
    check(pthread_mutex_init(&log->lock, NULL) == 0);
}

void reject_log_deinit(struct reject_log *log) {
    check(pthread_mutex_destroy(&log->lock) == 0);
}

static void write_kept(struct reject_log *log, const char *logger) {
    if (log->kept > 0)
        log_write(LOG_WARNING, logger,
                  "More records rejected than lines written | rejects_without_line=%" PRId64
                  " | lines_per_10_s=%d | see=the rejects table",
                  log->kept, REJECT_LINES_MAX);
    log->kept = 0;
}

static enum log_level level_of(enum reject_reason reason) {
    bool empty = reason == REJECT_NULL_VALUE || reason == REJECT_BLANK_VALUE;
    return empty ? LOG_INFO : LOG_ERROR;
}

void reject_log_write(struct reject_log *log, const char *logger, const char *topic,
                      const struct record *record, const struct reject *reject) {
    pthread_mutex_lock(&log->lock);
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - log->window_began_ms >= REJECT_WINDOW_MS) {
        write_kept(log, logger);
        log->window_began_ms = now_ms;
        log->lines = 0;
    }
    if (log->lines < REJECT_LINES_MAX) {
        log->lines++;
        log_write(level_of(reject->reason), logger,
                  "Record rejected | topic=%s | partition=%" PRId32 " | offset=%" PRId64
                  " | reason=%s | detail=%s | position=%zu",
                  topic, record->partition, record->offset, reject_reason_name(reject->reason),
                  reject->detail, reject->position);
    } else {
        log->kept++;
    }
    pthread_mutex_unlock(&log->lock);
}

void reject_log_flush(struct reject_log *log, const char *logger) {
    pthread_mutex_lock(&log->lock);
    write_kept(log, logger);
    pthread_mutex_unlock(&log->lock);
}

/* ---- samples ---- */

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
