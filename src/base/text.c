#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

char *text_copy(const char *text) {
    char *copy = strdup(text);
    check(copy != NULL);
    return copy;
}

char *text_format_list(const char *format, va_list args) {
    char *text = NULL;
    check(vasprintf(&text, format, args) >= 0);
    return text;
}

char *text_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = text_format_list(format, args);
    va_end(args);
    return text;
}

size_t text_append(char *text, size_t size, size_t used, const char *format, ...) {
    check(used < size);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text + used, size - used, format, args);
    va_end(args);
    size_t room = size - used - 1;
    return used + (length < 0 ? 0 : (size_t)length < room ? (size_t)length : room);
}
