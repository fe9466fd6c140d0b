#include "base/heap.h"

#include <malloc.h>

void heap_keep(int64_t budget) {
#ifdef __GLIBC__
    int64_t kept = budget / 64 < HEAP_KEPT ? budget / 64 : HEAP_KEPT;
    // Either may be refused; then freed memory goes as it went.
    (void)mallopt(M_MMAP_THRESHOLD, kept / 4 < HEAP_LARGE ? (int)(kept / 4) : HEAP_LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, (int)kept);
#else
    (void)budget;
#endif
}
