/* nodes.h: within this room: a plan's expressions as a list of steps. */
#ifndef SQL_EVAL_NODES_H
#define SQL_EVAL_NODES_H

#include "sql/functions/kernel.h"
#include "sql/plan/plan.h"

struct eval;

enum node_kind {
    NODE_LITERAL,
    NODE_CALL,
    NODE_FIELD,    // of a STRUCT
    NODE_BOUND,    // an input or a part of a view: somebody else's vector
    NODE_GATHERED, // in a lambda: a parameter, or a value from outside
};

struct node {
    enum node_kind kind;
    const struct expr *expr; // borrowed; if several expressions are equal, one of them
    struct operand operand;
    struct kernel_call call;     // NODE_CALL
    struct node_lambda *lambdas; // NODE_CALL: as many as arguments of the call; NULL: none
    struct node *outside;        // NODE_GATHERED: the value outside the lambda; NULL: a parameter
    struct node **arguments;     // what it reads, with what its lambdas read from outside
    size_t argument_count;
    size_t last_use;                 // the place in `all` of the last node that reads it
    size_t buffer;                   // offset in the evaluator's storage
    size_t output;                   // the first expression that this is the root of, or NO_OUTPUT
    const struct operand *needed_if; // a condition: no row where it does not hold needs the value.
                                     // NULL: any row can need it
    bool is_used, has_faults;
    bool is_root;
    bool is_lazy; // its kernel passes on faults itself
    bool is_step; // computed for each slice; the others are inputs and constants
};

#define NO_OUTPUT SIZE_MAX
#define NO_USE SIZE_MAX

struct nodes {
    const struct query_plan *plan; // borrowed, with its expressions
    struct pool pool;              // owned: nodes, and the bytes of constant texts
    struct node **all;             // owned; in the order in which they are computed
    size_t count;
    struct node **inputs;     // of each input of the plan; NULL: not used
    struct node *(*views)[3]; // of each part of the plan's views; NULL: not used
    struct node **roots;      // of each expression
    size_t root_count;
    struct node *parameters[2]; // of a lambda; NULL: not used
    struct node **gathered;     // owned; of a lambda: values from outside
    size_t gathered_count;
    struct node_lambda **lambdas; // owned: the list; all that calls have
    size_t lambda_count;
};

/* A lambda argument of a call. */
struct node_lambda {
    struct lambda lambda;    // for kernels
    const struct expr *expr; // NULL: the argument is none
    struct nodes nodes;      // of its body
    struct eval *eval;       // owned; has taken over the nodes
};

/* Each node once, after its arguments, and none that no expression needs. */
void nodes_init(struct nodes *nodes, const struct query_plan *plan, const struct expr *const *exprs,
                size_t count);
void nodes_deinit(struct nodes *nodes); // accepts a zeroed struct

/* Marks literals and what depends on nothing else. */
void constants_find(struct nodes *nodes);

/* Gives them their values for `rows` rows, once their vectors have memory. */
void constants_compute(struct nodes *nodes, size_t rows);

#endif
