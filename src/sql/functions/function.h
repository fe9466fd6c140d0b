/* function.h: the one table of functions, operators and casts: names, types, kernels, how Spark
 * writes them, and their documentation. Checks, printed documents, completion and the fuzzer are
 * made from it. The meaning is Spark's with ANSI off. */
#ifndef SQL_FUNCTIONS_FUNCTION_H
#define SQL_FUNCTIONS_FUNCTION_H

#include "base/error.h"
#include "core/data_type.h"
#include "sql/functions/kernel.h"

enum { FUNCTION_ARGUMENTS_ANY = -1 };

/* How a call is written in SQL. */
enum function_form {
    FORM_CALL,    // name(a, b)
    FORM_PREFIX,  // symbol a
    FORM_INFIX,   // a symbol b
    FORM_POSTFIX, // a symbol
    FORM_IN,      // a IN (b, c)
    FORM_CASE,    // CASE WHEN a THEN b … ELSE c END
    FORM_INDEX,   // a[b]
};

/* A literal's value, for functions that need it before any row comes: patterns, places, indices. */
struct constant {
    bool present; // false: the literal NULL
    union {
        uint8_t boolean;
        int32_t int32; // INT, DATE; TINYINT and SMALLINT as well
        int64_t int64; // BIGINT, timestamps
        float real;
        double number;
        int128_t decimal; // unscaled
        struct text text;
    };
};

/* One use of a function in a query, with what is known of it before any row comes. The type of a
 * lambda is that of its value. */
struct function_use {
    const struct data_type *arguments;       // in: the types that they have
    const bool *nullable;                    // in: whether each can be null
    const struct constant *const *constants; // in: NULL, or the value of a literal
    size_t argument_count;
    struct pool *pool; // in: for types and texts

    struct data_type *wanted; // out, as many: what each is to be cast to, implicitly, as Spark does
    struct data_type type;    // out: of the result
    bool can_be_null;         // out
    bool can_fault;           // out: whether the function itself can, apart from its arguments
    kernel_fn *kernel;        // out: for arguments of `wanted`
};

struct function {
    const char *name; // lower case; other names of the same function are rows of their own
    int arguments_min, arguments_max; // FUNCTION_ARGUMENTS_ANY
    enum function_form form;
    int precedence;      // of an operator: a higher one binds closer
    const char *symbol;  // of an operator, in Spark's spelling
    const char *usage;   // "round(x [, places])"
    const char *doc;     // a sentence
    const char *example; // an expression, and its value in Spark: "round(2.5)" …
    const char *throws;  // NULL, or the values for which Spark throws; ours is null and a fault
    /* Chooses types and kernel. ERROR_CONFIG without a place: "round: the second argument must be a
     * literal". */
    bool (*resolve)(struct function_use *use, struct error *err);
    /* What is printed to Spark instead of the plain call, so that it does not throw: the
     * arguments' texts are in SQL. NULL: the plain call. In `pool`. */
    const char *(*guard)(const struct function_use *use, const char *const *arguments,
                         struct pool *pool);
    bool is_lazy; // its kernel passes on faults itself (kernel.h)
    /* Of a function that takes lambdas. Bit i of `lambdas`: argument i is one. The types of its
     * `count` parameters, when the arguments before it are known; ERROR_CONFIG as above. */
    unsigned lambdas;
    bool (*parameters)(const struct function_use *use, size_t index, size_t count,
                       struct data_type *types, struct error *err);
};

extern const struct function functions[]; // by name, in ascending order; ended by a NULL name
extern const size_t function_count;

/* NULL: there is none. */
const struct function *function_find(const char *name);

/* What is written like a function but is refused, such as `rand` or `count`: the reason, as a
 * sentence; or NULL. */
const char *function_refusal(const char *name);

/* ---- casts ---- */

/* The kernel of CAST(… AS to); *can_fault and *can_be_null say whether a present value can become
 * one. ERROR_CONFIG, as Spark's analyzer: there is no such cast. The same type: a copy. */
MUST_CHECK bool cast_find(const struct data_type *from, const struct data_type *to,
                          kernel_fn **kernel, bool *can_be_null, bool *can_fault,
                          struct error *err);

/* The same for TRY_CAST. */
MUST_CHECK bool try_cast_find(const struct data_type *from, const struct data_type *to,
                              kernel_fn **kernel, bool *can_be_null, bool *can_fault,
                              struct error *err);

/* What is printed to Spark instead of CAST(argument AS to), so that it does not throw; `argument`
 * is in SQL. NULL: the plain cast. In `pool`. */
const char *cast_guard(const struct data_type *from, const struct data_type *to,
                       const char *argument, struct pool *pool);

/* The least type that both can be cast to without CAST being written: Spark's rule for CASE,
 * coalesce, comparison and IN. False: none. */
bool data_type_common(const struct data_type *a, const struct data_type *b,
                      struct data_type *common);

#endif
