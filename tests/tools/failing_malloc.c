/* failing_malloc: LD_PRELOAD for our program, of which one allocation fails.
 *
 * FAIL_MALLOC_AT: the number of the call of malloc, calloc, realloc or memalign that has no memory,
 * from 1, whichever thread makes it and whichever library; 0: none. FAIL_MALLOC_COUNT: the file
 * that gets the number of calls when the process exits. */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* The C library's own, below what is replaced here. NOLINTBEGIN(bugprone-reserved-identifier) */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

static atomic_long calls;
static long fails_at;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("FAIL_MALLOC_AT");
    atomic_store(&calls, 0); // what the libraries have begun with is not the program's
    fails_at = at == NULL ? 0 : strtol(at, NULL, 10);
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAIL_MALLOC_COUNT");
    long count = atomic_load(&calls);
    FILE *file = path == NULL ? NULL : fopen(path, "we");
    if (file == NULL)
        return;
    (void)fprintf(file, "%ld\n", count);
    (void)fclose(file);
}

static bool fails(void) {
    if (atomic_fetch_add(&calls, 1) + 1 != fails_at || fails_at == 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size) {
    return fails() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size) {
    return fails() ? NULL : __libc_realloc(ptr, size);
}

void *memalign(size_t alignment, size_t size) {
    return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **memptr, size_t alignment, size_t size) {
    *memptr = memalign(alignment, size);
    return *memptr == NULL ? ENOMEM : 0;
}
