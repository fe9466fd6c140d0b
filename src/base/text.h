/* text.h: a piece of text or bytes that somebody else owns: pointer and length, not terminated; how
 * a text is put together in an array; counts with their nouns; and bytes as text (Base64). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

struct text {
    const char *bytes;
    uint32_t length; // in bytes
};

#define TEXT(literal) ((struct text){.bytes = (literal), .length = sizeof(literal) - 1})

/* Of a terminated text, without its terminator. */
static inline struct text text_borrow(const char *text) {
    return (struct text){.bytes = text, .length = (uint32_t)strlen(text)};
}

static inline bool text_equals(struct text a, struct text b) {
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* Prints behind the first `used` bytes of text[size], which is terminated; what does not fit is
 * cut. Returns the new length, which is less than `size`, so that the next call can continue there.
 */
size_t text_append(char *text, size_t size, size_t used, const char *format, ...) PRINTF_LIKE(4, 5);

/* "1 file", "2 files", "0 batches": a count with its noun, which is given for one. */
struct text_count {
    char text[96];
};
struct text_count text_count(int64_t count, const char *noun);

bool text_ends_with(const char *text, const char *end);

/* A terminated text of one's own; the caller frees it. */
char *text_copy(const char *text);

/* The same, printed. */
char *text_format(const char *format, ...) PRINTF_LIKE(1, 2);
char *text_format_list(const char *format, va_list args) PRINTF_LIKE(1, 0);

/* ---- Base64 (RFC 4648, with padding) ---- */

/* Terminated; owned by the caller. */
char *base64_encode(const void *bytes, size_t size);

/* The other way, with or without padding. Owned by the caller; NULL: not Base64. */
uint8_t *base64_decode(const char *text, size_t length, size_t *size);

#endif
