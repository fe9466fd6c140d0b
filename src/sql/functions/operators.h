/* operators.h: within this room: kernels that several files choose from. */
#ifndef SQL_FUNCTIONS_OPERATORS_H
#define SQL_FUNCTIONS_OPERATORS_H

#include "sql/functions/function.h"

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
    COMPARISON_COUNT,
};

/* For arguments of one type; NULL: it cannot be compared. */
kernel_fn *comparison_kernel(enum comparison comparison, enum type type);

kernel_fn kernel_and, kernel_or, kernel_not, kernel_isnull, kernel_isnotnull;
kernel_fn kernel_case, kernel_coalesce; // of every type; `if` is a `case`
kernel_fn kernel_null;                  // always null, of every type

#endif
