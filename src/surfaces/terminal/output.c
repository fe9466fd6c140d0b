/* output.c: a terminal's stream is one of stdio's custom streams, so that no caller can forget to
 * escape what records, files and other programs bring. A character may be split between two of
 * its writes; its first part waits for the rest. */
#include "surfaces/terminal/output.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/utf8.h"

struct shown_stream {
    FILE *stream;
    int fd;
    char kept[UTF8_CHARACTER_MAX]; // the first bytes of a character
    size_t kept_size;
};

static struct shown_stream shown_streams[2]; // stdout, stderr

static int fd_of(FILE *out) {
    for (size_t i = 0; i < sizeof shown_streams / sizeof shown_streams[0]; i++)
        if (out != NULL && shown_streams[i].stream == out)
            return shown_streams[i].fd;
    return fileno(out);
}

/* The size of one of our own colours, "ESC[31m" or "ESC[0m"; 0: something else. */
static size_t colour_size(const char *at, const char *end) {
    size_t size = 2;
    if (end - at < 4 || at[0] != '\x1b' || at[1] != '[')
        return 0;
    if (at[2] == '3' && at[3] >= '0' && at[3] <= '9')
        size = 4;
    else if (at[2] == '0')
        size = 3;
    return at + size < end && at[size] == 'm' ? size + 1 : 0;
}

/* Whether the bytes up to the end may be a character whose rest has not come yet. */
static bool is_part(const char *at, const char *end) {
    unsigned char first = (unsigned char)*at;
    int size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
    return end - at < size && first < 0xf5;
}

static bool write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static ssize_t write_shown(void *context, const char *bytes, size_t size) {
    struct shown_stream *stream = context;
    size_t all = stream->kept_size + size, used = 0, length;
    char *text = must_alloc(all + 1, 1), *shown = must_alloc(all + 1, ESCAPE_MAX);
    memcpy(text, stream->kept, stream->kept_size);
    memcpy(text + stream->kept_size, bytes, size);
    stream->kept_size = 0;
    for (const char *at = text, *end = text + all; at < end;) {
        size_t plain = *at == '\n' || *at == '\t' ? 1 : colour_size(at, end);
        if (plain == 0 && is_part(at, end)) {
            stream->kept_size = (size_t)(end - at);
            memcpy(stream->kept, at, stream->kept_size);
            break;
        }
        if (plain > 0) {
            memcpy(shown + used, at, plain);
            at += plain;
            used += plain;
        } else {
            at += escape_next(at, end, shown + used, &length);
            used += length;
        }
    }
    bool written = write_all(stream->fd, shown, used);
    free(shown);
    free(text);
    return written ? (ssize_t)size : 0;
}

FILE *output_open(FILE *out) {
    int fd = fileno(out);
    struct shown_stream *stream = &shown_streams[out == stderr];
    if (stream->stream != NULL)
        return stream->stream;
    if (fd < 0 || isatty(fd) != 1)
        return out;
    *stream = (struct shown_stream){.fd = fd};
    stream->stream = fopencookie(stream, "w", (cookie_io_functions_t){.write = write_shown});
    check(stream->stream != NULL);
    (void)setvbuf(stream->stream, NULL, _IOLBF, 0);
    return stream->stream;
}

/* Whether somebody reads it as it comes. */
static bool has_reader(FILE *out) {
    struct stat status;
    int fd = fd_of(out);
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
    struct pollfd end = {.fd = fd_of(out)}; // POLLERR comes unasked for
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
    return fd_of(out) >= 0 && isatty(fd_of(out)) == 1 && is_set("TERM", "dumb");
}

int output_columns(FILE *out) {
    enum { COLUMNS_MOST = 10000 };
    struct winsize size;
    const char *given = getenv("COLUMNS");
    if (fd_of(out) < 0 || isatty(fd_of(out)) != 1)
        return 0;
    char *end = NULL;
    long columns = given != NULL ? strtol(given, &end, 10) : 0;
    if (columns > 0 && columns <= COLUMNS_MOST && *end == '\0')
        return (int)columns;
    return ioctl(fd_of(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
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
