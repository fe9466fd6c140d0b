/* file_lock.h: a lock that one process holds, by a file that says who it is.
 *
 * The lock is the open file's and ends with the process, however that ends; what the file says is
 * for people to read, and nothing is decided by it. The file stays: removing it would let a third
 * process lock a new one while a second one holds the old. */
#ifndef BASE_DISK_FILE_LOCK_H
#define BASE_DISK_FILE_LOCK_H

#include <stdbool.h>

#include "base/error.h"

enum { FILE_LOCK_HOLDER_MAX = 512 }; // bytes of what is read of a holder, with the terminator

/* Takes the lock and has its file say "host=a pid=12 since=2025-12-31T10:30:45Z program=…". *fd:
 * what file_lock_release() needs. *taken false: another process holds it, and `holder` is what its
 * file says. */
MUST_CHECK bool file_lock_take(const char *path, int *fd, bool *taken,
                               char holder[static FILE_LOCK_HOLDER_MAX], struct error *err);

/* Adds words to what the file says. For the holder alone. */
MUST_CHECK bool file_lock_add_words(const char *path, const char *words, struct error *err);

/* Whether a process holds it; not there: none does. `holder`: what the file says, "" if not held.
 */
MUST_CHECK bool file_lock_look(const char *path, bool *held,
                               char holder[static FILE_LOCK_HOLDER_MAX], struct error *err);

/* Whether the file at the path still is the one that is locked. Not, if it or a directory above it
 * was removed or replaced, or if its file system was unmounted: then the lock keeps nobody out. */
MUST_CHECK bool file_lock_holds(const char *path, int fd, bool *holds, struct error *err);

void file_lock_release(int *fd); // -1: not held; and -1 afterwards

#endif
