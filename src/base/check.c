#include "base/check.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { READER_MS = 1000 }; // that a reader of stderr is given; one that hangs must not keep us here

void check_failed(const char *file, int line, const char *condition) {
    struct pollfd errors = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&errors, 1, READER_MS) != 0)
        (void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
    abort();
}
