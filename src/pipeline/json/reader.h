/* reader.h: a record's bytes as JSON tokens, one at a time.
 *
 * It accepts what Spark's parser (Jackson, with Spark's options) accepts: JSON, and beyond it
 * strings and keys in single quotes and the numbers NaN, Infinity, -Infinity, +Infinity, -INF,
 * +INF. Limits: 1000 levels, 1000 digits in a number, 50,000 characters in a key, 20 million in a
 * string that becomes a value.
 *
 * Spark continues after some errors in the middle of a value, so what the reader does after `false`
 * is part of its behaviour and the same as Jackson's:
 *   - A value's first token is read together with its key, and the bytes of a string in double
 *     quotes only when somebody asks for them or moves on. This order decides where an error shows.
 *   - After an error the reader is after the bytes it has looked at, at the level it was on,
 *     and json_next() continues from there. After an error between a key and its value, json_next()
 *     says JSON_NONE, as at the end of the bytes.
 *
 * Nothing is allocated, no byte behind the value is read, every byte is looked at a bounded number
 * of times, and depth costs bits, not stack. */
#ifndef PIPELINE_JSON_READER_H
#define PIPELINE_JSON_READER_H

#include "pipeline/json/lexer.h"

enum {
    JSON_DEPTH_MAX = 1000,
    JSON_LEVELS = JSON_DEPTH_MAX + 280, // more than errors of too deep levels can leave open
    JSON_KEY_MAX = 50000,               // UTF-16 units, as the next
    JSON_STRING_MAX = 20000000,         // of strings that somebody takes
};

struct json_reader {
    struct json_lexer lexer; // its value is the current string's, once read, or number's
    enum json_token token;   // the current one
    enum json_token pending; // the token behind the current key
    bool string_is_unread;   // the current or pending string's end has not been looked for
    bool skips_usual;        // json_skip_children() may use skip.h; set by the caller
    struct json_raw key;     // the newest key

    unsigned depth;                        // levels open
    uint64_t is_array[JSON_LEVELS / 64];   // per level
    uint64_t has_member[JSON_LEVELS / 64]; // per level: the next member needs a comma
};

void json_reader_init(struct json_reader *reader, const char *bytes, size_t size);

/* Moves to the next token. False: not JSON. */
MUST_CHECK bool json_next(struct json_reader *reader);

enum { JSON_ROOT_LEVEL = 1 };

/* What json_next() does at the very first byte if that opens an object; else nothing, and false. */
static inline bool json_reader_open_root(struct json_reader *reader) {
    if (*reader->lexer.at != '{')
        return false;
    reader->lexer.at++;
    reader->token = JSON_OBJECT;
    reader->depth = JSON_ROOT_LEVEL;
    reader->is_array[0] = reader->has_member[0] = 0;
    return true;
}

/* Continues at `behind`, which is after a scalar member of the root object that the caller has
 * read by itself. Only on the root object's own level. */
static inline void json_reader_pass(struct json_reader *reader, const char *behind) {
    reader->lexer.at = behind;
    reader->token = JSON_NULL; // stands for any scalar
    reader->has_member[0] |= UINT64_C(1) << JSON_ROOT_LEVEL;
}

/* What json_next() does behind a member of the root object if the very next byte closes it; else
 * nothing, and false. Only on the root object's own level. */
static inline bool json_reader_close_root(struct json_reader *reader) {
    if (reader->lexer.at == reader->lexer.end || *reader->lexer.at != '}')
        return false;
    reader->lexer.at++;
    reader->token = JSON_OBJECT_END;
    reader->depth = 0;
    return true;
}

/* Finds the end of the current string and checks its escapes; reader->lexer.value is what lies
 * between the quotes. Once it is read, true without doing anything. */
MUST_CHECK bool json_read_string(struct json_reader *reader);

/* The same for a string whose text is wanted: false, too, if it is longer than JSON_STRING_MAX. */
MUST_CHECK bool json_take_string(struct json_reader *reader);

/* The next member of the open object if it is plain and may be passed without being looked at
 * (skips_usual): its key, which becomes the reader's, and where its value starts; else NULL. */
const char *json_peek_member(struct json_reader *reader);

/* Moves behind that member; false, and nothing: its value is not in the usual form. */
MUST_CHECK bool json_pass_member(struct json_reader *reader, const char *value);

/* If the current token opens an object or array, moves to the token that closes it. */
MUST_CHECK bool json_skip_children(struct json_reader *reader);

#endif
