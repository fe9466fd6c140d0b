/* memory.h: what the system counts as ours. */
#ifndef BASE_SYSTEM_MEMORY_H
#define BASE_SYSTEM_MEMORY_H

#include <stdint.h>

/* The process's memory that is in RAM, in bytes; 0: /proc does not say. */
int64_t memory_resident(void);

#endif
