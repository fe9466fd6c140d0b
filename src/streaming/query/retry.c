#include "streaming/query/retry.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/disk/disk_error.h"
#include "base/system/clock.h"

enum { BACKOFF_FIRST_MS = 200, BACKOFF_MAX_MS = 10000 };

int64_t retry_pause_ms(struct retry *retry, int64_t now_ms, int64_t limit_ms) {
    retry_note(retry, now_ms);
    if (now_ms - retry->began_ms >= limit_ms)
        return -1;
    int64_t pause_ms = retry->backoff_ms == 0 ? BACKOFF_FIRST_MS : retry->backoff_ms;
    retry->backoff_ms = 2 * pause_ms < BACKOFF_MAX_MS ? 2 * pause_ms : BACKOFF_MAX_MS;
    return pause_ms;
}

void retry_say(struct query_report *report, const struct retry *retry, struct log_retry times,
               const struct retry_words *words) {
    int64_t to_wall_ms = clock_wall_ms() - clock_monotonic_ms();
    times.began_ms = retry->began_ms;
    times.attempts = retry->attempts;
    struct query_retry shown = {.since_ms = times.began_ms + to_wall_ms,
                                .attempts = times.attempts,
                                .next_ms = clock_wall_ms() + times.pause_ms};
    if (times.limit_ms > 0) {
        shown.until_ms = shown.since_ms + times.limit_ms;
        shown.limit = times.limit;
    }
    if (words->text != NULL)
        log_retry(words->level, report->name, words->text, &times);
    query_status_retry(&report->status, words->is_data_available, words->message, words->reason,
                       &shown);
}

bool retry_again(const struct retrier *retrier, struct retry *retry, struct error *err) {
    if (!disk_error_may_pass(err))
        return false;
    int64_t pause_ms = retry_pause_ms(retry, clock_monotonic_ms(), retrier->limit_ms);
    if (pause_ms < 0)
        return error_wrap(err, "gave up after WRITE_RETRY_TIMEOUT (%" PRId64 " s)",
                          retrier->limit_ms / 1000);
    char text[sizeof err->message + 32];
    (void)snprintf(text, sizeof text, "%s; retrying", err->message);
    const struct log_retry times = {
        .pause_ms = pause_ms, .limit_ms = retrier->limit_ms, .limit = "WRITE_RETRY_TIMEOUT"};
    const struct retry_words words = {.message = "Waiting to retry after an error",
                                      .text = text,
                                      .reason = err->message,
                                      .level = LOG_ERROR,
                                      .is_data_available = true};
    retry_say(retrier->report, retry, times, &words);
    query_status_rest(&retrier->report->status, pause_ms);
    if (stop_sleep(retrier->stop, pause_ms))
        return error_set(err, ERROR_STOPPED, "stopped while waiting to retry");
    return true;
}

bool retrier_pause(const struct retrier *retrier, int64_t pause_ms, const char *why,
                   struct error *err) {
    if (retrier->meanwhile != NULL && !retrier->meanwhile(retrier->meanwhile_context, err))
        return false;
    return !stop_sleep(retrier->stop, pause_ms) ||
           error_set(err, ERROR_STOPPED, "stopped while %s", why);
}
