/* arithmetic.c: whole numbers wrap around, a division by zero is null, and DECIMAL is not computed
 * with yet. The remainder has the sign of the dividend, as in C. */
#include <math.h>

#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

/* Sums and products of the narrow types are computed in 64 bits, so that nothing overflows before
 * the result is cut to its type. */
#define WIDE(x) ((uint64_t)(x))

#define WHOLE_KERNELS(kind, name, type, unsigned_type)                                             \
    KERNEL_2(add_##name, type, type, (unsigned_type)(WIDE(x) + WIDE(y)))                           \
    KERNEL_2(subtract_##name, type, type, (unsigned_type)(WIDE(x) - WIDE(y)))                      \
    KERNEL_2(multiply_##name, type, type, (unsigned_type)(WIDE(x) * WIDE(y)))                      \
    KERNEL_2_OR_NULL(remainder_##name, type, type, y == 0 || y == -1 ? 0 : x % y, y != 0)          \
    KERNEL_1(negative_##name, type, type, (unsigned_type)(0 - WIDE(x)))                            \
    KERNEL_1(abs_##name, type, type, (unsigned_type)(x < 0 ? 0 - WIDE(x) : WIDE(x)))
INTEGER_KERNELS(WHOLE_KERNELS)

#define REAL_ARITHMETIC(kind, name, type)                                                          \
    KERNEL_2(add_##name, type, type, x + y)                                                        \
    KERNEL_2(subtract_##name, type, type, x - y)                                                   \
    KERNEL_2(multiply_##name, type, type, x *y)                                                    \
    KERNEL_2_OR_NULL(remainder_##name, type, type, fmod((double)x, (double)y), y != 0)             \
    KERNEL_1(negative_##name, type, type, -x)                                                      \
    KERNEL_1(abs_##name, type, type, fabs((double)x))
REAL_KERNELS(REAL_ARITHMETIC)

KERNEL_2_OR_NULL(divide_double, double, double, x / y, y != 0)
KERNEL_2_OR_NULL(div_int64, int64_t, int64_t,
                 y == 0    ? 0
                 : y == -1 ? (int64_t)(0 - WIDE(x))
                           : x / y,
                 y != 0)

#define ROW_OF(kernel)                                                                             \
    {                                                                                              \
        [TYPE_INT8] = kernel##_int8, [TYPE_INT16] = kernel##_int16, [TYPE_INT32] = kernel##_int32, \
        [TYPE_INT64] = kernel##_int64, [TYPE_FLOAT] = kernel##_float,                              \
        [TYPE_DOUBLE] = kernel##_double,                                                           \
    }

static kernel_fn *const add_kernels[TYPE_COUNT] = ROW_OF(add);
static kernel_fn *const subtract_kernels[TYPE_COUNT] = ROW_OF(subtract);
static kernel_fn *const multiply_kernels[TYPE_COUNT] = ROW_OF(multiply);
static kernel_fn *const remainder_kernels[TYPE_COUNT] = ROW_OF(remainder);
static kernel_fn *const negative_kernels[TYPE_COUNT] = ROW_OF(negative);
static kernel_fn *const abs_kernels[TYPE_COUNT] = ROW_OF(abs);

static bool refuse_decimal(const char *name, struct error *err) {
    return use_refuse(
        err,
        "%s: arithmetic on DECIMAL is not supported yet; CAST it to DOUBLE, or write a "
        "literal as a DOUBLE (2.5D)",
        name);
}

static bool refuse_types(const struct function_use *use, const char *name, struct error *err) {
    const char *first = data_type_text(&use->arguments[0], use->pool);
    if (use->argument_count == 1)
        return use_refuse(err, "%s: the argument is %s, expected a number", name, first);
    return use_refuse(err, "%s: the arguments are %s and %s, expected numbers", name, first,
                      data_type_text(&use->arguments[1], use->pool));
}

/* The type that the arguments are computed in. */
static bool want_numbers(struct function_use *use, const char *name, struct data_type *type,
                         struct error *err) {
    const struct data_type *last = &use->arguments[use->argument_count - 1];
    if (!data_type_arithmetic(&use->arguments[0], last, type))
        return refuse_types(use, name, err);
    for (size_t i = 0; i < use->argument_count; i++) {
        if (use->arguments[i].kind == TYPE_DECIMAL && type->kind == TYPE_DECIMAL)
            return refuse_decimal(name, err);
        use->wanted[i] = *type;
    }
    return true;
}

static bool resolve_arithmetic(struct function_use *use, const char *name,
                               kernel_fn *const kernels[TYPE_COUNT], struct error *err) {
    struct data_type type;
    if (!want_numbers(use, name, &type, err))
        return false;
    use_set_result(use, type, kernels[type.kind]);
    return true;
}

bool resolve_add(struct function_use *use, struct error *err) {
    return resolve_arithmetic(use, "+", add_kernels, err);
}

bool resolve_subtract(struct function_use *use, struct error *err) {
    return resolve_arithmetic(use, "-", subtract_kernels, err);
}

bool resolve_multiply(struct function_use *use, struct error *err) {
    return resolve_arithmetic(use, "*", multiply_kernels, err);
}

bool resolve_remainder(struct function_use *use, struct error *err) {
    bool ok = resolve_arithmetic(use, "%", remainder_kernels, err);
    use->can_be_null = true;
    return ok;
}

bool resolve_negative(struct function_use *use, struct error *err) {
    return resolve_arithmetic(use, "-", negative_kernels, err);
}

bool resolve_abs(struct function_use *use, struct error *err) {
    return resolve_arithmetic(use, "abs", abs_kernels, err);
}

/* Always a DOUBLE, also of whole numbers. */
bool resolve_divide(struct function_use *use, struct error *err) {
    struct data_type type;
    if (!want_numbers(use, "/", &type, err))
        return false;
    use->wanted[0] = use->wanted[1] = type_of(TYPE_DOUBLE);
    use_set_result(use, type_of(TYPE_DOUBLE), divide_double);
    use->can_be_null = true;
    return true;
}

bool resolve_div(struct function_use *use, struct error *err) {
    for (size_t i = 0; i < use->argument_count; i++) {
        enum type kind = use->arguments[i].kind;
        if (kind == TYPE_DECIMAL)
            return refuse_decimal("div", err);
        if (!is_integer(kind) && kind != TYPE_NULL)
            return use_refuse(err, "div: an argument is %s, expected a whole number",
                              data_type_text(&use->arguments[i], use->pool));
        use->wanted[i] = type_of(TYPE_INT64);
    }
    use_set_result(use, type_of(TYPE_INT64), div_int64);
    use->can_be_null = true;
    return true;
}
