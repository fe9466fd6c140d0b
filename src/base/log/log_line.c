/* log_line.c: an event becomes a line.
 *
 * Callers give message and fields as one printf format, so where a field begins is known in the
 * format only: a value may hold the separator, too. The format is printed once as a whole. Then it
 * is cut off in front of each field and its length is measured by printing that beginning again:
 * what the beginning gives is as long as its part of the whole text. Every part of the text thus
 * has its part of the format, which also tells a number from a text that looks like one. */
#include "base/log/log_line.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/system/clock.h"
#include "base/utf8.h"

enum {
    TEXT_MAX = 8192,   // bytes of one event; the rest is cut. Escaped, a byte is at most six
    SEGMENTS_MAX = 32, // message and fields
};

static const char separator[] = " | ";

static bool as_json, in_colour;

/* Message (index 0) or field of an event: its place in the format and in the text. */
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

const char *log_level_name(enum log_level level) {
    static const char *const names[LOG_LEVEL_COUNT] = {
        [LOG_DEBUG] = "DEBUG", [LOG_INFO] = "INFO",         [LOG_WARNING] = "WARNING",
        [LOG_ERROR] = "ERROR", [LOG_CRITICAL] = "CRITICAL",
    };
    check(level < LOG_LEVEL_COUNT);
    return names[level];
}

static const char *const level_colours[LOG_LEVEL_COUNT] = {
    [LOG_DEBUG] = "\x1b[2m",  [LOG_INFO] = "\x1b[32m",       [LOG_WARNING] = "\x1b[33m",
    [LOG_ERROR] = "\x1b[31m", [LOG_CRITICAL] = "\x1b[1;31m",
};

static void put_bytes(struct log_line *line, const char *bytes, size_t size) {
    size_t room = sizeof line->bytes - 1 - line->size; // the last byte is for the line's end
    size_t fitting = size < room ? size : room;
    memcpy(line->bytes + line->size, bytes, fitting);
    line->size += fitting;
}

static void put(struct log_line *line, const char *text) {
    put_bytes(line, text, strlen(text));
}

/* What would break the line or drive the terminal becomes visible instead. */
static void put_escaped(struct log_line *line, const char *text, size_t size) {
    char shown[ESCAPE_MAX];
    size_t shown_size;
    for (const char *end = text + size; text < end;) {
        text += escape_next(text, end, shown, &shown_size);
        put_bytes(line, shown, shown_size);
    }
}

static void put_json_string(struct log_line *line, const char *text, size_t size) {
    const char *end = text + size;
    size_t length;
    bool valid;
    put(line, "\"");
    for (; text < end; text += length) {
        uint32_t character = utf8_decode(text, end, &length, &valid);
        char escape[8];
        if (!valid) {
            put(line, "\xef\xbf\xbd"); // U+FFFD
        } else if (character == '"' || character == '\\') {
            put(line, character == '"' ? "\\\"" : "\\\\");
        } else if (escape_is_control(character)) {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)character);
            put(line, escape);
        } else {
            put_bytes(line, text, length);
        }
    }
    put(line, "\"");
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
static void put_json_key(struct log_line *line, const char *key, size_t size) {
    static const char *const frame[] = {"timestamp", "logger", "level", "message"};
    char name[TEXT_MAX];
    bool taken = false;
    for (size_t i = 0; i < sizeof frame / sizeof frame[0]; i++)
        taken = taken || (strlen(frame[i]) == size && memcmp(frame[i], key, size) == 0);
    int length = snprintf(name, sizeof name, "%s%.*s", taken ? "field_" : "", (int)size, key);
    put_json_string(line, name, length < TEXT_MAX ? (size_t)length : TEXT_MAX - 1);
}

static void put_json(struct log_line *line, int64_t wall_ms, enum log_level level,
                     const char *logger, const struct event *event) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char time[64];
    gmtime_r(&seconds, &utc);
    size_t used = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time + used, sizeof time - used, ".%03d+00:00", (int)(wall_ms % 1000));

    put(line, "{\"timestamp\": ");
    put_json_string(line, time, strlen(time));
    put(line, ", \"logger\": ");
    put_json_string(line, logger, strlen(logger));
    put(line, ", \"level\": ");
    put_json_string(line, log_level_name(level), strlen(log_level_name(level)));
    put(line, ", \"message\": ");
    put_json_string(line, event->segments[0].text, event->segments[0].size);
    for (size_t i = 1; i < event->count; i++) {
        const struct segment *segment = &event->segments[i];
        const char *equals = memchr(segment->text, '=', segment->size);
        if (equals == NULL)
            continue; // cut away
        size_t key_size = (size_t)(equals - segment->text);
        const char *value = equals + 1;
        size_t value_size = segment->size - key_size - 1;
        put(line, ", ");
        put_json_key(line, segment->text, key_size);
        put(line, ": ");
        if (is_number(segment, value, value_size))
            put_bytes(line, value, value_size);
        else
            put_json_string(line, value, value_size);
    }
    put(line, "}");
}

static void put_text(struct log_line *line, int64_t wall_ms, enum log_level level,
                     const char *logger, const struct event *event) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    char time[64];
    localtime_r(&seconds, &local);
    strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", &local);

    put(line, time);
    put(line, separator);
    put_escaped(line, logger, strlen(logger));
    put(line, separator);
    put(line, in_colour ? level_colours[level] : "");
    put(line, log_level_name(level));
    put(line, in_colour ? "\x1b[0m" : "");
    for (size_t i = 0; i < event->count; i++) {
        put(line, separator);
        put_escaped(line, event->segments[i].text, event->segments[i].size);
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

/* Finds message and fields by the separators of the format, not of the text (see above). */
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

void log_line_use_json(bool json) {
    as_json = json;
}

void log_line_use_colour(bool colour) {
    in_colour = colour;
}

void log_line_print(struct log_line *line, enum log_level level, const char *logger,
                    const char *format, va_list args) {
    struct event event;
    event.count = 0;
    snprintf(event.format, sizeof event.format, "%s", format);
    va_list first;
    va_copy(first, args);
    vsnprintf(event.text, sizeof event.text, format, first);
    va_end(first);
    event_split(&event, args);

    line->size = 0;
    (as_json ? put_json : put_text)(line, clock_wall_ms(), level, logger, &event);
    line->bytes[line->size++] = '\n';
}

void log_line_format(struct log_line *line, enum log_level level, const char *logger,
                     const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_line_print(line, level, logger, format, args);
    va_end(args);
}
