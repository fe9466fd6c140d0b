#include "base/check.h"

#include <errno.h>
#include <stdio.h>

#include "base/limit.h"

_Noreturn void check_failed(const char *file, int line, const char *condition) {
    if (errno == ENOMEM) { // every allocator says so, and nothing else is checked after it
        char where[256];
        (void)snprintf(where, sizeof where, "%s:%d", file, line);
        limit_end_of_memory(where);
    }
    (void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
    abort();
}
