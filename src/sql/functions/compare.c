/* compare.c: comparison as in Spark: NaN equals itself and is greater than every number, -0.0
 * equals 0.0, texts and binaries are compared byte by byte, false is less than true. */
#include "sql/functions/loop.h"
#include "sql/functions/resolve.h"

/* A text's equality without a call, for texts as long as most identifiers are. */
static inline bool texts_equal(struct text a, struct text b) {
    if (a.length != b.length)
        return false;
    uint32_t length = a.length;
    if (length < sizeof(uint64_t) || length > 2 * sizeof(uint64_t))
        return memcmp(a.bytes, b.bytes, length) == 0;
    uint64_t words[4]; // the first eight bytes and the last eight, which may overlap
    memcpy(&words[0], a.bytes, sizeof words[0]);
    memcpy(&words[1], b.bytes, sizeof words[0]);
    memcpy(&words[2], a.bytes + length - sizeof words[0], sizeof words[0]);
    memcpy(&words[3], b.bytes + length - sizeof words[0], sizeof words[0]);
    return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
}

static inline bool text_less(struct text a, struct text b) {
    int order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);
    return order != 0 ? order < 0 : a.length < b.length;
}

#define EQUAL(x, y) ((x) == (y))
#define LESS(x, y) ((x) < (y))
#define REAL_EQUAL(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define REAL_LESS(x, y) (((x) < (y)) | (((y) != (y)) & ((x) == (x))))

/* Every type that can be compared, by the type of C that its values have. */
#define COMPARED_KERNELS(X)                                                                        \
    X(bool, uint8_t, EQUAL, LESS)                                                                  \
    X(int8, int8_t, EQUAL, LESS)                                                                   \
    X(int16, int16_t, EQUAL, LESS)                                                                 \
    X(int32, int32_t, EQUAL, LESS)                                                                 \
    X(int64, int64_t, EQUAL, LESS)                                                                 \
    X(float, float, REAL_EQUAL, REAL_LESS)                                                         \
    X(double, double, REAL_EQUAL, REAL_LESS)                                                       \
    X(decimal, int128_t, EQUAL, LESS)

#define EQUALITY_KERNELS(X)                                                                        \
    COMPARED_KERNELS(X)                                                                            \
    X(text, struct text, texts_equal, text_less)

/* A null row's text may point nowhere, so presence is looked at first. A constant, which is usually
 * on the right, is read in one place. */
#define TEXT_KERNEL(name, expression)                                                              \
    static bool name(const struct kernel_call *call) {                                             \
        const struct operand *left = call->arguments[0], *right = call->arguments[1];              \
        const struct text *texts = left->vector.texts, *others = right->vector.texts;              \
        const uint8_t *present = left->vector.valid, *other_present = right->vector.valid;         \
        uint8_t *out = call->out->vector.booleans, *valid = call->out->vector.valid;               \
        size_t mask = right->constant ? 0 : SIZE_MAX;                                              \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            valid[row] = present[row] & other_present[row];                                        \
            if (valid[row] == 0)                                                                   \
                continue;                                                                          \
            struct text x = texts[row], y = others[row & mask];                                    \
            out[row] = expression;                                                                 \
        }                                                                                          \
        return true;                                                                               \
    }

#define PLAIN_KERNELS(name, type, equal, less)                                                     \
    KERNEL_2(equal_##name, type, uint8_t, equal(x, y))                                             \
    KERNEL_2(less_##name, type, uint8_t, less(x, y))                                               \
    KERNEL_2(less_or_equal_##name, type, uint8_t, !less(y, x))                                     \
    KERNEL_2(greater_##name, type, uint8_t, less(y, x))                                            \
    KERNEL_2(greater_or_equal_##name, type, uint8_t, !less(x, y))
COMPARED_KERNELS(PLAIN_KERNELS)

TEXT_KERNEL(equal_text, texts_equal(x, y))
TEXT_KERNEL(less_text, text_less(x, y))
TEXT_KERNEL(less_or_equal_text, !text_less(y, x))
TEXT_KERNEL(greater_text, text_less(y, x))
TEXT_KERNEL(greater_or_equal_text, !text_less(x, y))

/* `in` looks at the values from left to right. While it does, a row's result holds two bits. */
enum { FOUND = 1, UNKNOWN = 2 };

static void begin_in(const struct kernel_call *call) {
    const struct operand *value = call->arguments[0];
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        call->out->vector.booleans[row] = 0;
        if (call->out->faults != NULL && value->faults != NULL)
            call->out->faults[row] = value->faults[row];
    }
}

/* Spark evaluates an item only for a row that has a value and has not found it yet. */
static void pass_in_faults(const struct kernel_call *call, const struct operand *item) {
    if (call->out->faults == NULL || item->faults == NULL)
        return;
    const uint8_t *found = call->out->vector.booleans;
    for (size_t row = call->first, end = row + call->count; row < end; row++)
        if (is_present(call->arguments[0], row) && (found[row] & FOUND) == 0)
            call->out->faults[row] |= item->faults[row];
}

static void end_in(const struct kernel_call *call) {
    const uint8_t *present = call->arguments[0]->vector.valid;
    uint8_t *out = call->out->vector.booleans, *valid = call->out->vector.valid;
    for (size_t row = call->first, end = row + call->count; row < end; row++) {
        valid[row] = present[row] && out[row] != UNKNOWN;
        out[row] &= FOUND;
    }
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type cannot be in parentheses
/* <=>, in, and nullif, which is null where both are equal and the first value elsewhere. */
#define OTHER_KERNELS(name, type, equal, less)                                                     \
    static bool same_##name(const struct kernel_call *call) {                                      \
        const struct operand *left = call->arguments[0], *right = call->arguments[1];              \
        const type *a = left->vector.values, *b = right->vector.values;                            \
        struct vector *out = &call->out->vector;                                                   \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            bool one = is_present(left, row), other = is_present(right, row);                      \
            out->valid[row] = 1;                                                                   \
            out->booleans[row] = one == other && (!one || equal(a[row], b[row]));                  \
        }                                                                                          \
        return true;                                                                               \
    }                                                                                              \
    static bool in_##name(const struct kernel_call *call) {                                        \
        const struct operand *left = call->arguments[0];                                           \
        const type *value = left->vector.values;                                                   \
        uint8_t *out = call->out->vector.booleans;                                                 \
        begin_in(call);                                                                            \
        for (size_t i = 1; i < call->argument_count; i++) {                                        \
            const struct operand *right = call->arguments[i];                                      \
            const type *item = right->vector.values;                                               \
            pass_in_faults(call, right);                                                           \
            for (size_t row = call->first, end = row + call->count; row < end; row++) {            \
                if (!is_present(left, row))                                                        \
                    continue;                                                                      \
                if (!is_present(right, row))                                                       \
                    out[row] |= UNKNOWN;                                                           \
                else if (equal(value[row], item[row]))                                             \
                    out[row] |= FOUND;                                                             \
            }                                                                                      \
        }                                                                                          \
        end_in(call);                                                                              \
        return true;                                                                               \
    }                                                                                              \
    static bool nullif_##name(const struct kernel_call *call) {                                    \
        const struct operand *left = call->arguments[0], *right = call->arguments[1];              \
        const type *a = left->vector.values, *b = right->vector.values;                            \
        type *out = call->out->vector.values;                                                      \
        uint8_t *valid = call->out->vector.valid;                                                  \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            out[row] = a[row];                                                                     \
            valid[row] =                                                                           \
                is_present(left, row) && !(is_present(right, row) && equal(a[row], b[row]));       \
        }                                                                                          \
        return true;                                                                               \
    }
EQUALITY_KERNELS(OTHER_KERNELS)

/* Null where it is not found and an element is null. */
#define CONTAINS_KERNEL(name, type, equal, less)                                                   \
    static bool contains_##name(const struct kernel_call *call) {                                  \
        const struct operand *lists = call->arguments[0], *value = call->arguments[1];             \
        const struct vector *child = &lists->vector.children[0];                                   \
        const type *items = child->values, *values = value->vector.values;                         \
        struct vector *out = &call->out->vector;                                                   \
        for (size_t row = call->first, end = row + call->count; row < end; row++) {                \
            out->valid[row] = is_present(lists, row) && is_present(value, row);                    \
            if (out->valid[row] == 0)                                                              \
                continue;                                                                          \
            struct list list = lists->vector.lists[row];                                           \
            bool found = false, unknown = false;                                                   \
            for (size_t i = list.first; i < (size_t)list.first + list.count && !found; i++) {      \
                found = child->valid[i] != 0 && equal(items[i], values[row]);                      \
                unknown |= child->valid[i] == 0;                                                   \
            }                                                                                      \
            out->booleans[row] = found;                                                            \
            out->valid[row] = found || !unknown;                                                   \
        }                                                                                          \
        return true;                                                                               \
    }
EQUALITY_KERNELS(CONTAINS_KERNEL)

/* Nulls are skipped. `before` says whether its first value is replaced by its second. */
#define EXTREME_KERNEL(kernel, type, before)                                                       \
    static bool kernel(const struct kernel_call *call) {                                           \
        type *out = call->out->vector.values;                                                      \
        uint8_t *valid = call->out->vector.valid;                                                  \
        memset(valid + call->first, 0, call->count);                                               \
        for (size_t i = 0; i < call->argument_count; i++) {                                        \
            const type *value = call->arguments[i]->vector.values;                                 \
            for (size_t row = call->first, end = row + call->count; row < end; row++) {            \
                if (!is_present(call->arguments[i], row) ||                                        \
                    (valid[row] != 0 && !before(out[row], value[row])))                            \
                    continue;                                                                      \
                valid[row] = 1;                                                                    \
                out[row] = value[row];                                                             \
            }                                                                                      \
        }                                                                                          \
        return true;                                                                               \
    }

#define EXTREME_KERNELS(name, type, equal, less)                                                   \
    static inline bool greater_than_##name(type a, type b) {                                       \
        return less(b, a);                                                                         \
    }                                                                                              \
    EXTREME_KERNEL(greatest_##name, type, less)                                                    \
    EXTREME_KERNEL(least_##name, type, greater_than_##name)
EQUALITY_KERNELS(EXTREME_KERNELS)

// NOLINTEND(bugprone-macro-parentheses)

#define ROW_OF(kernel)                                                                             \
    {                                                                                              \
        [TYPE_BOOL] = kernel##_bool, [TYPE_INT8] = kernel##_int8, [TYPE_INT16] = kernel##_int16,   \
        [TYPE_INT32] = kernel##_int32, [TYPE_INT64] = kernel##_int64,                              \
        [TYPE_FLOAT] = kernel##_float, [TYPE_DOUBLE] = kernel##_double,                            \
        [TYPE_DECIMAL] = kernel##_decimal, [TYPE_DATE] = kernel##_int32,                           \
        [TYPE_TIMESTAMP] = kernel##_int64, [TYPE_TIMESTAMP_NTZ] = kernel##_int64,                  \
        [TYPE_STRING] = kernel##_text, [TYPE_BINARY] = kernel##_text, [TYPE_NULL] = kernel##_bool, \
    }

static kernel_fn *const kernels[COMPARISON_COUNT][TYPE_COUNT] = {
    [COMPARE_EQUAL] = ROW_OF(equal),
    [COMPARE_SAME] = ROW_OF(same),
    [COMPARE_LESS] = ROW_OF(less),
    [COMPARE_LESS_OR_EQUAL] = ROW_OF(less_or_equal),
    [COMPARE_GREATER] = ROW_OF(greater),
    [COMPARE_GREATER_OR_EQUAL] = ROW_OF(greater_or_equal),
    [COMPARE_IN] = ROW_OF(in),
    [COMPARE_NULLIF] = ROW_OF(nullif),
    [COMPARE_GREATEST] = ROW_OF(greatest),
    [COMPARE_LEAST] = ROW_OF(least),
    [COMPARE_CONTAINS] = ROW_OF(contains),
};

kernel_fn *comparison_kernel(enum comparison comparison, enum type type) {
    return kernels[comparison][type];
}
