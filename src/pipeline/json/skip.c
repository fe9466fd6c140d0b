/* Records have large parts that no column is read from, which must be JSON all the same: Spark
 * loses a record for an error in them. Here is the grammar of JSON in one loop without any state
 * but the open brackets, which are bits of one word. What is rare or wrong (exponents, long
 * numbers, single quotes, more than 63 levels) is left to reader.h, from the beginning.
 *
 * What must stay true: this says yes to nothing that Jackson refuses. */
#include "pipeline/json/skip.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { DIGITS_MAX = 300, KEY_BYTES_MAX = 50000, KEY_PLAIN_MAX = 256, LEVELS_MAX = 63, CHUNK = 16 };

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static inline const char *skip_blanks(const char *at, const char *end) {
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static bool is_hex(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

/* Behind an escape whose backslash is at `at`, or NULL. */
static const char *skip_escape(const char *at, const char *end) {
    enum { UNIT_SIZE = 6 };
    if (end - at < 2)
        return NULL;
    if (at[1] != 'u')
        return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL ? at + 2 : NULL;
    if (end - at < UNIT_SIZE)
        return NULL;
    bool all = is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]);
    return all ? at + UNIT_SIZE : NULL;
}

/* The next quote, backslash or control character; `end`: there is none. */
static inline const char *find_stop(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8('"'), backslashes = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1F);
    for (; end - at >= CHUNK; at += CHUNK) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i stops =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslashes));
        stops = _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));
        unsigned mask = (unsigned)_mm_movemask_epi8(stops);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
        at++;
    return at;
}

/* Behind the closing quote of a string whose opening quote is before `at`, or NULL. */
static inline const char *skip_string(const char *at, const char *end) {
    for (;;) {
        at = find_stop(at, end);
        if (at == end)
            return NULL;
        if (*at == '"')
            return at + 1;
        at = *at == '\\' ? skip_escape(at, end) : NULL;
        if (at == NULL)
            return NULL;
    }
}

static inline const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Whether a value may end before this byte; the end of the record is no such place. */
static inline bool is_behind_value(const char *at, const char *end) {
    return at < end && (*at == ',' || *at == '}' || *at == ']' || is_blank(*at));
}

static inline const char *skip_number(const char *at, const char *end) {
    const char *start = at;
    at += *at == '-';
    const char *whole = at;
    at = skip_digits(at, end);
    if (at == whole || (*whole == '0' && at - whole > 1))
        return NULL;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        if (at == fraction)
            return NULL;
    }
    return at - start <= DIGITS_MAX && is_behind_value(at, end) ? at : NULL;
}

static inline const char *skip_word(const char *at, const char *end, const char *word,
                                    size_t size) {
    if ((size_t)(end - at) <= size || memcmp(at, word, size) != 0)
        return NULL;
    return is_behind_value(at + size, end) ? at + size : NULL;
}

/* A value that opens no level. */
static inline const char *skip_scalar(const char *at, const char *end) {
    switch (*at) {
    case '"':
        return skip_string(at + 1, end);
    case 't':
        return skip_word(at, end, "true", 4);
    case 'f':
        return skip_word(at, end, "false", 5);
    case 'n':
        return skip_word(at, end, "null", 4);
    default:
        return skip_number(at, end);
    }
}

/* The key at `at`, its colon and the blanks around; the first byte of the value, or NULL. */
static inline const char *skip_key(const char *at, const char *end) {
    if (at == end || *at != '"')
        return NULL;
    const char *behind = skip_string(at + 1, end);
    if (behind == NULL || behind - at > KEY_BYTES_MAX)
        return NULL;
    behind = skip_blanks(behind, end);
    return behind < end && *behind == ':' ? skip_blanks(behind + 1, end) : NULL;
}

const char *json_skip_usual(const char *at, const char *end, bool is_array, unsigned levels) {
    uint64_t arrays = is_array; // a bit for each open level, the innermost one lowest
    unsigned open = 1;
    levels = levels < LEVELS_MAX ? levels : LEVELS_MAX;
    at = skip_blanks(at, end);
    bool is_first = true;
    for (;;) {
        // Here a member may start, or, behind the first or none, a bracket close.
        if (at == end)
            return NULL;
        if (*at == ((arrays & 1) != 0 ? ']' : '}')) {
            at++;
            if (--open == 0)
                return at;
            arrays >>= 1;
            is_first = false;
            at = skip_blanks(at, end);
            continue;
        }
        if (!is_first) {
            if (*at != ',')
                return NULL;
            at = skip_blanks(at + 1, end);
        }
        if ((arrays & 1) == 0)
            at = skip_key(at, end);
        if (at == NULL || at == end)
            return NULL;
        is_first = *at == '{' || *at == '[';
        if (is_first) {
            if (open == levels)
                return NULL;
            open++;
            arrays = arrays << 1 | (*at == '[');
            at++;
        } else {
            at = skip_scalar(at, end);
            if (at == NULL)
                return NULL;
        }
        at = skip_blanks(at, end);
    }
}

const char *json_skip_key(const char *at, const char *end, bool is_first, struct json_raw *key) {
    at = skip_blanks(at, end);
    if (!is_first) {
        if (at == end || *at != ',')
            return NULL;
        at = skip_blanks(at + 1, end);
    }
    if (at == end || *at != '"')
        return NULL;
    const char *start = at + 1, *quote = find_stop(start, end);
    if (quote == end || *quote != '"' || quote - start > KEY_PLAIN_MAX)
        return NULL;
    for (const char *byte = start; byte < quote; byte++)
        if ((signed char)*byte < 0)
            return NULL;
    *key = (struct json_raw){start, (size_t)(quote - start), true};
    at = skip_blanks(quote + 1, end);
    if (at == end || *at != ':')
        return NULL;
    at = skip_blanks(at + 1, end);
    return at < end ? at : NULL;
}

const char *json_skip_value(const char *at, const char *end, unsigned levels) {
    if (*at != '{' && *at != '[')
        return skip_scalar(at, end);
    return levels == 0 ? NULL : json_skip_usual(at + 1, end, *at == '[', levels);
}
