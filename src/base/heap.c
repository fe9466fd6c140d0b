#include "base/heap.h"

#include <malloc.h>

void heap_keep(void) {
#ifdef __GLIBC__
    // Either may be refused; then freed memory goes as it went.
    (void)mallopt(M_MMAP_THRESHOLD, HEAP_LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
#endif
}
