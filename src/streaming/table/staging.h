/* staging.h: the files of a batch on their way into a table: written under _staging/N, then renamed
 * into place. ERROR_RETRY: the disk, unless said otherwise. */
#ifndef STREAMING_TABLE_STAGING_H
#define STREAMING_TABLE_STAGING_H

#include "core/file_list.h"
#include "streaming/table/table.h"

struct file_path table_staging_of(const struct table *table, int64_t batch_id);

/* Makes a batch's staging directory, empty. */
MUST_CHECK bool table_stage(const struct table *table, int64_t batch_id, struct error *err);

/* Makes the names of the staged files durable, and sees that each file is there in its full size.
 */
MUST_CHECK bool table_sync_staged(const struct table *table, int64_t batch_id,
                                  const struct file_list *files, struct error *err);

/* Whether table_publish() will find each file, staged or in place. ERROR_STATE: it will not. */
MUST_CHECK bool table_check_staged(const struct table *table, int64_t batch_id,
                                   const struct file_list *files, struct error *err);

/* Renames staged files into place and syncs the directories. Repeatable: a name that is taken must
 * have the same bytes. ERROR_STATE: it has others, or a file is gone. */
MUST_CHECK bool table_publish(const struct table *table, int64_t batch_id,
                              const struct file_list *files, struct error *err);

/* Removes published files again, and syncs the directories. For a batch that is somebody else's. */
MUST_CHECK bool table_take_back(const struct table *table, const struct file_list *files,
                                struct error *err);

MUST_CHECK bool table_is_staged(const struct table *table, int64_t batch_id, bool *staged,
                                struct error *err);

/* Removes one batch's staging directory; a power cut may bring it back. */
MUST_CHECK bool table_unstage(const struct table *table, int64_t batch_id, struct error *err);

/* Makes such removals durable, for what is built on a batch that is finished. */
MUST_CHECK bool table_sync_unstaged(const struct table *table, struct error *err);

/* Removes the staging directories of all batches, for good. */
MUST_CHECK bool table_unstage_all(const struct table *table, struct error *err);

#endif
