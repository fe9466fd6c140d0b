#include "surfaces/settings/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"

/* One line that a terminal only shows, no matter what a value has: a control of any kind, and bytes
 * that are not UTF-8, which may be one in another encoding. */
static void hide_controls(char *text) {
    const char *end = text + strlen(text);
    size_t size;
    bool valid;
    for (char *at = text; at < end; at += size) {
        uint32_t character = utf8_decode(at, end, &size, &valid);
        if (!valid || escape_is_control(character))
            memset(at, '?', size);
    }
}

void problems_add(struct problems *problems, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = text_format_list(format, args);
    va_end(args);
    hide_controls(text);
    void *grown = realloc(problems->lines, (problems->count + 1) * sizeof problems->lines[0]);
    check(grown != NULL);
    problems->lines = grown;
    problems->lines[problems->count++] = text;
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
