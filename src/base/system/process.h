/* process.h: what this process takes of the machine, as the system counts it; how many processors
 * it may use; and how its allocator treats memory that is freed. */
#ifndef BASE_SYSTEM_PROCESS_H
#define BASE_SYSTEM_PROCESS_H

#include <stdint.h>

struct process_usage {
    double cpu_seconds; // of all threads, in the program and in the kernel for it
    int64_t resident;   // bytes of memory; 0: the system does not say
    int64_t open_files; // descriptors; -1: the system does not say
    int64_t open_files_max;
    int64_t threads; // 0: the system does not say
};

struct process_usage process_usage_read(void);

/* The process's memory that is in RAM, in bytes; 0: /proc does not say. */
int64_t process_resident(void);

/* The least of the CPU affinity and every CPU quota of our control groups (v2's cpu.max, v1's
 * cpu.cfs_quota_us), a part of a processor counting as one, as the JVM counts; at least 1. */
int processors_available(void);

/* The same from these places: `membership` is /proc/self/cgroup, `root` is /sys/fs/cgroup. */
int processors_limited(int affinity, const char *membership, const char *root);

/* Batches allocate and free the same sizes over and over. glibc gives freed memory back to the
 * system early, and taking it again costs a page fault per 4 KiB: while writing 100,000 rows there
 * were 3,300 of them, a tenth of the time; with heap_keep() there are 70.
 *
 * Keeps some freed memory for the next batch, per thread a 64th of `budget` (bytes) and HEAP_KEPT
 * at most. Before the first thread. */
void heap_keep(int64_t budget);

enum {
    HEAP_KEPT = 16 << 20,
    HEAP_LARGE = 1 << 20, // bytes of an allocation that is the system's, and given back at once
};

#endif
