/* care_command.h: what `compact` and `expire` do, by the process that holds the lock: the command
 * itself, or the running query that it asks. */
#ifndef STREAMING_CARE_CARE_COMMAND_H
#define STREAMING_CARE_CARE_COMMAND_H

#include "streaming/care/care_work.h"
#include "streaming/care/request.h"

/* Merges files of the table and of the rejects, or lets dates of the table expire, and says what
 * was, or would be, done and why others wait. `host` without a list of files that are left alone.
 * The errors of compact_pass() and expire_pass(); ERROR_STATE also, at the end: some files cannot
 * be merged. */
MUST_CHECK bool care_command_run(const struct care_request *request, bool dry_run,
                                 const struct query_definition *definition,
                                 const struct store *store, struct care_host host,
                                 struct error *err);

#endif
