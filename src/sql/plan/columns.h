/* columns.h: the SELECT list as the table's columns. */
#ifndef SQL_PLAN_COLUMNS_H
#define SQL_PLAN_COLUMNS_H

#include "sql/plan/planner.h"

/* Fills planner->items. ERROR_CONFIG: an expression without a name, a name twice, a type that no
 * column can have. */
MUST_CHECK bool items_make(struct planner *planner, struct error *err);

/* Fills the plan's columns, their order and the partition columns. ERROR_CONFIG: columns and SELECT
 * list do not match, or a column cannot be a partition column. */
MUST_CHECK bool columns_make(struct planner *planner, struct error *err);

/* At last, when expressions can be printed. ERROR_CONFIG: a column has another type than it is
 * declared with. */
MUST_CHECK bool columns_check_types(struct planner *planner, struct error *err);

/* ERROR_CONFIG: what makes a whole record a reject depends on a LATERAL VIEW. */
MUST_CHECK bool columns_check_levels(struct planner *planner, struct error *err);

#endif
