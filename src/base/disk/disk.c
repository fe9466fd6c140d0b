#include "base/disk/disk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

static int real_open(const char *path, int flags, mode_t mode) {
    return open(path, flags, mode);
}

static int real_rename_new(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

static int real_exchange(const char *a, const char *b) {
    return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static int real_stat(const char *path, struct stat *status) {
    return lstat(path, status);
}

static int real_list(const char *directory, bool (*visit)(void *context, const char *name),
                     void *context) {
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return -1;
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!visit(context, entry->d_name))
            break;
    }
    int error_number = entry == NULL ? errno : 0;
    closedir(stream);
    errno = error_number;
    return error_number == 0 ? 0 : -1;
}

static int real_lock(int fd, bool shared) {
    return flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
}

static int real_statx(const char *path, struct statx *status) {
    return statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_MNT_ID, status);
}

static int real_access(const char *path, int mode) {
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

const struct disk_ops disk_real = {
    .open = real_open,
    .read_at = pread,
    .write = write,
    .truncate = ftruncate,
    .fsync = fsync,
    .close = close,
    .rename_new = real_rename_new,
    .rename = rename,
    .exchange = real_exchange,
    .link = link,
    .unlink = unlink,
    .mkdir = mkdir,
    .rmdir = rmdir,
    .chmod = chmod,
    .chown = chown,
    .getxattr = getxattr,
    .setxattr = setxattr,
    .stat = real_stat,
    .fstat = fstat,
    .list = real_list,
    .lock = real_lock,
    .statx = real_statx,
    .statfs = statfs,
    .access = real_access,
};

const struct disk_ops *disk = &disk_real;

bool disk_write_all(int fd, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = disk->write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}
