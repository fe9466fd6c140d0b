/* Per open level there are two bits: whether it is an array, and whether the next member needs a
 * comma. A key is read together with the first token of its value (`pending`), and the end of a
 * string is looked for only when it is needed. This is Jackson's order: it decides which error
 * shows first, and where reading continues. */
#include "pipeline/json/reader.h"

#include "pipeline/json/skip.h"

void json_reader_init(struct json_reader *reader, const char *bytes, size_t size) {
    // Levels are cleared as they are opened.
    reader->lexer.start = reader->lexer.at = bytes;
    reader->lexer.end = bytes + size;
    reader->token = reader->pending = JSON_NONE;
    reader->string_is_unread = reader->skips_usual = false;
    reader->depth = 0;
    reader->lexer.problem = "";
    reader->lexer.problem_at = 0;
}

static bool level_bit(const uint64_t *bits, unsigned level) {
    return (bits[level / 64] >> level % 64 & 1) != 0;
}

static void set_level_bit(uint64_t *bits, unsigned level, bool on) {
    uint64_t mask = UINT64_C(1) << level % 64;
    bits[level / 64] = on ? bits[level / 64] | mask : bits[level / 64] & ~mask;
}

static bool is_in_array(const struct json_reader *reader) {
    return reader->depth > 0 && level_bit(reader->is_array, reader->depth);
}

static bool is_in_object(const struct json_reader *reader) {
    return reader->depth > 0 && !level_bit(reader->is_array, reader->depth);
}

/* The level is open even when it is one too many: Jackson, too, looks after it has entered. Spark
 * continues after such an error in each object around it, and each time one more is left open. */
static bool open_level(struct json_reader *reader, bool is_array) {
    if (reader->depth < JSON_LEVELS - 1) {
        reader->depth++;
        set_level_bit(reader->is_array, reader->depth, is_array);
        set_level_bit(reader->has_member, reader->depth, false);
    }
    return reader->depth <= JSON_DEPTH_MAX ||
           json_fail(&reader->lexer, reader->lexer.at - 1, "nested deeper than 1000 levels");
}

static bool close_level(struct json_reader *reader, uint32_t bracket) {
    if (bracket == ']') {
        if (!is_in_array(reader))
            return json_fail(&reader->lexer, reader->lexer.at - 1, "']' without an open array");
        reader->token = JSON_ARRAY_END;
    } else {
        if (!is_in_object(reader))
            return json_fail(&reader->lexer, reader->lexer.at - 1, "'}' without an open object");
        reader->token = JSON_OBJECT_END;
    }
    reader->depth--;
    return true;
}

/* Skips whitespace and takes the character after it. False: a character that is not allowed there.
 * At the end of the bytes *character is END_OF_BYTES. */
enum { END_OF_BYTES = UINT32_C(0x110000) };

static bool take_significant(struct json_reader *reader, uint32_t *character) {
    const char *at = reader->lexer.at;
    while (at < reader->lexer.end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    reader->lexer.at = at;
    if (at == reader->lexer.end) {
        *character = END_OF_BYTES;
        return true;
    }
    if ((unsigned char)*at >= 0x80) {
        *character = json_take_character(&reader->lexer);
        return true;
    }
    reader->lexer.at++;
    *character = (unsigned char)*at;
    if (*character < ' ')
        return json_fail(&reader->lexer, at, "control character outside a string");
    if (*character == '/')
        return json_fail(&reader->lexer, at, "'/' outside a string: JSON has no comments");
    return true;
}

static bool fail_at_end(struct json_reader *reader) {
    return json_fail(&reader->lexer, reader->lexer.end,
                     is_in_array(reader) ? "JSON is cut off inside an array"
                                         : "JSON is cut off inside an object");
}

/* Members after the first of their level need a comma, which is in *character. */
static bool take_comma(struct json_reader *reader, uint32_t *character) {
    if (reader->depth == 0)
        return true;
    if (!level_bit(reader->has_member, reader->depth)) {
        set_level_bit(reader->has_member, reader->depth, true);
        return true;
    }
    if (*character != ',')
        return json_fail(&reader->lexer, reader->lexer.at - 1,
                         is_in_array(reader) ? "expected ',' or ']' after a value"
                                             : "expected ',' or '}' after a value");
    if (!take_significant(reader, character))
        return false;
    return *character != END_OF_BYTES || fail_at_end(reader);
}

/* The key, its colon, and the first character of its value. */
static bool take_key(struct json_reader *reader, uint32_t *character) {
    if (*character != '"' && *character != '\'')
        return json_fail(&reader->lexer, reader->lexer.at - 1, "expected a key in quotes");
    if (!json_lex_quoted(&reader->lexer, (char)*character, &reader->key))
        return false;
    if (json_text_skip(reader->key, JSON_KEY_MAX) < reader->key.bytes + reader->key.size)
        return json_fail(&reader->lexer, reader->lexer.at - 1, "key longer than 50000 characters");

    reader->token = JSON_KEY;
    reader->pending = JSON_NONE;
    if (!take_significant(reader, character))
        return false;
    if (*character == END_OF_BYTES)
        return fail_at_end(reader);
    if (*character != ':')
        return json_fail(&reader->lexer, reader->lexer.at - 1, "expected ':' after a key");
    if (!take_significant(reader, character))
        return false;
    return *character != END_OF_BYTES || fail_at_end(reader);
}

static bool lex_value(struct json_reader *reader, uint32_t first, enum json_token *token) {
    switch (first) {
    case '"':
        reader->string_is_unread = true;
        *token = JSON_STRING;
        return true;
    case '{':
        *token = JSON_OBJECT;
        return true;
    case '[':
        *token = JSON_ARRAY;
        return true;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return json_lex_number(&reader->lexer, (char)first, token);
    default:
        return json_lex_word(&reader->lexer, first, token);
    }
}

static bool enter(struct json_reader *reader, enum json_token token) {
    return (token != JSON_OBJECT && token != JSON_ARRAY) || open_level(reader, token == JSON_ARRAY);
}

/* The token behind the key is known already. */
static bool take_pending(struct json_reader *reader) {
    enum json_token token = reader->pending;
    reader->pending = JSON_NONE;
    if (!enter(reader, token))
        return false;
    reader->token = token;
    return true;
}

bool json_read_string(struct json_reader *reader) {
    if (!reader->string_is_unread)
        return true;
    reader->string_is_unread = false;
    return json_lex_quoted(&reader->lexer, '"', &reader->lexer.value);
}

bool json_take_string(struct json_reader *reader) {
    // Jackson looks at the length when one of its buffers is full and at the end of the string. So
    // a string that is a little too long is only this field's fault, but in a longer one it stops
    // and continues in the middle, where it hardly finds JSON. Where exactly depends on its
    // buffers: seen between 31,616 and 70,000 characters beyond the limit.
    enum { NOTICED_AFTER = 50000 };
    if (!json_read_string(reader))
        return false;
    struct json_raw text = reader->lexer.value;
    const char *end = text.bytes + text.size;
    if (json_text_skip(text, JSON_STRING_MAX) == end)
        return true;
    const char *noticed = json_text_skip(text, JSON_STRING_MAX + NOTICED_AFTER);
    if (noticed < end)
        reader->lexer.at = noticed;
    return json_fail(&reader->lexer, text.bytes, "string longer than 20000000 characters");
}

bool json_next(struct json_reader *reader) {
    if (reader->token == JSON_KEY)
        return take_pending(reader);
    if (reader->string_is_unread && !json_read_string(reader))
        return false;

    uint32_t character;
    if (!take_significant(reader, &character))
        return false;
    if (character == END_OF_BYTES) {
        reader->token = JSON_NONE;
        return reader->depth == 0 || fail_at_end(reader);
    }
    if (character == ']' || character == '}')
        return close_level(reader, character);
    if (!take_comma(reader, &character))
        return false;

    enum json_token token = JSON_NONE;
    if (is_in_object(reader)) {
        if (!take_key(reader, &character) || !lex_value(reader, character, &token))
            return false;
        reader->pending = token;
        return true;
    }
    if (!lex_value(reader, character, &token) || !enter(reader, token))
        return false;
    reader->token = token;
    return true;
}

/* The same as json_skip_children() where nothing is unusual; else nothing, and false. */
static bool skip_usual(struct json_reader *reader) {
    bool is_array = reader->token == JSON_ARRAY;
    if (reader->depth == 0 || reader->depth > JSON_DEPTH_MAX ||
        level_bit(reader->is_array, reader->depth) != is_array ||
        level_bit(reader->has_member, reader->depth))
        return false;
    const char *behind = json_skip_usual(reader->lexer.at, reader->lexer.end, is_array,
                                         JSON_DEPTH_MAX - reader->depth + 1);
    if (behind == NULL)
        return false;
    reader->lexer.at = behind;
    reader->token = is_array ? JSON_ARRAY_END : JSON_OBJECT_END;
    reader->depth--;
    return true;
}

bool json_skip_children(struct json_reader *reader) {
    if (reader->token != JSON_OBJECT && reader->token != JSON_ARRAY)
        return true;
    if (reader->skips_usual && skip_usual(reader))
        return true;
    for (unsigned open = 1; open > 0;) {
        if (!json_next(reader))
            return false;
        if (reader->token == JSON_NONE)
            return fail_at_end(reader);
        if (reader->token == JSON_OBJECT || reader->token == JSON_ARRAY)
            open++;
        else if (reader->token == JSON_OBJECT_END || reader->token == JSON_ARRAY_END)
            open--;
    }
    return true;
}

const char *json_peek_member(struct json_reader *reader) {
    if (!reader->skips_usual || reader->token == JSON_KEY || reader->string_is_unread ||
        !is_in_object(reader) || reader->depth > JSON_DEPTH_MAX)
        return NULL;
    return json_skip_key(reader->lexer.at, reader->lexer.end,
                         !level_bit(reader->has_member, reader->depth), &reader->key);
}

bool json_pass_member(struct json_reader *reader, const char *value) {
    const char *behind = json_skip_value(value, reader->lexer.end, JSON_DEPTH_MAX - reader->depth);
    if (behind == NULL)
        return false;
    reader->lexer.at = behind;
    reader->token = JSON_NULL; // stands for any value
    set_level_bit(reader->has_member, reader->depth, true);
    return true;
}
