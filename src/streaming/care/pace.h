/* pace.h: how work of low priority leaves room to the rest: a share of one core, and an end on
 * request. For one thread. */
#ifndef STREAMING_CARE_PACE_H
#define STREAMING_CARE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int percent;                    // of one core; 100 and more: no pauses
    bool (*goes_on)(void *context); // false: end; asked about every millisecond; NULL: always
    void *context;
    int64_t used_ns; // of the thread's processor time, at the newest pause
};

/* By the thread that works. */
void pace_begin(struct pace *pace);

/* Pauses if it is time to. False: the work must end. As merge_options.breathe; `pace` is a struct
 * pace. */
bool pace_breathe(void *pace);

/* The pause after so much work, in nanoseconds. */
int64_t pace_pause_ns(int64_t worked_ns, int percent);

#endif
