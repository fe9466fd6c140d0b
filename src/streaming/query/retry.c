#include "streaming/query/retry.h"

#include <inttypes.h>

#include "base/disk/disk_error.h"
#include "base/log/log.h"
#include "base/system/clock.h"

enum { BACKOFF_FIRST_MS = 200, BACKOFF_MAX_MS = 10000 };

bool retry_again(const struct retrier *retrier, struct retry *retry, struct error *err) {
    if (!disk_error_may_pass(err))
        return false;
    int64_t now_ms = clock_monotonic_ms();
    if (retry->began_ms == 0)
        *retry = (struct retry){.began_ms = now_ms, .backoff_ms = BACKOFF_FIRST_MS};
    int64_t limit_ms = retrier->limit_ms;
    if (now_ms - retry->began_ms >= limit_ms)
        return error_wrap(err, "gave up after WRITE_RETRY_TIMEOUT (%" PRId64 " s)",
                          limit_ms / 1000);

    log_write(LOG_ERROR, retrier->report->name, "%s; trying again | retry_in_ms=%" PRId64,
              err->message, retry->backoff_ms);
    query_status_fault(&retrier->report->status, QUERY_RETRYING, true,
                       "Waiting to write again after an error", err->message);
    query_status_rest(&retrier->report->status, retry->backoff_ms);
    if (stop_sleep(retrier->stop, retry->backoff_ms))
        return error_set(err, ERROR_STOPPED, "stopped while waiting to write again");
    retry->backoff_ms *= 2;
    if (retry->backoff_ms > BACKOFF_MAX_MS)
        retry->backoff_ms = BACKOFF_MAX_MS;
    return true;
}
