/* control_group.h: the control groups that this process belongs to, and the limits they set.
 *
 * `membership` is /proc/self/cgroup, `root` is /sys/fs/cgroup; tests give others. */
#ifndef BASE_CONTROL_GROUP_H
#define BASE_CONTROL_GROUP_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
