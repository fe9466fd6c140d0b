/* lexer.h: the tokens that are more than one character, and the values of those that are numbers.
 *
 * A function that reads returns false with `problem` set, and leaves `at` where Jackson would. */
#ifndef PIPELINE_JSON_LEXER_H
#define PIPELINE_JSON_LEXER_H

#include "base/error.h"
#include "pipeline/json/text.h"

enum { JSON_DIGITS_MAX = 1000 };

enum json_token {
    JSON_NONE, // the end of the bytes
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_INTEGER,
    JSON_FLOAT,
    JSON_NOT_FINITE, // NaN, Infinity and its other spellings
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

/* A record's bytes, and where reading stands. */
struct json_lexer {
    const char *start, *at, *end;
    struct json_raw value; // of the newest string, number or word
    const char *problem;   // after false: one sentence for a person, never NULL
    size_t problem_at;     // byte offset
};

/* Sets the problem; returns false. `at` lies within the record or at its end. */
bool json_fail(struct json_lexer *lexer, const char *at, const char *problem);

/* Moves over one character, or half of one beyond U+FFFF (text.h), and returns it. There must be
 * one. */
uint32_t json_take_character(struct json_lexer *lexer);

/* What follows a backslash that has just been taken. */
MUST_CHECK bool json_lex_escape(struct json_lexer *lexer);

/* Up to and over the closing quote; `raw` gets what lies before it. */
MUST_CHECK bool json_lex_quoted(struct json_lexer *lexer, char quote, struct json_raw *raw);

/* A number whose first character ('-' or a digit) has just been taken. */
MUST_CHECK bool json_lex_number(struct json_lexer *lexer, char first, enum json_token *token);

/* A value that starts with anything else but '"', '{' and '[': words, and invalid values. */
MUST_CHECK bool json_lex_word(struct json_lexer *lexer, uint32_t first, enum json_token *token);

/* A JSON_INTEGER. False: beyond int64. */
bool json_int64(struct json_raw number, int64_t *value);

/* A JSON_INTEGER or JSON_FLOAT, too large ones infinite. The integer -0 is 0.0, as in Java. */
double json_double(enum json_token token, struct json_raw number);

float json_float(enum json_token token, struct json_raw number);

/* A JSON_NOT_FINITE, or any text that is spelled like one: NaN, Infinity, +Infinity, -Infinity,
 * +INF, -INF. False: another text. */
bool json_not_finite(struct json_raw word, double *value);

#endif
