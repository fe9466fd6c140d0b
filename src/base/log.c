#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/utf8.h"

enum {
    TEXT_MAX = 8192,           // bytes of one event; the rest is cut
    SEGMENTS_MAX = 32,         // message and fields
    LINE_MAX_BYTES = 8 * 8192, // escaped: at most six bytes for one, and the frame around them
};

static const char separator[] = " | ";

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_DEBUG] = "DEBUG", [LOG_INFO] = "INFO",         [LOG_WARNING] = "WARNING",
    [LOG_ERROR] = "ERROR", [LOG_CRITICAL] = "CRITICAL",
};

static enum log_level least_level = LOG_INFO; // set before the first thread
static bool as_json;
static int output = STDOUT_FILENO;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // guards everything below
static void (*display_clear)(void);
static void (*display_redraw)(void);
static char line[LINE_MAX_BYTES];
static size_t line_size;

/* Message (index 0) or field of an event: where it stands in the format and in the text. */
struct segment {
    const char *format;
    size_t format_size;
    const char *text;
    size_t size;
};

struct event {
    char text[TEXT_MAX];
    char format[TEXT_MAX];
    struct segment segments[SEGMENTS_MAX];
    size_t count;
};

static void put_bytes(const char *bytes, size_t size) {
    size_t room = sizeof line - 1 - line_size; // the last byte is for the line's end
    size_t fitting = size < room ? size : room;
    memcpy(line + line_size, bytes, fitting);
    line_size += fitting;
}

static void put(const char *text) {
    put_bytes(text, strlen(text));
}

/* What would break the line or drive the terminal becomes visible instead. */
static void put_escaped(const char *text, size_t size) {
    char shown[ESCAPE_MAX];
    size_t shown_size;
    for (const char *end = text + size; text < end;) {
        text += escape_next(text, end, shown, &shown_size);
        put_bytes(shown, shown_size);
    }
}

static void put_json_string(const char *text, size_t size) {
    const char *end = text + size;
    size_t length;
    bool valid;
    put("\"");
    for (; text < end; text += length) {
        uint32_t character = utf8_decode(text, end, &length, &valid);
        char escape[8];
        if (!valid) {
            put("\xef\xbf\xbd"); // U+FFFD
        } else if (character == '"' || character == '\\') {
            put(character == '"' ? "\\\"" : "\\\\");
        } else if (escape_is_control(character)) {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)character);
            put(escape);
        } else {
            put_bytes(text, length);
        }
    }
    put("\"");
}

/* Whether the field's value is one plain number in the format, so that a JSON reader sees the same
 * type in every event: a topic that happens to be called "12" stays a string. */
static bool is_number(const struct segment *segment, const char *value, size_t value_size) {
    const char *end = segment->format + segment->format_size;
    const char *at = memchr(segment->format, '=', segment->format_size);
    if (at == NULL || end - at < 3 || at[1] != '%' || strchr("diufF", end[-1]) == NULL)
        return false;
    for (const char *flag = at + 2; flag < end - 1; flag++)
        if (strchr(".0123456789lhzjt", *flag) == NULL)
            return false;
    return value_size > 0 && value[value_size - 1] >= '0' && value[value_size - 1] <= '9'; // no nan
}

/* A field's name; one that the frame has already gets a prefix, so that no member is there twice.
 */
static void put_json_key(const char *key, size_t size) {
    static const char *const frame[] = {"timestamp", "logger", "level", "message"};
    char name[TEXT_MAX];
    bool taken = false;
    for (size_t i = 0; i < sizeof frame / sizeof frame[0]; i++)
        taken = taken || (strlen(frame[i]) == size && memcmp(frame[i], key, size) == 0);
    int length = snprintf(name, sizeof name, "%s%.*s", taken ? "field_" : "", (int)size, key);
    put_json_string(name, length < TEXT_MAX ? (size_t)length : TEXT_MAX - 1);
}

static void put_json(int64_t wall_ms, enum log_level level, const char *logger,
                     const struct event *event) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char time[64];
    gmtime_r(&seconds, &utc);
    size_t used = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time + used, sizeof time - used, ".%03d+00:00", (int)(wall_ms % 1000));

    put("{\"timestamp\": ");
    put_json_string(time, strlen(time));
    put(", \"logger\": ");
    put_json_string(logger, strlen(logger));
    put(", \"level\": ");
    put_json_string(level_names[level], strlen(level_names[level]));
    put(", \"message\": ");
    put_json_string(event->segments[0].text, event->segments[0].size);
    for (size_t i = 1; i < event->count; i++) {
        const struct segment *segment = &event->segments[i];
        const char *equals = memchr(segment->text, '=', segment->size);
        if (equals == NULL)
            continue; // cut away
        size_t key_size = (size_t)(equals - segment->text);
        const char *value = equals + 1;
        size_t value_size = segment->size - key_size - 1;
        put(", ");
        put_json_key(segment->text, key_size);
        put(": ");
        if (is_number(segment, value, value_size))
            put_bytes(value, value_size);
        else
            put_json_string(value, value_size);
    }
    put("}");
}

static void put_text(int64_t wall_ms, enum log_level level, const char *logger,
                     const struct event *event) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    char time[64];
    localtime_r(&seconds, &local);
    strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", &local);

    put(time);
    put(separator);
    put_escaped(logger, strlen(logger));
    put(separator);
    put(level_names[level]);
    for (size_t i = 0; i < event->count; i++) {
        put(separator);
        put_escaped(event->segments[i].text, event->segments[i].size);
    }
}

/* The next separator that a field's `key=` follows; others belong to the message. */
static char *next_field(char *from) {
    for (char *at = strstr(from, separator); at != NULL; at = strstr(at + 1, separator)) {
        size_t key = strcspn(at + 3, "= |%");
        if (key > 0 && at[3 + key] == '=')
            return at;
    }
    return NULL;
}

/* Finds message and fields by the separators of the format, not of the text: a value that holds one
 * stays a value. What the format's beginning alone gives is as long as what it gave in the text, so
 * formatting it again tells where the next field begins. */
static void event_split(struct event *event, va_list args) {
    size_t text_size = strlen(event->text);
    char *from = event->format;
    size_t begin = 0;

    for (;;) {
        char *next = event->count + 1 < SEGMENTS_MAX ? next_field(from) : NULL;
        size_t end = text_size;
        if (next != NULL) {
            va_list again;
            va_copy(again, args);
            *next = '\0';
            int size = vsnprintf(NULL, 0, event->format, again);
            *next = separator[0];
            va_end(again);
            if (size >= 0 && (size_t)size < text_size)
                end = (size_t)size;
        }
        size_t format_size = next != NULL ? (size_t)(next - from) : strlen(from);
        event->segments[event->count++] =
            (struct segment){from, format_size, event->text + begin, end - begin};
        if (next == NULL || end + 3 > text_size)
            return;
        from = next + 3;
        begin = end + 3;
    }
}

static void write_line(void) {
    line[line_size++] = '\n';
    for (size_t done = 0; done < line_size;) {
        ssize_t written = write(output, line + done, line_size - done);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd out = {.fd = output, .events = POLLOUT};
            (void)poll(&out, 1, 1000);
        } else if (errno != EINTR) {
            return; // nobody is left to tell
        }
    }
}

void log_set_output(int fd) {
    output = fd;
}

void log_configure(enum log_level least, bool json) {
    least_level = least;
    as_json = json;
}

void log_write(enum log_level level, const char *logger, const char *format, ...) {
    check(level < LOG_LEVEL_COUNT);
    if (level < least_level)
        return;
    struct event event;
    event.count = 0;
    snprintf(event.format, sizeof event.format, "%s", format);
    va_list args;
    va_start(args, format);
    va_list first;
    va_copy(first, args);
    vsnprintf(event.text, sizeof event.text, format, first);
    va_end(first);
    event_split(&event, args);
    va_end(args);

    pthread_mutex_lock(&lock);
    line_size = 0;
    (as_json ? put_json : put_text)(clock_wall_ms(), level, logger, &event);
    if (display_clear != NULL)
        display_clear();
    write_line();
    if (display_redraw != NULL)
        display_redraw();
    pthread_mutex_unlock(&lock);
}

const char *log_level_name(enum log_level level) {
    check(level < LOG_LEVEL_COUNT);
    return level_names[level];
}

void log_set_display(void (*clear)(void), void (*redraw)(void)) {
    pthread_mutex_lock(&lock);
    display_clear = clear;
    display_redraw = redraw;
    pthread_mutex_unlock(&lock);
}

void log_display(void (*draw)(void)) {
    pthread_mutex_lock(&lock);
    draw();
    pthread_mutex_unlock(&lock);
}
