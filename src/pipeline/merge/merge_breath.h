/* merge_breath.h: lets the caller stop work while it runs. */
#ifndef PIPELINE_MERGE_MERGE_BREATH_H
#define PIPELINE_MERGE_MERGE_BREATH_H

#include "base/error.h"
#include "base/system/clock.h"

struct merge_breath {
    bool (*ask)(void *context); // NULL: nobody is asked
    void *context;
    int64_t asked_ns; // when it was asked last
};

/* To be called often: asks about every millisecond. ERROR_STOPPED: it said no. */
MUST_CHECK static inline bool merge_breathe(struct merge_breath *breath, struct error *err) {
    enum { INTERVAL_NS = 1000000 };
    if (breath->ask == NULL || clock_stopwatch_ns() - breath->asked_ns < INTERVAL_NS)
        return true;
    bool goes_on = breath->ask(breath->context);
    breath->asked_ns = clock_stopwatch_ns();
    return goes_on || error_set(err, ERROR_STOPPED, "merging files was stopped");
}

#endif
