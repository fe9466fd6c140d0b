/* utf8.h: UTF-8, read the way Java's decoder reads it.
 *
 * Ill-formed bytes become U+FFFD, one for each maximal part of a character (`c0 af`: two,
 * `f0 9f 98`: one), and one for a whole encoded surrogate (`ed a0 bd`). An ASCII byte is never part
 * of an ill-formed sequence, so structure can be found before the text is decoded. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xFFFD, UTF8_CHARACTER_MAX = 4 };

/* The character at `at`, before `end`; `*size` is the number of its bytes. For ill-formed bytes
 * UTF8_REPLACEMENT and `*valid` false. */
uint32_t utf8_decode(const char *at, const char *end, size_t *size, bool *valid);

/* Writes a character (no surrogate, at most 0x10FFFF); the number of bytes, at most 4. */
size_t utf8_encode(uint32_t character, char *out);

#endif
