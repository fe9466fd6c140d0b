/* sink_log_file.h: one file of the sink log as a stream: "v1", then a line of JSON per data file.
 * It may be a compact file of any size, so it is never held whole. */
#ifndef STREAMING_SINK_LOG_FILE_H
#define STREAMING_SINK_LOG_FILE_H

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

/* ERROR_STATE: missing, empty, or not a sink log by its header. */
MUST_CHECK bool sink_log_file_check(const char *path, struct error *err);

/* Appends everything behind the header to `draft`, as it is, without a newline at the end.
 * ERROR_STATE: missing, empty, or not a sink log. */
MUST_CHECK bool sink_log_file_copy(const char *path, struct file_draft *draft, struct error *err);

/* An entry, whole, which has a `path`; it lives until the visitor returns. False: *err says why,
 * and the walk ends. */
typedef bool sink_log_entry_fn(void *context, struct json *entry, struct error *err);

/* Calls visit() for each entry. *found false: there is no such file. */
MUST_CHECK bool sink_log_file_entries(const char *path, sink_log_entry_fn *visit, void *context,
                                      bool *found, struct error *err);

/* Calls visit() with the `path` member of each entry, a URI. *found false: there is no such file.
 */
MUST_CHECK bool sink_log_file_each(const char *path, void (*visit)(void *context, const char *uri),
                                   void *context, bool *found, struct error *err);

#endif
