/* cast_decimal.c: casts from and to DECIMAL, which round half away from zero, and give null where
 * the type has too few digits. Floating point is taken by its decimal text, as Java prints it. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/double_digits.h"
#include "sql/functions/cast.h"
#include "sql/functions/loop.h"
#include "sql/functions/moment.h"
#include "sql/functions/words.h"

__extension__ typedef unsigned __int128 uint128_t;

enum { PRINTED_MAX = 96, MICRO_DIGITS = 6 };

static bool fits(int128_t value, const struct data_type *type) {
    int128_t limit = decimal_power(type->precision);
    return value < limit && value > -limit;
}

/* ---- to DECIMAL ---- */

/* 0.d1 d2 … dn * 10^exponent. */
static bool from_digits(const char *digits, int64_t count, int64_t exponent, bool negative,
                        const struct data_type *type, int128_t *out) {
    int64_t keep = exponent + type->scale;
    int128_t value = 0;
    *out = 0;
    if (count == 0)
        return true;
    if (keep > DECIMAL_PRECISION_MAX)
        return false;
    for (int64_t i = 0; i < keep; i++)
        value = value * 10 + (i < count ? digits[i] - '0' : 0);
    if (keep >= 0 && keep < count && digits[keep] >= '5')
        value++;
    *out = negative ? -value : value;
    return fits(value, type);
}

static bool from_double(double value, const struct data_type *type, int128_t *out) {
    struct double_digits decimal;
    *out = 0;
    if (!isfinite(value) || value == 0)
        return value == 0;
    double_digits(fabs(value), &decimal);
    return from_digits(decimal.digits, decimal.count, decimal.exponent, value < 0, type, out);
}

static bool rescale(int128_t value, int from_scale, const struct data_type *type, int128_t *out) {
    int more = type->scale - from_scale;
    if (more >= 0) {
        if (__builtin_mul_overflow(value, decimal_power(more), out))
            return false;
    } else {
        int128_t unit = decimal_power(-more), rest = value % unit;
        bool up = 2 * (uint128_t)(rest < 0 ? -rest : rest) >= (uint128_t)unit;
        *out = value / unit + (up ? (value < 0 ? -1 : 1) : 0);
    }
    return fits(*out, type);
}

/* `convert` is a condition with the value `x`, the type `to` and the result `*result`. */
#define TO_DECIMAL(name, in_type, convert)                                                         \
    static bool name(const struct kernel_call *call) {                                             \
        const struct operand *in = call->arguments[0];                                             \
        const in_type *values = in->vector.values;                                                 \
        const struct data_type *to = call->out->type;                                              \
        struct vector *out = &call->out->vector;                                                   \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            int128_t *result = &out->decimals[row];                                                \
            in_type x = values[row];                                                               \
            out->valid[row] = is_present(in, row) && (convert);                                    \
        }                                                                                          \
        return true;                                                                               \
    }

TO_DECIMAL(bool_to_decimal, uint8_t, rescale(x, 0, to, result))
TO_DECIMAL(int8_to_decimal, int8_t, rescale(x, 0, to, result))
TO_DECIMAL(int16_to_decimal, int16_t, rescale(x, 0, to, result))
TO_DECIMAL(int32_to_decimal, int32_t, rescale(x, 0, to, result))
TO_DECIMAL(int64_to_decimal, int64_t, rescale(x, 0, to, result))
TO_DECIMAL(float_to_decimal, float, from_double((double)x, to, result))
TO_DECIMAL(double_to_decimal, double, from_double(x, to, result))
TO_DECIMAL(timestamp_to_decimal, int64_t, rescale(x, MICRO_DIGITS, to, result))
TO_DECIMAL(decimal_to_decimal, int128_t, rescale(x, in->type->scale, to, result))

/* Spark computes the power of ten of a large exponent: for minutes, or until it throws. */
static bool is_too_long(const struct decimal_text *parts) {
    enum { EXPONENT_MAX = 9999 }; // as the guard says it
    int64_t exponent = parts->exponent < 0 ? -parts->exponent : parts->exponent;
    return exponent > EXPONENT_MAX && exponent <= INT32_MAX;
}

/* A zero counts as one digit for Spark's limit of digits before the point. */
static bool has_room(const struct decimal_text *parts) {
    int64_t scale = parts->fraction_end - parts->fraction - parts->exponent;
    return !decimal_text_is_zero(parts) || 1 - scale <= DECIMAL_PRECISION_MAX;
}

/* As Java's BigDecimal reads it: no suffix, and no words. */
static bool text_to_decimal(const struct kernel_call *call) {
    const struct operand *in = call->arguments[0];
    const struct data_type *to = call->out->type;
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        struct decimal_text parts;
        out->valid[row] = 0;
        if (!is_present(in, row) || !decimal_text_split(trim_blanks(text_at(in, row)), &parts))
            continue;
        if (is_too_long(&parts))
            call->out->faults[row] = 1;
        else
            out->valid[row] = has_room(&parts) && decimal_of_text(&parts, to->precision, to->scale,
                                                                  &out->decimals[row]);
    }
    return true;
}

const char *cast_guard_decimal(const char *argument, const struct data_type *to,
                               struct pool *pool) {
    return pool_format(pool,
                       "CASE WHEN NOT %s RLIKE '[eE][-+]?0*[1-9][0-9]{4}' THEN CAST(%s AS %s) END",
                       argument, argument, data_type_ddl(to, pool));
}

/* ---- from DECIMAL ---- */

/* As BigDecimal.toString(): with an exponent where there would be many zeros behind the point. */
static size_t format_decimal(int128_t value, int scale, char *text) {
    char reversed[DECIMAL_PRECISION_MAX + 1];
    int count = 0;
    size_t size = 0;
    uint128_t rest = value < 0 ? -(uint128_t)value : (uint128_t)value;
    for (; count == 0 || rest != 0; rest /= 10)
        reversed[count++] = (char)('0' + (int)(rest % 10));
    if (value < 0)
        text[size++] = '-';
    int exponent = count - 1 - scale;
    int before = exponent < -6 ? 1 : count - scale; // digits before the point
    if (before <= 0) {
        text[size++] = '0';
        text[size++] = '.';
        for (; before < 0; before++)
            text[size++] = '0';
        before = -1;
    }
    for (int i = 0; i < count; i++) {
        if (i == before)
            text[size++] = '.';
        text[size++] = reversed[count - 1 - i];
    }
    if (exponent < -6)
        size += (size_t)sprintf(text + size, "E%d", exponent);
    return size;
}

static size_t format_plain(int128_t value, int scale, char *text) {
    return decimal_format(value, scale, text);
}

/* In the form that `format` prints. */
static bool print_decimals(const struct kernel_call *call,
                           size_t (*format)(int128_t value, int scale, char *text)) {
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->vector.valid[row];
        if (!is_present(in, row))
            continue;
        char text[PRINTED_MAX];
        size_t size = format(in->vector.decimals[row], in->type->scale, text);
        char *bytes = arena_alloc_bytes(call->strings, size);
        if (bytes == NULL)
            return false;
        memcpy(bytes, text, size);
        out->texts[row] = (struct text){bytes, (uint32_t)size};
    }
    return true;
}

static bool decimal_to_text(const struct kernel_call *call) {
    return print_decimals(call, format_decimal);
}

/* The library reads the decimal text with one rounding. */
static double to_real(int128_t value, int scale, bool as_float) {
    char text[PRINTED_MAX];
    size_t size = format_decimal(value, 0, text);
    (void)snprintf(text + size, sizeof text - size, "e%d", -scale);
    // The "C" locale is built into glibc: asking for it allocates nothing and cannot fail.
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return as_float ? (double)strtof_l(text, NULL, locale) : strtod_l(text, NULL, locale);
}

/* Without the fraction; the lowest bits of what is left. */
static uint64_t to_whole(int128_t value, int scale) {
    return (uint64_t)(value / decimal_power(scale));
}

/* Microseconds, of which the lowest bits are kept. */
static int64_t to_micros(int128_t value, int scale) {
    int128_t unit = decimal_power(scale);
    int128_t seconds = value / unit, rest = value % unit;
    uint128_t micros = (uint128_t)seconds * (uint128_t)MICROS_PER_SECOND;
    if (scale >= MICRO_DIGITS)
        rest /= decimal_power(scale - MICRO_DIGITS);
    else
        rest *= decimal_power(MICRO_DIGITS - scale);
    return (int64_t)(uint64_t)(micros + (uint128_t)rest);
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define FROM_DECIMAL(name, out_type, expression)                                                   \
    static bool name(const struct kernel_call *call) {                                             \
        const struct operand *in = call->arguments[0];                                             \
        int scale = in->type->scale;                                                               \
        out_type *out = call->out->vector.values;                                                  \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            call->out->vector.valid[row] = in->vector.valid[row];                                  \
            if (!is_present(in, row))                                                              \
                continue;                                                                          \
            int128_t x = in->vector.decimals[row];                                                 \
            out[row] = (out_type)(expression);                                                     \
        }                                                                                          \
        (void)scale;                                                                               \
        return true;                                                                               \
    }

// NOLINTEND(bugprone-macro-parentheses)

FROM_DECIMAL(decimal_to_bool, uint8_t, x != 0)
FROM_DECIMAL(decimal_to_int8, int8_t, (uint8_t)to_whole(x, scale))
FROM_DECIMAL(decimal_to_int16, int16_t, (uint16_t)to_whole(x, scale))
FROM_DECIMAL(decimal_to_int32, int32_t, (uint32_t)to_whole(x, scale))
FROM_DECIMAL(decimal_to_int64, int64_t, to_whole(x, scale))
FROM_DECIMAL(decimal_to_float, float, to_real(x, scale, true))
FROM_DECIMAL(decimal_to_double, double, to_real(x, scale, false))
FROM_DECIMAL(decimal_to_timestamp, int64_t, to_micros(x, scale))

kernel_fn *cast_decimal(enum type from, enum type to) {
    static kernel_fn *const from_kernels[TYPE_COUNT] = {
        [TYPE_BOOL] = decimal_to_bool,       [TYPE_INT8] = decimal_to_int8,
        [TYPE_INT16] = decimal_to_int16,     [TYPE_INT32] = decimal_to_int32,
        [TYPE_INT64] = decimal_to_int64,     [TYPE_FLOAT] = decimal_to_float,
        [TYPE_DOUBLE] = decimal_to_double,   [TYPE_STRING] = decimal_to_text,
        [TYPE_DECIMAL] = decimal_to_decimal, [TYPE_TIMESTAMP] = decimal_to_timestamp,
    };
    static kernel_fn *const to_kernels[TYPE_COUNT] = {
        [TYPE_BOOL] = bool_to_decimal,           [TYPE_INT8] = int8_to_decimal,
        [TYPE_INT16] = int16_to_decimal,         [TYPE_INT32] = int32_to_decimal,
        [TYPE_INT64] = int64_to_decimal,         [TYPE_FLOAT] = float_to_decimal,
        [TYPE_DOUBLE] = double_to_decimal,       [TYPE_STRING] = text_to_decimal,
        [TYPE_TIMESTAMP] = timestamp_to_decimal,
    };
    return from == TYPE_DECIMAL ? from_kernels[to] : to_kernels[from];
}

/* ---- TRY_CAST from DECIMAL ----
 *
 * For a type narrower than BIGINT, Spark takes the way through DOUBLE, if a BIGINT does not hold
 * all digits: 0.9999999999999999999999 is then 1. */

enum { DIGITS_OF_INT64 = 18 };

static bool whole_of_decimal(int128_t value, const struct data_type *type, int128_t unit,
                             int128_t least, int128_t most, int64_t *out) {
    int128_t whole = value / unit;
    if (type->precision > DIGITS_OF_INT64 && most < INT64_MAX) {
        double number = to_real(value, type->scale, false);
        *out = saturate_int64(number);
        return cast_is_between(number, (double)least, (double)most);
    }
    *out = (int64_t)whole;
    return whole >= least && whole <= most;
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define WHOLE_OF_DECIMAL(name, out_type, least, most)                                              \
    static bool decimal_as_##name(const struct kernel_call *call) {                                \
        const struct operand *in = call->arguments[0];                                             \
        int128_t unit = decimal_power(in->type->scale);                                            \
        out_type *out = call->out->vector.values;                                                  \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            int64_t whole = 0;                                                                     \
            call->out->vector.valid[row] =                                                         \
                is_present(in, row) &&                                                             \
                whole_of_decimal(in->vector.decimals[row], in->type, unit, least, most, &whole);   \
            out[row] = (out_type)(call->out->vector.valid[row] != 0 ? whole : 0);                  \
        }                                                                                          \
        return true;                                                                               \
    }
// NOLINTEND(bugprone-macro-parentheses)
WHOLE_OF_DECIMAL(int8, int8_t, INT8_MIN, INT8_MAX)
WHOLE_OF_DECIMAL(int16, int16_t, INT16_MIN, INT16_MAX)
WHOLE_OF_DECIMAL(int32, int32_t, INT32_MIN, INT32_MAX)
WHOLE_OF_DECIMAL(int64, int64_t, INT64_MIN, INT64_MAX)

/* Never with an exponent, which CAST writes where there would be many zeros. */
static bool decimal_to_plain_text(const struct kernel_call *call) {
    return print_decimals(call, format_plain);
}

kernel_fn *try_cast_decimal(enum type to) {
    static kernel_fn *const kernels[TYPE_COUNT] = {
        [TYPE_STRING] = decimal_to_plain_text, [TYPE_INT8] = decimal_as_int8,
        [TYPE_INT16] = decimal_as_int16,       [TYPE_INT32] = decimal_as_int32,
        [TYPE_INT64] = decimal_as_int64,
    };
    return kernels[to];
}
