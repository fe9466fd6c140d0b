/* nodes.h: within this room: a plan's expressions as a list of steps. */
#ifndef SQL_EVAL_NODES_H
#define SQL_EVAL_NODES_H

#include "sql/eval/eval.h"

struct eval_node {
    const struct expr *expr; // borrowed; if several expressions are equal, one of them
    struct operand operand;
    struct kernel_call call; // EXPR_CALL
    struct eval_node **arguments;
    size_t argument_count;
    size_t last_use; // the place in eval->nodes of the last node that reads it
    size_t buffer;   // offset in eval->storage
    size_t output;   // the first expression that this is the root of, or NO_OUTPUT
    bool is_used, has_faults;
    bool is_lazy; // its kernel passes on faults itself
    bool is_step; // computed for each slice; the others are inputs and constants
};

#define NO_OUTPUT SIZE_MAX
#define NO_USE SIZE_MAX

/* Fills nodes, inputs and roots: each node once, after its arguments, and none that no expression
 * needs. */
void nodes_build(struct eval *eval, const struct expr *const *exprs, size_t count);

/* Marks literals and what depends on nothing else. */
void constants_find(struct eval *eval);

/* Gives them their values, once their vectors have memory. */
void constants_compute(struct eval *eval);

#endif
