#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limit.h"

enum { READER_MS = 1000 }; // that a reader of stderr is given; one that hangs must not keep us here

void must_close_text(FILE *stream, char *const *text) {
    bool is_whole = ferror(stream) == 0;
    is_whole = fclose(stream) == 0 && is_whole && *text != NULL;
    if (!is_whole)
        errno = ENOMEM; // all that can go wrong with it
    check(is_whole);
}

_Noreturn void check_failed(const char *file, int line, const char *condition) {
    bool of_memory = errno == ENOMEM; // every allocator says so, and nothing else is checked then
    struct pollfd errors = {.fd = STDERR_FILENO, .events = POLLOUT};
    bool read = poll(&errors, 1, READER_MS) != 0;
    if (of_memory) {
        char where[256];
        (void)snprintf(where, sizeof where, "%s:%d", file, line);
        limit_end_of_memory(read ? where : NULL);
    }
    if (read)
        (void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
    abort();
}
