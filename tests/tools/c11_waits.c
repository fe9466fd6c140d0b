/* c11_waits: LD_PRELOAD before libfaketime, which translates the deadlines of POSIX waits and not
 * those of C11's, with which librdkafka waits. Without it, a clock that is set back would end each
 * of its waits at once.
 *
 * A deadline that the caller took from the faked wall clock becomes one of the kernel's. */
#include <dlfcn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static int64_t to_ns(const struct timespec *time) {
    return time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the system's have __
int cnd_timedwait(cnd_t *condition, mtx_t *lock, const struct timespec *deadline) {
    static int (*real_wait)(cnd_t *, mtx_t *, const struct timespec *);
    struct timespec faked, real;
    if (!real_wait)
        *(void **)&real_wait = dlsym(RTLD_NEXT, "cnd_timedwait");
    (void)clock_gettime(CLOCK_REALTIME, &faked); // libfaketime's
    (void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
    int64_t at_ns = to_ns(deadline) - to_ns(&faked) + to_ns(&real);
    struct timespec at = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000};
    return real_wait(condition, lock, &at);
}
