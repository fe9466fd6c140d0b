/* reject_log.h: what people see of rejected records while a query runs: one log line for each,
 * but never a flood, and the newest as samples.
 *
 * Up to REJECT_LINES_MAX lines per window of REJECT_WINDOW_MS; what is kept back is counted, and
 * the count is logged when the window ends or the batch does. Null and blank values are INFO,
 * others ERROR. Any thread. */
#ifndef STREAMING_TASKS_REJECT_LOG_H
#define STREAMING_TASKS_REJECT_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/record.h"
#include "core/reject.h"

enum { REJECT_LINES_MAX = 20, REJECT_WINDOW_MS = 10000 };

struct reject_log {
    pthread_mutex_t lock; // guards everything below
    int64_t window_began_ms;
    int lines;    // written in this window
    int64_t kept; // records without a line of their own
};

void reject_log_init(struct reject_log *log);
void reject_log_deinit(struct reject_log *log);

void reject_log_write(struct reject_log *log, const char *logger, const char *topic,
                      const struct record *record, const struct reject *reject);

/* Logs what was kept back, if anything. */
void reject_log_flush(struct reject_log *log, const char *logger);

/* ---- samples ---- */

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

#endif
