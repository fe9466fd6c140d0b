/* log_line.h: one event of the log as one line of text or JSON. */
#ifndef BASE_LOG_LOG_LINE_H
#define BASE_LOG_LOG_LINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL, LOG_LEVEL_COUNT };

const char *log_level_name(enum log_level level);

enum { LOG_LINE_MAX = 8 * 8192 }; // bytes of a line; the rest is cut

struct log_line {
    char bytes[LOG_LINE_MAX]; // not terminated; the last one is '\n', and no other is
    size_t size;
};

/* At start, before the first thread: how all lines are printed. Colour is for the level of lines of
 * text, on a terminal. */
void log_line_use_json(bool json);
void log_line_use_colour(bool colour);

void log_line_print(struct log_line *line, enum log_level level, const char *logger,
                    const char *format, va_list args);
void log_line_format(struct log_line *line, enum log_level level, const char *logger,
                     const char *format, ...) PRINTF_LIKE(4, 5);

#endif
