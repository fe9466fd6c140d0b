/* limit.h: the limits that the machine sets to this process: those of its control groups, and those
 * that an errno stands for, named in errors when one is reached. */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The control groups that this process belongs to. `membership` is /proc/self/cgroup, `root` is
 * /sys/fs/cgroup; tests give others. */

#define CONTROL_GROUP_MEMBERSHIP "/proc/self/cgroup"
#define CONTROL_GROUP_ROOT "/sys/fs/cgroup"

/* Calls visit() for the directory of our group under the controller ("cpu", "memory") and for those
 * of its parents up to the root, of version 2 and of version 1. A group we can't see (we are in a
 * container, and the path is the host's) is visited all the same: its files are not there. */
void control_group_each(const char *membership, const char *root, const char *controller,
                        void (*visit)(void *context, const char *directory, bool version_2),
                        void *context);

/* The first line of a control group's file. False: there is no such file. */
bool control_group_read(const char *directory, const char *name, char *line, int size);

/* The least memory limit of our groups in bytes; INT64_MAX: there is none. */
int64_t control_group_memory(const char *membership, const char *root);

/* The exit status of a process that ran out of memory; surfaces/terminal/exit_code.h documents it.
 */
enum { LIMIT_EXIT_STATUS = 12, LIMIT_TEXT_MAX = 512 };

/* Which limit an errno may stand for and how high it is, for people: of a call that makes a thread
 * or a process for EAGAIN, of any call for EMFILE, ENFILE, ENOMEM and EFBIG; "" for others. */
void limit_describe(int error_number, char text[static LIMIT_TEXT_MAX]);

/* Whether an errno of any call stands for such a limit: no descriptor or no memory left. */
bool limit_is_behind(int error_number);

/* ERROR_LIMIT: "<what>: <errno>: <the limit, and what to do>". */
bool limit_error(struct error *err, const char *what, int error_number);

/* The end of a process that has no memory left: a line on stderr that names the limits, and
 * LIMIT_EXIT_STATUS. `where`: the place in the program; NULL: nobody reads stderr. */
_Noreturn void limit_end_of_memory(const char *where);

#endif
