#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static const char *plural_end(const char *noun, size_t *kept) {
    if (text_ends_with(noun, "y") && *kept > 1 && strchr("aeiou", noun[*kept - 2]) == NULL) {
        --*kept;
        return "ies";
    }
    bool hisses = text_ends_with(noun, "s") || text_ends_with(noun, "x") ||
                  text_ends_with(noun, "ch") || text_ends_with(noun, "sh");
    return hisses ? "es" : "s";
}

struct text_count text_count(int64_t count, const char *noun) {
    struct text_count counted;
    size_t kept = strlen(noun);
    const char *end = count == 1 ? "" : plural_end(noun, &kept);
    (void)text_append(counted.text, sizeof counted.text, 0, "%" PRId64 " %.*s%s", count, (int)kept,
                      noun, end);
    return counted;
}

bool text_ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

char *text_copy(const char *text) {
    char *copy = strdup(text);
    check(copy != NULL);
    return copy;
}

char *text_format_list(const char *format, va_list args) {
    char *text = NULL;
    check(vasprintf(&text, format, args) >= 0);
    return text;
}

char *text_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = text_format_list(format, args);
    va_end(args);
    return text;
}

size_t text_append(char *text, size_t size, size_t used, const char *format, ...) {
    check(used < size);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text + used, size - used, format, args);
    va_end(args);
    size_t room = size - used - 1;
    return used + (length < 0 ? 0 : (size_t)length < room ? (size_t)length : room);
}

/* ---- Base64 ---- */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t size) {
    const uint8_t *from = bytes;
    char *text = must_alloc((size + 2) / 3 * 4 + 1, 1), *to = text;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                         (left > 2 ? from[i + 2] : 0);
        *to++ = letters[group >> 18];
        *to++ = letters[group >> 12 & 63];
        *to++ = left > 1 ? letters[group >> 6 & 63] : '=';
        *to++ = left > 2 ? letters[group & 63] : '=';
    }
    return text;
}

uint8_t *base64_decode(const char *text, size_t length, size_t *size) {
    while (length > 0 && text[length - 1] == '=')
        length--;
    uint8_t *bytes = must_alloc(length / 4 * 3 + 3, 1), *to = bytes;
    uint32_t group = 0;
    for (size_t i = 0; i < length; i++) {
        const char *letter = text[i] == '\0' ? NULL : strchr(letters, text[i]);
        if (letter == NULL || length % 4 == 1) {
            free(bytes);
            return NULL;
        }
        group = group << 6 | (uint32_t)(letter - letters);
        if (i % 4 > 0) // each letter but a group's first completes a byte
            *to++ = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    *size = (size_t)(to - bytes);
    return bytes;
}
