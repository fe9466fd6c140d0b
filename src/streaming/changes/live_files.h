/* live_files.h: the files of a table at one moment, for readers that are given a list of files, and
 * names at which they stay readable although a change of the table carries them away.
 *
 * No lock is taken, and a query may run meanwhile. */
#ifndef STREAMING_CHANGES_LIVE_FILES_H
#define STREAMING_CHANGES_LIVE_FILES_H

#include "base/disk/file.h"
#include "base/error.h"
#include "core/file_list.h"
#include "streaming/store/store.h"

struct live_files {
    struct store *store; // borrowed
    bool of_rejects;
    struct file_list files; // owned; ascending by path; rows -1: not known
    struct file_path root;  // where they are to be read: root/path; the table, or what was pinned
    bool pinned;
};

/* With a sink log: what it lists at one moment. Without one, and of the rejects: what lies in the
 * directories, but what no committed batch has put there. `store` was opened to be read only; its
 * sink log is opened here. ERROR_STATE: the log is damaged, or the table was moved; ERROR_RETRY:
 * the disk. */
MUST_CHECK bool live_files_read(struct store *store, bool of_rejects, struct live_files *live,
                                struct error *err);
void live_files_deinit(struct live_files *live);

/* Gives each file a second name in a directory next to the table (change_steps.h), where it stays
 * until change_sweep() removes it, and makes that directory the root. If files have left meanwhile
 * and are not kept any more, the list is that of a later moment. ERROR_CONFIG: that is not allowed
 * there, or the file system has no links: the root is still the table's. ERROR_STATE: a file is
 * neither in the table nor kept; ERROR_RETRY: the disk. */
MUST_CHECK bool live_files_pin(struct live_files *live, struct error *err);

/* Takes these names away again. Nothing, if there are none. */
void live_files_unpin(struct live_files *live);

/* Fills the rows: as records of changes or manifests say, else the file's own footer; -1 for a file
 * that can't be read. */
MUST_CHECK bool live_files_count_rows(struct live_files *live, struct error *err);

#endif
