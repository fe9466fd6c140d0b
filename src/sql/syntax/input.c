#include "sql/syntax/input.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

/* Names in backticks can contain anything, so all of the message is made fit to be shown. */
static void escape(const char *message, char *shown, size_t size) {
    const char *at = message, *end = message + strlen(message);
    size_t used = 0;
    shown[0] = '\0';
    while (at < end) {
        char character[ESCAPE_MAX];
        size_t character_size;
        at += escape_next(at, end, character, &character_size);
        used = text_append(shown, size, used, "%.*s", (int)character_size, character);
    }
}

bool sql_error_list(struct error *err, const char *path, struct sql_place place, const char *format,
                    va_list args) {
    char message[sizeof err->message], shown[sizeof err->message];
    vsnprintf(message, sizeof message, format, args);
    escape(message, shown, sizeof shown);
    if (path == NULL)
        return error_set(err, ERROR_CONFIG, "%d:%d: %s", place.line, place.column, shown);
    return error_set(err, ERROR_CONFIG, "%s:%d:%d: %s", path, place.line, place.column, shown);
}

void sql_refuse(struct sql_input *in, struct sql_place place, const char *format, ...) {
    if (in->failed)
        return;
    in->failed = true;
    va_list args;
    va_start(args, format);
    sql_error_list(in->err, in->path, place, format, args);
    va_end(args);
}
