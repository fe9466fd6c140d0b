/* loop.h: what kernels have in common: the loops over a slice's rows.
 *
 * A null row's value is unspecified, so an expression must be safe for any value of its type. It is
 * computed for null rows, too: a branch costs more. */
#ifndef SQL_FUNCTIONS_LOOP_H
#define SQL_FUNCTIONS_LOOP_H

#include "base/check.h"
#include "sql/functions/kernel.h"

/* The types that have a kernel each: their name in kernels, in C, and unsigned, for sums that
 * wrap. */
#define INTEGER_KERNELS(X)                                                                         \
    X(TYPE_INT8, int8, int8_t, uint8_t)                                                            \
    X(TYPE_INT16, int16, int16_t, uint16_t)                                                        \
    X(TYPE_INT32, int32, int32_t, uint32_t)                                                        \
    X(TYPE_INT64, int64, int64_t, uint64_t)

#define REAL_KERNELS(X)                                                                            \
    X(TYPE_FLOAT, float, float)                                                                    \
    X(TYPE_DOUBLE, double, double)

/* Compiled twice: once more for processors that compute twice as many values at once. The better
 * one is chosen when the program starts. */
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__clang__) &&                         \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define FOR_WIDE_PROCESSORS __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define FOR_WIDE_PROCESSORS
#endif

/* Before a loop: no row reads what another row has written. */
#ifdef __clang__
#define ROWS_APART
#else
#define ROWS_APART _Pragma("GCC ivdep")
#endif

/* Declares `name##_rows`, which computes rows [first, end). */
#define ROWS_OF static inline __attribute__((always_inline)) void

/* The kernel made of it: the loop, and the same without a loop for a single row, where all that is
 * done once per call counts. */
#define KERNEL_OF_ROWS(name)                                                                       \
    FOR_WIDE_PROCESSORS                                                                            \
    __attribute__((noinline)) static void name##_slice(const struct kernel_call *call) {           \
        name##_rows(call, call->first, call->first + call->count);                                 \
    }                                                                                              \
    bool name(const struct kernel_call *call) {                                                    \
        if (call->count == 1)                                                                      \
            name##_rows(call, call->first, call->first + 1);                                       \
        else                                                                                       \
            name##_slice(call);                                                                    \
        return true;                                                                               \
    }

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
#define STATIC_KERNEL_OF_ROWS(name)                                                                \
    static kernel_fn name;                                                                         \
    KERNEL_OF_ROWS(name)

ROWS_OF copy_presence(const struct kernel_call *call, size_t first, size_t end) {
    memcpy(call->out->vector.valid + first, call->arguments[0]->vector.valid + first, end - first);
}

/* out[row] = expression of `x`; null stays null. */
#define KERNEL_1(name, in_type, out_type, expression)                                              \
    ROWS_OF name##_rows(const struct kernel_call *call, size_t first, size_t end) {                \
        const in_type *values = call->arguments[0]->vector.values;                                 \
        const uint8_t *present = call->arguments[0]->vector.valid;                                 \
        out_type *restrict out = call->out->vector.values;                                         \
        uint8_t *restrict valid = call->out->vector.valid;                                         \
        for (size_t row = first; row < end; row++) {                                               \
            in_type x = values[row];                                                               \
            out[row] = (out_type)(expression);                                                     \
        }                                                                                          \
        memcpy(valid + first, present + first, end - first);                                       \
    }                                                                                              \
    STATIC_KERNEL_OF_ROWS(name)

/* The same values, of a type that C cannot cast to itself as well. */
#define KERNEL_COPY(name, type)                                                                    \
    static bool name(const struct kernel_call *call) {                                             \
        const type *values = call->arguments[0]->vector.values;                                    \
        type *out = call->out->vector.values;                                                      \
        memcpy(out + call->first, values + call->first, call->count * sizeof *out);                \
        copy_presence(call, call->first, call->first + call->count);                               \
        return true;                                                                               \
    }

/* As KERNEL_1, and null where `valid_expression` of `x` is 0. */
#define KERNEL_1_OR_NULL(name, in_type, out_type, expression, valid_expression)                    \
    ROWS_OF name##_rows(const struct kernel_call *call, size_t first, size_t end) {                \
        const in_type *values = call->arguments[0]->vector.values;                                 \
        const uint8_t *present = call->arguments[0]->vector.valid;                                 \
        out_type *restrict out = call->out->vector.values;                                         \
        uint8_t *restrict valid = call->out->vector.valid;                                         \
        for (size_t row = first; row < end; row++) {                                               \
            in_type x = values[row];                                                               \
            out[row] = (out_type)(expression);                                                     \
            valid[row] = (uint8_t)(present[row] & ((valid_expression) ? 1 : 0));                   \
        }                                                                                          \
    }                                                                                              \
    STATIC_KERNEL_OF_ROWS(name)

/* out[row] = expression of `x` and `y`; null where either is. */
#define KERNEL_2(name, in_type, out_type, expression)                                              \
    ROWS_OF name##_rows(const struct kernel_call *call, size_t first, size_t end) {                \
        const in_type *left = call->arguments[0]->vector.values;                                   \
        const in_type *right = call->arguments[1]->vector.values;                                  \
        const uint8_t *left_present = call->arguments[0]->vector.valid;                            \
        const uint8_t *right_present = call->arguments[1]->vector.valid;                           \
        out_type *restrict out = call->out->vector.values;                                         \
        uint8_t *restrict valid = call->out->vector.valid;                                         \
        for (size_t row = first; row < end; row++) {                                               \
            in_type x = left[row], y = right[row];                                                 \
            out[row] = (out_type)(expression);                                                     \
        }                                                                                          \
        for (size_t row = first; row < end; row++)                                                 \
            valid[row] = left_present[row] & right_present[row];                                   \
    }                                                                                              \
    STATIC_KERNEL_OF_ROWS(name)

/* The same, and null where `valid_expression` of `x` and `y` is 0. */
#define KERNEL_2_OR_NULL(name, in_type, out_type, expression, valid_expression)                    \
    ROWS_OF name##_rows(const struct kernel_call *call, size_t first, size_t end) {                \
        const in_type *left = call->arguments[0]->vector.values;                                   \
        const in_type *right = call->arguments[1]->vector.values;                                  \
        const uint8_t *left_present = call->arguments[0]->vector.valid;                            \
        const uint8_t *right_present = call->arguments[1]->vector.valid;                           \
        out_type *restrict out = call->out->vector.values;                                         \
        uint8_t *restrict valid = call->out->vector.valid;                                         \
        for (size_t row = first; row < end; row++) {                                               \
            in_type x = left[row], y = right[row];                                                 \
            out[row] = (out_type)(expression);                                                     \
            valid[row] =                                                                           \
                (uint8_t)(left_present[row] & right_present[row] & ((valid_expression) ? 1 : 0));  \
        }                                                                                          \
    }                                                                                              \
    STATIC_KERNEL_OF_ROWS(name)

// NOLINTEND(bugprone-macro-parentheses)

/* An argument's value in a row where it is present. */
static inline struct text text_at(const struct operand *operand, size_t row) {
    return operand->vector.texts[row];
}

static inline bool is_present(const struct operand *operand, size_t row) {
    return operand->vector.valid[row] != 0;
}

/* The value of a constant argument; false: it is null. */
static inline bool constant_int32(const struct kernel_call *call, size_t argument, int32_t *value) {
    const struct operand *operand = call->arguments[argument];
    check(operand->constant);
    *value = operand->vector.int32s[call->first];
    return is_present(operand, call->first);
}

/* ---- from floating point to whole numbers, as Java casts ----
 *
 * The fraction is cut off, what is too large becomes the largest value, and NaN becomes 0. */

static inline int32_t saturate_int32(double x) {
    double least = x < (double)INT32_MIN ? (double)INT32_MIN : x;
    double bounded = least > (double)INT32_MAX ? (double)INT32_MAX : least;
    return (int32_t)(x == x ? bounded : 0);
}

static inline int64_t saturate_int64(double x) {
    if (x >= 0x1p63)
        return INT64_MAX;
    double bounded = x < -0x1p63 ? -0x1p63 : x;
    return (int64_t)(x == x ? bounded : 0);
}

#endif
