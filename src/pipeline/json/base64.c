/* Jackson decodes a string in double quotes while it looks for its end, so after an error it is in
 * the middle of the string, and then looks for the end from there. An error at the closing quote
 * itself leaves it behind the quote: then the string continues to the next quote. A string in
 * single quotes is complete before it is decoded, and leaves the reader behind it in any case.
 *
 * What must stay true: as in Jackson, bits are put together in a 32-bit number before anything
 * checks that they make sense. */
#include "pipeline/json/base64.h"

#include <string.h>

#include "base/check.h"

enum { GROUP_SIZE = 4, VALUE_NONE = -1, VALUE_PADDING = -2 };

/* Where characters come from. */
struct source {
    struct json_lexer *lexer; // at the next character
    const char *end;          // of the text; with `streams`, of the record
    bool streams;             // up to a closing quote
};

/* A character, and whether it is the closing quote. */
struct character {
    uint32_t code;
    bool is_end;
};

static int value_of(uint32_t code) {
    if (code >= 'A' && code <= 'Z')
        return (int)(code - 'A');
    if (code >= 'a' && code <= 'z')
        return (int)(code - 'a') + 26;
    if (code >= '0' && code <= '9')
        return (int)(code - '0') + 52;
    return code == '+' ? 62 : code == '/' ? 63 : code == '=' ? VALUE_PADDING : VALUE_NONE;
}

/* The escape whose backslash has been taken. */
static bool take_escape(struct source *source, uint32_t *code) {
    struct json_lexer *lexer = source->lexer;
    const char *start = lexer->at - 1;
    if (!json_lex_escape(lexer))
        return false;
    // Beyond ASCII no character has a meaning here, so its first byte will do.
    char bytes[8];
    struct json_output output = {bytes, bytes + sizeof bytes, false};
    json_output_text(&output, (struct json_raw){start, (size_t)(lexer->at - start), false});
    *code = (unsigned char)bytes[0];
    return true;
}

static bool fail(const struct source *source) {
    return json_fail(source->lexer, source->lexer->at, "not Base64");
}

/* The value of the next character; `place` in its group of four. *ends: it was the end of the
 * text. Between two groups (place 0), blanks are skipped. */
static bool take_value(struct source *source, int place, int *value, bool *ends) {
    struct json_lexer *lexer = source->lexer;
    *ends = false;
    for (;;) {
        if (lexer->at == source->end) {
            *ends = !source->streams;
            return *ends || json_fail(lexer, lexer->at, "JSON is cut off inside a string");
        }
        const char *at = lexer->at;
        uint32_t code = json_take_character(lexer);
        if (source->streams && *at == '"') {
            *ends = true;
            return true;
        }
        bool is_escape = *at == '\\';
        if (is_escape && !take_escape(source, &code))
            return false;
        if (code <= ' ' && place == 0)
            continue;
        *value = value_of(code);
        if (*value == VALUE_NONE || (*value == VALUE_PADDING && place < 2))
            return fail(source);
        return true;
    }
}

/* The end inside a group: padding is missing. Jackson takes the quote back where padding could have
 * stood. */
static bool fail_at_end(const struct source *source, int place, bool is_second_padding) {
    if (source->streams && place >= 2 && !is_second_padding)
        source->lexer->at--;
    return fail(source);
}

/* One group. *count: how many bytes it is; 0: the text has ended before it. */
static bool take_group(struct source *source, uint32_t *bits, int *count) {
    bool ends;
    *bits = 0;
    for (int place = 0; place < GROUP_SIZE; place++) {
        int value = 0;
        if (!take_value(source, place, &value, &ends))
            return false;
        if (ends && place == 0) {
            *count = 0;
            return true;
        }
        if (ends)
            return fail_at_end(source, place, false);
        if (value != VALUE_PADDING) {
            *bits = *bits << 6 | (uint32_t)value;
            continue;
        }
        *count = place - 1;
        *bits <<= 6 * (GROUP_SIZE - place);
        if (place == 3)
            return true;
        if (!take_value(source, 3, &value, &ends))
            return false;
        if (ends)
            return fail_at_end(source, 3, true);
        return value == VALUE_PADDING || fail(source);
    }
    *count = 3;
    return true;
}

static bool decode(struct source *source, char *to, size_t *size) {
    for (*size = 0;;) {
        uint32_t bits;
        int count = 0;
        if (!take_group(source, &bits, &count))
            return false;
        if (count == 0)
            return true;
        for (int i = 0; i < count; i++)
            to[(*size)++] = (char)(bits >> (16 - 8 * i) & 0xFF);
    }
}

bool json_read_base64(struct json_reader *reader, char *to, size_t *size) {
    struct json_lexer *lexer = &reader->lexer;
    if (reader->string_is_unread) {
        struct source source = {lexer, lexer->end, true};
        if (!decode(&source, to, size))
            return false;
        reader->string_is_unread = false;
        return true;
    }
    struct json_lexer text = *lexer;
    text.at = lexer->value.bytes;
    struct source source = {&text, lexer->value.bytes + lexer->value.size, false};
    return decode(&source, to, size);
}
