/* nearest.h: which known word a misspelt one was probably meant to be. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* How many letters must be inserted, left out, replaced or swapped with the next to make one word
 * of the other. Case does not count, '-' and '_' are equal, and a text of more than 63 bytes is far
 * from every other. */
size_t edit_distance(const char *a, const char *b);

/* The nearest of the words offered so far, among those that may have been meant. */
struct nearest {
    const char *given;
    char word[64]; // "": none is near
    size_t distance;
};

void nearest_offer(struct nearest *nearest, const char *word);

#endif
