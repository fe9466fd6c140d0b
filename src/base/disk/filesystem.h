/* filesystem.h: the file system below a path: whether data there lasts, how much room it has, and
 * whether a file can be renamed from one directory to another. Links are followed.
 *
 * False: errno says why. */
#ifndef BASE_DISK_FILESYSTEM_H
#define BASE_DISK_FILESYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/* Why data at `path` (or at its nearest existing parent) may not last, one clause such as "is on a
 * tmpfs: …"; NULL: no known reason. A constant. */
const char *filesystem_warning(const char *path);

struct filesystem_room {
    int64_t size, free;        // bytes; free: for users other than root
    int64_t files, files_free; // inodes; 0: there is no limit
};

bool filesystem_room(const char *path, struct filesystem_room *room);

struct filesystem_place {
    bool is_directory;
    bool mount_known; // since Linux 5.8
    uint64_t device, mount;
};

bool filesystem_place(const char *path, struct filesystem_place *place);

/* Whether a rename from one to the other can work: within one file system, and one mount of it. */
bool filesystem_is_one_place(const struct filesystem_place *a, const struct filesystem_place *b);

/* The path without links, as far as it exists; owned by the caller. */
char *filesystem_real_path(const char *path);

/* Whether we may list a directory, and make files in it. */
bool filesystem_is_writable(const char *directory);

#endif
