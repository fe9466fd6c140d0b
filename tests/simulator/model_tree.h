/* model_tree.h: the model disk's directories and files; for its own .c files only.
 *
 * What is below `now` is what everyone sees. What would be there after a power cut follows from it:
 *   - a directory keeps the changes of its names since its last sync, the newest first. Undoing
 * some of them, from the newest on, gives an older state of the directory.
 *   - a file keeps the bytes of its last sync, as far as they are no longer among those that
 * everyone sees. */
#ifndef SIMULATOR_MODEL_TREE_H
#define SIMULATOR_MODEL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>

#include "model_disk.h"

enum { NAME_BYTES_MAX = 255, SECTOR = 512, FD_FIRST = 1 << 20 };

struct xattr {
    struct xattr *next; // an older one of the same name does not count
    size_t size;
    char *name;
    unsigned char value[];
};

struct access {
    mode_t mode; // with the file's type
    uid_t owner;
    gid_t group;
    const struct xattr *attributes; // never changed once they are in a list
};

struct entry {
    struct entry *same_bucket;
    struct node *directory, *node;
    uint32_t hash, at; // `at`: in the directory's list
    uint32_t length;
    char name[];
};

/* One name of a directory, by one call. */
struct change {
    struct change *older;
    uint64_t step;               // the call; others of it are in this directory, or in `other`
    struct node *before, *after; // held; NULL: no such name
    struct node *other;          // held; the second directory that the call changed, or NULL
    uint32_t length;
    char name[];
};

struct node {
    struct node *next, *previous; // of all
    uint64_t number;
    unsigned references; // by names, descriptors, changes, and functions that need it for a while
    unsigned names;
    struct access now, synced;
    int64_t modified_ms;
    unsigned shared; // locks
    bool locked, marked;
    /* A file. */
    bool dirty; // the bytes or the size are not those of the last sync
    unsigned char *bytes,
        *before; // `before`: NULL: those of the last sync are the first of `bytes`
    size_t size, room;
    size_t synced_size, least, most; // its sizes since the last sync
    size_t dropped_from, dropped_to; // bytes that a failed sync has dropped
    /* A directory. */
    struct node *parent; // NULL: the root, or removed
    struct entry **entries;
    uint32_t count, entries_room, directories;
    struct change *changes; // since the last sync, the newest first
    uint64_t kept_until;    // the step up to which changes survive a power cut
};

enum lock_kind { LOCK_NONE, LOCK_SHARED, LOCK_EXCLUSIVE };

struct open_file {
    struct node *node; // held; NULL: not open
    char *path;        // as it was opened, for the trace
    size_t path_size;
    int flags;
    off_t position;
    enum lock_kind lock;
    bool wrote;
};

/* A call, with its arguments. */
struct request {
    enum disk_call call;
    bool changes; // the disk
    bool dry;     // find out whether it would fail, and do nothing
    const void *frame;
    const char *path, *to; // `to`: the second name, or an attribute's
    int fd, flags;
    mode_t mode;
    uid_t owner;
    gid_t group;
    const void *bytes;
    void *result; // where it goes
    size_t size;
    off_t at;
    bool (*visit)(void *context, const char *name);
    void *context;
    struct node
        *node; // held; of a call that comes later than it was asked for: what its descriptor was of
};

struct tree {
    struct random random;
    struct node *root, *nodes;
    uint64_t step, numbers;
    uid_t user;
    gid_t group;
    struct open_file *files;
    int file_count;
    struct entry **buckets;
    size_t bucket_count, entry_count;
    int64_t bytes; // of all files, for the free space
};

extern struct tree tree;

/* ---- nodes (model_tree.c) ---- */

void tree_begin(struct random random);
void tree_end(void);
struct node *node_create(mode_t mode);
struct node *node_hold(struct node *node);
void node_drop(struct node *node); // NULL: nothing
static inline bool node_is_directory(const struct node *node) {
    return S_ISDIR(node->now.mode);
}

struct entry *tree_find(const struct node *directory, const char *name, size_t length);
/* NULL: takes the name away. */
void tree_set_name(struct node *directory, const char *name, size_t length, struct node *node);
/* The same, to be undone by a power cut until the directory is synced. `other`: of the same call.
 */
void tree_change_name(struct node *directory, const char *name, size_t length, struct node *node,
                      struct node *other);
void tree_forget_changes(struct node *directory); // they are durable
void tree_forget_changes_until(struct node *directory, uint64_t step);

/* ---- bytes (model_bytes.c) ---- */

void bytes_write(struct node *file, const void *bytes, size_t size, size_t at);
void bytes_resize(struct node *file, size_t size);
void bytes_free(struct node *file);
void bytes_sync(struct node *file);
/* A sync that fails: nothing is written, all is, or it is lost for good. True: lost. */
bool bytes_fail_sync(struct node *file, struct random *random);
void bytes_copy(struct node *to, const struct node *from);
/* Puts other bytes in their place, as if they always were there. Takes `bytes`. */
void bytes_settle(struct node *file, unsigned char *bytes, size_t size);

/* ---- paths (model_path.c) ---- */

/* The last name of a path, and where it is. */
struct place {
    struct node *directory;
    const char *name;
    size_t length;
    struct node *node; // NULL: there is none
    bool slash;        // follows it, so it must be a directory
    bool too_long;     // no file can have it: ENAMETOOLONG, if nothing else is found first
    enum { LAST_NAME, LAST_DOT, LAST_DOT_DOT, LAST_ROOT } last;
};

/* 0, or errno's number, here and below. */
int path_find(const char *path, struct place *place); // the name itself may be missing
int path_node(const char *path, struct node **node);  // it must be there
enum { MAY_READ = 4, MAY_WRITE = 2, MAY_ENTER = 1 };
bool path_may(const struct node *node, int what);
int path_may_create(const struct node *directory);
int path_may_remove(const struct node *directory, const struct node *node);

/* ---- calls (model_calls.c) ---- */

/* Does what the call says: its result, or -1 and errno. */
long tree_call(struct request *request);
struct open_file *tree_open_file(int fd); // NULL: EBADF
void tree_close_all(void);

/* ---- power cuts (model_power.c) ---- */

void tree_cut_power(struct random *random, long counts[static DISK_EVENTS]);
/* A directory's sync that fails: nothing is synced, some changes are, or all. */
void tree_fail_sync(struct node *directory, struct random *random);
void tree_copy(struct node *from,
               struct node *to); // of directories: what is in one, into the other

#endif
