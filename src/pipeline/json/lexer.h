/* lexer.h: the tokens of reader.h that are more than one character, read from reader->at. Each
 * returns false with reader->problem set, and leaves reader->at where Jackson would. */
#ifndef PIPELINE_JSON_LEXER_H
#define PIPELINE_JSON_LEXER_H

#include "pipeline/json/reader.h"

/* Sets the problem; returns false. `at` lies within the record or at its end. */
bool json_fail(struct json_reader *reader, const char *at, const char *problem);

/* Moves over one character, or half of one beyond U+FFFF (text.h), and returns it. There must be
 * one. */
uint32_t json_take_character(struct json_reader *reader);

/* Up to and over the closing quote; `raw` gets what lies before it. */
MUST_CHECK bool json_lex_quoted(struct json_reader *reader, char quote, struct json_raw *raw);

/* A number whose first character ('-' or a digit) has just been taken. */
MUST_CHECK bool json_lex_number(struct json_reader *reader, char first, enum json_token *token);

/* A value that starts with anything else but '"', '{' and '[': words, and what is no value. */
MUST_CHECK bool json_lex_word(struct json_reader *reader, uint32_t first, enum json_token *token);

#endif
