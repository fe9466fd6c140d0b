/* log.h: one event, one line on stdout (or elsewhere, and by a thread: log_output.h).
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

#include "base/error.h"
#include "base/log/log_line.h"

/* At start, before the first thread. */
void log_configure(enum log_level least, bool json);

void log_write(enum log_level level, const char *logger, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
