#include "streaming/tasks/stage.h"

#include "base/check.h"

const char *stage_name(enum stage stage) {
    static const char *const names[STAGE_COUNT] = {
        [STAGE_PLAN] = "plan",     [STAGE_FETCH] = "fetch",   [STAGE_DECODE] = "decode",
        [STAGE_DERIVE] = "derive", [STAGE_ENCODE] = "encode", [STAGE_WRITE] = "write",
        [STAGE_COMMIT] = "commit",
    };
    check(stage < STAGE_COUNT);
    return names[stage];
}
