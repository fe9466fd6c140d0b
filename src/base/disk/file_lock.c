/* file_lock.c: the lock is flock(), exclusive for its holder.
 *
 * A process that only asks takes it shared, without waiting, and gives it back at once. That is
 * long enough to refuse a process that takes it at the same moment, so taking it tries a few times.
 * Nobody has to clean up after a crash: the kernel ends the lock with the last descriptor of the
 * open file. */
#include "base/disk/file_lock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/disk_error.h"
#include "base/scope.h"
#include "base/system/clock.h"

/* A lock that is held longer than this is really held, not only asked for. */
enum { ATTEMPTS = 4, PAUSE_NS = 20 * 1000 * 1000 };

static void read_holder(int fd, char holder[static FILE_LOCK_HOLDER_MAX]) {
    ssize_t size = disk->read_at(fd, holder, FILE_LOCK_HOLDER_MAX - 1, 0);
    holder[size > 0 ? size : 0] = '\0';
    for (char *at = holder; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = ' ';
}

static bool sign(int fd, const char *path, struct error *err) {
    char host[256] = "unknown", since[32] = "", text[FILE_LOCK_HOLDER_MAX];
    (void)gethostname(host, sizeof host - 1);
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
        (void)strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", &utc);
    int size = snprintf(text, sizeof text, "host=%s pid=%ld since=%s program=%s", host,
                        (long)getpid(), since, program_invocation_short_name);
    check(size > 0);
    size_t kept = (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;
    if (disk->truncate(fd, 0) != 0 || !disk_write_all(fd, text, kept))
        return disk_error(err, "write", path);
    return true;
}

/* 0, or -1 and errno. */
static int lock_patiently(int fd) {
    int locked = disk->lock(fd, false);
    for (int i = 1; locked != 0 && errno == EWOULDBLOCK && i < ATTEMPTS; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        locked = disk->lock(fd, false);
    }
    return locked;
}

bool file_lock_take(const char *path, int *fd, bool *taken,
                    char holder[static FILE_LOCK_HOLDER_MAX], struct error *err) {
    *taken = false;
    holder[0] = '\0';
    *fd = disk->open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*fd < 0)
        return disk_error(err, "open", path);
    bool ok = true;
    if (lock_patiently(*fd) == 0)
        ok = *taken = sign(*fd, path, err);
    else if (errno == EWOULDBLOCK)
        read_holder(*fd, holder);
    else
        ok = disk_error(err, "lock", path);
    if (!*taken)
        file_lock_release(fd);
    return ok;
}

bool file_lock_add_words(const char *path, const char *words, struct error *err) {
    scoped(disk_scope_close) int fd = disk->open(path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    bool ok = fd >= 0 && disk_write_all(fd, " ", 1) && disk_write_all(fd, words, strlen(words));
    return ok || disk_error(err, "write", path);
}

bool file_lock_look(const char *path, bool *held, char holder[static FILE_LOCK_HOLDER_MAX],
                    struct error *err) {
    *held = false;
    holder[0] = '\0';
    scoped(disk_scope_close) int fd = disk->open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno == ENOENT || disk_error(err, "open", path);
    *held = disk->lock(fd, true) != 0 && errno == EWOULDBLOCK;
    if (*held)
        read_holder(fd, holder);
    return true;
}

bool file_lock_holds(const char *path, int fd, bool *holds, struct error *err) {
    struct stat locked, found;
    *holds = false;
    if (disk->fstat(fd, &locked) != 0)
        return disk_error(err, "read the status of", path);
    if (disk->stat(path, &found) != 0)
        return errno == ENOENT || disk_error(err, "read the status of", path);
    *holds = locked.st_dev == found.st_dev && locked.st_ino == found.st_ino;
    return true;
}

void file_lock_release(int *fd) {
    if (*fd >= 0)
        (void)disk->close(*fd);
    *fd = -1;
}
