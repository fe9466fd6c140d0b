/* scheduler.h: the program's threads as steps of one sequence, with a clock that only moves when
 * all of them wait.
 *
 * The simulator is linked with --wrap for pthread_create, join, mutexes and conditions, for
 * clock_gettime and what else waits or asks the time, and for uuid_generate; nothing in the program
 * knows. Threads are real, but only the one whose turn it is runs: a turn ends where the thread
 * waits, and at scheduler_yield(), which the model disk and broker call. Who is next is drawn from
 * the scheduler's random sequence. When all wait, the clock jumps to the earliest deadline; if
 * there is none, the life has hung, which is a finding.
 *
 * The wall clock may jump, both ways (scheduler_jump()); the monotonic one never goes back. */
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
long scheduler_steps(void); // turns so far in this life
/* Called when every thread waits without a deadline: prints where, and ends the life as a finding.
 */
void scheduler_on_hang(void (*hung)(void));

#endif
