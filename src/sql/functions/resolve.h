/* resolve.h: within this room and sql/functions/nested: what functions have in common when they
 * choose their types. */
#ifndef SQL_FUNCTIONS_RESOLVE_H
#define SQL_FUNCTIONS_RESOLVE_H

#include "sql/functions/function.h"

static inline struct data_type type_of(enum type kind) {
    return (struct data_type){.kind = kind};
}

static inline bool is_integer(enum type kind) {
    return kind == TYPE_INT8 || kind == TYPE_INT16 || kind == TYPE_INT32 || kind == TYPE_INT64;
}

static inline bool is_real(enum type kind) {
    return kind == TYPE_FLOAT || kind == TYPE_DOUBLE;
}

static inline bool is_number(enum type kind) {
    return is_integer(kind) || is_real(kind) || kind == TYPE_DECIMAL;
}

static inline bool is_time(enum type kind) {
    return kind == TYPE_DATE || kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMP_NTZ;
}

/* A type without parts. */
static inline bool is_scalar(enum type kind) {
    return kind < TYPE_STRUCT;
}

/* ERROR_CONFIG; always false. */
bool use_refuse(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Wider numbers come later; 0: DECIMAL, or no number. */
int number_rank(enum type kind);

/* The DECIMAL that holds every value of an integer type. */
struct data_type decimal_of_integer(enum type kind);

/* The type that +, - and % compute in, and that their arguments are cast to. False: none. */
bool data_type_arithmetic(const struct data_type *a, const struct data_type *b,
                          struct data_type *common);

/* The type in which = and <, which `ordered` says, compare. False: none. */
bool data_type_compared(const struct data_type *a, const struct data_type *b, bool ordered,
                        struct data_type *common);

/* The common type of a list. A text has one with other types only `with_texts`. False: none. */
bool data_types_common(const struct data_type *types, size_t count, bool with_texts,
                       struct data_type *common);

/* Argument `index` is to be of the type, as Spark casts implicitly. `name` is the function's. */
bool use_want(struct function_use *use, const char *name, size_t index, enum type kind,
              struct error *err);

/* Whether the argument can be null once it is cast to what is wanted. */
bool use_argument_can_be_null(const struct function_use *use, size_t index);
bool use_any_can_be_null(const struct function_use *use);

/* The result; null where an argument is. */
void use_set_result(struct function_use *use, struct data_type type, kernel_fn *kernel);

/* Argument `index` as a literal of INT. False: it is none. A null literal is not `present`. */
bool use_want_int_literal(struct function_use *use, const char *name, size_t index, int32_t *value,
                          bool *present, struct error *err);

/* ---- kernels that several files choose from ---- */

enum comparison {
    COMPARE_EQUAL,
    COMPARE_SAME, // <=>
    COMPARE_LESS,
    COMPARE_LESS_OR_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_OR_EQUAL,
    COMPARE_IN,
    COMPARE_NULLIF,
    COMPARE_GREATEST,
    COMPARE_LEAST,
    COMPARE_CONTAINS, // an ARRAY and a value
    COMPARISON_COUNT,
};

/* For arguments of one type; NULL: it cannot be compared. */
kernel_fn *comparison_kernel(enum comparison comparison, enum type type);

kernel_fn kernel_and, kernel_or, kernel_not, kernel_isnull, kernel_isnotnull;
kernel_fn kernel_coalesce; // of every type
kernel_fn kernel_null;     // always null, of every type

/* ---- what the rows of the table have (function.h) ---- */

typedef bool resolve_fn(struct function_use *use, struct error *err);
typedef const char *guard_fn(const struct function_use *use, const char *const *arguments,
                             struct pool *pool);

/* choose.c */
resolve_fn resolve_and, resolve_or, resolve_not, resolve_isnull, resolve_isnotnull;
resolve_fn resolve_equal, resolve_same, resolve_less, resolve_less_or_equal, resolve_greater;
resolve_fn resolve_greater_or_equal, resolve_in, resolve_case, resolve_if, resolve_coalesce;
resolve_fn resolve_nullif, resolve_greatest, resolve_least;

/* arithmetic.c */
resolve_fn resolve_add, resolve_subtract, resolve_multiply, resolve_divide, resolve_remainder;
resolve_fn resolve_div, resolve_negative, resolve_abs;

/* rounding.c */
resolve_fn resolve_round, resolve_floor, resolve_ceil;

/* join.c */
resolve_fn resolve_concat, resolve_concat_ws;

/* texts.c */
resolve_fn resolve_length, resolve_trim, resolve_ltrim, resolve_rtrim, resolve_upper, resolve_lower;
resolve_fn resolve_substring, resolve_split_part, resolve_startswith, resolve_endswith;
resolve_fn resolve_contains, resolve_like;
guard_fn guard_split_part, guard_substring;

/* nested/arrays.c */
resolve_fn resolve_index, resolve_element_at, resolve_size, resolve_map_keys, resolve_map_values;
resolve_fn resolve_array_contains;
guard_fn guard_element_at;

/* nested/lambdas.c */
typedef bool parameters_fn(const struct function_use *use, size_t index, size_t count,
                           struct data_type *types, struct error *err);
resolve_fn resolve_transform, resolve_filter, resolve_exists, resolve_aggregate;
parameters_fn parameters_of_transform, parameters_of_filter, parameters_of_exists;
parameters_fn parameters_of_aggregate;

/* times.c */
resolve_fn resolve_timestamp_millis, resolve_timestamp_micros, resolve_timestamp_seconds;
resolve_fn resolve_unix_seconds, resolve_unix_millis, resolve_to_timestamp, resolve_to_date;
resolve_fn resolve_unix_timestamp, resolve_year, resolve_month, resolve_day, resolve_hour;
resolve_fn resolve_minute, resolve_second, resolve_date_trunc;
guard_fn guard_timestamp_millis, guard_timestamp_seconds, guard_date_trunc;

#endif
