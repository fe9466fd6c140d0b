/* literal.h: literals: their types and values, read and printed. */
#ifndef SQL_PLAN_LITERAL_H
#define SQL_PLAN_LITERAL_H

#include "sql/plan/planner.h"

/* Of SQL_NULL, SQL_TRUE, SQL_FALSE, SQL_NUMBER, SQL_STRING and SQL_LITERAL. `negative`: a
 * number with a sign. ERROR_CONFIG: no type can hold it, or it is no such date. */
MUST_CHECK bool literal_make(struct planner *planner, const struct sql_node *node, bool negative,
                             const struct expr **expr, struct error *err);

/* As Spark reads it back with the same type; or as a query file writes it. */
const char *literal_print(const struct expr *literal, bool for_spark, struct pool *pool);

#endif
