/* sink_log_tail.h: the end of a file of the sink log, from a known entry on. A compact file lists
 * all files of the table, those of its own batch last: only they are read. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_TAIL_H
#define STREAMING_SINK_LOG_SINK_LOG_TAIL_H

#include "streaming/sink_log/sink_log_file.h"

/* The file's last entry as it is written, owned by the caller; NULL: it has none, or is not there.
 */
MUST_CHECK bool sink_log_last_line(const char *path, char **line, struct error *err);

/* Calls visit() for each entry behind the one that is written as `line`. *found false: there is no
 * such entry, or no such file. */
MUST_CHECK bool sink_log_entries_behind(const char *path, const char *line,
                                        sink_log_entry_fn *visit, void *context, bool *found,
                                        struct error *err);

#endif
