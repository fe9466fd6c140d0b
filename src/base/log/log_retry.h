/* log_retry.h: the one form of a line that says that something failed and is retried:
 *
 *     <text> | since=2026-11-29 03:12:07 | attempt=4 | retry_in_ms=1600 | until=2026-11-29 03:17:07
 *     (WRITE_RETRY_TIMEOUT)
 *
 * Times are local, as at the begin of a line. Any thread. */
#ifndef BASE_LOG_LOG_RETRY_H
#define BASE_LOG_LOG_RETRY_H

#include <stdint.h>

#include "base/log/log_line.h"

/* What is known of the attempts so far. */
struct log_retry {
    int64_t began_ms;  // monotonic; the first failure
    int attempts;      // that failed
    int64_t pause_ms;  // before the next one
    int64_t limit_ms;  // so long after the first failure it is given up; 0: never
    const char *limit; // what sets the limit: "WRITE_RETRY_TIMEOUT"; NULL: nothing does
};

/* `text` has the reason: "'/lake' can't be written: No space left on device; trying again". */
void log_retry(enum log_level level, const char *logger, const char *text,
               const struct log_retry *retry);

#endif
