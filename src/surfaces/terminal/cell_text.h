/* cell_text.h: one value of a table as a short text for people. */
#ifndef SURFACES_TERMINAL_CELL_TEXT_H
#define SURFACES_TERMINAL_CELL_TEXT_H

#include <stddef.h>

#include "core/vector.h"

enum { CELL_TEXT_MAX = 256, CELL_CHARACTERS_MAX = 48 };

/* Texts and bytes are cut to CELL_CHARACTERS_MAX characters ("…" at the end), control characters
 * and ill-formed UTF-8 become '?'; timestamps are in UTC; null is "null". */
void cell_text(const struct vector *vector, size_t row, char text[static CELL_TEXT_MAX]);

#endif
