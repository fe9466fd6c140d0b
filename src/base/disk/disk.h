/* disk.h: every system call on the lake; a simulator or a fault injector may replace them.
 *
 * Each function is the system call of its name: the same arguments, -1 with errno on failure, and
 * nothing retried or hidden, so that one call is one point at which a test can fail or end the
 * process. Paths are absolute.
 *
 * Only base/disk/ includes this header. All others use what is built on it: file.h, open_file.h,
 * file_lock.h, filesystem.h. For a lake that is not a POSIX directory, rewrite these four. */
#ifndef BASE_DISK_DISK_H
#define BASE_DISK_DISK_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

struct disk_ops {
    int (*open)(const char *path, int flags, mode_t mode);          // directories too: O_DIRECTORY
    ssize_t (*read_at)(int fd, void *bytes, size_t size, off_t at); // pread()
    ssize_t (*write)(int fd, const void *bytes, size_t size);
    int (*truncate)(int fd, off_t size);
    int (*fsync)(int fd); // a file's bytes, or a directory's names
    int (*close)(int fd);
    /* Never replaces: EEXIST when `to` is taken; EINVAL when the file system cannot promise that.
     */
    int (*rename_new)(const char *from, const char *to);
    int (*rename)(const char *from, const char *to); // replaces a file
    /* Each name becomes the other's, in one step; EINVAL, ENOSYS or EOPNOTSUPP when the file system
     * can't, EXDEV when there are two of them. */
    int (*exchange)(const char *a, const char *b);
    int (*link)(const char *from, const char *to); // a second name, never replacing
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*rmdir)(const char *path);
    int (*chmod)(const char *path, mode_t mode);
    int (*chown)(const char *path, uid_t owner, gid_t group);
    ssize_t (*getxattr)(const char *path, const char *name, void *value, size_t size);
    int (*setxattr)(const char *path, const char *name, const void *value, size_t size, int flags);
    int (*stat)(const char *path, struct stat *status); // does not follow a symbolic link
    int (*fstat)(int fd, struct stat *status);
    /* Calls visit() for each name but "." and "..", in no order; a false from it ends the walk. The
     * visitor may unlink what it is shown. */
    int (*list)(const char *directory, bool (*visit)(void *context, const char *name),
                void *context);
    /* Takes a lock on an open file, or fails with EWOULDBLOCK. It ends with the open file, so with
     * the process too. */
    int (*lock)(int fd, bool shared);
    /* Of what a link points to, these three. statx: the mask is that of filesystem.c. */
    int (*statx)(const char *path, struct statx *status);
    int (*statfs)(const char *path, struct statfs *status);
    int (*access)(const char *path, int mode); // by the effective user and group
};

extern const struct disk_ops *disk; // the real one, unless a test put its own here
extern const struct disk_ops disk_real;

/* Writes all of it, over short writes and interruptions. False: errno says why. */
bool disk_write_all(int fd, const void *bytes, size_t size);

/* For scoped(): a descriptor whose close says nothing worth knowing. */
static inline void disk_scope_close(const int *fd) {
    if (*fd >= 0)
        (void)disk->close(*fd);
}

#endif
