#include "streaming/care/pace.h"

#include <stddef.h>
#include <time.h>

#include "base/system/clock.h"

enum { SLICE_NS = 5 * 1000 * 1000, PAUSE_MAX_NS = 500 * 1000 * 1000 };

void pace_begin(struct pace *pace) {
    pace->used_ns = clock_thread_cpu_ns();
}

int64_t pace_pause_ns(int64_t worked_ns, int percent) {
    if (percent >= 100)
        return 0;
    int64_t pause_ns = percent <= 0 ? PAUSE_MAX_NS : worked_ns * (100 - percent) / percent;
    return pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
}

bool pace_breathe(void *pace_at) {
    struct pace *pace = pace_at;
    if (pace->goes_on != NULL && !pace->goes_on(pace->context))
        return false;
    int64_t used_ns = clock_thread_cpu_ns(), worked_ns = used_ns - pace->used_ns;
    if (worked_ns < SLICE_NS)
        return true;
    pace->used_ns = used_ns;
    int64_t pause_ns = pace_pause_ns(worked_ns, pace->percent);
    if (pause_ns > 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
    return pace->goes_on == NULL || pace->goes_on(pace->context);
}
