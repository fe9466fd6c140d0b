#include "pipeline/json/common.h"

#include "core/double_text.h"
#include "pipeline/json/reader.h"
#include "pipeline/json/scan.h"

/* So many digits can't overflow an int64. */
enum { DIGITS_MAX = 18 };

/* The text of a plain string, whose quote stands at `at`; the byte behind it, or NULL. */
static const char *read_plain(const char *at, const char *end, struct text *text) {
    if (*at != '"')
        return NULL;
    bool ascii = true;
    const char *stop = json_skip_plain(at + 1, end, '"', &ascii);
    if (stop == end || *stop != '"' || !ascii || stop - at - 1 > JSON_STRING_MAX)
        return NULL;
    *text = (struct text){at + 1, (uint32_t)(stop - at - 1)};
    return stop + 1;
}

static const char *read_text(const char *at, const char *end, struct vector *vector, size_t row,
                             struct arena *strings) {
    struct text text;
    const char *behind = read_plain(at, end, &text);
    char *bytes = behind == NULL ? NULL : arena_alloc_bytes(strings, text.length);
    if (bytes == NULL)
        return NULL;
    memcpy(bytes, text.bytes, text.length);
    vector->texts[row] = (struct text){bytes, text.length};
    return behind;
}

static const char *read_timestamp(const char *at, const char *end,
                                  const struct timestamp_context *context, int64_t *micros) {
    struct text text;
    const char *behind = read_plain(at, end, &text);
    return behind != NULL && timestamp_parse(text, context, micros) ? behind : NULL;
}

static bool is_behind_value(const char *at, const char *end) {
    return at < end &&
           (*at == ',' || *at == '}' || *at == ' ' || *at == '\n' || *at == '\r' || *at == '\t');
}

static const char *read_word(const char *at, const char *end, const char *word, size_t size) {
    bool same = (size_t)(end - at) > size && memcmp(at, word, size) == 0;
    return same && is_behind_value(at + size, end) ? at + size : NULL;
}

/* A run of digits without a leading zero. */
static const char *read_digits(const char *at, const char *end, int64_t *value) {
    const char *start = at;
    int64_t sum = 0;
    for (; at < end && json_is_digit(*at) && at - start < DIGITS_MAX; at++)
        sum = sum * 10 + (*at - '0');
    if (at == start || (*start == '0' && at - start > 1))
        return NULL;
    *value = sum;
    return at;
}

static const char *read_integer(const char *at, const char *end, int64_t *value) {
    bool negative = *at == '-';
    const char *behind = read_digits(at + (negative ? 1 : 0), end, value);
    if (behind == NULL || !is_behind_value(behind, end))
        return NULL;
    if (negative)
        *value = -*value;
    return behind;
}

static const char *read_double(const char *at, const char *end, double *value) {
    bool negative = *at == '-';
    int64_t whole;
    const char *point = read_digits(at + (negative ? 1 : 0), end, &whole);
    if (point == NULL || point == end || *point != '.')
        return NULL;
    uint64_t digits = (uint64_t)whole;
    const char *behind = point + 1;
    for (; behind < end && json_is_digit(*behind) && behind - at < DIGITS_MAX; behind++)
        digits = digits * 10 + (uint64_t)(*behind - '0');
    if (behind == point + 1 || !is_behind_value(behind, end) ||
        !double_compose(negative, digits, point + 1 - behind, value))
        return NULL;
    return behind;
}

static const char *read_boolean(const char *at, const char *end, uint8_t *value) {
    const char *behind = read_word(at, end, "true", 4);
    bool is_true = behind != NULL;
    if (behind == NULL)
        behind = read_word(at, end, "false", 5);
    if (behind != NULL)
        *value = is_true;
    return behind;
}

static const char *read_present(const char *at, const char *end,
                                const struct timestamp_context *context, struct vector *vector,
                                size_t row, struct arena *strings) {
    int64_t integer;
    const char *behind;
    switch (vector->type) {
    case TYPE_STRING:
        return read_text(at, end, vector, row, strings);
    case TYPE_INT32:
        behind = read_integer(at, end, &integer);
        if (behind == NULL || integer < INT32_MIN || integer > INT32_MAX)
            return NULL;
        vector->int32s[row] = (int32_t)integer;
        return behind;
    case TYPE_INT64:
        behind = read_integer(at, end, &integer);
        if (behind != NULL)
            vector->int64s[row] = integer;
        return behind;
    case TYPE_DOUBLE:
        return read_double(at, end, &vector->doubles[row]);
    case TYPE_BOOL:
        return read_boolean(at, end, &vector->booleans[row]);
    case TYPE_TIMESTAMP:
        return read_timestamp(at, end, context, &vector->int64s[row]);
    default:
        return NULL;
    }
}

const char *json_read_common(const char *at, const char *end,
                             const struct timestamp_context *context, struct vector *vector,
                             size_t row, struct arena *strings) {
    bool is_null = *at == 'n';
    const char *behind = is_null ? read_word(at, end, "null", 4)
                                 : read_present(at, end, context, vector, row, strings);
    if (behind != NULL)
        vector->valid[row] = is_null ? 0 : 1;
    return behind;
}
