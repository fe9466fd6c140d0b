#include "surfaces/settings/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"

void problems_add(struct problems *problems, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = text_format_list(format, args);
    va_end(args);
    char *shown = must_alloc(strlen(text) + 1, ESCAPE_MAX); // one line, even if a value has more
    size_t used = 0, size;
    for (const char *at = text, *end = text + strlen(text); at < end; used += size)
        at += escape_next(at, end, shown + used, &size);
    shown[used] = '\0';
    free(text);
    void *grown = realloc(problems->lines, (problems->count + 1) * sizeof problems->lines[0]);
    check(grown != NULL);
    problems->lines = grown;
    problems->lines[problems->count++] = shown;
}

void problems_add_value(struct problems *problems, const char *place, const char *text,
                        const char *reason) {
    problems_add(problems, "%s: invalid value '%s' (%s)", place, text, reason);
}

void problems_print(const struct problems *problems, const char *program, FILE *out) {
    for (size_t i = 0; i < problems->count; i++)
        (void)fprintf(out, "%s: %s\n", program, problems->lines[i]);
}

void problems_deinit(struct problems *problems) {
    for (size_t i = 0; i < problems->count; i++)
        free(problems->lines[i]);
    free(problems->lines);
    *problems = (struct problems){0};
}
