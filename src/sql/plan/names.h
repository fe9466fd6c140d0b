/* names.h: what a name in an expression stands for. */
#ifndef SQL_PLAN_NAMES_H
#define SQL_PLAN_NAMES_H

#include "sql/plan/planner.h"

/* The parts of a path `a.b.c`; 0: the node is something else. */
size_t name_parts(const struct sql_node *node);

/* Of a path. Its last `rest` parts are not looked up: they are fields of *expr. ERROR_CONFIG:
 * unknown, ambiguous, or a STRUCT of the record as a whole. */
MUST_CHECK bool name_resolve(struct planner *planner, const struct sql_node *node,
                             const struct expr **expr, size_t *rest, struct error *err);

/* How many fields of a STRUCT have the name, without regard to case; *found is the first. */
size_t name_find_field(const struct data_type *type, const char *name,
                       const struct data_field **found);

/* The last name of a path; NULL: the node is something else. */
const char *name_last(const struct sql_node *node);

/* The name of Kafka's columns that an expression can use, for `SELECT *` from kafka('…') in this
 * order; NULL: no more. */
const char *kafka_name(size_t index, enum plan_input_kind *kind, bool *in_star);

#endif
