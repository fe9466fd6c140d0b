/* trigger.h: when the next micro-batch starts. */
#ifndef STREAMING_QUERY_TRIGGER_H
#define STREAMING_QUERY_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

struct trigger {
    bool available_now;  // run to the offsets that were the end at start, then finish
    int64_t interval_ms; // 0: as soon as there is something new
};

/* When the batch after one that began at `began_ms` and is over at `now_ms` starts, as Spark's
 * ProcessingTimeExecutor has it: at the next multiple of the interval, or at once after an overrun.
 * Milliseconds since 1970. */
int64_t trigger_next_ms(const struct trigger *trigger, int64_t began_ms, int64_t now_ms);

#endif
