/* utf8.c: a character is as long as its first byte says, unless a byte does not continue it.
 *
 * Ill-formed bytes end at the first byte that can't belong to the character (Unicode's "maximal
 * part"); decoding continues there. Which second bytes are possible depends on the first one: that
 * rules out overlong forms and what is beyond U+10FFFF. Only surrogates are recognised by their
 * value. */
#include "base/utf8.h"

#include <string.h>

static bool is_continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/* How many bytes the lead byte announces; 0: it can't lead. */
static size_t announced_size(unsigned char lead) {
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if ((lead & 0xF0) == 0xE0)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/* Surrogates pass: Java reads all of their three bytes before it refuses them. */
static bool is_second_byte(unsigned char lead, unsigned char byte) {
    switch (lead) {
    case 0xE0:
        return byte >= 0xA0 && byte <= 0xBF;
    case 0xF0:
        return byte >= 0x90 && byte <= 0xBF;
    case 0xF4:
        return byte >= 0x80 && byte <= 0x8F;
    default:
        return is_continuation(byte);
    }
}

uint32_t utf8_decode(const char *at, const char *end, size_t *size, bool *valid) {
    const unsigned char *bytes = (const unsigned char *)at;
    size_t room = (size_t)(end - at);
    size_t announced = announced_size(bytes[0]);

    *valid = false;
    *size = 1;
    if (announced == 1) {
        *valid = true;
        return bytes[0];
    }
    if (announced == 0 || room < 2 || !is_second_byte(bytes[0], bytes[1]))
        return UTF8_REPLACEMENT;

    uint32_t character = bytes[0] & (0x7Fu >> announced);
    character = character << 6 | (bytes[1] & 0x3F);
    for (*size = 2; *size < announced; ++*size) {
        if (*size >= room || !is_continuation(bytes[*size]))
            return UTF8_REPLACEMENT;
        character = character << 6 | (bytes[*size] & 0x3F);
    }
    if (character >= 0xD800 && character <= 0xDFFF)
        return UTF8_REPLACEMENT;
    *valid = true;
    return character;
}

size_t utf8_encode(uint32_t character, char *out) {
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xC0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xE0 | character >> 12);
        out[1] = (char)(0x80 | (character >> 6 & 0x3F));
        out[2] = (char)(0x80 | (character & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | character >> 18);
    out[1] = (char)(0x80 | (character >> 12 & 0x3F));
    out[2] = (char)(0x80 | (character >> 6 & 0x3F));
    out[3] = (char)(0x80 | (character & 0x3F));
    return 4;
}

bool utf8_is_whole(const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t more = *at < 0x80   ? 0
                      : *at < 0xC2 ? 9
                      : *at < 0xE0 ? 1
                      : *at < 0xF0 ? 2
                      : *at < 0xF5 ? 3
                                   : 9;
        unsigned char first = *at++;
        // Forms that are too long, surrogates, and what lies beyond U+10FFFF (RFC 3629, 4).
        if (more == 9 || (first == 0xE0 && *at < 0xA0) || (first == 0xED && *at > 0x9F) ||
            (first == 0xF0 && *at < 0x90) || (first == 0xF4 && *at > 0x8F))
            return false;
        for (; more > 0; more--, at++)
            if ((*at & 0xC0) != 0x80)
                return false;
    }
    return true;
}

/* ---- what may be shown ---- */

bool escape_is_control(uint32_t character) {
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
           character == 0x2029 || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0x200e ||
           character == 0x200f || character == 0x061c;
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

int utf8_digit_value(uint32_t character) {
    // The zeros of Unicode 13; the other nine follow each.
    static const uint16_t zeros[] = {0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6,
                                     0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0,
                                     0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
                                     0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900,
                                     0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10};
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++)
        if (character >= zeros[i] && character - zeros[i] < 10)
            return (int)(character - zeros[i]);
    return -1;
}
