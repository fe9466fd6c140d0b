#include "base/disk_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limit.h"

static bool is_limit(int error_number) {
    return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

static bool is_lasting(int error_number) {
    static const int lasting[] = {EACCES,       EPERM,   EROFS,  ENOTDIR, EISDIR,
                                  ENAMETOOLONG, ELOOP,   ENOENT, EINVAL,  ENOSYS,
                                  EOPNOTSUPP,   ENOTSUP, ENODEV, ENXIO,   EXDEV};
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++)
        if (lasting[i] == error_number)
            return true;
    return false;
}

/* What errno says, with the limit behind it. */
static bool fail(struct error *err, const char *where) {
    int error_number = errno;
    char limit[LIMIT_TEXT_MAX] = "";
    if (is_limit(error_number))
        return limit_error(err, where, error_number);
    if (error_number == EFBIG)
        limit_describe(error_number, limit);
    if (error_number == EXDEV)
        (void)snprintf(limit, sizeof limit,
                       "a table, and a checkpoint, must be on one file system "
                       "(`doctor` finds the directory that is not)");
    (void)error_set(err, ERROR_RETRY, "%s: %s%s%s", where, strerror(error_number),
                    limit[0] == '\0' ? "" : ": ", limit);
    err->lasting = is_lasting(error_number);
    return false;
}

bool disk_error(struct error *err, const char *what, const char *path) {
    struct error where;
    int error_number = errno;
    (void)error_set(&where, ERROR_NONE, "%s '%s'", what, path);
    errno = error_number;
    return fail(err, where.message);
}

bool disk_error_rename(struct error *err, const char *from, const char *to) {
    struct error where;
    int error_number = errno;
    (void)error_set(&where, ERROR_NONE, "rename '%s' to '%s'", from, to);
    errno = error_number;
    return fail(err, where.message);
}

bool disk_error_may_pass(const struct error *err) {
    return err->kind == ERROR_RETRY || err->kind == ERROR_LIMIT;
}
