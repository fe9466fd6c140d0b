/* care.h: `compact` and `expire`: by this process if the query does not run, else by the query.
 *
 * Otherwise as the operations of streaming/operations/operations.h. */
#ifndef STREAMING_OPERATIONS_CARE_H
#define STREAMING_OPERATIONS_CARE_H

#include <stdio.h>

#include "base/error.h"
#include "streaming/care/request.h"
#include "streaming/query/query_definition.h"

struct care_operation {
    const struct query_options *query; // the sink log is as it is, no matter what these say
    struct care_request request;       // without an id
    bool dry_run;
    bool (*is_cancelled)(void); // by a signal
};

/* Prints a line for each change. ERROR_LOCKED: the program that holds the lock does not answer, or
 * another command waits for it; ERROR_STOPPED: cancelled. */
MUST_CHECK bool operation_care(const struct care_operation *operation, FILE *out,
                               struct error *err);

#endif
