/* escape.h: bytes from anywhere as text that neither breaks its line nor drives the terminal. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ESCAPE_MAX = 4 * 4 }; // bytes of one character, each as \xNN

/* Controls (C0, DEL, C1), Unicode's own line ends, and what turns the direction of writing. */
bool escape_is_control(uint32_t character);

/* The next character as it may be shown: as it is, or as \n, \r, \t, or \xNN for each byte of a
 * control and of ill-formed UTF-8. Returns how many bytes it takes in the text. `shown` is not
 * terminated. */
size_t escape_next(const char *at, const char *end, char shown[static ESCAPE_MAX],
                   size_t *shown_size);

#endif
