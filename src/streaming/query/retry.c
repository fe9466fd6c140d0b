#include "streaming/query/retry.h"

#include <inttypes.h>

#include "base/disk/disk_error.h"
#include "base/log/log.h"
#include "base/system/clock.h"

enum { BACKOFF_FIRST_MS = 200, BACKOFF_MAX_MS = 10000 };

int64_t retry_pause_ms(struct retry *retry, int64_t now_ms, int64_t limit_ms) {
    if (retry->began_ms == 0)
        *retry = (struct retry){.began_ms = now_ms, .backoff_ms = BACKOFF_FIRST_MS};
    if (now_ms - retry->began_ms >= limit_ms)
        return -1;
    int64_t pause_ms = retry->backoff_ms, next_ms = 2 * pause_ms;
    retry->backoff_ms = next_ms < BACKOFF_MAX_MS ? next_ms : BACKOFF_MAX_MS;
    return pause_ms;
}

bool retry_again(const struct retrier *retrier, struct retry *retry, struct error *err) {
    if (!disk_error_may_pass(err))
        return false;
    int64_t pause_ms = retry_pause_ms(retry, clock_monotonic_ms(), retrier->limit_ms);
    if (pause_ms < 0)
        return error_wrap(err, "gave up after WRITE_RETRY_TIMEOUT (%" PRId64 " s)",
                          retrier->limit_ms / 1000);

    log_write(LOG_ERROR, retrier->report->name, "%s; retrying | retry_in_ms=%" PRId64, err->message,
              pause_ms);
    query_status_fault(&retrier->report->status, QUERY_RETRYING, true,
                       "Waiting to retry after an error", err->message);
    query_status_rest(&retrier->report->status, pause_ms);
    if (stop_sleep(retrier->stop, pause_ms))
        return error_set(err, ERROR_STOPPED, "stopped while waiting to retry");
    return true;
}
