/* names.h: what a name in an expression stands for. */
#ifndef SQL_PLAN_NAMES_H
#define SQL_PLAN_NAMES_H

#include "sql/plan/planner.h"

/* Of a SQL_NAME or SQL_FIELD. ERROR_CONFIG: unknown, ambiguous, or not a scalar. */
MUST_CHECK bool name_resolve(struct planner *planner, const struct sql_node *node,
                             const struct expr **expr, struct error *err);

/* The last name of a path; NULL: the node is something else. */
const char *name_last(const struct sql_node *node);

/* The name of Kafka's columns that an expression can use, for `SELECT *` from kafka('…') in this
 * order; NULL: no more. */
const char *kafka_name(size_t index, enum plan_input_kind *kind, bool *in_star);

#endif
