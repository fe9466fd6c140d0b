/* record_cut.h: the record's type, and what of it is read. */
#ifndef SQL_PLAN_RECORD_CUT_H
#define SQL_PLAN_RECORD_CUT_H

#include "sql/plan/planner.h"

/* plan->record: the fields that the topic declares. ERROR_CONFIG: NOT NULL, or a type that no field
 * can have. */
MUST_CHECK bool record_make(struct planner *planner, struct error *err);

/* plan->inputs and plan->cut, when all expressions are there; they then have the plan's indexes:
 * the record's inputs in declared order, then Kafka's. */
void record_cut(struct planner *planner);

#endif
