/* process.h: what this process takes of the machine, as the system counts it. */
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

#endif
