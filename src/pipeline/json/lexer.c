#include "pipeline/json/lexer.h"

#include <string.h>

#include "pipeline/json/scan.h"
#include "pipeline/json/text.h"

enum { WORD_SHOWN_MAX = 256 }; // characters of an unknown word that Jackson moves over

bool json_fail(struct json_reader *reader, const char *at, const char *problem) {
    reader->problem = problem;
    reader->problem_at = (size_t)(at - reader->start);
    return false;
}

uint32_t json_take_character(struct json_reader *reader) {
    return json_take_unit(reader->start, reader->end, &reader->at);
}

/* What follows a backslash. */
static bool lex_escape(struct json_reader *reader) {
    if (reader->at == reader->end)
        return json_fail(reader, reader->at, "ends inside an escape");
    const char *at = reader->at;
    uint32_t kind = json_take_character(reader);
    if (kind != 'u') {
        bool known = kind < 0x80 && kind != 0 && strchr("\"\\/bfnrt'", (int)kind) != NULL;
        return known || json_fail(reader, at - 1, "unknown escape in a string");
    }
    for (int i = 0; i < 4; i++) {
        if (reader->at == reader->end)
            return json_fail(reader, reader->at, "ends inside an escape");
        at = reader->at;
        if (json_hex_value(json_take_character(reader)) < 0)
            return json_fail(reader, at, "expected four hexadecimal digits after \\u");
    }
    return true;
}

bool json_lex_quoted(struct json_reader *reader, char quote, struct json_raw *raw) {
    const char *start = reader->at;
    bool ascii = true, escaped = false;
    for (;;) {
        reader->at = json_skip_plain(reader->at, reader->end, quote, &ascii);
        if (reader->at == reader->end)
            return json_fail(reader, reader->at, "ends inside a string");
        char byte = *reader->at++;
        if (byte == quote)
            break;
        if (byte != '\\')
            return json_fail(reader, reader->at - 1, "control character in a string");
        escaped = true;
        if (!lex_escape(reader))
            return false;
    }
    *raw = (struct json_raw){start, (size_t)(reader->at - 1 - start), ascii && !escaped};
    return true;
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && json_is_digit(*at))
        at++;
    return at;
}

/* Whether a word goes on with this character (Java's isJavaIdentifierPart; beyond Latin-1 only the
 * blocks without letters are told apart). */
static bool is_word_part(uint32_t character) {
    if (character < 0x80)
        return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
               (character >= 'a' && character <= 'z') || character == '_' || character == '$' ||
               character <= 0x08 || (character >= 0x0E && character <= 0x1B) || character == 0x7F;
    if (character < 0x100)
        return character <= 0x9F || (character >= 0xA2 && character <= 0xA5) || character == 0xAA ||
               character == 0xAD || character == 0xB5 || character == 0xBA ||
               (character >= 0xC0 && character != 0xD7 && character != 0xF7);
    bool has_no_letters = (character >= 0x2000 && character <= 0x206F) ||
                          (character >= 0x2190 && character <= 0x2BFF) ||
                          (character >= 0x3000 && character <= 0x3004) ||
                          (character >= 0xD800 && character <= 0xF8FF) || character >= 0xFFF0;
    return !has_no_letters;
}

/* Jackson takes the rest of an unknown word into its message, and goes on behind it. */
static bool fail_word(struct json_reader *reader, const char *at, size_t matched) {
    while (reader->at < reader->end && matched < WORD_SHOWN_MAX) {
        const char *before = reader->at;
        if (!is_word_part(json_take_character(reader))) {
            reader->at = before;
            break;
        }
        matched++;
    }
    return json_fail(reader, at, "unknown word: expected a value");
}

/* The rest of a word whose first `matched` characters have been taken, and that it ends there. */
static bool match_word(struct json_reader *reader, const char *word, size_t matched) {
    const char *start = reader->at - matched;
    for (; word[matched] != '\0'; matched++) {
        if (reader->at == reader->end || *reader->at != word[matched])
            return fail_word(reader, start, matched);
        reader->at++;
    }
    if (reader->at == reader->end || *reader->at == ']' || *reader->at == '}' ||
        (unsigned char)*reader->at < '0')
        return true;
    const char *behind = reader->at;
    bool goes_on = is_word_part(json_take_character(reader));
    reader->at = behind;
    return !goes_on || fail_word(reader, start, matched);
}

static bool take_word(struct json_reader *reader, const char *word, size_t matched,
                      enum json_token kind, enum json_token *token) {
    const char *start = reader->at - matched;
    if (!match_word(reader, word, matched))
        return false;
    reader->value = (struct json_raw){start, (size_t)(reader->at - start), true};
    *token = kind;
    return true;
}

/* A sign that no digit follows: an infinity, or nothing. */
static bool lex_signed_word(struct json_reader *reader, bool negative, enum json_token *token) {
    const char *start = reader->at - 1;
    if (reader->at == reader->end)
        return json_fail(reader, reader->at, "ends inside a number");
    if (json_take_character(reader) == 'I') {
        if (reader->at == reader->end)
            return json_fail(reader, reader->at, "ends inside a number");
        uint32_t second = json_take_character(reader);
        if (second == 'N')
            return take_word(reader, negative ? "-INF" : "+INF", 3, JSON_NOT_FINITE, token);
        if (second == 'n')
            return take_word(reader, negative ? "-Infinity" : "+Infinity", 3, JSON_NOT_FINITE,
                             token);
    }
    return json_fail(reader, start,
                     negative ? "expected a digit after '-'" : "a number can't start with '+'");
}

bool json_lex_word(struct json_reader *reader, uint32_t first, enum json_token *token) {
    switch (first) {
    case 't':
        return take_word(reader, "true", 1, JSON_TRUE, token);
    case 'f':
        return take_word(reader, "false", 1, JSON_FALSE, token);
    case 'n':
        return take_word(reader, "null", 1, JSON_NULL, token);
    case 'N':
        return take_word(reader, "NaN", 1, JSON_NOT_FINITE, token);
    case 'I':
        return take_word(reader, "Infinity", 1, JSON_NOT_FINITE, token);
    case '+':
        return lex_signed_word(reader, false, token);
    case '\'':
        *token = JSON_STRING;
        return json_lex_quoted(reader, '\'', &reader->value);
    default:
        break;
    }
    bool can_start = first != 0xAD && (first < 0x7F || first > 0x9F);
    if (can_start && is_word_part(first))
        return fail_word(reader, reader->at - 1, 1);
    return json_fail(reader, reader->at - 1, "expected a value");
}

/* Where Jackson stands after an error in a number: numbers that start with 0 are read character by
 * character, others are looked at as a whole and left at the first point or exponent. */
static bool fail_number(struct json_reader *reader, const char *at, const char *resume,
                        bool starts_with_zero, const char *problem) {
    reader->at = resume;
    if (starts_with_zero) {
        reader->at = at;
        if (at < reader->end)
            (void)json_take_character(reader);
    }
    return json_fail(reader, at, at == reader->end ? "ends inside a number" : problem);
}

struct number_shape {
    size_t digits;
    bool is_float;
};

/* Fraction and exponent behind the whole digits, which end at `at`. */
static bool lex_fraction(struct json_reader *reader, const char *at, bool starts_with_zero,
                         struct number_shape *shape) {
    const char *end = reader->end;
    const char *resume = at + 1;
    // Jackson counts what is not there as one digit less in numbers that start with 0.
    size_t fraction_digits = 0, exponent_digits = 0, missing = 0;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        fraction_digits = (size_t)(at - fraction);
        if (fraction_digits == 0)
            return fail_number(reader, at, resume, starts_with_zero, "expected a digit after '.'");
    } else {
        missing++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        const char *exponent = at;
        at = skip_digits(exponent, end);
        exponent_digits = (size_t)(at - exponent);
        if (exponent_digits == 0)
            return fail_number(reader, at, resume, starts_with_zero,
                               "expected a digit in the exponent");
    } else {
        missing++;
    }
    shape->digits += fraction_digits + exponent_digits - (starts_with_zero ? missing : 0);
    shape->is_float = true;
    reader->at = at;
    return true;
}

bool json_lex_number(struct json_reader *reader, char first, enum json_token *token) {
    const char *start = reader->at - 1;
    if (first == '-') {
        if (reader->at == reader->end || !json_is_digit(*reader->at))
            return lex_signed_word(reader, true, token);
        first = *reader->at++;
    }

    const char *whole = reader->at - 1;
    bool starts_with_zero = first == '0';
    if (starts_with_zero && reader->at < reader->end && json_is_digit(*reader->at))
        return json_fail(reader, whole, "a number can't start with 0");
    const char *at = skip_digits(reader->at, reader->end);
    struct number_shape shape = {.digits = (size_t)(at - whole)};
    reader->at = at;
    if (at < reader->end && (*at == '.' || *at == 'e' || *at == 'E')) {
        if (!lex_fraction(reader, at, starts_with_zero, &shape))
            return false;
    }
    if (shape.digits > JSON_DIGITS_MAX)
        return json_fail(reader, start, "number longer than 1000 digits");

    reader->value = (struct json_raw){start, (size_t)(reader->at - start), true};
    *token = shape.is_float ? JSON_FLOAT : JSON_INTEGER;
    return true;
}
