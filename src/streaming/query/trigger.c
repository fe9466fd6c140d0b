#include "streaming/query/trigger.h"

int64_t trigger_next_ms(const struct trigger *trigger, int64_t began_ms, int64_t now_ms) {
    if (trigger->interval_ms == 0)
        return now_ms;
    int64_t next = began_ms / trigger->interval_ms * trigger->interval_ms + trigger->interval_ms;
    return next < now_ms ? now_ms : next;
}
