/* strings.c: the escapes in a text, read as Spark does.
 *
 * \n \t \r \b \0 and \Z are characters; \% and \_ stay as they are, for LIKE; \141, \u0061 and
 * \U00000061 are a character by its number; in front of any other character a backslash is dropped.
 * Java's texts are UTF-16, so \ud83d\ude00 is one character. Half of one is refused. */
#include "sql/syntax/strings.h"

#include <string.h>

#include "base/utf8.h"

/* The number of `digits` digits at `at`; -1: they are not there. */
static int64_t code(const char *at, const char *end, int digits, int base) {
    int64_t value = 0;
    if (end - at < digits)
        return -1;
    for (int i = 0; i < digits; i++) {
        static const char all[] = "0123456789abcdef";
        const char *digit =
            at[i] == '\0' ? NULL : strchr(all, at[i] | ('A' <= at[i] && at[i] <= 'F' ? 0x20 : 0));
        if (digit == NULL || digit - all >= base)
            return -1;
        value = value * base + (digit - all);
    }
    return value;
}

/* The number behind a backslash, and how many characters it takes; -1: there is none. */
static int64_t numbered(const char *at, const char *end, int *size) {
    if (*at == 'u' || *at == 'U') {
        *size = *at == 'u' ? 5 : 9;
        return code(at + 1, end, *size - 1, 16);
    }
    *size = 3;
    return *at == '0' || *at == '1' ? code(at, end, 3, 8) : -1;
}

static bool is_half(int64_t number, int64_t first) {
    return number >= first && number < first + 0x400;
}

/* A character by its number, at the backslash. Returns the end of the escape; NULL: it is none. */
static const char *number_escape(const char *at, const char *end, int64_t *character) {
    int size, low_size;
    *character = numbered(at + 1, end, &size);
    if (*character < 0)
        return NULL;
    at += 1 + size;
    if (is_half(*character, 0xD800) && end - at >= 2 && *at == '\\') {
        int64_t low = numbered(at + 1, end, &low_size);
        if (is_half(low, 0xDC00)) {
            *character = 0x10000 + ((*character - 0xD800) << 10) + (low - 0xDC00);
            at += 1 + low_size;
        }
    }
    return at;
}

/* The character that a letter behind a backslash means. */
static char letter_escape(char letter) {
    static const char letters[] = "0btnrZ", meant[] = "\0\b\t\n\r\x1A";
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);
    return found == NULL ? letter : meant[found - letters];
}

struct sql_string sql_unescape(struct sql_input *in, struct sql_place place, const char *text,
                               size_t length) {
    const char *at = text, *end = text + length;
    char *out = pool_alloc(in->pool, length + UTF8_CHARACTER_MAX + 1, 1), *to = out;
    while (at < end) {
        int64_t character;
        const char *after = *at == '\\' ? number_escape(at, end, &character) : NULL;
        if (after != NULL) {
            if (character > 0x10FFFF || (character >= 0xD800 && character < 0xE000)) {
                sql_refuse(in, place, "\\%.*s in this text is not a character",
                           (int)(after - at - 1), at + 1);
                character = UTF8_REPLACEMENT;
            }
            to += utf8_encode((uint32_t)character, to);
            at = after;
        } else if (*at == '\\' && (at[1] == '%' || at[1] == '_')) {
            *to++ = *at++;
            *to++ = *at++;
        } else if (*at == '\\') {
            *to++ = letter_escape(at[1]);
            at += 2;
        } else {
            at += *at == '\'' ? 1 : 0; // a quote is written twice
            *to++ = *at++;
        }
    }
    *to = '\0';
    return (struct sql_string){out, (size_t)(to - out)};
}
