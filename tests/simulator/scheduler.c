/* scheduler.c: threads as coroutines (ucontext.h), and the functions that the linker puts in the
 * place of the system's.
 *
 * Only one coroutine runs, so a mutex is a word that says who has it, and a condition is an address
 * that threads wait on. Each thread has one thing that it waits for at most, and a deadline.
 * choose() draws among those that can run. What must stay true: every choice comes from the
 * scheduler's own random sequence and from nothing else, so that a seed gives one life.
 *
 * errno belongs to a thread, so it is kept with each. Stacks are kept from life to life. */
#include "scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
enum { STACK_SIZE = 4 << 20 };
#else
enum { STACK_SIZE = 512 << 10 };
#endif

enum {
    THREADS_MAX = 32,
    MUTEX_SWITCH = 60,    // of thousand mutexes taken, so many let another thread run first
    STEPS_MAX = 20000000, // of a life; more is a loop without an end
    LONGEST_NAME = 16,
    NOBODY = -1,
};

enum state { FREE, READY, WAITING, ENDED };

struct thread {
    enum state state;
    const void
        *waits_for; // of WAITING: a mutex, a condition or a thread; NULL: for its deadline only
    int64_t deadline_us; // INT64_MAX: none
    bool timed_out;
    int errno_kept;
    char name[LONGEST_NAME];
    void *(*main)(void *argument);
    void *argument, *result;
    int64_t cpu_ns; // what it believes to have used
    void *stack;    // kept
    ucontext_t context;
#if defined(__SANITIZE_ADDRESS__)
    void *fake_stack;
    const void *bottom;
    size_t size;
#endif
};

static struct {
    bool runs;
    struct random random;
    struct thread threads[THREADS_MAX];
    int current, highest, process;
    int64_t now_us, wall_offset_us;
    long steps;
    void (*hung)(const char *where);
} self;

/* ---- switching ---- */

#if defined(__SANITIZE_ADDRESS__)
static void before_switch(struct thread *from, const struct thread *to) {
    __sanitizer_start_switch_fiber(from->state == ENDED ? NULL : &from->fake_stack, to->bottom,
                                   to->size);
}

static void after_switch(struct thread *me, struct thread *from) {
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(me->fake_stack, &bottom, &size);
    if (from != NULL && from == &self.threads[0]) {
        from->bottom = bottom;
        from->size = size;
    }
}
#else
static void before_switch(struct thread *from, const struct thread *to) {
    (void)from, (void)to;
}
static void after_switch(struct thread *me, struct thread *from) {
    (void)me, (void)from;
}
#endif

static struct thread *came_from;

static void say_hung(const char *what) {
    char text[1024];
    size_t used = (size_t)snprintf(text, sizeof text, "%s:", what);
    for (int i = 0; i <= self.highest && used < sizeof text; i++)
        if (self.threads[i].state == READY || self.threads[i].state == WAITING)
            used +=
                (size_t)snprintf(text + used, sizeof text - used, " %s(%s)", self.threads[i].name,
                                 self.threads[i].state == READY ? "ready" : "waits");
    if (self.hung != NULL)
        self.hung(text);
    (void)fprintf(stderr, "%s\n", text);
    abort();
}

/* Those whose deadline has come. The earliest deadline of the others. */
static int64_t wake_due(void) {
    int64_t earliest_us = INT64_MAX;
    for (int i = 0; i <= self.highest; i++) {
        struct thread *thread = &self.threads[i];
        if (thread->state != WAITING)
            continue;
        if (thread->deadline_us <= self.now_us) {
            thread->state = READY;
            thread->timed_out = true;
        } else if (thread->deadline_us < earliest_us) {
            earliest_us = thread->deadline_us;
        }
    }
    return earliest_us;
}

static int draw_ready(void) {
    int ready[THREADS_MAX], count = 0;
    for (int i = 0; i <= self.highest; i++)
        if (self.threads[i].state == READY)
            ready[count++] = i;
    if (count <= 1)
        return count == 1 ? ready[0] : NOBODY;
    return ready[random_below(&self.random, (uint64_t)count)];
}

static int choose(void) {
    for (;;) {
        int64_t earliest_us = wake_due();
        int next = draw_ready();
        if (next != NOBODY)
            return next;
        if (earliest_us == INT64_MAX)
            say_hung("all threads wait, and none has a deadline");
        self.now_us = earliest_us;
    }
}

static void switch_to(int next) {
    struct thread *from = &self.threads[self.current], *to = &self.threads[next];
    if (++self.steps > STEPS_MAX)
        say_hung("there is no end of turns");
    if (from == to)
        return;
    from->errno_kept = errno;
    self.current = next;
    came_from = from;
    before_switch(from, to);
    check(swapcontext(&from->context, &to->context) == 0);
    after_switch(&self.threads[self.current], came_from);
    errno = self.threads[self.current].errno_kept;
}

/* The running thread waits; false: its deadline came first. */
static bool wait_for(const void *what, int64_t deadline_us) {
    struct thread *me = &self.threads[self.current];
    me->state = WAITING;
    me->waits_for = what;
    me->deadline_us = deadline_us;
    me->timed_out = false;
    switch_to(choose());
    me->waits_for = NULL;
    return !me->timed_out;
}

/* One of those who wait for `what`, drawn; with `all` each of them. */
static void wake(const void *what, bool all) {
    int waiting[THREADS_MAX], count = 0;
    for (int i = 0; i <= self.highest; i++)
        if (self.threads[i].state == WAITING && self.threads[i].waits_for == what)
            waiting[count++] = i;
    if (count > 1 && !all) {
        waiting[0] = waiting[random_below(&self.random, (uint64_t)count)];
        count = 1;
    }
    for (int i = 0; i < count; i++)
        self.threads[waiting[i]].state = READY;
}

void scheduler_yield(void) {
    if (self.runs)
        switch_to(choose());
}

void scheduler_pass(int64_t ms) {
    if (self.runs)
        (void)wait_for(NULL, self.now_us + ms * 1000);
}

/* ---- threads ---- */

static void thread_main(void) {
    struct thread *me = &self.threads[self.current];
    after_switch(me, came_from);
    errno = 0;
    me->result = me->main(me->argument);
    me->state = ENDED;
    wake(me, true);
    switch_to(choose());
    abort(); // an ended thread is never chosen
}

static void *new_stack(void) {
    void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    check(stack != MAP_FAILED && mprotect(stack, 4096, PROT_NONE) == 0);
    return stack;
}

/* Apart, because getcontext() may return twice. */
__attribute__((noinline)) static void make_context(struct thread *thread) {
    check(getcontext(&thread->context) == 0);
    thread->context.uc_stack.ss_sp = (char *)thread->stack + 4096;
    thread->context.uc_stack.ss_size = STACK_SIZE - 4096;
    thread->context.uc_link = NULL;
    makecontext(&thread->context, thread_main, 0);
}

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes,
                          void *(*start)(void *argument), void *argument);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes,
                          void *(*start)(void *argument), void *argument) {
    (void)attributes;
    int at = 1;
    while (at < THREADS_MAX && self.threads[at].state != FREE)
        at++;
    check(self.runs && at < THREADS_MAX);
    struct thread *thread = &self.threads[at];
    void *stack = thread->stack != NULL ? thread->stack : new_stack();
    *thread = (struct thread){.state = READY,
                              .main = start,
                              .argument = argument,
                              .stack = stack,
                              .deadline_us = INT64_MAX};
    (void)snprintf(thread->name, sizeof thread->name, "thread %d", at);
#if defined(__SANITIZE_ADDRESS__)
    thread->bottom = (char *)stack + 4096;
    thread->size = STACK_SIZE - 4096;
    __asan_unpoison_memory_region(thread->bottom, thread->size);
#endif
    make_context(thread);
    if (at > self.highest)
        self.highest = at;
    *id = (pthread_t)at;
    return 0;
}

int __wrap_pthread_join(pthread_t id, void **result);
int __wrap_pthread_join(pthread_t id, void **result) {
    struct thread *thread = &self.threads[id];
    check(id > 0 && id < THREADS_MAX && thread->state != FREE);
    while (thread->state != ENDED)
        (void)wait_for(thread, INT64_MAX);
    thread->state = FREE;
    if (result != NULL)
        *result = thread->result;
    return 0;
}

int __wrap_pthread_setname_np(pthread_t id, const char *name);
int __wrap_pthread_setname_np(pthread_t id, const char *name) {
    (void)id;
    (void)snprintf(self.threads[self.current].name, LONGEST_NAME, "%s", name);
    return 0;
}

void __wrap_thread_lower_priority(void);
void __wrap_thread_lower_priority(void) {
}

/* ---- mutexes and conditions ---- */

/* In the place of a pthread_mutex_t; all zeros: it is free. */
struct mutex {
    int holder; // thread + 1
};
_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "a mutex of ours is in its place");

int __wrap_pthread_mutex_init(pthread_mutex_t *at, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_init(pthread_mutex_t *at, const pthread_mutexattr_t *attributes) {
    (void)attributes;
    memset(at, 0, sizeof *at);
    return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *at);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *at) {
    return ((struct mutex *)at)->holder == 0 ? 0 : EBUSY;
}

static void take(struct mutex *mutex) {
    check(mutex->holder != self.current + 1);
    while (mutex->holder != 0)
        (void)wait_for(mutex, INT64_MAX);
    mutex->holder = self.current + 1;
}

static void give(struct mutex *mutex) {
    check(mutex->holder == self.current + 1);
    mutex->holder = 0;
    wake(mutex, true);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *at);
int __wrap_pthread_mutex_lock(pthread_mutex_t *at) {
    if (self.runs && self.highest > 0 && random_chance(&self.random, MUTEX_SWITCH))
        scheduler_yield();
    take((struct mutex *)at);
    return 0;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *at);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *at) {
    struct mutex *mutex = (struct mutex *)at;
    if (mutex->holder != 0)
        return EBUSY;
    mutex->holder = self.current + 1;
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *at);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *at) {
    give((struct mutex *)at);
    return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes) {
    (void)condition, (void)attributes;
    return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *condition);
int __wrap_pthread_cond_destroy(pthread_cond_t *condition) {
    for (int i = 0; i <= self.highest; i++)
        check(self.threads[i].state != WAITING || self.threads[i].waits_for != condition);
    return 0;
}

static int wait_on(pthread_cond_t *condition, pthread_mutex_t *at, int64_t deadline_us) {
    give((struct mutex *)at);
    bool woken = wait_for(condition, deadline_us);
    take((struct mutex *)at);
    return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *at);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *at) {
    return wait_on(condition, at, INT64_MAX);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *at,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *at,
                                  const struct timespec *until) {
    bool far = until->tv_sec > INT64_MAX / 2000000;
    return wait_on(condition, at,
                   far ? INT64_MAX : until->tv_sec * 1000000 + (until->tv_nsec + 999) / 1000);
}

int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_signal(pthread_cond_t *condition) {
    wake(condition, false);
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition) {
    wake(condition, true);
    return 0;
}

/* ---- time, names, numbers ---- */

int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now) {
    struct thread *me = &self.threads[self.current];
    int64_t us = ++self.now_us;
    me->cpu_ns += 1000;
    if (id == CLOCK_REALTIME)
        us += self.wall_offset_us;
    else if (id == CLOCK_THREAD_CPUTIME_ID)
        us = me->cpu_ns / 1000;
    *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
    return 0;
}

int __real_clock_gettime(clockid_t id, struct timespec *now);

double scheduler_real_seconds(void) {
    struct timespec now;
    (void)__real_clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left) {
    (void)left;
    (void)wait_for(NULL, self.now_us + time->tv_sec * 1000000 + time->tv_nsec / 1000);
    return 0;
}

pid_t __wrap_getpid(void);
pid_t __wrap_getpid(void) {
    return 1000 + self.process;
}

int __wrap_gethostname(char *name, size_t size);
int __wrap_gethostname(char *name, size_t size) {
    (void)snprintf(name, size, "simulator");
    return 0;
}

void __wrap_uuid_generate_random(uuid_t bytes);
void __wrap_uuid_generate_random(uuid_t bytes) {
    uint64_t drawn[2] = {random_next(&self.random), random_next(&self.random)};
    memcpy(bytes, drawn, sizeof drawn);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
}

void scheduler_jump(int64_t ms) {
    self.wall_offset_us += ms * 1000;
}

int64_t scheduler_wall_ms(void) {
    return (self.now_us + self.wall_offset_us) / 1000;
}

int64_t scheduler_monotonic_us(void) {
    return self.now_us;
}

long scheduler_steps(void) {
    return self.steps;
}

const char *scheduler_thread(void) {
    return self.threads[self.current].name;
}

void scheduler_set_process(int number) {
    self.process = number;
}

void scheduler_on_hang(void (*hung)(const char *where)) {
    self.hung = hung;
}

/* ---- a life ---- */

void scheduler_begin(struct random random, int64_t wall_ms) {
    check(!self.runs);
    self.runs = true;
    self.random = random;
    self.current = self.highest = self.process = 0;
    self.steps = 0;
    self.now_us = 1000000;
    self.wall_offset_us = wall_ms * 1000 - self.now_us;
    struct thread *life = &self.threads[0];
    *life = (struct thread){.state = READY, .deadline_us = INT64_MAX};
    (void)snprintf(life->name, sizeof life->name, "main");
}

void scheduler_end(void) {
    check(self.runs && self.current == 0);
    for (int i = 1; i <= self.highest; i++)
        check(self.threads[i].state == FREE);
    self.runs = false;
}
