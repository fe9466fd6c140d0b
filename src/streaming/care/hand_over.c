#include "streaming/care/hand_over.h"

enum {
    SAY_AFTER_MS = 10 * 1000,
    STUCK_MAX_MS = 120 * 1000,
};

enum hand_over_verdict hand_over_judge(struct hand_over *wait, int64_t now_ms,
                                       enum query_state state) {
    if (state != QUERY_RETRYING)
        wait->stuck_ms = 0;
    else if (wait->stuck_ms == 0)
        wait->stuck_ms = now_ms;
    if (wait->stuck_ms != 0 && now_ms - wait->stuck_ms >= STUCK_MAX_MS)
        return HAND_OVER_GIVE_UP;
    if (wait->said || now_ms - wait->began_ms < SAY_AFTER_MS)
        return HAND_OVER_WAIT;
    wait->said = true;
    return HAND_OVER_SAY;
}
