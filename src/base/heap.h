/* heap.h: how the allocator treats memory that is freed.
 *
 * Batches allocate and free the same sizes over and over. glibc gives freed memory back to the
 * system early, and taking it again costs a page fault per 4 KiB: while writing 100,000 rows there
 * were 3,300 of them, a tenth of the time; with heap_keep() there are 70. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdint.h>

/* Keeps some freed memory for the next batch, per thread a 64th of `budget` (bytes) and HEAP_KEPT
 * at most. Before the first thread. */
void heap_keep(int64_t budget);

enum {
    HEAP_KEPT = 16 << 20,
    HEAP_LARGE = 1 << 20, // bytes of an allocation that is the system's, and given back at once
};

#endif
