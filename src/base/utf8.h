/* utf8.h: UTF-8, read the way Java's decoder reads it; and bytes from anywhere as text that neither
 * breaks its line nor drives the terminal.
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

/* Whether all of a terminated text is well-formed. */
bool utf8_is_whole(const char *text);

/* ---- what may be shown ---- */

enum { ESCAPE_MAX = 4 * 4 }; // bytes of one character, each as \xNN

/* Controls (C0, DEL, C1), Unicode's own line ends, and what turns the direction of writing. */
bool escape_is_control(uint32_t character);

/* The next character as it may be shown: as it is, or as \n, \r, \t, or \xNN for each byte of a
 * control and of ill-formed UTF-8. Returns how many bytes it takes in the text. `shown` is not
 * terminated. */
size_t escape_next(const char *at, const char *end, char shown[static ESCAPE_MAX],
                   size_t *shown_size);

/* The value of a decimal digit of any script, without those beyond U+FFFF: as in Java, where a
 * number is read one UTF-16 unit at a time. -1: not a digit. */
int utf8_digit_value(uint32_t character);

#endif
