/* expr_make.h: expressions of the tree as typed expressions. */
#ifndef SQL_PLAN_EXPR_MAKE_H
#define SQL_PLAN_EXPR_MAKE_H

#include "sql/plan/planner.h"

/* ERROR_CONFIG: an unknown name or function, arguments that do not fit, or what is refused. */
MUST_CHECK bool expr_make(struct planner *planner, const struct sql_node *node,
                          const struct expr **expr, struct error *err);

/* The value as the type. ERROR_CONFIG: there is no such cast. */
MUST_CHECK bool expr_cast(struct planner *planner, struct sql_place place, const struct expr *value,
                          enum type type, const struct expr **expr, struct error *err);

/* A function's view of a call's arguments, as they are in the expression. */
struct function_use expr_function_use(const struct expr *const *arguments, size_t count,
                                      struct pool *pool);

#endif
