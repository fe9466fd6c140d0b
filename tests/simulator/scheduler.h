/* scheduler.h: the program's threads as steps of one sequence, with a clock that only moves when
 * all of them wait.
 *
 * The simulator is linked with --wrap for what starts threads, waits, asks the time or draws a
 * random name; nothing in the program knows. A thread of the program is a coroutine: a stack of its
 * own in the one thread of the simulator. A turn ends where the program waits, now and then where
 * it takes a mutex, and at scheduler_yield(), which the model disk and broker call. The next one is
 * drawn. When all wait, the clock moves to the earliest deadline; if there is none, the life hangs,
 * which is a finding.
 *
 * Reading the clock takes a microsecond of it, so that a loop that waits for a moment comes to its
 * end. The wall clock may jump, both ways (scheduler_jump()); the monotonic one never goes back. */
#ifndef SIMULATOR_SCHEDULER_H
#define SIMULATOR_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

void scheduler_begin(struct random random, int64_t wall_ms);
void scheduler_end(void);        // all threads but the caller's must have ended
void scheduler_yield(void);      // another thread may run
void scheduler_pass(int64_t ms); // the calling thread is busy or asleep for so long
void scheduler_jump(int64_t ms); // of the wall clock, either way
int64_t scheduler_wall_ms(void);
int64_t scheduler_monotonic_us(void);
long scheduler_steps(void);          // turns so far in this life
const char *scheduler_thread(void);  // the name of the one that runs
double scheduler_real_seconds(void); // of the machine's clock
/* Another process begins: getpid() tells another number. */
void scheduler_set_process(int number);
/* Called when every thread waits without a deadline, or when there is no end of turns: the life
 * ends as a finding. */
void scheduler_on_hang(void (*hung)(const char *where));

#endif
