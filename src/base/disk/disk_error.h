/* disk_error.h: what an errno of the disk means for the caller; the only place that decides it.
 *
 * ERROR_LIMIT  the process or the machine has no descriptor or no memory left
 * ERROR_RETRY  all others. `lasting` in the error: waiting alone does not help (no permission, a
 *              read-only file system, a name too long). A running query still retries, because
 *              someone may be fixing it, but a start refuses it. */
#ifndef BASE_DISK_DISK_ERROR_H
#define BASE_DISK_DISK_ERROR_H

#include "base/error.h"

/* "<what> '<path>': <errno>: <what to do>". Reads errno, and leaves it; returns false. */
bool disk_error(struct error *err, const char *what, const char *path);

/* The same of two names: "rename '<from>' to '<to>': <errno>". */
bool disk_error_rename(struct error *err, const char *from, const char *to);

/* ERROR_RETRY and ERROR_LIMIT: to try again may help. */
bool disk_error_may_pass(const struct error *err);

#endif
