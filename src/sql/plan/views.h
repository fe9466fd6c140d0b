/* views.h: LATERAL VIEW: what is exploded, and what its parts are called. */
#ifndef SQL_PLAN_VIEWS_H
#define SQL_PLAN_VIEWS_H

#include "sql/plan/planner.h"

/* plan->views, in their order, except for position_column. ERROR_CONFIG: the argument is neither
 * ARRAY nor MAP, aliases do not fit it, or a name is given twice. */
MUST_CHECK bool views_make(struct planner *planner, struct error *err);

#endif
