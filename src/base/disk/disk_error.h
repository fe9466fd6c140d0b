/* disk_error.h: what an errno of the disk means for who met it; the only place that decides it.
 *
 * ERROR_LIMIT  the process or the machine has no descriptor or no memory left
 * ERROR_RETRY  all others. `lasting` in the error: no waiting alone cures it (no permission, a
 *              read-only file system, a name too long); while a query runs it is waited for all the
 *              same, because somebody may be repairing it, but a start refuses it. */
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
