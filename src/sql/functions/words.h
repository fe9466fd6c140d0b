/* words.h: within this room: pieces of texts. */
#ifndef SQL_FUNCTIONS_WORDS_H
#define SQL_FUNCTIONS_WORDS_H

#include "base/text.h"

static inline struct text trim_with(struct text text, bool (*goes)(char byte)) {
    while (text.length > 0 && goes(text.bytes[text.length - 1]))
        text.length--;
    while (text.length > 0 && goes(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    return text;
}

static inline bool is_blank(char byte) {
    return (unsigned char)byte <= ' ';
}

static inline bool is_control(char byte) {
    return is_blank(byte) || byte == 0x7F;
}

/* What Java ignores around a floating-point number. */
static inline struct text trim_blanks(struct text text) {
    return trim_with(text, is_blank);
}

/* What Spark ignores around a whole number, a date or a truth value. */
static inline struct text trim_control(struct text text) {
    return trim_with(text, is_control);
}

#endif
