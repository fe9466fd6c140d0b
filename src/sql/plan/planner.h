/* planner.h: a plan while it is made, shared by the modules of this room. */
#ifndef SQL_PLAN_PLANNER_H
#define SQL_PLAN_PLANNER_H

#include "base/nearest.h"
#include "core/schema.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"

enum {
    // Parts of all expressions of a table, with those counted again that BETWEEN and CASE repeat:
    // it bounds a hostile file, whose text doubles with each level.
    EXPRESSION_PARTS_MAX = 100 * 1000,
    KAFKA_COLUMN_COUNT = SCHEMA_ORIGIN_COUNT,
    PARAMETERS_MAX = 64, // of lambdas inside each other: bits of expr.parameters
};

/* A thing that is read of a record, found by its fields in plan->record, or by its kind. */
struct planned_input {
    enum plan_input_kind kind;
    const struct data_field *const *fields; // INPUT_RECORD: from the root
    size_t depth;
    struct data_type type;
};

/* An entry of the SELECT list; of `*`, one of its fields. */
struct planned_item {
    const char *name;
    struct sql_place place;
    bool has_alias; // it can be named further right
    const struct expr *expr;
};

struct planner {
    const struct sql_file *file;
    const struct sql_table *table;
    const struct sql_topic *topic; // NULL: kafka('…'), whose values are not parsed
    struct query_plan *plan;       // in whose pool everything is

    struct planned_input *inputs;
    struct planned_item *items; // so far
    // What refers to an input or an item by its index here; the plan's own are known at the end.
    struct expr **input_uses, **item_uses;
    size_t input_count, item_count, input_use_count, item_use_count;
    // Expressions whose type, or whose argument's, is nested: the cut changes it.
    struct expr **nested;
    size_t nested_count;
    struct plan_view *views; // plan->views, those so far
    // Parameters of the lambdas around the expression at hand, the outermost lambda's first.
    const struct expr *parameters[PARAMETERS_MAX];
    size_t parameter_count;
    size_t part_count;
    bool in_where; // no alias is visible
};

/* Room for one more of `count` items, which may move; doubles. */
void *planner_grow(struct planner *planner, void *items, size_t count, size_t size);

/* A new expression, zeroed except for kind and place. */
struct expr *planner_expr(enum expr_kind kind, struct planner *planner, struct sql_place place);

/* The expression that reads an input. `fields`: in the plan's pool. */
const struct expr *planner_use_field(struct planner *planner, struct sql_place place,
                                     const struct data_field *const *fields, size_t depth);
const struct expr *planner_use_kafka(struct planner *planner, struct sql_place place,
                                     enum plan_input_kind kind);
const struct expr *planner_use_item(struct planner *planner, struct sql_place place, size_t item);

const struct expr *planner_use_view(struct planner *planner, struct sql_place place, size_t view,
                                    enum plan_view_part part);
const struct expr *planner_use_parameter(struct planner *planner, struct sql_place place,
                                         size_t parameter);

/* The expression needs what its arguments need. */
void planner_take_arguments(struct planner *planner, struct expr *expr,
                            const struct expr *const *arguments, size_t count);

/* To be called when the type is known: the cut changes nested ones. */
void planner_note_nested(struct planner *planner, struct expr *expr);

/* The type of Kafka's column. */
const struct data_type *planner_kafka_type(enum plan_input_kind kind);

/* The columns that every table has, by their kinds of input: those of schema_origin_columns. */
extern const enum plan_input_kind kafka_columns[KAFKA_COLUMN_COUNT];

/* -1: it is none of them. */
int kafka_column_find(const char *name);

/* Fills the error, at a place in the planned file; always false. */
#define PLAN_ERROR(err, planner, place, ...)                                                       \
    sql_error((err), (planner)->plan->path, (place), __VA_ARGS__)

/* "; did you mean 'x'?", or "" if nothing is near. */
struct suggestion {
    char text[96];
};
struct suggestion nearest_suggestion(const struct nearest *nearest);

#endif
