/* moved_clock: LD_PRELOAD for our program, whose clocks a test moves ahead while it runs.
 *
 * CLOCK_FILE says how far, and how far it was before: 64-bit numbers in the machine's byte order,
 * the number of pairs and then the pairs, each when by the machine's clock and how far ahead from
 * then on, in nanoseconds. The test only adds pairs, and goes farther ahead with each.
 *
 * The newest distance is added to what the program reads from its clocks, wall and monotonic alike,
 * and a wait that is over by the moved clock ends. The machine's clock stamps files; the program
 * sees the time that its own clock had then.
 *
 * Libraries keep the real time, above all librdkafka with its timeouts: a call counts as the
 * program's if it returns into the program's own code. Sleeps that are not waits for a condition
 * (nanosleep, sigtimedwait) last as long as usual. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_NS = 1000000000, SLICE_NS = 2000000 }; // how soon a wait notices that the clock moved

struct move {
    int64_t real_ns, ahead_ns;
};

static const struct {
    int64_t count;
    struct move moves[];
} * history;                           // NULL: not read yet
static uintptr_t code_begin, code_end; // of the program
static int (*real_clock_gettime)(clockid_t id, struct timespec *now);
static int (*real_fstat)(int fd, struct stat *status);
static int (*real_lstat)(const char *path, struct stat *status);

static int find_code(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size, (void)unused;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            code_begin = object->dlpi_addr + part->p_vaddr;
            code_end = code_begin + part->p_memsz;
        }
    }
    return 1; // the first object is the program
}

__attribute__((constructor)) static void begin(void) {
    *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    *(void **)&real_fstat = dlsym(RTLD_NEXT, "fstat");
    *(void **)&real_lstat = dlsym(RTLD_NEXT, "lstat");
    dl_iterate_phdr(find_code, NULL);
    const char *path = getenv("CLOCK_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat file;
    void *map = MAP_FAILED;
    if (fd >= 0 && real_fstat(fd, &file) == 0)
        map = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        (void)fputs("moved_clock: CLOCK_FILE cannot be read\n", stderr);
        abort();
    }
    (void)close(fd);
    history = map;
}

static bool is_program(const void *caller) {
    return history && (uintptr_t)caller >= code_begin && (uintptr_t)caller < code_end;
}

/* How far ahead the clock was at a time. */
static int64_t ahead_at(int64_t real_ns) {
    size_t low = 0, high = (size_t)__atomic_load_n(&history->count, __ATOMIC_ACQUIRE);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history->moves[middle].real_ns <= real_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? history->moves[low - 1].ahead_ns : 0;
}

static int64_t ahead_ns(void) {
    int64_t count = __atomic_load_n(&history->count, __ATOMIC_ACQUIRE);
    return count > 0 ? history->moves[count - 1].ahead_ns : 0;
}

static int64_t to_ns(const struct timespec *time) {
    return time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

static struct timespec from_ns(int64_t ns) {
    return (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

static int64_t real_ns(clockid_t id) {
    struct timespec now;
    (void)real_clock_gettime(id, &now);
    return to_ns(&now);
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the system's have __
int clock_gettime(clockid_t id, struct timespec *now) {
    if (!real_clock_gettime) // by another library's constructor
        return (int)syscall(SYS_clock_gettime, id, now);
    int result = real_clock_gettime(id, now);
    bool moves = id == CLOCK_REALTIME || id == CLOCK_MONOTONIC;
    if (result == 0 && moves && is_program(__builtin_return_address(0)))
        *now = from_ns(to_ns(now) + ahead_ns());
    return result;
}

/* All conditions of the program wait on the monotonic clock. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                           const struct timespec *deadline) {
    static int (*real_wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!is_program(__builtin_return_address(0))) {
        if (!real_wait)
            *(void **)&real_wait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
        if (!real_wait)
            *(void **)&real_wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
        return real_wait(condition, lock, deadline);
    }
    int64_t until_ns = to_ns(deadline) - ahead_ns();
    int64_t slice_ns = real_ns(CLOCK_MONOTONIC) + SLICE_NS;
    bool is_last = until_ns <= slice_ns;
    struct timespec at = from_ns(is_last ? (until_ns > 0 ? until_ns : 0) : slice_ns);
    int result = pthread_cond_clockwait(condition, lock, CLOCK_MONOTONIC, &at);
    return result == ETIMEDOUT && !is_last ? 0 : result; // awake for no reason, as is allowed
}

static int translate(int result, struct stat *status, const void *caller) {
    if (result == 0 && is_program(caller)) {
        int64_t stamped_ns = to_ns(&status->st_mtim);
        status->st_mtim = from_ns(stamped_ns + ahead_at(stamped_ns));
    }
    return result;
}

int fstat(int fd, struct stat *status) {
    return translate(real_fstat(fd, status), status, __builtin_return_address(0));
}

int lstat(const char *restrict path, struct stat *restrict status) {
    return translate(real_lstat(path, status), status, __builtin_return_address(0));
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
