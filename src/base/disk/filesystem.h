/* filesystem.h: what the file system below a path is good for. */
#ifndef BASE_DISK_FILESYSTEM_H
#define BASE_DISK_FILESYSTEM_H

/* Why data at `path` (or at its nearest existing parent) may not last, one clause such as "is on a
 * tmpfs: …"; NULL: no known reason. A constant. */
const char *filesystem_warning(const char *path);

#endif
