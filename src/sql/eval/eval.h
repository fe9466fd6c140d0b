/* eval.h: the expressions of a plan, computed on a slice of rows.
 *
 * Rows are those that an expression is of: records, if it uses no LATERAL VIEW, or else rows of the
 * views that are exploded by then (struct expr, `level`).
 *
 * An evaluator belongs to one worker, like its rows (core/rows.h): not thread-safe. */
#ifndef SQL_EVAL_EVAL_H
#define SQL_EVAL_EVAL_H

#include "sql/eval/nodes.h"

struct eval {
    struct nodes nodes;
    struct node **steps; // the nodes that are computed for each slice
    size_t step_count;
    struct vector *outputs; // of each expression, as bound
    size_t *finished;       // expressions whose values are copied or whose faults are counted,
    size_t finished_count;  // when all steps are done
    size_t capacity;        // rows
    size_t memory;          // bytes of `storage`
    void *storage;          // owned: the values of all nodes except inputs and outputs
};

/* What a LATERAL VIEW has given in each row; of those parts that the view has. */
struct view_values {
    struct vector parts[3]; // by enum plan_view_part
};

/* For `count` expressions of the plan: computed columns, WHERE, or an argument of explode. Vectors
 * have `capacity` rows. `context` is borrowed: its time zone stays, its moment is that of the batch
 * at hand. */
void eval_init(struct eval *eval, const struct query_plan *plan, const struct expr *const *exprs,
               size_t count, size_t capacity, const struct timestamp_context *context);
void eval_deinit(struct eval *eval); // accepts a zeroed struct

/* Says where values come from and where they go: inputs[i] is that of plan->inputs[i], views[i] of
 * plan->views[i] (NULL: no expression uses any), outputs[k] is for expression k. The vectors'
 * memory must stay, and that of their children. An output can be the vector of the input that the
 * expression is. An expression of a nested type needs no output: see eval_output(). */
void eval_bind(struct eval *eval, const struct vector *inputs, const struct view_values *views,
               const struct vector *outputs);

/* Computes rows [first, first + count), and adds the field faults of expression k to faults[k].
 * False: `strings` is full; the rows are unspecified, nothing is counted, and the call is repeated
 * with more room. */
bool eval_rows(struct eval *eval, size_t first, size_t count, struct arena *strings,
               int64_t *faults);

/* The values of expression `index`. Those of a nested type are of the last call, until the next;
 * their children are in `strings` or are those of an input. */
const struct vector *eval_output(const struct eval *eval, size_t index);

/* Which rows of expression `index` were faults in the last call: a byte each. NULL: none can be. */
const uint8_t *eval_faults(const struct eval *eval, size_t index);

#endif
