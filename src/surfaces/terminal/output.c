#include "surfaces/terminal/output.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether somebody reads it as it comes. */
static bool has_reader(FILE *out) {
    struct stat status;
    int fd = fileno(out);
    return fd >= 0 && fstat(fd, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool output_flush(FILE *out, struct error *err) {
    errno = 0;
    if (fflush(out) == 0 && ferror(out) == 0)
        return true;
    // Once an earlier write has failed, its reason is not known any more.
    int reason = errno;
    if (reason == EPIPE || (reason == 0 && has_reader(out)))
        return error_set(err, ERROR_STOPPED, "nobody reads the output any more");
    return error_set(err, ERROR_RETRY, "the output can't be written: %s",
                     reason != 0 ? strerror(reason) : "is the disk full?");
}

void output_print_json(FILE *out, struct json *object) {
    char *text = json_print(object);
    (void)fprintf(out, "%s\n", text);
    free(text);
    json_free(object);
}

bool output_is_read(FILE *out) {
    struct pollfd end = {.fd = fileno(out)}; // POLLERR comes unasked for
    return end.fd < 0 || poll(&end, 1, 0) <= 0 || (end.revents & POLLERR) == 0;
}

bool output_has_colour(FILE *out) {
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return fileno(out) >= 0 && isatty(fileno(out)) == 1 && (refused == NULL || *refused == '\0') &&
           terminal != NULL && strcmp(terminal, "dumb") != 0;
}
