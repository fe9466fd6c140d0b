#include "base/system/clock.h"

static int64_t read_clock_ns(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t read_clock_us(clockid_t id) {
    return read_clock_ns(id) / 1000;
}

static int64_t system_wall_ms(void) {
    return read_clock_us(CLOCK_REALTIME) / 1000;
}

static int64_t system_monotonic_us(void) {
    return read_clock_us(CLOCK_MONOTONIC);
}

static const struct clock_ops system_clock = {system_wall_ms, system_monotonic_us};

const struct clock_ops *clock_source = &system_clock;

int64_t clock_stopwatch_ns(void) {
    return read_clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_ns(void) {
    return read_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

struct timespec clock_deadline(int64_t ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t nanoseconds = at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += ms / 1000 + nanoseconds / 1000000000;
    at.tv_nsec = nanoseconds % 1000000000;
    return at;
}
