/* processors.h: how many processors this process may use. */
#ifndef BASE_SYSTEM_PROCESSORS_H
#define BASE_SYSTEM_PROCESSORS_H

/* The least of the CPU affinity and every CPU quota of our control groups (v2's cpu.max, v1's
 * cpu.cfs_quota_us), a part of a processor counting as one, as the JVM counts; at least 1. */
int processors_available(void);

/* The same from these places: `membership` is /proc/self/cgroup, `root` is /sys/fs/cgroup. */
int processors_limited(int affinity, const char *membership, const char *root);

#endif
