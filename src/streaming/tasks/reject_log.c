#include "streaming/tasks/reject_log.h"

#include <inttypes.h>

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
