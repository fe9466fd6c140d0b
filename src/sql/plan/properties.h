/* properties.h: the keys of OPTIONS and TBLPROPERTIES that there are. Values are checked by their
 * users, after ${NAME:-default} was replaced. */
#ifndef SQL_PLAN_PROPERTIES_H
#define SQL_PLAN_PROPERTIES_H

#include "sql/plan/planner.h"

/* The keys that can be in TBLPROPERTIES, ended by NULL; docs/queries.md says what each is for. */
extern const char *const table_properties[];

/* Fills plan->topic, ->options and ->properties. ERROR_CONFIG: an unknown key, one that is refused,
 * a key twice, no topic. */
MUST_CHECK bool properties_make(struct planner *planner, struct error *err);

#endif
