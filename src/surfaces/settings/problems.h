/* problems.h: everything that is wrong with options and settings, collected to be told at once, and
 * what may have been meant by a word that is not known. */
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
void problems_print(const struct problems *problems, const char *program, FILE *out);
void problems_deinit(struct problems *problems);

/* How many letters must be put in, left out, replaced or swapped with the next to make one word of
 * the other, in any case, '-' and '_' being one; texts beyond 63 bytes count as far from
 * everything. */
size_t edit_distance(const char *a, const char *b);

/* The nearest of the words offered so far to what was given, among those that may have been meant.
 */
struct nearest {
    const char *given;
    char word[64]; // "": none is near
    size_t distance;
};

void nearest_offer(struct nearest *nearest, const char *word);

#endif
