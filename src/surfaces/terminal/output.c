#include "surfaces/terminal/output.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
        return error_set(err, ERROR_STOPPED, "the reader closed the output");
    return error_set(err, ERROR_RETRY, "cannot write the output: %s",
                     reason != 0 ? strerror(reason) : "the disk may be full");
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

/* Whether the variable has a value, and another one than that. */
static bool is_set(const char *name, const char *except) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' && strcmp(value, except) != 0;
}

bool output_has_colour(FILE *out) {
    if (is_set("NO_COLOR", ""))
        return false;
    if (is_set("FORCE_COLOR", "0") || is_set("CLICOLOR_FORCE", "0"))
        return true;
    return fileno(out) >= 0 && isatty(fileno(out)) == 1 && is_set("TERM", "dumb");
}

int output_columns(FILE *out) {
    enum { COLUMNS_MOST = 10000 };
    struct winsize size;
    const char *given = getenv("COLUMNS");
    if (fileno(out) < 0 || isatty(fileno(out)) != 1)
        return 0;
    char *end = NULL;
    long columns = given != NULL ? strtol(given, &end, 10) : 0;
    if (columns > 0 && columns <= COLUMNS_MOST && *end == '\0')
        return (int)columns;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* ---- running text ---- */

static int columns_of(const char *text, size_t size) {
    int columns = 0;
    for (size_t i = 0; i < size; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

int text_columns(const char *text) {
    return columns_of(text, strlen(text));
}

void wrapped_print(FILE *out, int indent, int columns, const char *text) {
    int column = indent;
    while (columns > 0 && *(text += strspn(text, " ")) != '\0') {
        size_t size = strcspn(text, " ");
        int width = columns_of(text, size);
        if (column > indent && column + 1 + width > columns) {
            (void)fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(out, "%s", column > indent ? " " : "") + width;
        (void)fwrite(text, 1, size, out);
        text += size;
    }
    (void)fprintf(out, "%s\n", text);
}

static void print_word(FILE *out, const char *word, size_t size) {
    for (size_t i = 0; i < size; i++)
        (void)fputc(word[i] == '`' ? '\'' : word[i], out);
}

void paragraph_print(FILE *out, int indent, const char *text) {
    int column = 0;
    while (*(text += strspn(text, " ")) != '\0') {
        size_t size = strcspn(text, " ");
        int width = columns_of(text, size);
        if (column > 0 && column + 1 + width > PARAGRAPH_WIDTH) {
            (void)fputc('\n', out);
            column = 0;
        }
        column += column == 0 ? fprintf(out, "%*s", indent, "") : fprintf(out, " ");
        print_word(out, text, size);
        column += width;
        text += size;
    }
    (void)fputc('\n', out);
}

void markdown_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        (void)fprintf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}
