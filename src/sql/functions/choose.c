/* choose.c: the types of logic, comparison, and functions that choose one of their arguments. */
#include "sql/functions/resolve.h"

static bool resolve_logic(struct function_use *use, const char *name, kernel_fn *kernel,
                          struct error *err) {
    for (size_t i = 0; i < use->argument_count; i++)
        if (!use_want(use, name, i, TYPE_BOOL, err))
            return false;
    use_set_result(use, type_of(TYPE_BOOL), kernel);
    return true;
}

bool resolve_and(struct function_use *use, struct error *err) {
    return resolve_logic(use, "AND", kernel_and, err);
}

bool resolve_or(struct function_use *use, struct error *err) {
    return resolve_logic(use, "OR", kernel_or, err);
}

bool resolve_not(struct function_use *use, struct error *err) {
    return resolve_logic(use, "NOT", kernel_not, err);
}

/* The argument stays as it is. */
static bool resolve_presence(struct function_use *use, kernel_fn *kernel) {
    use->wanted[0] = use->arguments[0];
    use_set_result(use, type_of(TYPE_BOOL), kernel);
    use->can_be_null = false;
    return true;
}

bool resolve_isnull(struct function_use *use, struct error *err) {
    (void)err;
    return resolve_presence(use, kernel_isnull);
}

bool resolve_isnotnull(struct function_use *use, struct error *err) {
    (void)err;
    return resolve_presence(use, kernel_isnotnull);
}

/* ---- comparison ---- */

/* True: an argument is of a nested type, which is refused by name. */
static bool refuse_nested(const struct function_use *use, const char *name, struct error *err) {
    for (size_t i = 0; i < use->argument_count; i++)
        if (!is_scalar(use->arguments[i].kind))
            return !use_refuse(err,
                               "%s: values of type %s are not supported: use scalars in them, such "
                               "as elements and fields",
                               name, type_sql_name(use->arguments[i].kind));
    return false;
}

static bool refuse_pair(const struct function_use *use, const char *name, struct error *err) {
    if (refuse_nested(use, name, err))
        return false;
    return use_refuse(err,
                      "%s: cannot compare %s with %s; CAST one of them to the type of the other",
                      name, data_type_text(&use->arguments[0], use->pool),
                      data_type_text(&use->arguments[1], use->pool));
}

/* The type in which an argument is compared. A whole number that is a literal has no more digits
 * than it is written with, where the other one is a DECIMAL. */
static struct data_type type_as_compared(const struct function_use *use, size_t index) {
    struct data_type type = use->arguments[index];
    const struct constant *literal = use->constants[index];
    if (!is_integer(type.kind) || literal == NULL || !literal->present ||
        use->arguments[1 - index].kind != TYPE_DECIMAL)
        return type;
    int64_t value = type.kind == TYPE_INT64 ? literal->int64 : literal->int32;
    struct data_type decimal = {.kind = TYPE_DECIMAL, .precision = 1};
    for (value /= 10; value != 0; value /= 10)
        decimal.precision++;
    return decimal;
}

static bool resolve_comparison(struct function_use *use, const char *name, enum comparison kind,
                               struct error *err) {
    bool ordered = kind != COMPARE_EQUAL && kind != COMPARE_SAME && kind != COMPARE_NULLIF;
    struct data_type type;
    struct data_type left = type_as_compared(use, 0), right = type_as_compared(use, 1);
    if (!data_type_compared(&left, &right, ordered, &type))
        return refuse_pair(use, name, err);
    use->wanted[0] = use->wanted[1] = type;
    use_set_result(use, type_of(TYPE_BOOL), comparison_kernel(kind, type.kind));
    if (kind == COMPARE_SAME)
        use->can_be_null = false;
    return true;
}

bool resolve_equal(struct function_use *use, struct error *err) {
    return resolve_comparison(use, "=", COMPARE_EQUAL, err);
}

bool resolve_same(struct function_use *use, struct error *err) {
    return resolve_comparison(use, "<=>", COMPARE_SAME, err);
}

bool resolve_less(struct function_use *use, struct error *err) {
    return resolve_comparison(use, "<", COMPARE_LESS, err);
}

bool resolve_less_or_equal(struct function_use *use, struct error *err) {
    return resolve_comparison(use, "<=", COMPARE_LESS_OR_EQUAL, err);
}

bool resolve_greater(struct function_use *use, struct error *err) {
    return resolve_comparison(use, ">", COMPARE_GREATER, err);
}

bool resolve_greater_or_equal(struct function_use *use, struct error *err) {
    return resolve_comparison(use, ">=", COMPARE_GREATER_OR_EQUAL, err);
}

static bool refuse_mixture(const struct function_use *use, const char *name, struct error *err) {
    if (refuse_nested(use, name, err))
        return false;
    const char *text = "";
    for (size_t i = 0; i < use->argument_count; i++)
        text = pool_format(use->pool, "%s%s%s", text, i > 0 ? ", " : "",
                           data_type_text(&use->arguments[i], use->pool));
    return use_refuse(err, "%s: no common type for %s; CAST the values to one type", name, text);
}

/* All arguments are to be of their common type, which becomes *type. */
static bool want_common(struct function_use *use, const char *name, bool with_texts,
                        struct data_type *type, struct error *err) {
    if (!data_types_common(use->arguments, use->argument_count, with_texts, type) ||
        !is_scalar(type->kind))
        return refuse_mixture(use, name, err);
    for (size_t i = 0; i < use->argument_count; i++)
        use->wanted[i] = *type;
    return true;
}

bool resolve_in(struct function_use *use, struct error *err) {
    struct data_type type;
    if (!want_common(use, "IN", true, &type, err))
        return false;
    use_set_result(use, type_of(TYPE_BOOL), comparison_kernel(COMPARE_IN, type.kind));
    return true;
}

bool resolve_nullif(struct function_use *use, struct error *err) {
    if (!resolve_comparison(use, "nullif", COMPARE_NULLIF, err))
        return false;
    // The result is the first argument as it is, but the kernel has it only as it is compared.
    if (!data_type_equals(&use->wanted[0], &use->arguments[0])) {
        const char *type = data_type_text(&use->wanted[0], use->pool);
        return use_refuse(
            err,
            "nullif: the arguments are compared as %s; CAST the first argument to %s, or "
            "the second to %s",
            type, type, data_type_text(&use->arguments[0], use->pool));
    }
    use->type = use->arguments[0];
    use->can_be_null = true;
    return true;
}

/* NULL is left out; it is the result only where all arguments are null. */
static bool resolve_extreme(struct function_use *use, const char *name, enum comparison kind,
                            struct error *err) {
    struct data_type type;
    if (!want_common(use, name, false, &type, err))
        return false;
    use_set_result(use, type, comparison_kernel(kind, type.kind));
    for (size_t i = 0; i < use->argument_count; i++)
        if (!use_argument_can_be_null(use, i))
            use->can_be_null = false;
    return true;
}

bool resolve_greatest(struct function_use *use, struct error *err) {
    return resolve_extreme(use, "greatest", COMPARE_GREATEST, err);
}

bool resolve_least(struct function_use *use, struct error *err) {
    return resolve_extreme(use, "least", COMPARE_LEAST, err);
}

/* ---- choices ---- */

/* The values of CASE are every second argument, and the last one if there is ELSE: with an ELSE
 * that is at an even place, where conditions are, so it is counted apart. */
static bool common_of_case(const struct function_use *use, struct data_type *type) {
    size_t count = use->argument_count / 2 + use->argument_count % 2;
    struct data_type *values = pool_alloc(use->pool, count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = use->arguments[2 * i + 1 < use->argument_count ? 2 * i + 1 : 2 * i];
    return data_types_common(values, count, true, type);
}

/* Of the values of CASE, up to that of the literal TRUE as a condition, which is always reached. */
static bool branches_can_be_null(const struct function_use *use, bool stop_at_true) {
    for (size_t i = 0; i + 1 < use->argument_count; i += 2) {
        const struct constant *condition = use->constants[i];
        if (use_argument_can_be_null(use, i + 1))
            return true;
        if (stop_at_true && condition != NULL && condition->present && condition->boolean != 0)
            return false;
    }
    return use->argument_count % 2 == 0 || use_argument_can_be_null(use, use->argument_count - 1);
}

static bool resolve_branches(struct function_use *use, bool is_case, struct error *err) {
    const char *name = is_case ? "CASE" : "if";
    struct data_type type;
    bool fits = common_of_case(use, &type) && is_scalar(type.kind);
    if (!fits && refuse_nested(use, name, err))
        return false;
    if (!fits)
        return use_refuse(err, "%s: no common type for its values; CAST them to one type", name);
    for (size_t i = 0; i < use->argument_count; i++) {
        bool is_condition = i % 2 == 0 && i + 1 < use->argument_count;
        bool is_null = use->arguments[i].kind == TYPE_NULL && !is_case; // Spark takes it in if()
        if (is_condition && use->arguments[i].kind != TYPE_BOOL && !is_null)
            return use_refuse(err, "%s: a condition is %s, expected BOOLEAN", name,
                              data_type_text(&use->arguments[i], use->pool));
        use->wanted[i] = is_condition ? type_of(TYPE_BOOL) : type;
    }
    use_set_result(use, type, kernel_case);
    use->can_be_null = branches_can_be_null(use, is_case);
    return true;
}

bool resolve_case(struct function_use *use, struct error *err) {
    return resolve_branches(use, true, err);
}

bool resolve_if(struct function_use *use, struct error *err) {
    return resolve_branches(use, false, err);
}

bool resolve_coalesce(struct function_use *use, struct error *err) {
    struct data_type type;
    if (!want_common(use, "coalesce", true, &type, err))
        return false;
    use_set_result(use, type, kernel_coalesce);
    for (size_t i = 0; i < use->argument_count; i++)
        if (!use_argument_can_be_null(use, i))
            use->can_be_null = false;
    return true;
}
