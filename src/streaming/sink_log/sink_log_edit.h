/* sink_log_edit.h: files taken out of the log, and others put in, without a batch.
 *
 * Readers begin at the newest compact file, which lists nearly all files of the table: it is
 * replaced in place. What follows it, a file of its own for each batch, stays as it is, except
 * where entries of it are to go because the files themselves are gone. */
#ifndef STREAMING_SINK_LOG_SINK_LOG_EDIT_H
#define STREAMING_SINK_LOG_SINK_LOG_EDIT_H

#include "base/error.h"
#include "core/file_list.h"
#include "streaming/sink_log/sink_log.h"

struct sink_log_edit {
    const struct file_list *left, *added; // borrowed
    bool
        also_batches; // the files of batches may be rewritten, too, not only the newest compact one
};

/* Visits each entry of the newest compact file; none, if there is no such file. */
MUST_CHECK bool sink_log_each_compacted(const struct sink_log *log, sink_log_entry_fn *visit,
                                        void *context, struct error *err);

/* *missing: the first of `left` that is not listed where it can be taken out; NULL: there is none.
 */
MUST_CHECK bool sink_log_edit_check(const struct sink_log *log, const struct sink_log_edit *edit,
                                    const char **missing, struct error *err);

/* Files of batches are rewritten where something of `left` is not in the newest compact file.
 * Durable. Repeatable: what is done already is not done again. Nobody else may write the log
 * (sink_log_upkeep_hold()). ERROR_RETRY: the log is as before, or as wanted. */
MUST_CHECK bool sink_log_edit_apply(const struct sink_log *log, const struct sink_log_edit *edit,
                                    struct error *err);

#endif
