/* cast.c: which casts there are, and whether they can give null or a fault, as Spark's analyzer
 * says it: a column that it takes for nullable is nullable in the files, even if no value of it
 * ever is null. */
#include "sql/functions/cast.h"

#include "sql/functions/loop.h"
#include "sql/functions/moment.h"
#include "sql/functions/resolve.h"

bool kernel_null(const struct kernel_call *call) {
    memset(call->out->vector.valid + call->first, 0, call->count);
    return true;
}

/* As wide as a text or a DECIMAL. */
struct wide {
    uint64_t words[2];
};

KERNEL_COPY(copy_1, uint8_t)
KERNEL_COPY(copy_2, uint16_t)
KERNEL_COPY(copy_4, uint32_t)
KERNEL_COPY(copy_8, uint64_t)
KERNEL_COPY(copy_16, struct wide)

static kernel_fn *copy_kernel(enum type type) {
    static kernel_fn *const kernels[] = {
        [1] = copy_1, [2] = copy_2, [4] = copy_4, [8] = copy_8, [16] = copy_16};
    return kernels[type_width(type)];
}

/* Whether every value of the type has a value in the DECIMAL. */
static bool fits_decimal(const struct data_type *from, const struct data_type *to) {
    struct data_type exact = *from;
    if (from->kind == TYPE_BOOL)
        exact = (struct data_type){.kind = TYPE_DECIMAL, .precision = 1};
    else if (is_integer(from->kind))
        exact = decimal_of_integer(from->kind);
    else if (from->kind != TYPE_DECIMAL)
        return false;
    return exact.precision - exact.scale <= to->precision - to->scale && exact.scale <= to->scale;
}

static kernel_fn *find(const struct data_type *from, const struct data_type *to) {
    enum type source = from->kind, target = to->kind;
    if (!is_scalar(source) || !is_scalar(target) || (target == TYPE_NULL && source != TYPE_NULL))
        return NULL;
    if (source == TYPE_NULL)
        return kernel_null;
    if (data_type_equals(from, to))
        return copy_kernel(target);
    if (source == TYPE_BOOL && target == TYPE_DECIMAL && !fits_decimal(from, to))
        return NULL; // there is no digit for 1, and Spark throws
    if (source == TYPE_DECIMAL || target == TYPE_DECIMAL)
        return cast_decimal(source, target);
    if (is_time(source) || is_time(target))
        return cast_time(source, target);
    if (source == TYPE_STRING)
        return cast_from_text(target);
    if (target == TYPE_STRING)
        return cast_to_text(source);
    return cast_between_numbers(source, target);
}

/* Between DECIMALs: then digits after the point are lost, but rounding has room. */
static bool has_more_whole_digits(const struct data_type *from, const struct data_type *to) {
    return from->kind == TYPE_DECIMAL && to->precision - to->scale > from->precision - from->scale;
}

static bool can_give_null(const struct data_type *from, const struct data_type *to) {
    enum type source = from->kind, target = to->kind;
    if (data_type_equals(from, to))
        return false;
    if (source == TYPE_NULL || source == TYPE_STRING)
        return target != TYPE_BINARY || source == TYPE_NULL;
    if (target == TYPE_STRING)
        return false;
    if (target == TYPE_DECIMAL)
        return !fits_decimal(from, to) && !has_more_whole_digits(from, to);
    if (is_real(source) || source == TYPE_DECIMAL)
        return is_integer(target) || (is_real(source) && target == TYPE_TIMESTAMP);
    if (source == TYPE_TIMESTAMP)
        return target == TYPE_INT8 || target == TYPE_INT16 || target == TYPE_INT32;
    if (source == TYPE_DATE)
        return target != TYPE_TIMESTAMP;
    return target == TYPE_DATE;
}

static bool is_moment(enum type kind) {
    return kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMP_NTZ;
}

/* Between a date and a kind of timestamp, or between both kinds. */
static bool can_fault_between(enum type from, enum type to) {
    return is_moment(to) && from != to && (from == TYPE_DATE || is_moment(from));
}

static bool is_text_to_decimal(const struct data_type *from, const struct data_type *to) {
    return from->kind == TYPE_STRING && to->kind == TYPE_DECIMAL;
}

bool cast_find(const struct data_type *from, const struct data_type *to, kernel_fn **kernel,
               bool *can_be_null, bool *can_fault, struct error *err) {
    *kernel = find(from, to);
    *can_be_null = can_give_null(from, to);
    *can_fault = can_fault_between(from->kind, to->kind) || is_text_to_decimal(from, to);
    if (*kernel != NULL)
        return true;
    struct pool pool;
    pool_init(&pool);
    bool is_epoch = is_integer(from->kind) && to->kind == TYPE_DATE;
    (void)error_set(err, ERROR_CONFIG, "cannot CAST %s AS %s%s", data_type_text(from, &pool),
                    data_type_text(to, &pool),
                    is_epoch ? ": write CAST(timestamp_seconds(…) AS DATE), or timestamp_millis"
                             : "");
    pool_deinit(&pool);
    return false;
}

/* ---- TRY_CAST ----
 *
 * Null where CAST would throw with ANSI on: a number must be in the range of the type, and a text
 * that becomes a whole number has no fraction. All others have the kernels of CAST. */

static kernel_fn *find_try(enum type from, enum type to) {
    if (from == TYPE_STRING && is_integer(to))
        return cast_from_whole_text(to);
    return from == TYPE_DECIMAL ? try_cast_decimal(to) : try_cast_number(from, to);
}

/* Casts that ANSI forbids. */
static bool is_forbidden(enum type from, enum type to) {
    if (from == TYPE_BOOL || to == TYPE_BOOL)
        return from == TYPE_TIMESTAMP || to == TYPE_TIMESTAMP || from == TYPE_DATE;
    return (is_integer(from) && to == TYPE_BINARY) || (from == TYPE_DATE && is_number(to));
}

/* Casts that Spark takes for ones that always have a value. */
static bool always_has_value(const struct data_type *from, const struct data_type *to) {
    enum type source = from->kind, target = to->kind;
    if (data_type_equals(from, to))
        return true;
    if (target == TYPE_STRING || target == TYPE_BINARY)
        return source != TYPE_NULL;
    if (target == TYPE_DECIMAL)
        return source != TYPE_BOOL && fits_decimal(from, to);
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
    kernel_fn *own = data_type_equals(from, to) ? NULL : find_try(from->kind, to->kind);
    *kernel = own != NULL ? own : *kernel;
    *can_be_null = !always_has_value(from, to);
    return true;
}

/* ---- the text for Spark ---- */

const char *cast_guard(const struct data_type *from, const struct data_type *to,
                       const char *argument, struct pool *pool) {
    if (is_text_to_decimal(from, to))
        return cast_guard_decimal(argument, to, pool);
    if (!can_fault_between(from->kind, to->kind))
        return NULL;
    const char *day =
        from->kind == TYPE_DATE ? argument : pool_format(pool, "CAST(%s AS DATE)", argument);
    return pool_format(pool, "CASE WHEN unix_date(%s) BETWEEN -%d AND %d THEN CAST(%s AS %s) END",
                       day, MOMENT_DAY_MAX, MOMENT_DAY_MAX, argument, type_sql_name(to->kind));
}
