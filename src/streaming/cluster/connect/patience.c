#include "streaming/cluster/connect/patience.h"

#include <poll.h>
#include <time.h>

#include "base/system/clock.h"

enum { SLICE_MS = 100 }; // so much later at most a request to stop is heard

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

struct patience patience_for(int64_t ms, const struct patience *limit, struct stop *stop) {
    int64_t deadline_ms = clock_monotonic_ms() + ms;
    if (limit != NULL)
        deadline_ms = smaller(deadline_ms, limit->deadline_ms);
    return (struct patience){.deadline_ms = deadline_ms, .stop = stop};
}

int64_t patience_left_ms(const struct patience *patience) {
    int64_t left_ms = patience->deadline_ms - clock_monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

enum call_outcome patience_state(const struct patience *patience) {
    if (patience->stop != NULL && stop_read(patience->stop) == STOP_NOW)
        return CALL_STOPPED;
    return patience_left_ms(patience) > 0 ? CALL_DONE : CALL_LATE;
}

enum call_outcome patience_poll(const struct patience *patience, int fd, short events,
                                int64_t until_ms) {
    for (;;) {
        enum call_outcome state = patience_state(patience);
        if (state != CALL_DONE)
            return state;
        int64_t left_ms = smaller(until_ms - clock_monotonic_ms(), patience_left_ms(patience));
        int wait_ms = (int)smaller(left_ms > 0 ? left_ms : 0, SLICE_MS);
        struct pollfd polled = {.fd = fd, .events = events};
        // Interrupted by a signal is as good as a slice that is over.
        if (poll(&polled, 1, wait_ms) > 0 || clock_monotonic_ms() >= until_ms)
            return CALL_DONE;
    }
}

enum call_outcome patience_sleep(const struct patience *patience, int64_t ms) {
    return patience_poll(patience, -1, 0, clock_monotonic_ms() + ms);
}

enum call_outcome patience_error(enum call_outcome outcome, const char *what, struct error *err) {
    if (outcome == CALL_STOPPED)
        (void)error_set(err, ERROR_STOPPED, "%s: stopped", what);
    else
        (void)error_set(err, ERROR_CLUSTER, "%s: timed out", what);
    return outcome;
}
