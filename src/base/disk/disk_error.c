#include "base/disk/disk_error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk/filesystem.h"
#include "base/limit.h"

static bool is_lasting(int error_number) {
    static const int lasting[] = {EACCES,       EPERM,   EROFS,  ENOTDIR, EISDIR,
                                  ENAMETOOLONG, ELOOP,   ENOENT, EINVAL,  ENOSYS,
                                  EOPNOTSUPP,   ENOTSUP, ENODEV, ENXIO,   EXDEV};
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++)
        if (lasting[i] == error_number)
            return true;
    return false;
}

/* What to do; "" where only the administrator of the disk can know. */
static void describe_cure(int error_number, char text[static LIMIT_TEXT_MAX]) {
    const char *cure = "";
    switch (error_number) {
    case EACCES:
    case EPERM:
        (void)snprintf(text, LIMIT_TEXT_MAX, "give user %ld access to it", (long)geteuid());
        return;
    case EFBIG:
        limit_describe(error_number, text);
        return;
    case EROFS:
        cure = "mount it read-write";
        break;
    case ENOTDIR:
        cure = "a file is where a directory is expected: move the file away";
        break;
    case ENAMETOOLONG:
        cure = "choose a shorter path";
        break;
    case EXDEV:
        cure = "a table must be on one file system, and so must a checkpoint (`doctor` names the "
               "directory that is not)";
        break;
    default:
        break;
    }
    (void)snprintf(text, LIMIT_TEXT_MAX, "%s", cure);
}

/* What errno says, with the limit that was reached or what to do. Leaves errno as it was, for
 * callers that distinguish failures by it. */
static bool fail(struct error *err, const char *where, int error_number) {
    char cure[LIMIT_TEXT_MAX];
    if (limit_is_behind(error_number)) {
        (void)limit_error(err, where, error_number);
    } else {
        describe_cure(error_number, cure);
        (void)error_set(err, ERROR_RETRY, "%s: %s%s%s", where, strerror(error_number),
                        cure[0] == '\0' ? "" : ": ", cure);
        err->lasting = is_lasting(error_number);
    }
    errno = error_number;
    return false;
}

/* Where a symbolic link leads to, if the path has one: a confined process may not follow it out of
 * the lake, which looks like a lack of access. */
static void add_link(struct error *err, const char *path) {
    char *real = filesystem_real_path(path);
    size_t used = strlen(err->message);
    if (strcmp(real, path) != 0)
        (void)snprintf(err->message + used, sizeof err->message - used,
                       "; a symbolic link leads from there to '%s', and is not followed out of the "
                       "lake",
                       real);
    free(real);
}

bool disk_error(struct error *err, const char *what, const char *path) {
    struct error where;
    int error_number = errno;
    (void)error_set(&where, ERROR_NONE, "cannot %s '%s'", what, path);
    (void)fail(err, where.message, error_number);
    if (error_number == EACCES)
        add_link(err, path);
    errno = error_number;
    return false;
}

bool disk_error_rename(struct error *err, const char *from, const char *to) {
    struct error where;
    int error_number = errno;
    (void)error_set(&where, ERROR_NONE, "cannot rename '%s' to '%s'", from, to);
    return fail(err, where.message, error_number);
}

bool disk_error_may_pass(const struct error *err) {
    return err->kind == ERROR_RETRY || err->kind == ERROR_LIMIT;
}
