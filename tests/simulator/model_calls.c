/* model_calls.c: what each call does, with Linux's errors, in the order in which Linux finds them.
 *
 * A call that changes the disk first finds out whether it would fail; `dry` ends there. The model
 * has one user, one group, one file system and no symbolic links. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include <linux/magic.h>

#include "base/check.h"
#include "model_memory.h"
#include "model_tree.h"

enum { UMASK = 022, READS_MOST = 0x7ffff000, DEVICE = 0x801, BLOCK = 4096 };
enum { XATTR_VALUE_MAX = 65536 };
static const int64_t DISK_BYTES = (int64_t)1 << 40, DISK_FILES = 1 << 26;

static long fail(int error_number) {
    errno = error_number;
    return -1;
}

/* ---- descriptors ---- */

struct open_file *tree_open_file(int fd) {
    int at = fd - FD_FIRST;
    bool is_open = at >= 0 && at < tree.file_count && tree.files[at].node != NULL;
    return is_open ? &tree.files[at] : NULL;
}

/* The lowest number that is free, as always. */
static int new_descriptor(void) {
    int at = 0;
    while (at < tree.file_count && tree.files[at].node != NULL)
        at++;
    if (at < tree.file_count)
        return at;
    size_t size = (size_t)tree.file_count * sizeof *tree.files;
    size_t larger = size == 0 ? 16 * sizeof *tree.files : size * 2;
    struct open_file *files = memory_take(larger);
    memset(files, 0, larger);
    if (size > 0)
        memcpy(files, tree.files, size);
    memory_give(tree.files, size);
    tree.files = files;
    tree.file_count = (int)(larger / sizeof *files);
    return at;
}

static int open_node(struct node *node, const struct request *request) {
    int at = new_descriptor();
    size_t path_size = strlen(request->path) + 1;
    tree.files[at] = (struct open_file){.node = node_hold(node),
                                        .path = memory_take(path_size),
                                        .path_size = path_size,
                                        .flags = request->flags};
    memcpy(tree.files[at].path, request->path, path_size);
    return FD_FIRST + at;
}

static void unlock(struct open_file *file) {
    if (file->lock == LOCK_SHARED)
        file->node->shared--;
    else if (file->lock == LOCK_EXCLUSIVE)
        file->node->locked = false;
    file->lock = LOCK_NONE;
}

static void close_file(struct open_file *file) {
    unlock(file);
    memory_give(file->path, file->path_size);
    node_drop(file->node);
    file->node = NULL;
}

void tree_close_all(void) {
    for (int i = 0; i < tree.file_count; i++)
        if (tree.files[i].node != NULL)
            close_file(&tree.files[i]);
}

static long call_close(struct request *request) {
    struct open_file *file = tree_open_file(request->fd);
    if (file == NULL)
        return fail(EBADF);
    close_file(file);
    return 0;
}

static long call_lock(struct request *request) {
    struct open_file *file = tree_open_file(request->fd);
    if (file == NULL)
        return fail(EBADF);
    enum lock_kind wanted = request->mode != 0 ? LOCK_SHARED : LOCK_EXCLUSIVE;
    if (file->lock == wanted)
        return 0;
    unlock(file); // also when the new one can't be had
    if (file->node->locked || (wanted == LOCK_EXCLUSIVE && file->node->shared > 0))
        return fail(EWOULDBLOCK);
    file->node->locked = wanted == LOCK_EXCLUSIVE;
    file->node->shared += wanted == LOCK_SHARED;
    file->lock = wanted;
    return 0;
}

/* What of its mode makes a file run with another's rights: who changes it takes that away. */
static mode_t foreign_rights(const struct node *node) {
    mode_t mode = node->now.mode;
    bool as_group = (mode & S_IXGRP) != 0 || (tree.user != 0 && node->now.group != tree.group);
    return node_is_directory(node) ? 0 : mode & (S_ISUID | (as_group ? (mode_t)S_ISGID : 0));
}

static void drop_rights(struct node *file) {
    if (tree.user != 0)
        file->now.mode &= ~foreign_rights(file);
}

/* Nobody runs a new file with the rights of a group that they are not in. */
static void drop_group_rights(struct node *file) {
    bool is_other = tree.user != 0 && file->now.group != tree.group;
    if (is_other && (file->now.mode & S_IXGRP) != 0)
        file->now.mode &= ~(mode_t)S_ISGID;
}

static void resize(struct node *file, size_t size) {
    bytes_resize(file, size);
    drop_rights(file);
}

/* ---- open ---- */

/* A new node has the group of a directory that says so. */
static struct node *create_in(const struct node *directory, mode_t mode) {
    bool inherits = (directory->now.mode & S_ISGID) != 0;
    struct node *node = node_create(mode & ~(mode_t)UMASK);
    if (inherits) {
        node->now.group = directory->now.group;
        if (node_is_directory(node))
            node->now.mode |= S_ISGID;
        else
            drop_group_rights(node);
    }
    node->synced = node->now;
    return node;
}

/* `dry`: the file gets its name later, or never. */
static long open_new(const struct request *request, const struct place *place) {
    int error_number = path_may_create(place->directory);
    if (error_number != 0)
        return fail(error_number);
    struct node *node = create_in(place->directory, S_IFREG | (request->mode & 07777));
    if (!request->dry)
        tree_change_name(place->directory, place->name, place->length, node, NULL);
    int fd = open_node(node, request);
    node_drop(node);
    return fd;
}

static bool writes(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY;
}

static int may_open(const struct request *request, const struct node *node) {
    if (node_is_directory(node) &&
        (writes(request->flags) || (request->flags & (O_CREAT | O_TRUNC)) != 0))
        return EISDIR;
    if (!node_is_directory(node) && (request->flags & O_DIRECTORY) != 0)
        return ENOTDIR;
    int what = (writes(request->flags) || (request->flags & O_TRUNC) != 0 ? MAY_WRITE : 0) |
               ((request->flags & O_ACCMODE) != O_WRONLY ? MAY_READ : 0);
    return path_may(node, what) ? 0 : EACCES;
}

static long open_existing(const struct request *request, struct node *node) {
    int error_number = may_open(request, node);
    if (error_number != 0)
        return fail(error_number);
    if ((request->flags & O_TRUNC) != 0 && !request->dry)
        resize(node, 0);
    return open_node(node, request);
}

/* A file that was opened before it has a name. */
static long open_later(const struct request *request) {
    struct place place;
    int error_number = path_find(request->path, &place);
    if (error_number == 0 && place.node == NULL)
        tree_change_name(place.directory, place.name, place.length, request->node, NULL);
    return error_number == 0 ? 0 : fail(error_number);
}

static long call_open(struct request *request) {
    struct place place;
    if (request->node != NULL)
        return open_later(request);
    bool creates = (request->flags & O_CREAT) != 0;
    if (creates && (request->flags & O_DIRECTORY) != 0)
        return fail(EINVAL);
    int error_number = path_find(request->path, &place);
    if (error_number != 0)
        return fail(error_number);
    if (creates && place.slash && place.last == LAST_NAME)
        return fail(EISDIR);
    if (place.too_long)
        return fail(ENAMETOOLONG);
    if (place.node == NULL)
        return creates ? open_new(request, &place) : fail(ENOENT);
    if (creates && (request->flags & O_EXCL) != 0)
        return fail(EEXIST);
    if (place.slash && !node_is_directory(place.node))
        return fail(ENOTDIR);
    return open_existing(request, place.node);
}

/* ---- bytes ---- */

static long call_read(struct request *request) {
    if (request->at < 0)
        return fail(EINVAL);
    const struct open_file *file = tree_open_file(request->fd);
    if (file == NULL || (file->flags & O_ACCMODE) == O_WRONLY)
        return fail(EBADF);
    if (node_is_directory(file->node))
        return fail(EISDIR);
    size_t at = (size_t)request->at;
    size_t left = at < file->node->size ? file->node->size - at : 0;
    size_t size = request->size < left ? request->size : left;
    size = size < READS_MOST ? size : READS_MOST;
    if (size > 0)
        memcpy(request->result, file->node->bytes + at, size);
    return (long)size;
}

/* A dry one takes its place in the file, where the bytes come later. */
static long call_write(struct request *request) {
    if (request->node != NULL) {
        bytes_write(request->node, request->bytes, request->size,
                    request->at < 0 ? request->node->size : (size_t)request->at);
        return (long)request->size;
    }
    struct open_file *file = tree_open_file(request->fd);
    if (file == NULL || !writes(file->flags))
        return fail(EBADF);
    bool appends = (file->flags & O_APPEND) != 0;
    size_t at = appends ? file->node->size : (size_t)file->position;
    file->position = (off_t)(at + request->size);
    file->wrote = true;
    if (request->dry) {
        request->node = node_hold(file->node);
        request->at = appends ? -1 : (off_t)at;
    } else if (request->size > 0) {
        bytes_write(file->node, request->bytes, request->size, at);
        drop_rights(file->node);
    }
    return (long)request->size;
}

/* The node of a call by descriptor that may come later than it was asked for. */
static struct node *node_of(struct request *request) {
    if (request->node != NULL)
        return request->node;
    const struct open_file *file = tree_open_file(request->fd);
    if (file != NULL && request->dry)
        request->node = node_hold(file->node);
    return file == NULL ? NULL : file->node;
}

static long call_truncate(struct request *request) {
    if (request->at < 0)
        return fail(EINVAL);
    struct open_file *file = tree_open_file(request->fd);
    if (request->node == NULL && file == NULL)
        return fail(EBADF);
    if (request->node == NULL && (node_is_directory(file->node) || !writes(file->flags)))
        return fail(EINVAL);
    struct node *node = node_of(request);
    if (!request->dry)
        resize(node, (size_t)request->at);
    return 0;
}

static long call_fsync(struct request *request) {
    struct node *node = node_of(request);
    if (node == NULL)
        return fail(EBADF);
    if (request->dry)
        return 0;
    if (!node_is_directory(node)) {
        bytes_sync(node);
        return 0;
    }
    node->synced = node->now;
    tree_forget_changes(node);
    return 0;
}

/* ---- names ---- */

/* Whether `node` is `directory` or above it. */
static bool is_above(const struct node *node, const struct node *directory) {
    while (directory != NULL && directory != node)
        directory = directory->parent;
    return directory != NULL;
}

static int may_replace(const struct place *from, const struct place *to) {
    int error_number = path_may_remove(to->directory, to->node);
    if (error_number != 0)
        return error_number;
    if (node_is_directory(from->node) && !node_is_directory(to->node))
        return ENOTDIR;
    if (!node_is_directory(from->node) && node_is_directory(to->node))
        return EISDIR;
    return 0;
}

static int may_have(enum disk_call call, const struct place *from, const struct place *to) {
    if (from->last != LAST_NAME)
        return EBUSY;
    if (to->last != LAST_NAME)
        return call == DISK_RENAME_NEW ? EEXIST : EBUSY;
    if (from->node == NULL)
        return from->too_long ? ENAMETOOLONG : ENOENT;
    if (to->too_long)
        return ENAMETOOLONG;
    if (call == DISK_RENAME_NEW && to->node != NULL)
        return EEXIST;
    if (call == DISK_EXCHANGE && to->node == NULL)
        return ENOENT;
    if (!node_is_directory(from->node) && from->slash)
        return ENOTDIR;
    bool to_directory = node_is_directory(call == DISK_EXCHANGE ? to->node : from->node);
    if (!to_directory && to->slash)
        return ENOTDIR;
    if (is_above(from->node, to->directory))
        return EINVAL;
    if (to->node != NULL && is_above(to->node, from->directory))
        return call == DISK_EXCHANGE ? EINVAL : ENOTEMPTY;
    return 0;
}

/* A directory that gets another parent is changed itself: its "..". */
static bool may_move(const struct place *from, const struct place *to) {
    return from->directory == to->directory || !node_is_directory(from->node) ||
           path_may(from->node, MAY_WRITE);
}

static int may_rename(enum disk_call call, const struct place *from, const struct place *to) {
    int error_number = path_may_remove(from->directory, from->node);
    if (error_number != 0)
        return error_number;
    if (to->node == NULL)
        error_number = path_may_create(to->directory);
    else if (call == DISK_EXCHANGE)
        error_number = path_may_remove(to->directory, to->node);
    else
        error_number = may_replace(from, to);
    if (error_number != 0)
        return error_number;
    bool may = may_move(from, to) && (call != DISK_EXCHANGE || may_move(to, from));
    if (!may)
        return EACCES;
    bool replaces = call != DISK_EXCHANGE && to->node != NULL;
    return replaces && node_is_directory(to->node) && to->node->count > 0 ? ENOTEMPTY : 0;
}

static long call_rename(struct request *request) {
    struct place from, to;
    int error_number = path_find(request->path, &from);
    if (error_number == 0)
        error_number = path_find(request->to, &to);
    if (error_number == 0)
        error_number = may_have(request->call, &from, &to);
    if (error_number != 0)
        return fail(error_number);
    if (from.node == to.node)
        return 0;
    error_number = may_rename(request->call, &from, &to);
    if (error_number != 0)
        return fail(error_number);
    if (request->dry)
        return 0;
    bool two = from.directory != to.directory;
    struct node *moved = node_hold(from.node);
    struct node *back = request->call == DISK_EXCHANGE ? to.node : NULL;
    tree_change_name(from.directory, from.name, from.length, back, two ? to.directory : NULL);
    tree_change_name(to.directory, to.name, to.length, moved, two ? from.directory : NULL);
    node_drop(moved);
    return 0;
}

/* As fs.protected_hardlinks has it: others may not keep a file alive that they could not write. */
static bool may_have_link(const struct node *node) {
    mode_t mode = node->now.mode;
    bool runs_as_other =
        (mode & S_ISUID) != 0 || (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
    return tree.user == 0 || node->now.owner == tree.user ||
           (!node_is_directory(node) && !runs_as_other && path_may(node, MAY_READ | MAY_WRITE));
}

static int may_link(const struct request *request, struct place *from, struct place *to) {
    int error_number = path_find(request->path, from);
    if (error_number == 0 && from->node == NULL)
        error_number = from->too_long ? ENAMETOOLONG : ENOENT;
    if (error_number == 0 && from->slash && !node_is_directory(from->node))
        error_number = ENOTDIR;
    if (error_number == 0)
        error_number = path_find(request->to, to);
    if (error_number == 0 && to->too_long)
        error_number = ENAMETOOLONG;
    if (error_number == 0 && to->node != NULL)
        error_number = EEXIST;
    if (error_number == 0 && to->slash)
        error_number = ENOENT;
    if (error_number == 0 && !may_have_link(from->node))
        error_number = EPERM;
    if (error_number == 0)
        error_number = path_may_create(to->directory);
    if (error_number == 0 && node_is_directory(from->node))
        error_number = EPERM;
    return error_number;
}

static long call_link(struct request *request) {
    struct place from, to;
    int error_number = may_link(request, &from, &to);
    if (error_number != 0)
        return fail(error_number);
    if (!request->dry)
        tree_change_name(to.directory, to.name, to.length, from.node, NULL);
    return 0;
}

static int may_unlink(const struct request *request, struct place *place) {
    int error_number = path_find(request->path, place);
    if (error_number != 0)
        return error_number;
    if (place->last != LAST_NAME)
        return EISDIR;
    if (place->node == NULL)
        return place->too_long ? ENAMETOOLONG : ENOENT;
    if (place->slash)
        return node_is_directory(place->node) ? EISDIR : ENOTDIR;
    error_number = path_may_remove(place->directory, place->node);
    return error_number == 0 && node_is_directory(place->node) ? EISDIR : error_number;
}

static long call_unlink(struct request *request) {
    struct place place;
    int error_number = may_unlink(request, &place);
    if (error_number != 0)
        return fail(error_number);
    if (!request->dry)
        tree_change_name(place.directory, place.name, place.length, NULL, NULL);
    return 0;
}

static long call_mkdir(struct request *request) {
    struct place place;
    int error_number = path_find(request->path, &place);
    if (error_number == 0 && place.node != NULL)
        error_number = EEXIST;
    if (error_number == 0 && place.too_long)
        error_number = ENAMETOOLONG;
    if (error_number == 0)
        error_number = path_may_create(place.directory);
    if (error_number != 0)
        return fail(error_number);
    if (request->dry)
        return 0;
    struct node *node = create_in(place.directory, S_IFDIR | (request->mode & 01777));
    tree_change_name(place.directory, place.name, place.length, node, NULL);
    node_drop(node);
    return 0;
}

static int may_rmdir(const struct request *request, struct place *place) {
    static const int last[] = {
        [LAST_DOT] = EINVAL, [LAST_DOT_DOT] = ENOTEMPTY, [LAST_ROOT] = EBUSY};
    int error_number = path_find(request->path, place);
    if (error_number != 0)
        return error_number;
    if (place->last != LAST_NAME)
        return last[place->last];
    if (place->node == NULL)
        return place->too_long ? ENAMETOOLONG : ENOENT;
    error_number = path_may_remove(place->directory, place->node);
    if (error_number != 0)
        return error_number;
    if (!node_is_directory(place->node))
        return ENOTDIR;
    return place->node->count > 0 ? ENOTEMPTY : 0;
}

static long call_rmdir(struct request *request) {
    struct place place;
    int error_number = may_rmdir(request, &place);
    if (error_number != 0)
        return fail(error_number);
    if (!request->dry)
        tree_change_name(place.directory, place.name, place.length, NULL, NULL);
    return 0;
}

/* ---- access ---- */

static long call_chmod(struct request *request) {
    struct node *node;
    int error_number = path_node(request->path, &node);
    if (error_number == 0 && tree.user != 0 && node->now.owner != tree.user)
        error_number = EPERM;
    if (error_number != 0)
        return fail(error_number);
    mode_t mode = request->mode & 07777;
    if (tree.user != 0 && node->now.group != tree.group)
        mode &= ~(mode_t)S_ISGID;
    if (!request->dry)
        node->now.mode = (node->now.mode & S_IFMT) | mode;
    return 0;
}

static bool may_chown(const struct request *request, const struct node *node) {
    bool owner_stays = request->owner == (uid_t)-1 || request->owner == node->now.owner;
    bool group_allowed = request->group == (gid_t)-1 || request->group == node->now.group ||
                         request->group == tree.group;
    bool changes =
        request->owner != (uid_t)-1 || request->group != (gid_t)-1 || foreign_rights(node) != 0;
    return tree.user == 0 || !changes ||
           (node->now.owner == tree.user && owner_stays && group_allowed);
}

static long call_chown(struct request *request) {
    struct node *node;
    int error_number = path_node(request->path, &node);
    if (error_number == 0 && !may_chown(request, node))
        error_number = EPERM;
    if (error_number != 0)
        return fail(error_number);
    if (request->dry)
        return 0;
    mode_t foreign = foreign_rights(node);
    if (request->owner != (uid_t)-1)
        node->now.owner = request->owner;
    if (request->group != (gid_t)-1)
        node->now.group = request->group;
    node->now.mode &= ~foreign; // nobody gives their own rights away
    return 0;
}

static const struct xattr *find_attribute(const struct node *node, const char *name) {
    const struct xattr *attribute = node->now.attributes;
    while (attribute != NULL && strcmp(attribute->name, name) != 0)
        attribute = attribute->next;
    return attribute;
}

static bool has_prefix(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* An access list is checked for its form only. */
static int attribute_error(const struct request *request, const struct node *node) {
    const char *name = request->to;
    bool sets = request->call == DISK_SETXATTR;
    bool is_user = has_prefix(name, "user.");
    bool is_sticky = node_is_directory(node) && (node->now.mode & S_ISVTX) != 0;
    if (is_user && sets && is_sticky && tree.user != 0 && node->now.owner != tree.user)
        return EPERM;
    if (!has_prefix(name, "system.") && !path_may(node, sets ? MAY_WRITE : MAY_READ))
        return EACCES;
    if (is_user)
        return 0;
    bool is_default = strcmp(name, "system.posix_acl_default") == 0;
    if (!is_default && strcmp(name, "system.posix_acl_access") != 0)
        return EOPNOTSUPP;
    if (!sets)
        return 0;
    if (is_default && !node_is_directory(node))
        return EACCES;
    if (tree.user != 0 && node->now.owner != tree.user)
        return EPERM;
    return request->size < 4 || request->size % 8 != 4 ? EINVAL : 0;
}

static int attribute_name_error(const char *name) {
    size_t length = strlen(name);
    return length == 0 || length > NAME_BYTES_MAX ? ERANGE : 0;
}

static long call_getxattr(struct request *request) {
    struct node *node = NULL;
    int error_number = attribute_name_error(request->to);
    if (error_number == 0)
        error_number = path_node(request->path, &node);
    if (error_number == 0)
        error_number = attribute_error(request, node);
    if (error_number != 0)
        return fail(error_number);
    const struct xattr *attribute = find_attribute(node, request->to);
    if (attribute == NULL)
        return fail(ENODATA);
    if (request->size != 0 && request->size < attribute->size)
        return fail(ERANGE);
    if (request->size != 0 && attribute->size != 0)
        memcpy(request->result, attribute->value, attribute->size);
    return (long)attribute->size;
}

static int may_set_attribute(const struct request *request, struct node **node) {
    if ((request->flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0)
        return EINVAL;
    int error_number = attribute_name_error(request->to);
    if (error_number == 0 && request->size > XATTR_VALUE_MAX)
        error_number = E2BIG;
    if (error_number == 0)
        error_number = path_node(request->path, node);
    if (error_number == 0)
        error_number = attribute_error(request, *node);
    if (error_number != 0)
        return error_number;
    bool exists = find_attribute(*node, request->to) != NULL;
    if (exists && (request->flags & XATTR_CREATE) != 0)
        return EEXIST;
    return !exists && (request->flags & XATTR_REPLACE) != 0 ? ENODATA : 0;
}

static long call_setxattr(struct request *request) {
    struct node *node = NULL;
    int error_number = may_set_attribute(request, &node);
    if (error_number != 0)
        return fail(error_number);
    if (request->dry)
        return 0;
    size_t name_size = strlen(request->to) + 1;
    struct xattr *attribute = memory_take(sizeof *attribute + request->size);
    *attribute = (struct xattr){.next = (struct xattr *)node->now.attributes,
                                .size = request->size,
                                .name = memory_take(name_size)};
    memcpy(attribute->name, request->to, name_size);
    if (request->size > 0)
        memcpy(attribute->value, request->bytes, request->size);
    node->now.attributes = attribute;
    return 0;
}

static long call_access(struct request *request) {
    struct node *node;
    int error_number = path_node(request->path, &node);
    if (error_number == 0 && !path_may(node, request->flags))
        error_number = EACCES;
    return error_number == 0 ? 0 : fail(error_number);
}

/* ---- looking ---- */

static void fill_status(const struct node *node, struct stat *status) {
    bool is_directory = node_is_directory(node);
    int64_t size = is_directory ? BLOCK : (int64_t)node->size;
    struct timespec modified = {.tv_sec = node->modified_ms / 1000,
                                .tv_nsec = node->modified_ms % 1000 * 1000000};
    *status = (struct stat){
        .st_dev = DEVICE,
        .st_ino = node->number,
        .st_mode = node->now.mode,
        .st_nlink = is_directory ? 2 + node->directories : node->names,
        .st_uid = node->now.owner,
        .st_gid = node->now.group,
        .st_size = size,
        .st_blksize = BLOCK,
        .st_blocks = (size + BLOCK - 1) / BLOCK * (BLOCK / SECTOR),
        .st_atim = modified,
        .st_mtim = modified,
        .st_ctim = modified,
    };
}

static long call_stat(struct request *request) {
    struct node *node;
    int error_number = path_node(request->path, &node);
    if (error_number != 0)
        return fail(error_number);
    fill_status(node, request->result);
    return 0;
}

static long call_fstat(struct request *request) {
    const struct open_file *file = tree_open_file(request->fd);
    if (file == NULL)
        return fail(EBADF);
    fill_status(file->node, request->result);
    return 0;
}

static long call_statx(struct request *request) {
    struct node *node;
    int error_number = path_node(request->path, &node);
    if (error_number != 0)
        return fail(error_number);
    *(struct statx *)request->result = (struct statx){
        .stx_mask = STATX_TYPE | STATX_MNT_ID,
        .stx_blksize = BLOCK,
        .stx_mode = (uint16_t)node->now.mode,
        .stx_ino = node->number,
        .stx_dev_major = DEVICE >> 8,
        .stx_dev_minor = DEVICE & 0xff,
        .stx_mnt_id = 1,
    };
    return 0;
}

static long call_statfs(struct request *request) {
    struct node *node;
    int error_number = path_node(request->path, &node);
    if (error_number != 0)
        return fail(error_number);
    int64_t free_blocks = (DISK_BYTES - tree.bytes) / BLOCK;
    if (request->flags != 0) // the disk is full
        free_blocks = 0;
    *(struct statfs *)request->result = (struct statfs){
        .f_type = EXT4_SUPER_MAGIC,
        .f_bsize = BLOCK,
        .f_frsize = BLOCK,
        .f_blocks = (fsblkcnt_t)(DISK_BYTES / BLOCK),
        .f_bfree = (fsblkcnt_t)free_blocks,
        .f_bavail = (fsblkcnt_t)free_blocks,
        .f_files = (fsfilcnt_t)DISK_FILES,
        .f_ffree = (fsfilcnt_t)(DISK_FILES - (int64_t)tree.entry_count),
        .f_namelen = NAME_BYTES_MAX,
    };
    return 0;
}

/* ---- listing ---- */

struct listing {
    char **names; // in the order in which they are shown
    char *text;
    size_t count, names_size, text_size;
};

static void listing_init(struct listing *listing, const struct node *directory) {
    *listing = (struct listing){.count = directory->count};
    for (size_t i = 0; i < directory->count; i++)
        listing->text_size += directory->entries[i]->length + 1;
    listing->names_size = listing->count * sizeof *listing->names;
    listing->names = memory_take(listing->names_size);
    listing->text = memory_take(listing->text_size);
    char *text = listing->text;
    for (size_t i = 0; i < listing->count; i++) {
        const struct entry *entry = directory->entries[i];
        memcpy(text, entry->name, entry->length + 1);
        size_t at = (size_t)random_below(&tree.random, i + 1); // each order has the same chance
        listing->names[i] = listing->names[at];
        listing->names[at] = text;
        text += entry->length + 1;
    }
}

static void listing_deinit(struct listing *listing) {
    memory_give(listing->names, listing->names_size);
    memory_give(listing->text, listing->text_size);
}

/* A name that the visitor has removed meanwhile is shown or not. */
static void show(const struct listing *listing, const struct request *request,
                 const struct node *directory) {
    bool shows_removed = random_below(&tree.random, 2) == 0;
    size_t last = listing->count;
    if (request->flags != 0) // it fails on the way
        last = (size_t)random_below(&tree.random, listing->count + 1);
    for (size_t i = 0; i < last; i++) {
        const char *name = listing->names[i];
        if (!shows_removed && tree_find(directory, name, strlen(name)) == NULL)
            continue;
        if (!request->visit(request->context, name))
            return;
    }
}

static long call_list(struct request *request) {
    struct node *directory;
    struct listing listing;
    int error_number = path_node(request->path, &directory);
    if (error_number == 0 && !node_is_directory(directory))
        error_number = ENOTDIR;
    if (error_number == 0 && !path_may(directory, MAY_READ))
        error_number = EACCES;
    if (error_number != 0)
        return fail(error_number);
    node_hold(directory);
    listing_init(&listing, directory);
    show(&listing, request, directory);
    listing_deinit(&listing);
    node_drop(directory);
    return 0;
}

/* ---- all ---- */

static long (*const calls[DISK_CALLS])(struct request *request) = {
    [DISK_OPEN] = call_open,         [DISK_READ] = call_read,         [DISK_WRITE] = call_write,
    [DISK_TRUNCATE] = call_truncate, [DISK_FSYNC] = call_fsync,       [DISK_CLOSE] = call_close,
    [DISK_RENAME_NEW] = call_rename, [DISK_RENAME] = call_rename,     [DISK_EXCHANGE] = call_rename,
    [DISK_LINK] = call_link,         [DISK_UNLINK] = call_unlink,     [DISK_MKDIR] = call_mkdir,
    [DISK_RMDIR] = call_rmdir,       [DISK_CHMOD] = call_chmod,       [DISK_CHOWN] = call_chown,
    [DISK_GETXATTR] = call_getxattr, [DISK_SETXATTR] = call_setxattr, [DISK_STAT] = call_stat,
    [DISK_FSTAT] = call_fstat,       [DISK_LIST] = call_list,         [DISK_LOCK] = call_lock,
    [DISK_STATX] = call_statx,       [DISK_STATFS] = call_statfs,     [DISK_ACCESS] = call_access,
};

long tree_call(struct request *request) {
    tree.step++;
    return calls[request->call](request);
}
