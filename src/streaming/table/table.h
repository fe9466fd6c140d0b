/* table.h: a directory of Parquet files that batches are added to: the table itself, or its
 * rejects.
 *
 *     status=live/part-….parquet   the files, in directories of their partition values
 *     _staging/N/                  what batch N has written and not published yet
 *     _esports_stream              whose table it is: {"query":"<uuid>","checkpoint":"/…",
 *                                  "sinkLog":true}. One checkpoint writes to one table.
 *                                  "adoptedAt":12 if the log was begun by adopting a table, or was
 *                                  written again by a rewind: up to this batch it does not say
 *                                  which batch a file is of.
 *                                  Once a change of the table was recorded
 *                                  (streaming/changes/change.h), the owner is in
 *                                  "owner":{"query":…,"checkpoint":…}, and the two members have
 *                                  values that make a version before 0.4.0 refuse the table.
 *                                  "change":7 is the newest change that was carried out.
 *     _lock                        which process writes the table now. The checkpoint's own lock is
 *                                  not enough: a copy of the checkpoint has another.
 *
 * Names that begin with "_" are hidden from Spark's readers, and none ends in ".parquet", so that
 * nobody else's glob takes them either. ERROR_RETRY: the disk, unless said otherwise. */
#ifndef STREAMING_TABLE_TABLE_H
#define STREAMING_TABLE_TABLE_H

#include "base/disk/file.h"
#include "base/error.h"
#include "core/file_list.h"

enum {
    TABLE_ROOT_MAX = 1024,     // bytes of a table's or checkpoint's own path
    TABLE_FILE_PATH_MAX = 2400 // bytes of a file's path in it: 8 directories of 255, and its name
};

struct table {
    struct file_path root, staging;
    bool has_owner;           // the table says whose it is:
    char owner_query[37];     // the query's id
    char *owner_checkpoint;   // owned; where that query's checkpoint was
    bool owner_sink_log;      // whether a sink log was begun
    int64_t owner_adopted_at; // -1: the log says of each file which batch it is of
    bool owner_changed;       // signed by table_sign_changed()
    int64_t owner_change;     // the newest change that was carried out; -1: none, or not known
    int lock_fd;              // -1: not locked
};

/* Reads the owner, creates nothing. ERROR_STATE: the owner file is damaged. */
MUST_CHECK bool table_open(struct table *table, const char *root, struct error *err);
void table_close(struct table *table);

/* Keeps other processes from writing here until table_close(). ERROR_LOCKED names the holder. */
MUST_CHECK bool table_lock(struct table *table, struct error *err);

/* ERROR_STATE: the table that was locked is no longer what its path leads to. */
MUST_CHECK bool table_check_lock(const struct table *table, struct error *err);

bool table_has_other_owner(const struct table *table, const char *query_id);

/* ERROR_CONFIG: the table has files or directories of other partition columns. `names` outermost
 * first. Looks at all directories, and at some names in each of the innermost. */
MUST_CHECK bool table_check_partitions(const struct table *table, const char *const *names,
                                       size_t count, struct error *err);

/* The same of one file that a batch wrote, which need not be there any more: "status=live/part-…".
 */
MUST_CHECK bool table_check_file(const char *path, const char *const *names, size_t count,
                                 struct error *err);

/* Calls visit() with the path, relative to the table, of each Parquet file that lies `depth`
 * directories of partition values below it. A false from it ends the walk, which is not an error.
 */
MUST_CHECK bool table_each_file(const struct table *table, size_t depth,
                                bool (*visit)(void *context, const char *path), void *context,
                                struct error *err);

/* Whether there is any Parquet file, `depth` directories below the root. */
MUST_CHECK bool table_has_files(const struct table *table, size_t depth, bool *has,
                                struct error *err);

/* The first thing found that readers of the directories take and that is neither a Parquet file
 * `depth` directories of partition values down nor on the way to one; empty: there is none. */
MUST_CHECK bool table_find_stranger(const struct table *table, size_t depth,
                                    struct file_path *stranger, struct error *err);

/* Signs the table, in the place of any signature; owner_adopted_at, owner_changed and owner_change
 * stay. */
MUST_CHECK bool table_sign(struct table *table, const char *query_id, const char *checkpoint,
                           bool sink_log, struct error *err);

/* Signs a table that has an owner so that versions before 0.4.0 refuse it. Repeatable. */
MUST_CHECK bool table_sign_changed(struct table *table, struct error *err);

/* Notes a change that was carried out, if it is newer than the one noted. Repeatable. */
MUST_CHECK bool table_sign_change(struct table *table, int64_t number, struct error *err);

/* Makes the directories and, if nobody owns it, signs the table. */
MUST_CHECK bool table_claim(struct table *table, const char *query_id, const char *checkpoint,
                            bool sink_log, struct error *err);

#endif
