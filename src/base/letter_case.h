/* letter_case.h: texts in capital or small letters, as Spark 4 has them: Unicode's mappings for no
 * language in particular. A letter can become up to three ("ß": "SS"), and a sigma that ends a word
 * is "ς". Bytes that are not UTF-8 become U+FFFD. */
#ifndef BASE_LETTER_CASE_H
#define BASE_LETTER_CASE_H

#include <stddef.h>

#include "base/text.h"

enum { LETTER_CASE_GROWTH_MAX = 3 }; // bytes of a result for each byte of the text

/* Write the text to `out`; the number of bytes. */
size_t letters_to_upper(struct text text, char *out);
size_t letters_to_lower(struct text text, char *out);

#endif
