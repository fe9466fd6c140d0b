/* patience.h: how long to wait for something, and the outcome. */
#ifndef STREAMING_CLUSTER_CONNECT_PATIENCE_H
#define STREAMING_CLUSTER_CONNECT_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/system/stop.h"

struct patience {
    int64_t deadline_ms; // monotonic
    struct stop *stop;   // borrowed; only STOP_NOW ends a wait; NULL: none
};

enum call_outcome {
    CALL_DONE,
    CALL_LATE,    // the deadline has passed
    CALL_STOPPED, // somebody asked us to stop
    CALL_BROKEN,  // the connection, or there was none: another may do
    CALL_REFUSED, // a certificate is not accepted: another attempt would end the same way
    CALL_FOREIGN, // what answers there is not what we look for
    CALL_STATUS,  // a call was answered with an error
};

/* From now on, and no longer than `limit` if there is one. */
struct patience patience_for(int64_t ms, const struct patience *limit, struct stop *stop);

int64_t patience_left_ms(const struct patience *patience); // never negative

/* CALL_DONE while there is time and nobody has asked us to stop. */
enum call_outcome patience_state(const struct patience *patience);

/* Waits for poll()'s `events` on fd, at most until `until_ms`. CALL_DONE: they are there, or it
 * is `until_ms`. */
enum call_outcome patience_poll(const struct patience *patience, int fd, short events,
                                int64_t until_ms);

/* Sleeps; CALL_DONE: all of it. */
enum call_outcome patience_sleep(const struct patience *patience, int64_t ms);

/* The error of CALL_LATE or CALL_STOPPED, and `outcome` again. */
enum call_outcome patience_error(enum call_outcome outcome, const char *what, struct error *err);

#endif
