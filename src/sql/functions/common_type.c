/* common_type.c: the type of several values together, by Spark's rules with ANSI off. */
#include "sql/functions/resolve.h"

int number_rank(enum type kind) {
    static const int ranks[TYPE_COUNT] = {
        [TYPE_INT8] = 1,  [TYPE_INT16] = 2, [TYPE_INT32] = 3,
        [TYPE_INT64] = 4, [TYPE_FLOAT] = 5, [TYPE_DOUBLE] = 6,
    };
    return ranks[kind];
}

struct data_type decimal_of_integer(enum type kind) {
    static const int digits[TYPE_COUNT] = {
        [TYPE_INT8] = 3, [TYPE_INT16] = 5, [TYPE_INT32] = 10, [TYPE_INT64] = 20};
    return (struct data_type){.kind = TYPE_DECIMAL, .precision = digits[kind]};
}

/* Digits before the point are kept rather than those after it. */
static struct data_type wider_decimal(const struct data_type *a, const struct data_type *b) {
    int scale = a->scale > b->scale ? a->scale : b->scale;
    int whole_a = a->precision - a->scale, whole_b = b->precision - b->scale;
    int whole = whole_a > whole_b ? whole_a : whole_b;
    struct data_type type = {.kind = TYPE_DECIMAL, .precision = whole + scale, .scale = scale};
    if (type.precision > DECIMAL_PRECISION_MAX) {
        type.precision = DECIMAL_PRECISION_MAX;
        type.scale = whole >= DECIMAL_PRECISION_MAX ? 0 : DECIMAL_PRECISION_MAX - whole;
    }
    return type;
}

static bool common_number(const struct data_type *a, const struct data_type *b,
                          struct data_type *common) {
    if (a->kind == TYPE_DECIMAL || b->kind == TYPE_DECIMAL) {
        if (is_real(a->kind) || is_real(b->kind)) {
            *common = type_of(TYPE_DOUBLE);
            return true;
        }
        struct data_type left = is_integer(a->kind) ? decimal_of_integer(a->kind) : *a;
        struct data_type right = is_integer(b->kind) ? decimal_of_integer(b->kind) : *b;
        *common = wider_decimal(&left, &right);
        return true;
    }
    *common = number_rank(a->kind) > number_rank(b->kind) ? *a : *b;
    return true;
}

static bool common_time(enum type a, enum type b, struct data_type *common) {
    if (a == TYPE_TIMESTAMP || b == TYPE_TIMESTAMP)
        *common = type_of(TYPE_TIMESTAMP);
    else
        *common = type_of(a == b ? a : TYPE_TIMESTAMP_NTZ);
    return true;
}

/* Without casts to or from a text. */
static bool common_without_texts(const struct data_type *a, const struct data_type *b,
                                 struct data_type *common) {
    if (a->kind == TYPE_NULL || data_type_equals(a, b)) {
        *common = *b;
        return true;
    }
    if (b->kind == TYPE_NULL) {
        *common = *a;
        return true;
    }
    if (is_number(a->kind) && is_number(b->kind))
        return common_number(a, b, common);
    return is_time(a->kind) && is_time(b->kind) && common_time(a->kind, b->kind, common);
}

bool data_type_common(const struct data_type *a, const struct data_type *b,
                      struct data_type *common) {
    if (common_without_texts(a, b, common))
        return true;
    enum type other = a->kind == TYPE_STRING ? b->kind : a->kind;
    bool has_text = a->kind == TYPE_STRING || b->kind == TYPE_STRING;
    if (!has_text || !(is_number(other) || is_time(other)))
        return false;
    *common = type_of(TYPE_STRING);
    return true;
}

bool data_type_arithmetic(const struct data_type *a, const struct data_type *b,
                          struct data_type *common) {
    struct data_type left = *a, right = *b;
    if (a->kind == TYPE_STRING || (a->kind == TYPE_NULL && b->kind == TYPE_NULL))
        left = type_of(TYPE_DOUBLE);
    if (b->kind == TYPE_STRING)
        right = type_of(TYPE_DOUBLE);
    if (!is_number(left.kind) && left.kind != TYPE_NULL)
        return false;
    if (!is_number(right.kind) && right.kind != TYPE_NULL)
        return false;
    return common_without_texts(&left, &right, common);
}

bool data_type_compared(const struct data_type *a, const struct data_type *b, bool ordered,
                        struct data_type *common) {
    if (common_without_texts(a, b, common))
        return is_scalar(common->kind);
    if (a->kind == TYPE_STRING || b->kind == TYPE_STRING) {
        const struct data_type *other = a->kind == TYPE_STRING ? b : a;
        bool has_fraction = other->kind == TYPE_DECIMAL && other->scale != 0;
        *common = has_fraction ? type_of(TYPE_DOUBLE) : *other;
        return is_scalar(other->kind);
    }
    if (ordered)
        return false;
    // Equality of a truth value and a number: the truth value is 1 or 0.
    const struct data_type *number = a->kind == TYPE_BOOL ? b : a;
    *common = *number;
    return (a->kind == TYPE_BOOL || b->kind == TYPE_BOOL) && is_number(number->kind);
}

bool data_types_common(const struct data_type *types, size_t count, bool with_texts,
                       struct data_type *common) {
    // Texts come first, as in Spark: with a text, a number and a date have a common type.
    *common = type_of(TYPE_NULL);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            struct data_type so_far = *common;
            if ((types[i].kind == TYPE_STRING) != (pass == 0))
                continue;
            if (with_texts ? !data_type_common(&so_far, &types[i], common)
                           : !common_without_texts(&so_far, &types[i], common))
                return false;
        }
    return true;
}
