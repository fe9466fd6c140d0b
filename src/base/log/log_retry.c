#include "base/log/log_retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/log/log.h"
#include "base/system/clock.h"

enum { MOMENT_MAX = 32, UNTIL_MAX = 96 };

/* As the log's own lines have it. */
static void print_moment(int64_t monotonic_ms, char text[static MOMENT_MAX]) {
    int64_t wall_ms = clock_wall_ms() + (monotonic_ms - clock_monotonic_ms());
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    if (strftime(text, MOMENT_MAX, "%Y-%m-%d %H:%M:%S", &local) == 0)
        text[0] = '\0';
}

static void print_until(const struct log_retry *retry, char text[static UNTIL_MAX]) {
    char moment[MOMENT_MAX];
    print_moment(retry->began_ms + retry->limit_ms, moment);
    if (retry->limit_ms > 0)
        (void)snprintf(text, UNTIL_MAX, "%s (%s)", moment, retry->limit);
    else
        (void)snprintf(text, UNTIL_MAX, "%s", retry->limit != NULL ? retry->limit : "no limit");
}

void log_retry(enum log_level level, const char *logger, const char *text,
               const struct log_retry *retry) {
    char since[MOMENT_MAX], until[UNTIL_MAX];
    print_moment(retry->began_ms, since);
    print_until(retry, until);
    log_write(level, logger, "%s | since=%s | attempt=%d | retry_in_ms=%" PRId64 " | until=%s",
              text, since, retry->attempts, retry->pause_ms, until);
}
