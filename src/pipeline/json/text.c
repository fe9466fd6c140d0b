/* A cursor goes over the text character by character, escapes included. A surrogate comes as it
 * is, so two escapes that make a pair are combined by the writer. Where the cursor
 * starts in the middle of a character beyond U+FFFF, it gives that character's second half, as
 * in Java.
 *
 * What must stay true: no text gets longer than three bytes for one of the record. The callers'
 * room is cut by that. */
#include "pipeline/json/text.h"

#include <string.h>

#include "base/utf8.h"

struct raw_cursor {
    const char *start, *at, *end;
};

static bool is_surrogate(uint32_t character) {
    return character >= 0xD800 && character <= 0xDFFF;
}

static uint32_t high_surrogate(uint32_t character) {
    return 0xD800 + ((character - 0x10000) >> 10);
}

static uint32_t low_surrogate(uint32_t character) {
    return 0xDC00 + ((character - 0x10000) & 0x3FF);
}

/* The second half of the character in whose middle `at` stands; 0: it does not. */
static uint32_t second_half(const char *start, const char *end, const char *at) {
    enum { FIRST_BYTES = UTF8_CHARACTER_MAX - 1 };
    if (at - start < FIRST_BYTES || ((unsigned char)*at & 0xC0) != 0x80)
        return 0;
    size_t size;
    bool valid;
    uint32_t character = utf8_decode(at - FIRST_BYTES, end, &size, &valid);
    return valid && character > 0xFFFF ? low_surrogate(character) : 0;
}

uint32_t json_take_unit(const char *start, const char *end, const char **at) {
    size_t size;
    bool valid;
    uint32_t character = utf8_decode(*at, end, &size, &valid);
    if (character > 0xFFFF) {
        *at += size - 1;
        return high_surrogate(character);
    }
    uint32_t half = valid ? 0 : second_half(start, end, *at);
    *at += size;
    return half != 0 ? half : character;
}

int json_hex_value(uint32_t unit) {
    unit &= 0xFF;
    if (unit >= '0' && unit <= '9')
        return (int)unit - '0';
    unit |= 0x20;
    return unit >= 'a' && unit <= 'f' ? (int)unit - 'a' + 10 : -1;
}

static uint32_t take_unit(struct raw_cursor *cursor) {
    return json_take_unit(cursor->start, cursor->end, &cursor->at);
}

static uint32_t take_escape(struct raw_cursor *cursor) {
    char kind = *cursor->at++;
    switch (kind) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u': {
        uint32_t unit = 0;
        for (int i = 0; i < 4; i++)
            unit = unit << 4 | (unsigned)json_hex_value(take_unit(cursor));
        return unit;
    }
    default:
        return (unsigned char)kind; // a quote, a slash, a backslash
    }
}

/* The next character; a surrogate by itself comes as it is. The lexer has checked the escapes. */
static uint32_t take_character(struct raw_cursor *cursor) {
    if (*cursor->at == '\\') {
        cursor->at++;
        return take_escape(cursor);
    }
    size_t size;
    bool valid;
    uint32_t character = utf8_decode(cursor->at, cursor->end, &size, &valid);
    uint32_t half = valid ? 0 : second_half(cursor->start, cursor->end, cursor->at);
    cursor->at += size;
    return half != 0 ? half : character;
}

/* The second half of a pair right behind its first half, or 0. */
static uint32_t take_low_surrogate(struct raw_cursor *cursor) {
    struct raw_cursor ahead = *cursor;
    if (ahead.at == ahead.end)
        return 0;
    uint32_t unit = take_character(&ahead);
    if (unit < 0xDC00 || unit > 0xDFFF)
        return 0;
    *cursor = ahead;
    return unit;
}

void json_output_put(struct json_output *output, const char *bytes, size_t size) {
    if ((size_t)(output->end - output->at) < size) {
        output->end = output->at;
        output->is_full = true;
        return;
    }
    memcpy(output->at, bytes, size);
    output->at += size;
}

static void put_character(struct json_output *output, uint32_t character) {
    char bytes[UTF8_CHARACTER_MAX];
    json_output_put(output, bytes, utf8_encode(character, bytes));
}

/* Bytes that stand for themselves, in a row. */
static const char *skip_ascii(struct raw_cursor cursor, bool stop_at_quote) {
    while (cursor.at < cursor.end && (unsigned char)*cursor.at < 0x80 && *cursor.at != '\\' &&
           !(stop_at_quote && *cursor.at == '"'))
        cursor.at++;
    return cursor.at;
}

void json_output_text(struct json_output *output, struct json_raw raw) {
    if (raw.plain) {
        json_output_put(output, raw.bytes, raw.size);
        return;
    }
    struct raw_cursor cursor = {raw.bytes, raw.bytes, raw.bytes + raw.size};
    while (cursor.at < cursor.end && !output->is_full) {
        const char *run_end = skip_ascii(cursor, false);
        json_output_put(output, cursor.at, (size_t)(run_end - cursor.at));
        cursor.at = run_end;
        if (cursor.at == cursor.end)
            break;
        uint32_t character = take_character(&cursor);
        if (is_surrogate(character)) {
            uint32_t low = character < 0xDC00 ? take_low_surrogate(&cursor) : 0;
            character = low != 0 ? 0x10000 + ((character - 0xD800) << 10 | (low - 0xDC00)) : '?';
        }
        put_character(output, character);
    }
}

static void put_unit(struct json_output *output, uint32_t unit) {
    static const char digits[] = "0123456789ABCDEF";
    char escape[] = {'\\',
                     'u',
                     digits[unit >> 12 & 0xF],
                     digits[unit >> 8 & 0xF],
                     digits[unit >> 4 & 0xF],
                     digits[unit & 0xF]};
    json_output_put(output, escape, sizeof escape);
}

static void put_escaped(struct json_output *output, uint32_t character) {
    static const char short_escapes[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                         ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (character < sizeof short_escapes && short_escapes[character] != 0) {
        char escape[] = {'\\', short_escapes[character]};
        json_output_put(output, escape, sizeof escape);
    } else if (character < ' ' || is_surrogate(character)) {
        put_unit(output, character);
    } else if (character > 0xFFFF) {
        put_unit(output, high_surrogate(character));
        put_unit(output, low_surrogate(character));
    } else {
        put_character(output, character);
    }
}

void json_output_quoted(struct json_output *output, struct json_raw raw) {
    struct raw_cursor cursor = {raw.bytes, raw.bytes, raw.bytes + raw.size};
    json_output_put(output, "\"", 1);
    while (cursor.at < cursor.end && !output->is_full) {
        const char *run_end = skip_ascii(cursor, true);
        json_output_put(output, cursor.at, (size_t)(run_end - cursor.at));
        cursor.at = run_end;
        if (cursor.at < cursor.end)
            put_escaped(output, take_character(&cursor));
    }
    json_output_put(output, "\"", 1);
}

const char *json_text_skip(struct json_raw raw, size_t units) {
    if (raw.plain || raw.size <= units) // a unit has one byte at least
        return raw.bytes + (raw.size < units ? raw.size : units);
    struct raw_cursor cursor = {raw.bytes, raw.bytes, raw.bytes + raw.size};
    for (size_t seen = 0; cursor.at < cursor.end && seen < units;)
        seen += take_character(&cursor) > 0xFFFF ? 2 : 1;
    return cursor.at;
}
