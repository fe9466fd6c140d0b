#include "sql/functions/resolve.h"

#include <stdarg.h>
#include <stdio.h>

bool use_refuse(struct error *err, const char *format, ...) {
    char text[sizeof err->message];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(err, ERROR_CONFIG, "%s", text);
}

/* Spark's implicit casts of arguments, where a function has one type for them. */
static bool casts_implicitly(enum type from, enum type to) {
    if (from == to || from == TYPE_NULL)
        return true;
    if (to == TYPE_STRING)
        return is_scalar(from);
    if (is_number(to))
        return is_number(from) || from == TYPE_STRING;
    return is_time(to) && (is_time(from) || from == TYPE_STRING);
}

static const char *ordinal(size_t index) {
    static const char *const names[] = {"first", "second", "third", "fourth"};
    return index < sizeof names / sizeof names[0] ? names[index] : "last";
}

bool use_want(struct function_use *use, const char *name, size_t index, enum type kind,
              struct error *err) {
    const struct data_type *type = &use->arguments[index];
    if (!casts_implicitly(type->kind, kind))
        return use_refuse(err, "%s: the %s argument is %s, expected %s", name, ordinal(index),
                          data_type_text(type, use->pool), type_sql_name(kind));
    use->wanted[index] = type->kind == kind ? *type : type_of(kind);
    return true;
}

bool use_argument_can_be_null(const struct function_use *use, size_t index) {
    kernel_fn *kernel;
    bool can_be_null = true, can_fault;
    struct error err;
    if (use->nullable[index])
        return true;
    return !cast_find(&use->arguments[index], &use->wanted[index], &kernel, &can_be_null,
                      &can_fault, &err) ||
           can_be_null || can_fault;
}

bool use_any_can_be_null(const struct function_use *use) {
    for (size_t i = 0; i < use->argument_count; i++)
        if (use_argument_can_be_null(use, i))
            return true;
    return false;
}

void use_set_result(struct function_use *use, struct data_type type, kernel_fn *kernel) {
    use->type = type;
    use->kernel = kernel;
    use->can_be_null = use_any_can_be_null(use);
    use->can_fault = false;
}

bool use_want_int_literal(struct function_use *use, const char *name, size_t index, int32_t *value,
                          bool *present, struct error *err) {
    const struct constant *constant = use->constants[index];
    enum type kind = use->arguments[index].kind;
    if (constant == NULL)
        return use_refuse(err, "%s: the %s argument must be a literal", name, ordinal(index));
    if (kind != TYPE_INT32 && kind != TYPE_NULL && kind != TYPE_INT8 && kind != TYPE_INT16)
        return use_refuse(err, "%s: the %s argument is %s, expected an INT", name, ordinal(index),
                          data_type_text(&use->arguments[index], use->pool));
    use->wanted[index] = type_of(TYPE_INT32);
    *present = constant->present;
    *value = constant->present ? constant->int32 : 0;
    return true;
}
