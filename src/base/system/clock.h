/* clock.h: the only place that asks what time it is; a simulator may replace it. */
#ifndef BASE_SYSTEM_CLOCK_H
#define BASE_SYSTEM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct clock_ops {
    int64_t (*wall_ms)(void);      // milliseconds since 1970-01-01T00:00:00Z
    int64_t (*monotonic_us)(void); // microseconds since some fixed moment; never goes back
};

extern const struct clock_ops *clock_source;

static inline int64_t clock_wall_ms(void) {
    return clock_source->wall_ms();
}

static inline int64_t clock_monotonic_us(void) {
    return clock_source->monotonic_us();
}

static inline int64_t clock_monotonic_ms(void) {
    return clock_source->monotonic_us() / 1000;
}

/* For measuring how long our own code takes: nanoseconds since some fixed moment, always the
 * system's. About 25 ns where the kernel lets the clock be read without a call. */
int64_t clock_stopwatch_ns(void);

/* How long the calling thread has had a processor, in nanoseconds; always the system's. */
int64_t clock_thread_cpu_ns(void);

/* Of two moments of one clock; within one tick neither is before the other. */
static inline bool clock_is_before(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* The moment `ms` milliseconds from now as pthread_cond_timedwait() needs it, for a condition on
 * CLOCK_MONOTONIC. Always the system's: threads wait in real time. */
struct timespec clock_deadline(int64_t ms);

#endif
