/* Tokens are read as Jackson reads them. Spark continues after some errors, and then from where
 * Jackson stopped, so that also a function that fails must leave the lexer behind the bytes that
 * Jackson has looked at.
 *
 * Plain text is passed sixteen bytes at a time. Escapes and characters beyond ASCII are checked
 * here, but only text.h gives them their meaning: most strings are skipped. */
#include "pipeline/json/lexer.h"

#include <math.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/double_text.h"

enum {
    WORD_SHOWN_MAX = 256,   // characters of an unknown word that Jackson moves over
    INT64_DIGITS_SAFE = 18, // this many digits can't overflow
};

bool json_fail(struct json_lexer *lexer, const char *at, const char *problem) {
    lexer->problem = problem;
    lexer->problem_at = (size_t)(at - lexer->start);
    return false;
}

uint32_t json_take_character(struct json_lexer *lexer) {
    return json_take_unit(lexer->start, lexer->end, &lexer->at);
}

bool json_lex_escape(struct json_lexer *lexer) {
    if (lexer->at == lexer->end)
        return json_fail(lexer, lexer->at, "JSON is cut off inside an escape");
    const char *at = lexer->at;
    uint32_t kind = json_take_character(lexer);
    if (kind != 'u') {
        bool known = kind < 0x80 && kind != 0 && strchr("\"\\/bfnrt'", (int)kind) != NULL;
        return known || json_fail(lexer, at - 1, "unknown escape in a string");
    }
    for (int i = 0; i < 4; i++) {
        if (lexer->at == lexer->end)
            return json_fail(lexer, lexer->at, "JSON is cut off inside an escape");
        at = lexer->at;
        if (json_hex_value(json_take_character(lexer)) < 0)
            return json_fail(lexer, at, "expected four hexadecimal digits after \\u");
    }
    return true;
}

/* Moves, sixteen bytes at a time, over bytes that are neither `quote`, backslash nor control
 * character; `*ascii` becomes false when one of them is not ASCII. Never reads at or behind `end`.
 */
static inline const char *skip_plain(const char *at, const char *end, char quote, bool *ascii) {
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8(quote);
    const __m128i backslashes = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1F);
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i stop =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslashes));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));
        unsigned stops = (unsigned)_mm_movemask_epi8(stop);
        unsigned high = (unsigned)_mm_movemask_epi8(bytes);
        if (stops != 0) {
            unsigned before = (stops & -stops) - 1;
            *ascii = *ascii && (high & before) == 0;
            return at + __builtin_ctz(stops);
        }
        *ascii = *ascii && high == 0;
    }
#endif
    for (; at < end; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == (unsigned char)quote || byte == '\\' || byte < ' ')
            break;
        *ascii = *ascii && byte < 0x80;
    }
    return at;
}

bool json_lex_quoted(struct json_lexer *lexer, char quote, struct json_raw *raw) {
    const char *start = lexer->at;
    bool ascii = true, escaped = false;
    for (;;) {
        lexer->at = skip_plain(lexer->at, lexer->end, quote, &ascii);
        if (lexer->at == lexer->end)
            return json_fail(lexer, lexer->at, "JSON is cut off inside a string");
        char byte = *lexer->at++;
        if (byte == quote)
            break;
        if (byte != '\\')
            return json_fail(lexer, lexer->at - 1, "control character in a string");
        escaped = true;
        if (!json_lex_escape(lexer))
            return false;
    }
    *raw = (struct json_raw){start, (size_t)(lexer->at - 1 - start), ascii && !escaped};
    return true;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && is_digit(*at))
        at++;
    return at;
}

/* Whether a word continues with this character (Java's isJavaIdentifierPart; beyond Latin-1 only
 * the blocks without letters are distinguished). */
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

/* Jackson takes the rest of an unknown word into its message, and continues after it. */
static bool fail_word(struct json_lexer *lexer, const char *at, size_t matched) {
    while (lexer->at < lexer->end && matched < WORD_SHOWN_MAX) {
        const char *before = lexer->at;
        if (!is_word_part(json_take_character(lexer))) {
            lexer->at = before;
            break;
        }
        matched++;
    }
    return json_fail(lexer, at, "unknown token: expected a value");
}

/* The rest of a word whose first `matched` characters have been taken, and that it ends there. */
static bool match_word(struct json_lexer *lexer, const char *word, size_t matched) {
    const char *start = lexer->at - matched;
    for (; word[matched] != '\0'; matched++) {
        if (lexer->at == lexer->end || *lexer->at != word[matched])
            return fail_word(lexer, start, matched);
        lexer->at++;
    }
    if (lexer->at == lexer->end || *lexer->at == ']' || *lexer->at == '}' ||
        (unsigned char)*lexer->at < '0')
        return true;
    const char *behind = lexer->at;
    bool goes_on = is_word_part(json_take_character(lexer));
    lexer->at = behind;
    return !goes_on || fail_word(lexer, start, matched);
}

static bool take_word(struct json_lexer *lexer, const char *word, size_t matched,
                      enum json_token kind, enum json_token *token) {
    const char *start = lexer->at - matched;
    if (!match_word(lexer, word, matched))
        return false;
    lexer->value = (struct json_raw){start, (size_t)(lexer->at - start), true};
    *token = kind;
    return true;
}

/* A sign that no digit follows: an infinity, or nothing. */
static bool lex_signed_word(struct json_lexer *lexer, bool negative, enum json_token *token) {
    const char *start = lexer->at - 1;
    if (lexer->at == lexer->end)
        return json_fail(lexer, lexer->at, "JSON is cut off inside a number");
    if (json_take_character(lexer) == 'I') {
        if (lexer->at == lexer->end)
            return json_fail(lexer, lexer->at, "JSON is cut off inside a number");
        uint32_t second = json_take_character(lexer);
        if (second == 'N')
            return take_word(lexer, negative ? "-INF" : "+INF", 3, JSON_NOT_FINITE, token);
        if (second == 'n')
            return take_word(lexer, negative ? "-Infinity" : "+Infinity", 3, JSON_NOT_FINITE,
                             token);
    }
    return json_fail(lexer, start,
                     negative ? "expected a digit after '-'" : "a number cannot start with '+'");
}

bool json_lex_word(struct json_lexer *lexer, uint32_t first, enum json_token *token) {
    switch (first) {
    case 't':
        return take_word(lexer, "true", 1, JSON_TRUE, token);
    case 'f':
        return take_word(lexer, "false", 1, JSON_FALSE, token);
    case 'n':
        return take_word(lexer, "null", 1, JSON_NULL, token);
    case 'N':
        return take_word(lexer, "NaN", 1, JSON_NOT_FINITE, token);
    case 'I':
        return take_word(lexer, "Infinity", 1, JSON_NOT_FINITE, token);
    case '+':
        return lex_signed_word(lexer, false, token);
    case '\'':
        *token = JSON_STRING;
        return json_lex_quoted(lexer, '\'', &lexer->value);
    default:
        break;
    }
    bool can_start = first != 0xAD && (first < 0x7F || first > 0x9F);
    if (can_start && is_word_part(first))
        return fail_word(lexer, lexer->at - 1, 1);
    return json_fail(lexer, lexer->at - 1, "expected a value");
}

/* Where Jackson stands after an error in a number: numbers that start with 0 are read character by
 * character, others are looked at as a whole and left at the first point or exponent. */
static bool fail_number(struct json_lexer *lexer, const char *at, const char *resume,
                        bool starts_with_zero, const char *problem) {
    lexer->at = resume;
    if (starts_with_zero) {
        lexer->at = at;
        if (at < lexer->end)
            (void)json_take_character(lexer);
    }
    return json_fail(lexer, at, at == lexer->end ? "JSON is cut off inside a number" : problem);
}

struct number_shape {
    size_t digits;
    bool is_float;
};

/* Fraction and exponent behind the whole digits, which end at `at`. */
static bool lex_fraction(struct json_lexer *lexer, const char *at, bool starts_with_zero,
                         struct number_shape *shape) {
    const char *end = lexer->end;
    const char *resume = at + 1;
    // Jackson counts what is missing as one digit less in numbers that start with 0.
    size_t fraction_digits = 0, exponent_digits = 0, missing = 0;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        fraction_digits = (size_t)(at - fraction);
        if (fraction_digits == 0)
            return fail_number(lexer, at, resume, starts_with_zero, "expected a digit after '.'");
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
            return fail_number(lexer, at, resume, starts_with_zero,
                               "expected a digit in the exponent");
    } else {
        missing++;
    }
    shape->digits += fraction_digits + exponent_digits - (starts_with_zero ? missing : 0);
    shape->is_float = true;
    lexer->at = at;
    return true;
}

bool json_lex_number(struct json_lexer *lexer, char first, enum json_token *token) {
    const char *start = lexer->at - 1;
    if (first == '-') {
        if (lexer->at == lexer->end || !is_digit(*lexer->at))
            return lex_signed_word(lexer, true, token);
        first = *lexer->at++;
    }

    const char *whole = lexer->at - 1;
    bool starts_with_zero = first == '0';
    if (starts_with_zero && lexer->at < lexer->end && is_digit(*lexer->at))
        return json_fail(lexer, whole, "a number cannot start with 0");
    const char *at = skip_digits(lexer->at, lexer->end);
    struct number_shape shape = {.digits = (size_t)(at - whole)};
    lexer->at = at;
    if (at < lexer->end && (*at == '.' || *at == 'e' || *at == 'E')) {
        if (!lex_fraction(lexer, at, starts_with_zero, &shape))
            return false;
    }
    if (shape.digits > JSON_DIGITS_MAX)
        return json_fail(lexer, start, "number longer than 1000 digits");

    lexer->value = (struct json_raw){start, (size_t)(lexer->at - start), true};
    *token = shape.is_float ? JSON_FLOAT : JSON_INTEGER;
    return true;
}

bool json_int64(struct json_raw number, int64_t *value) {
    const char *at = number.bytes, *end = at + number.size;
    bool negative = *at == '-';
    if (negative)
        at++;

    uint64_t magnitude = 0;
    if (end - at <= INT64_DIGITS_SAFE) {
        for (; at < end; at++)
            magnitude = magnitude * 10 + (uint64_t)(*at - '0');
    } else {
        uint64_t max = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
        for (; at < end; at++) {
            uint64_t digit = (uint64_t)(*at - '0');
            if (magnitude > (max - digit) / 10)
                return false;
            magnitude = magnitude * 10 + digit;
        }
    }
    *value = (int64_t)(negative ? -magnitude : magnitude);
    return true;
}

double json_double(enum json_token token, struct json_raw number) {
    double value = double_parse(number.bytes, number.size);
    return token == JSON_INTEGER && value == 0 ? 0.0 : value;
}

float json_float(enum json_token token, struct json_raw number) {
    float value = float_parse(number.bytes, number.size);
    return token == JSON_INTEGER && value == 0 ? 0.0F : value;
}

bool json_not_finite(struct json_raw word, double *value) {
    static const struct {
        const char *name;
        double value;
    } words[] = {
        {"NaN", (double)NAN},     {"Infinity", INFINITY}, {"+Infinity", INFINITY},
        {"-Infinity", -INFINITY}, {"+INF", INFINITY},     {"-INF", -INFINITY},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].name) == word.size &&
            memcmp(words[i].name, word.bytes, word.size) == 0) {
            *value = words[i].value;
            return true;
        }
    }
    return false;
}
