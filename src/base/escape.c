#include "base/escape.h"

#include <string.h>

#include "base/utf8.h"

bool escape_is_control(uint32_t character) {
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
           character == 0x2029 || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

size_t escape_next(const char *at, const char *end, char shown[static ESCAPE_MAX],
                   size_t *shown_size) {
    static const char digits[] = "0123456789abcdef";
    size_t size;
    bool valid;
    uint32_t character = utf8_decode(at, end, &size, &valid);
    if (valid && !escape_is_control(character)) {
        memcpy(shown, at, size);
        *shown_size = size;
    } else if (character == '\n' || character == '\r' || character == '\t') {
        shown[0] = '\\';
        shown[1] = character == '\n' ? 'n' : character == '\r' ? 'r' : 't';
        *shown_size = 2;
    } else {
        *shown_size = 4 * size;
        for (size_t i = 0; i < size; i++) {
            unsigned char byte = (unsigned char)at[i];
            const char escaped[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            memcpy(shown + 4 * i, escaped, sizeof escaped);
        }
    }
    return size;
}
