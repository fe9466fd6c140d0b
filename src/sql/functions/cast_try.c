/* cast_try.c: TRY_CAST: null where Spark's CAST would throw with ANSI on. So a number must be in
 * the range of the type, and a text that becomes a whole number has no fraction. All other casts
 * give the same values as CAST; a few of these do not exist here. */
#include <math.h>

#include "core/decimal.h"
#include "sql/functions/cast.h"
#include "sql/functions/loop.h"
#include "sql/functions/moment.h"
#include "sql/functions/resolve.h"

/* ---- whole numbers of a narrower type ---- */

#define NARROWER(from, from_type, to, to_type, to_unsigned)                                        \
    KERNEL_1_OR_NULL(from##_as_##to, from_type, to_type, (to_unsigned)x, x == (to_type)x)

NARROWER(int16, int16_t, int8, int8_t, uint8_t)
NARROWER(int32, int32_t, int8, int8_t, uint8_t)
NARROWER(int32, int32_t, int16, int16_t, uint16_t)
NARROWER(int64, int64_t, int8, int8_t, uint8_t)
NARROWER(int64, int64_t, int16, int16_t, uint16_t)
NARROWER(int64, int64_t, int32, int32_t, uint32_t)

/* ---- from floating point: the fraction is cut off ---- */

/* Spark compares with the largest BIGINT as a DOUBLE, which is one more. */
static inline bool is_between(double x, double least, double most) {
    return floor(x) <= most && ceil(x) >= least;
}

#define WHOLE_OF_REAL(from, from_type, to, to_type, least, most)                                   \
    KERNEL_1_OR_NULL(from##_as_##to, from_type, to_type, saturate_int64((double)x),                \
                     is_between((double)x, (double)(least), (double)(most)))

#define WHOLE_OF_REALS(kind, from, from_type)                                                      \
    WHOLE_OF_REAL(from, from_type, int8, int8_t, INT8_MIN, INT8_MAX)                               \
    WHOLE_OF_REAL(from, from_type, int16, int16_t, INT16_MIN, INT16_MAX)                           \
    WHOLE_OF_REAL(from, from_type, int32, int32_t, INT32_MIN, INT32_MAX)                           \
    WHOLE_OF_REAL(from, from_type, int64, int64_t, INT64_MIN, INT64_MAX)                           \
    KERNEL_1_OR_NULL(                                                                              \
        from##_as_timestamp, from_type, int64_t,                                                   \
        saturate_int64((double)x *(double)MICROS_PER_SECOND),                                      \
        is_between((double)x *(double)MICROS_PER_SECOND, (double)INT64_MIN, (double)INT64_MAX))
REAL_KERNELS(WHOLE_OF_REALS)

/* ---- from DECIMAL: the fraction is cut off ----
 *
 * For a type narrower than BIGINT, Spark takes the way through DOUBLE, if a BIGINT does not hold
 * all digits: 0.9999999999999999999999 is then 1. */

enum { DIGITS_OF_INT64 = 18 };

static bool whole_of_decimal(int128_t value, const struct data_type *type, int128_t unit,
                             int128_t least, int128_t most, int64_t *out) {
    int128_t whole = value / unit;
    if (type->precision > DIGITS_OF_INT64 && most < INT64_MAX) {
        double number = decimal_to_nearest_double(value, type->scale);
        *out = saturate_int64(number);
        return is_between(number, (double)least, (double)most);
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
    const struct operand *in = call->arguments[0];
    struct vector *out = &call->out->vector;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        out->valid[row] = in->vector.valid[row];
        if (!is_present(in, row))
            continue;
        char text[DECIMAL_TEXT_MAX];
        size_t size = decimal_format(in->vector.decimals[row], in->type->scale, text);
        char *bytes = arena_alloc_bytes(call->strings, size);
        if (bytes == NULL)
            return false;
        memcpy(bytes, text, size);
        out->texts[row] = (struct text){bytes, (uint32_t)size};
    }
    return true;
}

/* ---- all of them ---- */

/* The kernel, where it is not that of CAST. */
static kernel_fn *find(enum type from, enum type to) {
    static kernel_fn *const kernels[TYPE_COUNT][TYPE_COUNT] = {
        [TYPE_INT16] = {[TYPE_INT8] = int16_as_int8},
        [TYPE_INT32] = {[TYPE_INT8] = int32_as_int8, [TYPE_INT16] = int32_as_int16},
        [TYPE_INT64] = {[TYPE_INT8] = int64_as_int8,
                        [TYPE_INT16] = int64_as_int16,
                        [TYPE_INT32] = int64_as_int32},
        [TYPE_FLOAT] = {[TYPE_INT8] = float_as_int8,
                        [TYPE_INT16] = float_as_int16,
                        [TYPE_INT32] = float_as_int32,
                        [TYPE_INT64] = float_as_int64,
                        [TYPE_TIMESTAMP] = float_as_timestamp},
        [TYPE_DOUBLE] = {[TYPE_INT8] = double_as_int8,
                         [TYPE_INT16] = double_as_int16,
                         [TYPE_INT32] = double_as_int32,
                         [TYPE_INT64] = double_as_int64,
                         [TYPE_TIMESTAMP] = double_as_timestamp},
        [TYPE_DECIMAL] = {[TYPE_STRING] = decimal_to_plain_text,
                          [TYPE_INT8] = decimal_as_int8,
                          [TYPE_INT16] = decimal_as_int16,
                          [TYPE_INT32] = decimal_as_int32,
                          [TYPE_INT64] = decimal_as_int64},
    };
    if (from == TYPE_STRING && is_integer(to))
        return cast_from_whole_text(to);
    return kernels[from][to];
}

/* Casts that ANSI forbids. */
static bool is_forbidden(enum type from, enum type to) {
    if (from == TYPE_BOOL || to == TYPE_BOOL)
        return from == TYPE_TIMESTAMP || to == TYPE_TIMESTAMP || from == TYPE_DATE;
    return (is_integer(from) && to == TYPE_BINARY) || (from == TYPE_DATE && is_number(to));
}

static int number_rank(enum type kind) {
    static const int ranks[TYPE_COUNT] = {[TYPE_INT8] = 1,  [TYPE_INT16] = 2, [TYPE_INT32] = 3,
                                          [TYPE_INT64] = 4, [TYPE_FLOAT] = 5, [TYPE_DOUBLE] = 6};
    return ranks[kind];
}

/* Casts that Spark takes for ones that always have a value. */
static bool always_has_value(const struct data_type *from, const struct data_type *to) {
    enum type source = from->kind, target = to->kind;
    if (data_type_equals(from, to) || target == TYPE_STRING || target == TYPE_BINARY)
        return true;
    if (target == TYPE_DECIMAL)
        return source != TYPE_BOOL && cast_fits_decimal(from, to);
    if (number_rank(source) > 0 && number_rank(target) > 0)
        return number_rank(source) < number_rank(target);
    return (source == TYPE_INT64 && target == TYPE_TIMESTAMP) ||
           (source == TYPE_TIMESTAMP && target == TYPE_INT64);
}

bool try_cast_find(const struct data_type *from, const struct data_type *to, kernel_fn **kernel,
                   bool *can_be_null, bool *can_fault, struct error *err) {
    if (is_forbidden(from->kind, to->kind)) {
        struct pool pool;
        pool_init(&pool);
        (void)error_set(err, ERROR_CONFIG, "cannot TRY_CAST %s AS %s", data_type_text(from, &pool),
                        data_type_text(to, &pool));
        pool_deinit(&pool);
        return false;
    }
    if (!cast_find(from, to, kernel, can_be_null, can_fault, err))
        return false;
    kernel_fn *own = data_type_equals(from, to) ? NULL : find(from->kind, to->kind);
    *kernel = own != NULL ? own : *kernel;
    *can_be_null = !always_has_value(from, to);
    return true;
}
