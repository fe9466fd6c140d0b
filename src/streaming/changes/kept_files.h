/* kept_files.h: where a file can be read that a list has named, although a change of the table
 * (streaming/changes/change.h) has carried it away since, or has not brought it yet.
 *
 * For readers without a lock: they list files and read them later. What left a table is kept next
 * to it for a while. */
#ifndef STREAMING_CHANGES_KEPT_FILES_H
#define STREAMING_CHANGES_KEPT_FILES_H

#include <pthread.h>

#include "base/disk/file.h"
#include "base/error.h"
#include "streaming/changes/changes.h"
#include "streaming/table/path_list.h"

struct kept_files {
    const struct store *store; // borrowed
    pthread_mutex_t lock;      // guards what follows
    struct changes changes;    // owned; read when it is first needed, and again when there are more
    bool read;
    size_t records;     // how many there were then
    int64_t unfinished; // the one of them that was not finished; -1: none
};

void kept_files_init(struct kept_files *kept, const struct store *store);
void kept_files_deinit(struct kept_files *kept);

/* Where the file is now, by its path relative to the table or the rejects: in the table, where what
 * left it is kept, or where what comes is prepared. *there false: in none of them. Any number of
 * threads may ask. ERROR_STATE: a record of a change is damaged; ERROR_RETRY: the disk. */
MUST_CHECK bool kept_files_find(struct kept_files *kept, bool of_rejects, const char *path,
                                struct file_path *at, bool *there, struct error *err);

/* What happened to a file that is in none of them. Compacted: adds the paths of the files that have
 * its rows now, which may have been added already. */
MUST_CHECK bool kept_files_fate(struct kept_files *kept, bool of_rejects, const char *path,
                                enum file_fate *fate, struct path_list *successors,
                                struct error *err);

/* Adds the paths of the table's files that can have rows of a batch because an acceptance after it
 * has brought in files: these, or those that have their rows now. *any: there was an acceptance. */
MUST_CHECK bool kept_files_accepted(struct kept_files *kept, int64_t batch_id,
                                    struct path_list *files, bool *any, struct error *err);

#endif
