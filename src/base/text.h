/* text.h: a piece of text or bytes that somebody else owns: pointer and length, not terminated. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *bytes;
    uint32_t length; // in bytes
};

#define TEXT(literal) ((struct text){.bytes = (literal), .length = sizeof(literal) - 1})

static inline bool text_equals(struct text a, struct text b) {
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

#endif
