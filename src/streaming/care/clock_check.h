/* clock_check.h: whether the machine's clock is believed when dates expire by it alone
 * (RETENTION). A clock that is a year ahead would otherwise take every date away at once.
 *
 * It is believed if another clock agrees: a record that was read since the start has a timestamp of
 * the last day. Or, where none has, if it has run for a day without a step. A step of more than an
 * hour starts that again: the time that the wall clock and the monotonic clock have passed is not
 * the same. Pure: no clock. */
#ifndef STREAMING_CARE_CLOCK_CHECK_H
#define STREAMING_CARE_CLOCK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as {0}, which believes nothing. */
struct clock_check {
    bool looked, believed;
    bool stepped;                  // the wall clock, since it was believed last
    int64_t wall_ms, monotonic_ms; // when it was checked last
    int64_t runs_since_ms;         // monotonic
};

/* Compares both clocks. `record_ms`: the newest timestamp of a record since the start that is not
 * from the future; 0: none is known. */
bool clock_check_look(struct clock_check *check, int64_t wall_ms, int64_t monotonic_ms,
                      int64_t record_ms);

#endif
