/* problems.h: everything that is wrong with options and settings, collected to be reported at once.
 */
#ifndef SURFACES_SETTINGS_PROBLEMS_H
#define SURFACES_SETTINGS_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* Lines of text, one problem (or one warning) each. */
struct problems {
    char **lines; // owned
    size_t count;
};

void problems_add(struct problems *problems, const char *format, ...) PRINTF_LIKE(2, 3);
/* "PLACE: invalid value 'TEXT' (REASON)" */
void problems_add_value(struct problems *problems, const char *place, const char *text,
                        const char *reason);

void problems_print(const struct problems *problems, const char *program, FILE *out);
void problems_deinit(struct problems *problems);

#endif
