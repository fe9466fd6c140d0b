/* The optimal string alignment distance, row by row: a swap looks two rows back, so three are kept.
 */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 63 };

static bool same_letter(char a, char b) {
    return tolower((unsigned char)(a == '_' ? '-' : a)) ==
           tolower((unsigned char)(b == '_' ? '-' : b));
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][WORD_MAX + 1]; // of the letters of `a`, in turn
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = above[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
            row[j] = least(replaced, 1 + least(above[j], row[j - 1]));
            bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                           same_letter(a[i - 2], b[j - 1]);
            if (swapped)
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

/* How far a misspelt word may be from one of so many letters. Short words have many neighbours, so
 * only one slip is allowed for them. */
static size_t slips_allowed(size_t size) {
    return size < 6 ? 1 : size < 12 ? 2 : 3;
}

void nearest_offer(struct nearest *nearest, const char *word) {
    size_t given = strlen(nearest->given), size = strlen(word), allowed = slips_allowed(size);
    if (given + allowed < size || size + allowed < given) // as many letters are missing
        return;
    size_t distance = edit_distance(nearest->given, word);
    if (distance > allowed || (nearest->word[0] != '\0' && distance >= nearest->distance))
        return;
    nearest->distance = distance;
    snprintf(nearest->word, sizeof nearest->word, "%s", word);
}
