/* rounding.c: round, floor and ceil.
 *
 * Spark rounds a floating-point number by its decimal text (core/double_text.h). A product with the
 * power of ten tells the same unless it is too near a half. So a first loop without branches does
 * nearly all rows, and marks those that it cannot decide. */
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "core/double_digits.h"
#include "core/double_text.h"
#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

enum { QUICK_PLACES_MAX = 15, WHOLE_DIGITS_MAX = 19 };

static const double powers_of_ten[QUICK_PLACES_MAX + 1] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

static int32_t places_of(const struct kernel_call *call, bool *present) {
    int32_t places = 0;
    *present = call->argument_count < 2 || constant_int32(call, 1, &places);
    return places;
}

static bool all_null(const struct kernel_call *call) {
    memset(call->out->vector.valid + call->first, 0, call->count);
    return true;
}

/* The rounded decimal text, for any number of places. False: the value stays as it is. */
static bool round_text(double value, int32_t places, char *text, size_t size) {
    struct double_digits decimal;
    double_digits(fabs(value), &decimal);
    int64_t keep = (int64_t)decimal.exponent + places;
    if (keep >= decimal.count)
        return false;
    bool up = keep >= 0 && decimal.digits[keep] >= '5';
    uint64_t whole = 0;
    for (int64_t i = 0; i < keep; i++)
        whole = whole * 10 + (uint64_t)(decimal.digits[i] - '0');
    whole += up ? 1 : 0;
    (void)snprintf(text, size, "%s%llue%d", value < 0 ? "-" : "", (unsigned long long)whole,
                   -places);
    return true;
}

static double round_slowly(double value, int32_t places) {
    char text[64];
    if (places >= 0 && places <= QUICK_PLACES_MAX)
        return double_round(value, places);
    if (!isfinite(value) || value == 0)
        return value == 0 ? 0.0 : value;
    // Beyond this all digits stay, or none does.
    if (places < -400 || places > 400)
        return places < 0 ? 0.0 : value;
    double rounded = round_text(value, places, text, sizeof text)
                         ? strtod_l(text, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0))
                         : value;
    return rounded == 0 ? 0.0 : rounded;
}

static float round_float(float value, int32_t places) {
    char text[64];
    if (!isfinite(value) || value == 0)
        return value == 0 ? 0.0F : value;
    if (places < -400 || places > 400)
        return places < 0 ? 0.0F : value;
    // Spark takes the digits of the double that equals the float.
    float rounded = round_text((double)value, places, text, sizeof text)
                        ? strtof_l(text, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0))
                        : value;
    return rounded == 0 ? 0.0F : rounded;
}

/* The product with the power of ten, rounded to nearest. Returns false where it is so near a half
 * that it does not tell (core/double_text.c has the reasons), or too large. Without branches, so
 * that several rows are computed at once. Any value is safe. */
static inline bool round_quickly(double value, double power, double *rounded) {
    static const double product_max = 0x1p50, error_max = 0x1p-49, to_whole = 0x1p52;
    double product = fabs(value) * power;
    double whole = (product + to_whole) - to_whole;
    // 0.0 + turns -0.0 into 0.0.
    *rounded = 0.0 + copysign(whole / power, value);
    return (product < product_max) & (fabs(product - whole) < 0.5 - product * error_max);
}

enum { BLOCK_ROWS = 64 };

/* Rows [first, end), at most a block of them. False: one of them is not `decided`. */
static inline bool round_block(const double *values, double power, size_t first, size_t end,
                               double *restrict out, uint8_t *restrict decided) {
    uint8_t all = 1;
    for (size_t row = first; row < end; row++) {
        decided[row - first] = round_quickly(values[row], power, &out[row]);
        all &= decided[row - first];
    }
    return all != 0;
}

FOR_WIDE_PROCESSORS __attribute__((noinline)) static void
round_slice(const struct kernel_call *call, int32_t places, double power) {
    const struct operand *in = call->arguments[0];
    const double *values = in->vector.doubles;
    double *out = call->out->vector.doubles;
    copy_presence(call, call->first, call->first + call->count);
    for (size_t row = call->first, end = row + call->count; row < end; row += BLOCK_ROWS) {
        uint8_t decided[BLOCK_ROWS];
        size_t block_end = end - row < BLOCK_ROWS ? end : row + BLOCK_ROWS;
        if (round_block(values, power, row, block_end, out, decided))
            continue;
        for (size_t i = row; i < block_end; i++)
            if (decided[i - row] == 0 && is_present(in, i))
                out[i] = round_slowly(values[i], places);
    }
}

/* False: it needs the decimal text. */
static inline bool round_row(const struct kernel_call *call, double power) {
    size_t row = call->first;
    const struct vector *in = &call->arguments[0]->vector;
    struct vector *out = &call->out->vector;
    out->valid[row] = in->valid[row];
    return round_quickly(in->doubles[row], power, &out->doubles[row]) || in->valid[row] == 0;
}

static bool round_double_kernel(const struct kernel_call *call) {
    bool present;
    int32_t places = places_of(call, &present);
    if (!present)
        return all_null(call);
    bool quick = places >= 0 && places <= QUICK_PLACES_MAX;
    double power = quick ? powers_of_ten[places] : NAN; // NAN: no row is decided quickly
    if (call->count != 1 || !round_row(call, power))
        round_slice(call, places, power);
    return true;
}

static bool round_float_kernel(const struct kernel_call *call) {
    bool present;
    int32_t places = places_of(call, &present);
    if (!present)
        return all_null(call);
    const struct operand *in = call->arguments[0];
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        call->out->vector.valid[row] = in->vector.valid[row];
        if (is_present(in, row))
            call->out->vector.floats[row] = round_float(in->vector.floats[row], places);
    }
    return true;
}

/* To a multiple of a power of ten, half away from zero; the result can wrap around. */
static int64_t round_whole(int64_t value, int32_t places) {
    if (places >= 0)
        return value;
    if (places < -WHOLE_DIGITS_MAX)
        return 0;
    int128_t power = 1;
    for (int32_t i = places; i < 0; i++)
        power *= 10;
    int128_t half = power / 2;
    int128_t rounded = ((int128_t)value + (value < 0 ? -half : half)) / power * power;
    return (int64_t)(uint64_t)rounded;
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define ROUND_WHOLE(kind, name, type, unsigned_type)                                               \
    static bool round_##name##_kernel(const struct kernel_call *call) {                            \
        bool present;                                                                              \
        int32_t places = places_of(call, &present);                                                \
        if (!present)                                                                              \
            return all_null(call);                                                                 \
        const type *values = call->arguments[0]->vector.values;                                    \
        type *out = call->out->vector.values;                                                      \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            call->out->vector.valid[row] = call->arguments[0]->vector.valid[row];                  \
            out[row] = (type)(unsigned_type)round_whole(values[row], places);                      \
        }                                                                                          \
        return true;                                                                               \
    }
// NOLINTEND(bugprone-macro-parentheses)

INTEGER_KERNELS(ROUND_WHOLE)

static kernel_fn *const round_kernels[TYPE_COUNT] = {
    [TYPE_INT8] = round_int8_kernel,   [TYPE_INT16] = round_int16_kernel,
    [TYPE_INT32] = round_int32_kernel, [TYPE_INT64] = round_int64_kernel,
    [TYPE_FLOAT] = round_float_kernel, [TYPE_DOUBLE] = round_double_kernel,
};

/* A text and NULL are numbers of type DOUBLE. */
static bool want_number(struct function_use *use, const char *name, struct error *err) {
    enum type kind = use->arguments[0].kind;
    if (kind == TYPE_DECIMAL)
        return use_refuse(err, "%s: DECIMAL is not supported yet; CAST it to DOUBLE", name);
    if (is_number(kind)) {
        use->wanted[0] = use->arguments[0];
        return true;
    }
    return use_want(use, name, 0, TYPE_DOUBLE, err);
}

bool resolve_round(struct function_use *use, struct error *err) {
    int32_t places;
    bool present;
    if (!want_number(use, "round", err))
        return false;
    if (use->argument_count > 1 && !use_want_int_literal(use, "round", 1, &places, &present, err))
        return false;
    use_set_result(use, use->wanted[0], round_kernels[use->wanted[0].kind]);
    use->can_be_null = true;
    return true;
}

KERNEL_1(floor_double, double, int64_t, saturate_int64(floor(x)))
KERNEL_1(ceil_double, double, int64_t, saturate_int64(ceil(x)))
KERNEL_1(same_int64, int64_t, int64_t, x)

static bool resolve_whole(struct function_use *use, const char *name, kernel_fn *kernel,
                          struct error *err) {
    if (!want_number(use, name, err))
        return false;
    bool is_whole = is_integer(use->wanted[0].kind);
    use->wanted[0] = type_of(is_whole ? TYPE_INT64 : TYPE_DOUBLE);
    use_set_result(use, type_of(TYPE_INT64), is_whole ? same_int64 : kernel);
    use->can_be_null = true;
    return true;
}

bool resolve_floor(struct function_use *use, struct error *err) {
    return resolve_whole(use, "floor", floor_double, err);
}

bool resolve_ceil(struct function_use *use, struct error *err) {
    return resolve_whole(use, "ceil", ceil_double, err);
}
