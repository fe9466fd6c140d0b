/* stop.h: how the program is asked to end, and how a driver sleeps so that it hears it. */
#ifndef BASE_SYSTEM_STOP_H
#define BASE_SYSTEM_STOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum stop_level {
    STOP_NOT,
    STOP_AFTER_BATCH, // finish the running batch, start no other
    STOP_NOW,         // abandon the running batch
};

struct stop {
    pthread_mutex_t lock; // guards level
    pthread_cond_t changed;
    enum stop_level level;
    // How stop_sleep() does it; a simulator has its own.
    bool (*sleep)(struct stop *stop, int64_t ms);
};

void stop_init(struct stop *stop);
void stop_deinit(struct stop *stop);

/* Never goes back to a lower level. Any thread. */
void stop_request(struct stop *stop, enum stop_level level);

enum stop_level stop_read(struct stop *stop);

/* Sleeps `ms`, or until a stop is requested. True: one is. */
bool stop_sleep(struct stop *stop, int64_t ms);

#endif
