/* faulty_reads.h: the real disk, except one file: it can't be read or locked, or it ends early, as
 * if it was truncated while it is read. Where all calls count, see streaming/faulty_disk.h.
 */
#ifndef FAULTY_READS_H
#define FAULTY_READS_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/disk/disk.h"

static struct {
    const char *part; // of the file's path
    int error_number; // 0: only what is behind `cut` can't be read
    off_t cut;
} faulty_reads;

static inline bool faulty_reads_is_meant(int fd) {
    char link[64], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    return strstr(path, faulty_reads.part) != NULL;
}

static inline ssize_t faulty_reads_read_at(int fd, void *bytes, size_t size, off_t at) {
    if (!faulty_reads_is_meant(fd))
        return disk_real.read_at(fd, bytes, size, at);
    if (faulty_reads.error_number != 0) {
        errno = faulty_reads.error_number;
        return -1;
    }
    off_t left = at < faulty_reads.cut ? faulty_reads.cut - at : 0;
    return disk_real.read_at(fd, bytes, (size_t)left < size ? (size_t)left : size, at);
}

static inline int faulty_reads_lock(int fd, bool shared) {
    if (!faulty_reads_is_meant(fd))
        return disk_real.lock(fd, shared);
    errno = faulty_reads.error_number;
    return -1;
}

/* Until disk is &disk_real again. */
static inline void faulty_reads_begin(const char *part, int error_number, off_t cut) {
    static struct disk_ops ops;
    faulty_reads.part = part;
    faulty_reads.error_number = error_number;
    faulty_reads.cut = cut;
    ops = disk_real;
    ops.read_at = faulty_reads_read_at;
    ops.lock = faulty_reads_lock;
    disk = &ops;
}

#endif
