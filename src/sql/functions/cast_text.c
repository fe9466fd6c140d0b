/* cast_text.c: casts from and to STRING.
 *
 * Around a text Spark ignores control characters and blanks, but not other whitespace such as
 * U+00A0. Whole numbers may have a fraction, which is cut off, but no exponent. Floating point is
 * read as Java reads it: with a suffix, and hexadecimal. */
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/double_text.h"
#include "sql/functions/cast.h"
#include "sql/functions/loop.h"
#include "sql/functions/words.h"

/* ---- to truth values ---- */

static bool text_is(struct text text, const char *word) {
    return strlen(word) == text.length && strncasecmp(text.bytes, word, text.length) == 0;
}

static bool parse_bool(struct text text, uint8_t *value) {
    static const char *const words[2][5] = {{"false", "f", "no", "n", "0"},
                                            {"true", "t", "yes", "y", "1"}};
    struct text trimmed = trim_control(text);
    for (uint8_t truth = 0; truth < 2; truth++)
        for (size_t i = 0; i < sizeof words[0] / sizeof words[0][0]; i++)
            if (text_is(trimmed, words[truth][i])) {
                *value = truth;
                return true;
            }
    return false;
}

/* ---- to whole numbers ---- */

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool parse_int64(struct text text, bool with_fraction, int64_t *value) {
    struct text trimmed = trim_control(text);
    const char *at = trimmed.bytes, *end = at + trimmed.length;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    int64_t result = 0; // as the negative number, which reaches further
    for (; at < end && is_digit(*at); at++)
        if (__builtin_mul_overflow(result, 10, &result) ||
            __builtin_sub_overflow(result, *at - '0', &result))
            return false;
    if (at < end && *at == '.' && with_fraction)
        for (at++; at < end && is_digit(*at); at++) {
        }
    if (at < end || (!negative && result == INT64_MIN))
        return false;
    *value = negative ? result : -result;
    return true;
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define PARSE_WHOLE(kind, name, type, unsigned_type)                                               \
    static bool read_##name(struct text text, bool with_fraction, type *value) {                   \
        int64_t number;                                                                            \
        if (!parse_int64(text, with_fraction, &number) || number != (type)number)                  \
            return false;                                                                          \
        *value = (type)number;                                                                     \
        return true;                                                                               \
    }                                                                                              \
    static bool parse_##name##_value(struct text text, type *value) {                              \
        return read_##name(text, true, value);                                                     \
    }                                                                                              \
    static bool parse_whole_##name(struct text text, type *value) {                                \
        return read_##name(text, false, value);                                                    \
    }
// NOLINTEND(bugprone-macro-parentheses)

INTEGER_KERNELS(PARSE_WHOLE)

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define TEXT_KERNEL(name, type, parse)                                                             \
    static bool name(const struct kernel_call *call) {                                             \
        const struct operand *in = call->arguments[0];                                             \
        type *out = call->out->vector.values;                                                      \
        uint8_t *valid = call->out->vector.valid;                                                  \
        for (size_t row = call->first, end = row + call->count; row < end; row++)                  \
            valid[row] = is_present(in, row) && parse(text_at(in, row), &out[row]);                \
        return true;                                                                               \
    }

// NOLINTEND(bugprone-macro-parentheses)

TEXT_KERNEL(text_to_bool, uint8_t, parse_bool)
TEXT_KERNEL(text_to_int8, int8_t, parse_int8_value)
TEXT_KERNEL(text_to_int16, int16_t, parse_int16_value)
TEXT_KERNEL(text_to_int32, int32_t, parse_int32_value)
TEXT_KERNEL(text_to_int64, int64_t, parse_int64_value)
TEXT_KERNEL(whole_text_to_int8, int8_t, parse_whole_int8)
TEXT_KERNEL(whole_text_to_int16, int16_t, parse_whole_int16)
TEXT_KERNEL(whole_text_to_int32, int32_t, parse_whole_int32)
TEXT_KERNEL(whole_text_to_int64, int64_t, parse_whole_int64)

kernel_fn *cast_from_whole_text(enum type to) {
    static kernel_fn *const kernels[TYPE_COUNT] = {
        [TYPE_INT8] = whole_text_to_int8,
        [TYPE_INT16] = whole_text_to_int16,
        [TYPE_INT32] = whole_text_to_int32,
        [TYPE_INT64] = whole_text_to_int64,
    };
    return kernels[to];
}

/* ---- to floating point ---- */

/* [0-9]*[.[0-9]*] with a digit somewhere, of the given digits. NULL: no number. */
static const char *skip_mantissa(const char *at, const char *end, int (*is)(int)) {
    size_t digits = 0;
    for (; at < end && is((unsigned char)*at); at++)
        digits++;
    if (at < end && *at == '.')
        for (at++; at < end && is((unsigned char)*at); at++)
            digits++;
    return digits > 0 ? at : NULL;
}

/* Behind its letter; `at` stays where there is none. NULL: it has no digit. */
static const char *skip_exponent(const char *at, const char *end, char letter) {
    if (at == end || (*at | 0x20) != letter)
        return at;
    at++;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    const char *digits = at;
    while (at < end && is_digit(*at))
        at++;
    return at > digits ? at : NULL;
}

/* Whether Java takes it, and its length without a suffix, which is what strtod() takes. */
static bool is_java_number(struct text text, uint32_t *length) {
    const char *at = text.bytes, *end = at + text.length;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    bool is_hexadecimal = end - at > 2 && at[0] == '0' && (at[1] | 0x20) == 'x';
    if (is_hexadecimal) {
        at = skip_mantissa(at + 2, end, isxdigit);
        if (at == NULL || at == end || (*at | 0x20) != 'p')
            return false;
    } else {
        at = skip_mantissa(at, end, isdigit);
    }
    if (at != NULL)
        at = skip_exponent(at, end, is_hexadecimal ? 'p' : 'e');
    if (at == NULL)
        return false;
    *length = (uint32_t)(at - text.bytes);
    bool has_suffix = end - at == 1 && ((*at | 0x20) == 'd' || (*at | 0x20) == 'f');
    return at == end || has_suffix;
}

/* Words in Java's spelling and Spark's. */
static bool parse_special(struct text text, double *value) {
    static const struct {
        const char *word;
        double value;
    } words[] = {
        {"inf", INFINITY},       {"+inf", INFINITY},    {"infinity", INFINITY},
        {"+infinity", INFINITY}, {"-inf", -INFINITY},   {"-infinity", -INFINITY},
        {"nan", (double)NAN},    {"+nan", (double)NAN}, {"-nan", (double)NAN},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (text_is(text, words[i].word)) {
            // Signed, it is only taken in Java's own spelling.
            bool is_java = memcmp(text.bytes + text.length - 3, "NaN", 3) == 0;
            *value = words[i].value;
            return text.length != 4 || !isnan(words[i].value) || is_java;
        }
    return false;
}

enum { SHORT_NUMBER_MAX = 64 };

/* `copy` has room for the text and its end. */
static bool parse_double(struct text text, char *copy, bool as_float, double *value) {
    uint32_t length;
    if (!is_java_number(text, &length))
        return parse_special(text, value);
    memcpy(copy, text.bytes, length);
    copy[length] = '\0';
    // The "C" locale is built into glibc: asking for it allocates nothing and cannot fail.
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    *value = as_float ? (double)strtof_l(copy, NULL, locale) : strtod_l(copy, NULL, locale);
    return true;
}

/* Longer texts are copied to the slice's own memory, for as long as it takes to read them. */
static bool text_to_real(const struct kernel_call *call, bool as_float) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        char short_copy[SHORT_NUMBER_MAX];
        double value = 0;
        out->valid[row] = 0;
        if (!is_present(in, row))
            continue;
        struct text text = trim_blanks(text_at(in, row));
        size_t used = call->strings->used;
        char *copy = text.length < SHORT_NUMBER_MAX
                         ? short_copy
                         : arena_alloc_bytes(call->strings, (size_t)text.length + 1);
        if (copy == NULL)
            return false;
        out->valid[row] = parse_double(text, copy, as_float, &value);
        arena_rewind(call->strings, used);
        if (as_float)
            out->floats[row] = (float)value;
        else
            out->doubles[row] = value;
    }
    return true;
}

static bool text_to_float(const struct kernel_call *call) {
    return text_to_real(call, true);
}

static bool text_to_double(const struct kernel_call *call) {
    return text_to_real(call, false);
}

KERNEL_COPY(same_text, struct text)

kernel_fn *cast_from_text(enum type to) {
    static kernel_fn *const kernels[TYPE_COUNT] = {
        [TYPE_BOOL] = text_to_bool,     [TYPE_INT8] = text_to_int8,   [TYPE_INT16] = text_to_int16,
        [TYPE_INT32] = text_to_int32,   [TYPE_INT64] = text_to_int64, [TYPE_FLOAT] = text_to_float,
        [TYPE_DOUBLE] = text_to_double, [TYPE_BINARY] = same_text,
    };
    return kernels[to];
}

/* ---- to texts ---- */

enum { NUMBER_TEXT_MAX = 48 };

/* `print` writes the row's value into at most NUMBER_TEXT_MAX bytes. */
static inline bool print_rows(const struct kernel_call *call,
                              size_t (*print)(const struct vector *in, size_t row, char *text)) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->vector.valid[row];
        if (!is_present(in, row))
            continue;
        char *bytes = arena_alloc_bytes(call->strings, NUMBER_TEXT_MAX);
        if (bytes == NULL)
            return false;
        size_t size = print(&in->vector, row, bytes);
        arena_rewind(call->strings, call->strings->used - (NUMBER_TEXT_MAX - size));
        out->texts[row] = (struct text){bytes, (uint32_t)size};
    }
    return true;
}

static size_t print_int64(int64_t value, char *text) {
    char reversed[NUMBER_TEXT_MAX];
    size_t count = 0, size = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; count == 0 || rest != 0; rest /= 10)
        reversed[count++] = (char)('0' + rest % 10);
    if (value < 0)
        text[size++] = '-';
    while (count > 0)
        text[size++] = reversed[--count];
    return size;
}

#define WHOLE_TO_TEXT(kind, name, type, unsigned_type)                                             \
    static size_t print_##name##_row(const struct vector *in, size_t row, char *text) {            \
        return print_int64(((const type *)in->values)[row], text);                                 \
    }                                                                                              \
    static bool name##_to_text(const struct kernel_call *call) {                                   \
        return print_rows(call, print_##name##_row);                                               \
    }
INTEGER_KERNELS(WHOLE_TO_TEXT)

static size_t print_double_row(const struct vector *in, size_t row, char *text) {
    return double_format(in->doubles[row], text);
}

static bool double_to_text(const struct kernel_call *call) {
    return print_rows(call, print_double_row);
}

static size_t print_float_row(const struct vector *in, size_t row, char *text) {
    return float_format(in->floats[row], text);
}

static bool float_to_text(const struct kernel_call *call) {
    return print_rows(call, print_float_row);
}

static bool bool_to_text(const struct kernel_call *call) {
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->valid[row];
        out->texts[row] = in->booleans[row] != 0 ? TEXT("true") : TEXT("false");
    }
    return true;
}

kernel_fn *cast_to_text(enum type from) {
    static kernel_fn *const kernels[TYPE_COUNT] = {
        [TYPE_BOOL] = bool_to_text,   [TYPE_INT8] = int8_to_text,   [TYPE_INT16] = int16_to_text,
        [TYPE_INT32] = int32_to_text, [TYPE_INT64] = int64_to_text, [TYPE_DOUBLE] = double_to_text,
        [TYPE_FLOAT] = float_to_text, [TYPE_BINARY] = same_text,
    };
    return kernels[from];
}
