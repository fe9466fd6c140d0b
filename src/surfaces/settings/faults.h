/* faults.h: everything that is wrong with options and settings, collected to be told at once. */
#ifndef SURFACES_SETTINGS_FAULTS_H
#define SURFACES_SETTINGS_FAULTS_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/* Lines of text, one fault (or one warning) each. */
struct faults {
    char **lines; // owned
    size_t count;
};

void faults_add(struct faults *faults, const char *format, ...) PRINTF_LIKE(2, 3);
void faults_print(const struct faults *faults, const char *program, FILE *out);
void faults_deinit(struct faults *faults);

/* How many letters must be put in, left out, replaced or swapped with the next to make one word of
 * the other, in any case, '-' and '_' being one; texts beyond 63 bytes count as far from
 * everything. */
size_t edit_distance(const char *a, const char *b);

/* Whether somebody who wrote `given` may have meant `known`. */
bool is_near_miss(const char *given, const char *known);

#endif
