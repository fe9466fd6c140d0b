/* kernel.h: how a function computes its values: over vectors of a slice, a loop over plain arrays.
 *
 * A kernel takes arguments of exactly the types that it was chosen for. It is pure: no clock, no
 * I/O, no state, so a batch that is run again gives the same rows.
 *
 * Where Spark throws for a value, the result is null and a *fault*: a field fault of the column if
 * it reaches the column. A fault does not change values: everything that follows is computed from
 * the null, as Spark does with the guarded text. A strict function passes on the faults of its
 * arguments (eval does it); a function that Spark evaluates lazily (and, or, case, if, coalesce …)
 * passes on only those of the arguments that Spark would have evaluated in that row, and its kernel
 * does it. */
#ifndef SQL_FUNCTIONS_KERNEL_H
#define SQL_FUNCTIONS_KERNEL_H

#include "base/arena.h"
#include "core/data_type.h"
#include "core/timestamp.h"
#include "core/vector.h"

/* A column of values on its way through an expression. */
struct operand {
    struct vector vector;
    const struct data_type *type; // borrowed from the plan
    uint8_t *faults;              // one byte per row, 0 or 1; NULL: no value of it can be a fault
    bool constant;                // the same value in each row, present or null
};

/* Values of a lambda's parameters: value i of parameter p is in row indexes[p][i] of
 * parameters[p]. */
struct lambda_slice {
    size_t count;         // at most LAMBDA_ROWS
    const uint32_t *rows; // of the call: which row each value belongs to, for other values of it
    const struct vector *parameters[2];
    const uint32_t *indexes[2];
};

enum { LAMBDA_ROWS = 1024 };

/* A lambda as a kernel sees it: a function over vectors. */
struct lambda {
    /* Computes rows [0, slice->count) of `result`, which are valid until the next call. False:
     * `strings` is full. */
    bool (*compute)(struct lambda *lambda, const struct lambda_slice *slice, struct arena *strings);
    const struct operand *result;
};

struct kernel_call {
    const struct operand *const *arguments; // NULL: a lambda
    size_t argument_count;
    struct lambda *const *lambdas; // as many; NULL: an argument that is none
    size_t first, count;           // the rows to compute: [first, first + count)
    struct operand *out;   // its vectors are as long as the arguments' and none of theirs; its
                           // faults are 0. Children of a nested value are the kernel's: those of an
                           // argument, or in `strings`, and for these rows alone
    struct arena *strings; // for the bytes of new texts; texts of arguments may be shared
    const struct timestamp_context *context; // the session's time zone, and the batch's moment
};

/* False: `strings` is full; the rows are unspecified, and the call is repeated with more room. */
typedef bool kernel_fn(const struct kernel_call *call);

/* CASE of any type. Arguments are pairs of a condition and its value, and perhaps a last value. A
 * row reads no value whose condition does not hold, so it need not be computed. */
kernel_fn kernel_case;

#endif
