/* trigger_clock.h: how long the parts of a trigger have taken that the driver itself does. */
#ifndef STREAMING_REPORT_TRIGGER_CLOCK_H
#define STREAMING_REPORT_TRIGGER_CLOCK_H

#include <stdint.h>

#include "base/system/clock.h"

/* Of the trigger under way; all but began_ms monotonic. */
struct trigger_clock {
    int64_t began_us, began_ms; // began_ms: wall clock
    int64_t before_us;          // between the begin of the trigger before and this one's; 0: none
    int64_t listing_us, planning_us, logging_us; // the topic, the plan, offsets/N
    int64_t broker_lost_us, disk_lost_us;        // attempts that failed, with the wait behind them
    int64_t publish_us, forward_us;              // up to the commit point, and behind it
};

/* The next trigger begins. Starts as {0}. */
static inline void trigger_clock_begin(struct trigger_clock *clock) {
    int64_t now_us = clock_monotonic_us();
    *clock =
        (struct trigger_clock){.began_us = now_us,
                               .began_ms = clock_wall_ms(),
                               .before_us = clock->began_us != 0 ? now_us - clock->began_us : 0};
}

/* Adds the time since `since_us` to a part. */
static inline void trigger_clock_add(int64_t *part_us, int64_t since_us) {
    *part_us += clock_monotonic_us() - since_us;
}

#endif
