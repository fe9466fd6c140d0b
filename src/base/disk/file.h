/* file.h: files that exist completely or not at all, and that survive a power cut; their names and
 * their directories.
 *
 * Paths are absolute; joining two never exceeds FILE_PATH_MAX, because code that takes a path from
 * outside checks its length first (a longer join is a violated check).
 *
 * Errors: those of base/disk/disk_error.h for everything that the disk refuses, which the comments
 * call ERROR_RETRY; unless a function says otherwise. Where they say that errno is kept, it says
 * why after the return, too. Nothing that failed to sync is ever synced again as if that helped: a
 * draft is thrown away and written again. */
#ifndef BASE_DISK_FILE_H
#define BASE_DISK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

enum { FILE_PATH_MAX = 4096 }; // bytes with the terminator, as in Linux

struct file_path {
    char text[FILE_PATH_MAX];
};

/* directory/name; and directory/number, as all logs name their entries. */
struct file_path file_join(const char *directory, const char *name);
struct file_path file_join_number(const char *directory, int64_t number);

/* The path without its last name: "/" of a name below it and of itself, "" of a relative path's
 * only name. */
struct file_path file_parent(const char *path);

/* A file on its way to a name that must not exist yet: written as ".<name>.tmp" next to it. The
 * temporary name is fixed, so what a crash leaves is overwritten by the next attempt. */
struct file_draft {
    struct file_path temporary, target, directory;
    int fd; // -1: not open
};

MUST_CHECK bool file_draft_open(struct file_draft *draft, const char *directory, const char *name,
                                struct error *err);
MUST_CHECK bool file_draft_write(struct file_draft *draft, const void *bytes, size_t size,
                                 struct error *err);

/* Makes durable what is written so far. After a failure the draft is of no use. */
MUST_CHECK bool file_draft_sync(struct file_draft *draft, struct error *err);

/* Sync, rename without replacing, sync of the directory. Closes the draft in any case.
 * ERROR_STATE   the name is taken
 * ERROR_RESTART it may be published, and perhaps not durable: nobody can tell without looking at
 *               the disk again
 * ERROR_CONFIG  the file system can't rename without replacing
 * ERROR_RETRY   nothing was published */
MUST_CHECK bool file_draft_publish(struct file_draft *draft, struct error *err);

/* The same, but takes the place of what has the name: readers see the old bytes or the new ones.
 * Closes the draft in any case. ERROR_RETRY: the old ones are there, or the new ones and perhaps
 * not durable: to do it all again is right in both cases. */
MUST_CHECK bool file_draft_replace(struct file_draft *draft, struct error *err);

/* Gives the draft up and removes its temporary file. Does nothing for one that is not open. */
void file_draft_discard(struct file_draft *draft);

/* All of it in one call; the errors of file_draft_publish(). */
MUST_CHECK bool file_publish(const char *directory, const char *name, const void *bytes,
                             size_t size, struct error *err);

/* Makes sure that `name` is there with these bytes, whether or not an earlier attempt has published
 * it already; may be called until it is true. ERROR_STATE: it is there with other bytes. */
MUST_CHECK bool file_publish_again(const char *directory, const char *name, const void *bytes,
                                   size_t size, struct error *err);

/* Makes `name` have these bytes, no matter what it had. ERROR_RETRY, as file_draft_replace(). */
MUST_CHECK bool file_replace(const char *directory, const char *name, const void *bytes,
                             size_t size, struct error *err);

/* *bytes is owned by the caller, with a terminating NUL behind the last byte; NULL and true: there
 * is no such file. ERROR_STATE: larger than size_max. */
MUST_CHECK bool file_read(const char *path, size_t size_max, char **bytes, size_t *size,
                          struct error *err);

/* Of the name itself: a link is neither a file nor a directory. */
struct file_status {
    bool is_file, is_directory;
    uint32_t mode, owner, group; // the permission bits; ids
    int64_t size;
    struct timespec modified;
};

static inline int64_t file_modified_ms(const struct file_status *status) {
    return (int64_t)status->modified.tv_sec * 1000 + status->modified.tv_nsec / 1000000;
}

/* What must be there: ERROR_RETRY if it is not. errno is kept. */
MUST_CHECK bool file_look(const char *path, struct file_status *status, struct error *err);

/* 1: there, 0: not there, -1 and err: the disk won't say. */
int file_find(const char *path, struct file_status *status, struct error *err);

/* The same. `size` may be NULL. */
int file_exists(const char *path, int64_t *size, struct error *err);

/* After a listed file could not be read: true when it is certainly not there any more. */
bool file_is_gone(const char *path);

/* Whether both names are one file. Only meaningful when both exist. */
MUST_CHECK bool file_same(const char *a, const char *b, bool *same, struct error *err);

/* mkdir, with every missing parent, and durable: every parent is synced, also of what exists, since
 * an earlier process may have died between its mkdir and its sync. For start-up. ERROR_CONFIG: a
 * file has this name. */
MUST_CHECK bool file_make_directory(const char *path, struct error *err);

/* mkdir of the last name only; true when it is there already. The caller syncs the parent. */
MUST_CHECK bool file_make_directory_name(const char *path, struct error *err);

/* Gives a directory, just made, what decides who may use it and what is made in it: mode, group,
 * access lists and, where we may, the owner of another. ERROR_CONFIG: the group or the access
 * lists can't be given. */
MUST_CHECK bool file_copy_access(const char *from, const char *to, struct error *err);

MUST_CHECK bool file_sync_directory(const char *path, struct error *err);

/* Never replaces what has the name `to`; neither directory is synced. errno is kept: EEXIST if the
 * name is taken, ENOENT if there is no `from` or no directory for `to`. */
MUST_CHECK bool file_rename_new(const char *from, const char *to, struct error *err);

/* Each of the two names, of files or directories, becomes the other's in one step; neither
 * directory is synced. ERROR_CONFIG: they are on two file systems, or theirs cannot do it. errno is
 * kept. */
MUST_CHECK bool file_exchange(const char *a, const char *b, struct error *err);

/* Whether a directory can be moved at all, without moving it: it is renamed to `full`, a directory
 * that is not empty, which is refused for that reason if for no other. ERROR_CONFIG: it can't. */
MUST_CHECK bool file_may_move(const char *directory, const char *full, struct error *err);

/* Gives the file a second name; the directory is not synced. errno is kept: EEXIST if the name is
 * taken. ERROR_CONFIG, as above. */
MUST_CHECK bool file_link(const char *from, const char *to, struct error *err);

/* Calls visit() for each name in a directory, in no order; a false from it ends the walk. The
 * visitor may remove what it is shown. 1: listed; 0: there is no such directory; -1 and err, errno
 * is kept: ENOTDIR for what is none. */
int file_list(const char *directory, bool (*visit)(void *context, const char *name), void *context,
              struct error *err);

/* The numbers among the names of a directory's files, ascending: all digits, as Spark's logs are
 * named, followed by `suffix` ("" for none). A missing directory has none. *numbers
 * is owned by the caller. ERROR_RETRY. */
MUST_CHECK bool file_list_numbers(const char *directory, const char *suffix, int64_t **numbers,
                                  size_t *count, struct error *err);

/* Removes ".<number>.tmp", also with ".compact" or ".open" in it: drafts that a crash left behind.
 * Spark's own temporary files have longer names and are not touched. */
MUST_CHECK bool file_remove_drafts(const char *directory, struct error *err);

/* Removes a directory with the files in it (no directories below it). True when it was not there.
 */
MUST_CHECK bool file_remove_directory(const char *path, struct error *err);

/* Removes one file; true when it was not there. */
MUST_CHECK bool file_remove(const char *path, struct error *err);

/* For tidiness only, what can't be removed stays: a file; a directory if it is empty; a directory
 * with all that is below it. */
void file_discard(const char *path);
void file_discard_directory(const char *path);
void file_discard_tree(const char *path);

#endif
