/* reject_log.h: one log line per rejected record, but never a flood.
 *
 * Up to REJECT_LINES_MAX lines per window of REJECT_WINDOW_MS; what is kept back is counted, and
 * the count is logged when the window ends or the batch does. Null and blank values are INFO,
 * others ERROR. Any thread. */
#ifndef STREAMING_TASKS_REJECT_LOG_H
#define STREAMING_TASKS_REJECT_LOG_H

#include <pthread.h>
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

#endif
