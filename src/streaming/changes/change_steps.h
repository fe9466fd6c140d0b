/* change_steps.h: the steps that make a change of the table durable, in their order.
 *
 *     stage          <aside>/N/files/…: the new files, written and synced
 *     commit point   changes/N.open in the checkpoint
 *     roll forward   the newest N.compact of the sink log replaced in place; each directory of
 *                    files exchanged in one step with one that is prepared; N in the table's
 *                    signature; rename of the record to changes/N; each durable before the next,
 *                    each repeatable
 *     later          what was replaced is deleted after a grace time
 *
 * Everything that is prepared or replaced is in a directory next to the table, never in its tree,
 * because readers that list directories would read it:
 *
 *     <parent of the table>/.<table>.aside/N/files/<path>       new files
 *     …/N/next/<number>/                                        a directory about to be exchanged
 *     …/N/left/<path>                                           what left the table
 *     …/reads/<name>/<path>                                     what `files` has pinned for readers
 *
 * A directory that is exchanged is made of links to the new files and to those that stay, so it can
 * be made again at any time. The names in it show which side of an exchange the disk is on.
 * Only files that the newest compact file lists can leave a table with a sink log: all other files
 * of the log stay as they are, and the draft of the next compact file is discarded.
 *
 * One thread, the query's driver, calls these and those of batch_steps.h, so that a change and a
 * batch never overlap. The store is recovered. */
#ifndef STREAMING_CHANGES_CHANGE_STEPS_H
#define STREAMING_CHANGES_CHANGE_STEPS_H

#include "base/disk/file.h"
#include "base/error.h"
#include "streaming/changes/change.h"
#include "streaming/changes/changes.h"
#include "streaming/store/store.h"

/* Whether the file system of the table can do what a change needs. It may make the directory next
 * to the table and a probe in it. ERROR_CONFIG: it can't; the message has the reason. */
MUST_CHECK bool change_is_possible(const struct store *store, bool of_rejects, struct error *err);

/* Whether the files of one directory of the table can be replaced in one step. ERROR_CONFIG: it is
 * a symbolic link, on another file system, or cannot be moved. Takes no lock, and may be called by
 * any thread. Moving is tried only where the directory next to the table is (change_is_possible()).
 */
MUST_CHECK bool change_fits(const struct store *store, bool of_rejects, const char *directory,
                            struct error *err);

/* The paths that may leave: of a table with a sink log what the newest compact file lists, else all
 * that lie there. Calls visit() for each, with size and modification time in milliseconds; `path`
 * is relative to the table. Takes no lock, and may be called by any thread. */
MUST_CHECK bool change_each_eligible(const struct store *store, bool of_rejects,
                                     bool (*visit)(void *context, const char *path, int64_t size,
                                                   int64_t modified_ms),
                                     void *context, struct error *err);

/* A number for the next change, and its empty directory for new files; in it the new files lie
 * under a name each that does not end in ".parquet" (`staged`). May be called by any thread, one at
 * a time. */
MUST_CHECK bool change_begin(const struct store *store, bool of_rejects, int64_t *number,
                             struct file_path *staging, struct error *err);

/* Removes what change_begin() made and what was written there. */
void change_discard(const struct store *store, bool of_rejects, int64_t number);

/* For a start, when no change is unfinished: removes all that was prepared and is not needed. */
MUST_CHECK bool change_sweep_prepared(const struct store *store, struct error *err);

/* Records the change and carries it out. Before the commit point ERROR_RETRY, ERROR_CONFIG and
 * ERROR_STATE mean that nothing was changed (a file that shall leave is not eligible any more: see
 * *recorded). After it, ERROR_RETRY: call change_finish() until it is done. */
MUST_CHECK bool change_publish(struct store *store, const struct change *change, bool *recorded,
                               struct error *err);

/* Finishes what is recorded and not done. True also when there is nothing. Repeatable. */
MUST_CHECK bool change_finish(struct store *store, struct error *err);

/* Deletes what has left more than `grace_ms` ago, what was pinned as long ago and at least a
 * minute, and the records that nobody needs any more, whose offsets go into coverage/. Repeatable;
 * a failure leaves the rest. */
MUST_CHECK bool change_sweep(struct store *store, int64_t now_ms, int64_t grace_ms,
                             struct error *err);

#endif
