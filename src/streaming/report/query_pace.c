#include "streaming/report/query_pace.h"

enum { PACE_GRACE_MS = 10000 };

static bool is_moving(const struct query_snapshot *shown, const struct batch_report *newest,
                      int64_t trigger_ms, int64_t now_ms) {
    if (newest == NULL || !shown->lag.is_known ||
        (shown->state != QUERY_RUNNING && shown->state != QUERY_WAITING))
        return false;
    int64_t due_ms = 2 * (trigger_ms + newest->total_us / 1000) + PACE_GRACE_MS;
    return now_ms - newest->committed_ms <= due_ms;
}

struct query_pace query_pace_of(const struct query_snapshot *shown,
                                const struct batch_report *newest, int64_t trigger_ms,
                                int64_t now_ms) {
    struct query_pace pace = {.is_moving = is_moving(shown, newest, trigger_ms, now_ms),
                              .catch_up_ms = -1};
    if (pace.is_moving) {
        pace.input_rate = batch_report_input_rate(newest);
        pace.process_rate = batch_report_process_rate(newest);
    }
    if (shown->lag.is_known && shown->lag.records == 0)
        pace.catch_up_ms = 0;
    else if (pace.process_rate > 0)
        pace.catch_up_ms = (int64_t)((double)shown->lag.records * 1000 / pace.process_rate);
    return pace;
}
