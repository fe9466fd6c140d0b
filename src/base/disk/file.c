/* file.c: how a file gets its name.
 *
 * Its bytes are written under a hidden name in the same directory and synced; then one rename gives
 * it the name that readers look for; then the directory is synced, because the name is stored
 * there. So a reader that finds the name finds all bytes, after a crash and after a power cut.
 *
 * A failure before the rename is harmless: the draft is removed, or overwritten by the next
 * attempt. A rename that fails may still have been done (over a network the answer can be lost), so
 * the disk is asked; if it does not answer, nobody knows. After the rename only the sync of the
 * directory can fail; then nobody knows whether the name will survive. In both cases the error is
 * ERROR_RESTART: someone must look again. */
#include "base/disk/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/disk/disk.h"
#include "base/disk/disk_error.h"
#include "base/disk/open_file.h"
#include "base/scope.h"

struct file_path file_join(const char *directory, const char *name) {
    struct file_path path;
    int length = snprintf(path.text, sizeof path.text, "%s/%s", directory, name);
    check(length > 0 && (size_t)length < sizeof path.text);
    return path;
}

struct file_path file_join_number(const char *directory, int64_t number) {
    char name[32];
    (void)snprintf(name, sizeof name, "%" PRId64, number);
    return file_join(directory, name);
}

struct file_path file_parent(const char *path) {
    struct file_path parent;
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
    check((size_t)length < sizeof parent.text);
    (void)snprintf(parent.text, sizeof parent.text, "%.*s", length, path);
    return parent;
}

bool file_draft_open(struct file_draft *draft, const char *directory, const char *name,
                     struct error *err) {
    char temporary[256];
    int length = snprintf(temporary, sizeof temporary, ".%s.tmp", name);
    check(length > 0 && (size_t)length < sizeof temporary);

    (void)snprintf(draft->directory.text, sizeof draft->directory.text, "%s", directory);
    draft->temporary = file_join(directory, temporary);
    draft->target = file_join(directory, name);
    draft->fd = disk->open(draft->temporary.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (draft->fd < 0)
        return disk_error(err, "create", draft->temporary.text);
    return true;
}

bool file_draft_write(struct file_draft *draft, const void *bytes, size_t size, struct error *err) {
    if (!disk_write_all(draft->fd, bytes, size))
        return disk_error(err, "write", draft->temporary.text);
    return true;
}

void file_draft_discard(struct file_draft *draft) {
    if (draft->fd < 0)
        return;
    // What can't be removed now is overwritten by the next attempt, or swept by the next start.
    (void)disk->close(draft->fd);
    (void)disk->unlink(draft->temporary.text);
    draft->fd = -1;
}

bool file_draft_sync(struct file_draft *draft, struct error *err) {
    return disk->fsync(draft->fd) == 0 || disk_error(err, "sync", draft->temporary.text);
}

static bool sync_and_close(struct file_draft *draft, struct error *err) {
    if (!file_draft_sync(draft, err))
        return false;
    int fd = draft->fd;
    draft->fd = -1;
    if (disk->close(fd) != 0) {
        disk_error(err, "close", draft->temporary.text);
        (void)disk->unlink(draft->temporary.text);
        return false;
    }
    return true;
}

static const char other_writer[] =
    "Another program writes to this checkpoint or table: Spark, or another instance of this "
    "program, perhaps on another host. Stop one of the two, then start the other again: it "
    "continues from the current state on disk";

static bool publish_failed(const struct file_draft *draft, int error_number, struct error *err) {
    const char *target = draft->target.text;
    if (error_number == EEXIST)
        return error_set(err, ERROR_STATE, "'%s' already exists. %s", target, other_writer);
    if (error_number == EINVAL || error_number == ENOSYS)
        return error_set(err, ERROR_CONFIG,
                         "cannot rename to '%s' without overwriting: %s: the file system does not "
                         "support it; use a local one (ext4, XFS)",
                         target, strerror(error_number));
    errno = error_number;
    return disk_error(err, "rename a file, without overwriting, to", target);
}

/* The rename said no. Whether it did nothing is asked of the disk, not believed: over a network a
 * lost answer looks the same. True: it was done after all. */
static bool renamed_after_all(const struct file_draft *draft, int error_number, struct error *err) {
    int left = file_exists(draft->temporary.text, NULL, err);
    if (left == 0)
        return true;
    (void)disk->unlink(draft->temporary.text);
    (void)publish_failed(draft, error_number, err);
    if (left == 1)
        return false;
    err->kind = ERROR_RESTART;
    return error_wrap(err,
                      "it is not known whether '%s' was written, because the disk does not say; "
                      "start again: the program continues from the current state on disk",
                      draft->target.text);
}

bool file_draft_publish(struct file_draft *draft, struct error *err) {
    if (!sync_and_close(draft, err)) {
        file_draft_discard(draft);
        return false;
    }

    // Not a plain rename: that replaces an existing file silently, and two processes that share
    // one checkpoint directory by mistake would each believe that they had published.
    if (disk->rename_new(draft->temporary.text, draft->target.text) != 0 &&
        !renamed_after_all(draft, errno, err))
        return false;

    // The name lives in the directory, not in the file: without this a power cut can take the name
    // away again although the bytes are safe. If it fails nobody can tell whether it will be there
    // after one; trying again would only find the name taken.
    if (!file_sync_directory(draft->directory.text, err)) {
        err->kind = ERROR_RESTART;
        return error_wrap(
            err,
            "'%s' was written, but a power failure may undo this, so only the next start can tell "
            "what is on disk: its directory cannot be synced",
            draft->target.text);
    }
    return true;
}

bool file_draft_replace(struct file_draft *draft, struct error *err) {
    if (!sync_and_close(draft, err)) {
        file_draft_discard(draft);
        return false;
    }
    if (disk->rename(draft->temporary.text, draft->target.text) != 0) {
        disk_error(err, "replace", draft->target.text);
        (void)disk->unlink(draft->temporary.text);
        return false;
    }
    return file_sync_directory(draft->directory.text, err);
}

/* A draft that holds these bytes; on failure there is none. */
static bool draft_with(struct file_draft *draft, const char *directory, const char *name,
                       const void *bytes, size_t size, struct error *err) {
    if (!file_draft_open(draft, directory, name, err))
        return false;
    if (file_draft_write(draft, bytes, size, err))
        return true;
    file_draft_discard(draft);
    return false;
}

bool file_replace(const char *directory, const char *name, const void *bytes, size_t size,
                  struct error *err) {
    struct file_draft draft;
    return draft_with(&draft, directory, name, bytes, size, err) && file_draft_replace(&draft, err);
}

bool file_publish(const char *directory, const char *name, const void *bytes, size_t size,
                  struct error *err) {
    struct file_draft draft;
    return draft_with(&draft, directory, name, bytes, size, err) && file_draft_publish(&draft, err);
}

bool file_publish_again(const char *directory, const char *name, const void *bytes, size_t size,
                        struct error *err) {
    struct file_path path = file_join(directory, name);
    char *there;
    size_t there_size;
    if (!file_read(path.text, size, &there, &there_size, err))
        return false;
    if (there == NULL) {
        bool published = file_publish(directory, name, bytes, size, err);
        if (!published && (err->kind == ERROR_STATE || err->kind == ERROR_RESTART))
            err->kind = ERROR_RETRY; // the next call looks at the existing file
        return published;
    }
    bool same = there_size == size && memcmp(there, bytes, size) == 0;
    free(there);
    if (!same)
        return error_set(err, ERROR_STATE, "'%s' already exists with different content. %s",
                         path.text, other_writer);
    return file_sync_directory(directory, err); // its bytes were synced before it had its name
}

/* Reads a file that is open. */
static bool read_whole(const struct file_reader *reader, size_t size_max, char **bytes,
                       size_t *size, struct error *err) {
    if (!reader->is_file)
        return error_set(err, ERROR_STATE, "'%s' is not a file", reader->path);
    if ((uint64_t)reader->size > size_max)
        return error_set(err, ERROR_STATE, "'%s' has %lld bytes (expected at most %zu)",
                         reader->path, (long long)reader->size, size_max);
    char *content = must_alloc((size_t)reader->size + 1, 1);
    if (!file_reader_read(reader, 0, content, (size_t)reader->size, size, err)) {
        free(content);
        return false;
    }
    *bytes = content;
    return true;
}

bool file_read(const char *path, size_t size_max, char **bytes, size_t *size, struct error *err) {
    struct file_reader reader;
    bool found;
    *bytes = NULL;
    *size = 0;
    if (!file_reader_open(&reader, path, &found, err))
        return false;
    if (!found)
        return true;
    bool ok = read_whole(&reader, size_max, bytes, size, err);
    file_reader_close(&reader);
    return ok;
}

/* False: errno says why. */
static bool look(const char *path, struct file_status *status) {
    struct stat found;
    if (disk->stat(path, &found) != 0)
        return false;
    *status = (struct file_status){
        .is_file = S_ISREG(found.st_mode),
        .is_directory = S_ISDIR(found.st_mode),
        .mode = found.st_mode & 07777,
        .owner = found.st_uid,
        .group = found.st_gid,
        .size = found.st_size,
        .modified = found.st_mtim,
    };
    return true;
}

bool file_look(const char *path, struct file_status *status, struct error *err) {
    return look(path, status) || disk_error(err, "read the status of", path);
}

int file_find(const char *path, struct file_status *status, struct error *err) {
    if (look(path, status))
        return 1;
    if (errno == ENOENT || errno == ENOTDIR) // ENOTDIR: a directory on the way is a file
        return 0;
    (void)disk_error(err, "read the status of", path);
    return -1;
}

int file_exists(const char *path, int64_t *size, struct error *err) {
    struct file_status status;
    int there = file_find(path, &status, err);
    if (there == 1 && size != NULL)
        *size = status.size;
    return there;
}

bool file_is_gone(const char *path) {
    struct error ignored;
    return file_exists(path, NULL, &ignored) == 0;
}

bool file_same(const char *a, const char *b, bool *same, struct error *err) {
    struct stat first, second;
    if (disk->stat(a, &first) != 0)
        return disk_error(err, "read the status of", a);
    if (disk->stat(b, &second) != 0)
        return disk_error(err, "read the status of", b);
    *same = first.st_dev == second.st_dev && first.st_ino == second.st_ino;
    return true;
}

/* errno says whether a list that is missing is an error. */
static bool copy_access_list(const char *from, const char *to, const char *name) {
    char list[4096]; // an entry has 8 bytes, a file system allows few
    ssize_t size = disk->getxattr(from, name, list, sizeof list);
    if (size < 0)
        return errno == ENODATA || errno == EOPNOTSUPP || errno == ENOSYS;
    return disk->setxattr(to, name, list, (size_t)size, 0) == 0;
}

bool file_copy_access(const char *from, const char *to, struct error *err) {
    struct stat model, made;
    if (disk->stat(from, &model) != 0)
        return disk_error(err, "read the status of", from);
    if (disk->stat(to, &made) != 0)
        return disk_error(err, "read the status of", to);
    if (made.st_uid != model.st_uid && disk->chown(to, model.st_uid, (gid_t)-1) != 0 &&
        errno != EPERM && errno != EINVAL)
        return disk_error(err, "change the owner of", to);
    // The group before the mode: a change of it may take the set-group-id bit away.
    if ((made.st_gid == model.st_gid || disk->chown(to, (uid_t)-1, model.st_gid) == 0) &&
        disk->chmod(to, model.st_mode & 07777) == 0 &&
        copy_access_list(from, to, "system.posix_acl_access") &&
        copy_access_list(from, to, "system.posix_acl_default"))
        return true;
    if (errno != EPERM && errno != EINVAL)
        return disk_error(err, "copy group and access rights to", to);
    return error_set(err, ERROR_CONFIG,
                     "cannot give '%s' the group and the access rights of '%s' (%s): readers of "
                     "the table could lose their access",
                     to, from, strerror(errno));
}

bool file_sync_directory(const char *path, struct error *err) {
    scoped(disk_scope_close) int fd = disk->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return disk_error(err, "open directory", path);
    if (disk->fsync(fd) != 0)
        return disk_error(err, "sync directory", path);
    return true;
}

bool file_rename_new(const char *from, const char *to, struct error *err) {
    return disk->rename_new(from, to) == 0 || disk_error_rename(err, from, to);
}

/* What no waiting helps against. */
static bool two_names_error(struct error *err, const char *what, const char *from, const char *to) {
    int number = errno;
    bool impossible = number == EINVAL || number == ENOSYS || number == EOPNOTSUPP;
    if (!impossible && number != EXDEV && number != EPERM)
        return disk_error_rename(err, from, to);
    (void)error_set(err, ERROR_CONFIG, "cannot %s '%s' and '%s': %s", what, from, to,
                    number == EXDEV   ? "they are on two file systems, in two projects with "
                                        "quotas, or in a lower layer of an overlay"
                    : number == EPERM ? "one belongs to another user, or the file system does not "
                                        "support it"
                                      : "the file system does not support it");
    errno = number;
    return false;
}

bool file_exchange(const char *a, const char *b, struct error *err) {
    return disk->exchange(a, b) == 0 || two_names_error(err, "exchange", a, b);
}

bool file_may_move(const char *directory, const char *full, struct error *err) {
    if (disk->rename(directory, full) == 0) // `full` was empty
        return file_rename_new(full, directory, err) &&
               error_set(err, ERROR_STATE, "'%s' should not be empty", full);
    return errno == ENOTEMPTY || errno == EEXIST || two_names_error(err, "move", directory, full);
}

bool file_link(const char *from, const char *to, struct error *err) {
    return disk->link(from, to) == 0 || two_names_error(err, "link", from, to);
}

int file_list(const char *directory, bool (*visit)(void *context, const char *name), void *context,
              struct error *err) {
    if (disk->list(directory, visit, context) == 0)
        return 1;
    if (errno == ENOENT)
        return 0;
    (void)disk_error(err, "list", directory);
    return -1;
}

bool file_make_directory_name(const char *path, struct error *err) {
    if (disk->mkdir(path, 0755) == 0)
        return true;
    if (errno != EEXIST)
        return disk_error(err, "make directory", path);
    struct file_status status;
    if (look(path, &status) && status.is_file)
        return error_set(err, ERROR_CONFIG, "'%s' is a file, not a directory", path);
    return true;
}

static bool make_durable(const char *path, struct error *err) {
    struct file_path parent = file_parent(path);
    int there = file_exists(path, NULL, err);
    if (there < 0)
        return false;
    if (there == 0)
        return file_make_directory_name(path, err) && file_sync_directory(parent.text, err);

    // Somebody else's parent may not be ours to open, or may not be on a disk, and then its names
    // weren't ours to make. Any other failure may be the one that an earlier attempt ended at.
    if (!file_sync_directory(parent.text, err) && !err->lasting)
        return false;
    return file_make_directory_name(path, err); // only to refuse a file
}

bool file_make_directory(const char *path, struct error *err) {
    struct file_path at;
    (void)snprintf(at.text, sizeof at.text, "%s", path);
    for (char *slash = strchr(at.text + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_durable(at.text, err))
            return false;
        *slash = '/';
    }
    return make_durable(at.text, err);
}

struct number_list {
    const char *suffix;
    int64_t *numbers;
    size_t count, capacity;
};

/* The number that starts `name` and what follows it; false when no digit does, or too many. */
static bool leading_number(const char *name, int64_t *number, const char **rest) {
    if (name[0] < '0' || name[0] > '9')
        return false;
    char *end;
    errno = 0;
    *number = strtoll(name, &end, 10);
    *rest = end;
    return errno == 0;
}

static bool add_number(void *context, const char *name) {
    struct number_list *list = context;
    const char *rest;
    int64_t number;
    if (!leading_number(name, &number, &rest) || strcmp(rest, list->suffix) != 0)
        return true;
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 128 : list->capacity * 2;
        list->numbers = realloc(list->numbers, list->capacity * sizeof *list->numbers);
        check(list->numbers != NULL);
    }
    list->numbers[list->count++] = number;
    return true;
}

/* Directories are listed in any order. */
static int compare_numbers(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

bool file_list_numbers(const char *directory, const char *suffix, int64_t **numbers, size_t *count,
                       struct error *err) {
    struct number_list list = {.suffix = suffix};
    if (file_list(directory, add_number, &list, err) < 0) {
        free(list.numbers);
        return false;
    }
    if (list.count > 1)
        qsort(list.numbers, list.count, sizeof *list.numbers, compare_numbers);
    *numbers = list.numbers;
    *count = list.count;
    return true;
}

struct removal {
    const char *directory;
    bool drafts_only;
    bool failed;
    struct error *err;
};

static bool is_draft(const char *name) {
    const char *rest;
    int64_t number;
    return name[0] == '.' && leading_number(name + 1, &number, &rest) &&
           (strcmp(rest, ".tmp") == 0 || strcmp(rest, ".compact.tmp") == 0 ||
            strcmp(rest, ".open.tmp") == 0);
}

static bool remove_name(void *context, const char *name) {
    struct removal *removal = context;
    if (removal->drafts_only && !is_draft(name))
        return true;
    struct file_path path = file_join(removal->directory, name);
    removal->failed = !file_remove(path.text, removal->err);
    return !removal->failed;
}

static bool remove_names(const char *directory, bool drafts_only, struct error *err) {
    struct removal removal = {.directory = directory, .drafts_only = drafts_only, .err = err};
    return file_list(directory, remove_name, &removal, err) >= 0 && !removal.failed;
}

bool file_remove_drafts(const char *directory, struct error *err) {
    return remove_names(directory, true, err);
}

bool file_remove_directory(const char *path, struct error *err) {
    if (!remove_names(path, false, err))
        return false;
    if (disk->rmdir(path) != 0 && errno != ENOENT)
        return disk_error(err, "remove directory", path);
    return true;
}

bool file_remove(const char *path, struct error *err) {
    if (disk->unlink(path) != 0 && errno != ENOENT)
        return disk_error(err, "remove", path);
    return true;
}

void file_discard(const char *path) {
    (void)disk->unlink(path);
}

void file_discard_directory(const char *path) {
    (void)disk->rmdir(path);
}

static bool discard_name(void *context, const char *name) {
    struct file_path path = file_join(context, name);
    if (disk->unlink(path.text) != 0 && (errno == EISDIR || errno == EPERM))
        file_discard_tree(path.text);
    return true;
}

/* Calls itself once per level: for trees of ours and Spark's, which have few. */
void file_discard_tree(const char *path) {
    (void)disk->list(path, discard_name, (void *)path);
    (void)disk->rmdir(path);
}
