/* changes.h: all changes of a table that are recorded, to find out what happened to a file.
 *
 * A manifest names the files of its batch as they were. Code that maps such a name to the table
 * asks here. A record is kept at least as long as a manifest may name what it has replaced, and as
 * long as the replaced files are kept (COMPACT_GRACE); after that the offsets that left the table
 * are in coverage/N. */
#ifndef STREAMING_CHANGES_CHANGES_H
#define STREAMING_CHANGES_CHANGES_H

#include "base/disk/file.h"
#include "base/error.h"
#include "streaming/changes/change.h"
#include "streaming/store/store.h"

struct changes {
    struct change *changes; // owned; ascending by number
    size_t count;
    int64_t unfinished; // the number of the one that is recorded and not published yet; -1: none
    struct change_name *names; // owned; all files that left or came in, by table and path
    size_t name_count;
};

/* Reads changes/. Takes no lock: one that is removed meanwhile is not needed any more. ERROR_STATE:
 * a record is damaged; ERROR_RETRY: the disk. */
MUST_CHECK bool changes_read(const struct store *store, struct changes *changes, struct error *err);
void changes_deinit(struct changes *changes);

/* The numbers of all records, ascending, owned by the caller; and one of them. *found false: it was
 * removed meanwhile; *open: it is not published yet. The same errors. */
MUST_CHECK bool changes_numbers(const struct store *store, int64_t **numbers, size_t *count,
                                struct error *err);
MUST_CHECK bool change_read(const struct store *store, int64_t number, struct change *change,
                            bool *found, bool *open, struct error *err);

/* Whether the table had a change that was recorded after this checkpoint was copied: `newest` is
 * the checkpoint's newest record, -1: it has none. The newest record is never removed. */
static inline bool changes_are_behind(const struct store *store, int64_t newest) {
    return store->table.owner_change > newest;
}

/* What happened to a file of the table, or of the rejects. What an unfinished change does counts as
 * done. */
enum file_fate {
    FILE_STAYED,    // no change has named it as one that left
    FILE_COMPACTED, // its rows are in others now
    FILE_EXPIRED,   // its rows left the table
    FILE_ACCEPTED,  // it was gone, and that was accepted
};
enum file_fate changes_fate(const struct changes *changes, bool of_rejects, const char *path,
                            const struct change **change); // by which change; may be NULL

/* What the change says of a file that came in by compaction and has not left since; NULL: it is
 * none. */
const struct data_file *changes_added(const struct changes *changes, bool of_rejects,
                                      const char *path);

/* Adds to `gone` all offsets whose rows have left the table, of expiries and acceptances. */
void changes_gone(const struct changes *changes, enum change_kind kind, struct resolved *gone);

/* The directory next to the table, or next to the rejects (streaming/changes/change_steps.h). */
struct file_path change_aside(const struct store *store, bool of_rejects);

/* Where the file itself can still be read, while it is kept. False: it is not there any more. */
MUST_CHECK bool changes_kept_path(const struct store *store, const struct change *change,
                                  const char *path, struct file_path *kept, bool *there,
                                  struct error *err);

#endif
