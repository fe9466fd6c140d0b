#include "streaming/care/clock_check.h"

enum {
    HOUR_MS = 60 * 60 * 1000,
    DAY_MS = 24 * HOUR_MS,
};

/* A look may be late, and a suspended machine stops the monotonic clock alone: both count. */
static bool has_stepped(const struct clock_check *check, int64_t wall_ms, int64_t monotonic_ms) {
    int64_t step_ms = (wall_ms - check->wall_ms) - (monotonic_ms - check->monotonic_ms);
    return step_ms > HOUR_MS || step_ms < -HOUR_MS;
}

bool clock_check_look(struct clock_check *check, int64_t wall_ms, int64_t monotonic_ms,
                      int64_t record_ms) {
    bool stepped = check->looked && has_stepped(check, wall_ms, monotonic_ms);
    if (!check->looked || stepped) {
        check->runs_since_ms = monotonic_ms;
        check->believed = false;
    }
    check->looked = true;
    check->wall_ms = wall_ms;
    check->monotonic_ms = monotonic_ms;
    bool agrees = record_ms != 0 && record_ms >= wall_ms - DAY_MS && record_ms <= wall_ms + DAY_MS;
    check->believed = check->believed || agrees || monotonic_ms - check->runs_since_ms >= DAY_MS;
    check->stepped = (check->stepped || stepped) && !check->believed;
    return check->believed;
}
