/* log.h: one event, one line on stdout (or elsewhere, and by a thread).
 *
 *     2025-12-31 10:30:45 | match_stream | INFO | message | key=value | key=value
 *
 * Callers write message and fields as one format: log_write(LOG_INFO, "match_stream",
 * "Batch %lld written successfully | batch_id=%lld", id, id). " | " in the format (not in a value)
 * separates message and fields; a field is `key=value`. With LOG_FORMAT=json the same event is one
 * JSON object with "timestamp" (UTC, with offset), "logger", "level", "message" and one member per
 * field (a field that has one of these names itself gets "field_" in front). Control characters in
 * values are escaped, so an event never breaks its line.
 *
 * Only the streaming floor, surfaces and main log. Any thread may call; lines never interleave. */
#ifndef BASE_LOG_LOG_H
#define BASE_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log/log_line.h"

/* At start, before the first thread. */
void log_configure(enum log_level least, bool json);

void log_write(enum log_level level, const char *logger, const char *format, ...) PRINTF_LIKE(3, 4);

/* ---- where the log's lines go, and what happens when they can't ----
 *
 * Commands write each line before they continue. A run must not: a reader that stops reading, a
 * terminal that was stopped (Ctrl-S) or a disk that hangs would stop the data and the signals with
 * it. After log_output_start() lines are put into a queue of a fixed size, and a thread of its own
 * writes them, one write() per line. When the queue is full the oldest lines are dropped; they are
 * counted, and once lines can be written again, one of them says how many there were and why. An
 * error (disk full, no reader any more) is retried every second.
 *
 * Any thread may call; none waits, but log_output_stop(). */

enum {
    LOG_QUEUE_MAX = 1 << 20, // bytes
    LOG_DISPLAY_MAX = 4096,
};

/* At start, before the first thread; STDOUT_FILENO unless said otherwise. */
void log_output_set(int fd);

/* ERROR_LIMIT: no thread can be started. */
MUST_CHECK bool log_output_start(struct error *err);

/* Waits until all lines are written: at most `wait_ms`, and no longer than a second for an output
 * that takes none. A slow one gets the newest lines at least. Then lines are written at once
 * again, or, if the output hangs, not at all. */
void log_output_stop(int64_t wait_ms);

/* On a terminal: whole lines that are shown below the log from now on, instead of earlier ones;
 * "" takes them away. */
void log_output_show(const char *lines);

/* How many lines were dropped so far. */
int64_t log_output_dropped(void);

#endif
