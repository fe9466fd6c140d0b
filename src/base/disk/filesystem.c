#include "base/disk/filesystem.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/disk/disk.h"
#include "base/text.h"

static const struct {
    unsigned long magic; // statfs's f_type
    const char *warning;
} unfit[] = {
    {TMPFS_MAGIC,
     "is on a tmpfs, which is memory: it is lost after a reboot, or with its container"},
    {RAMFS_MAGIC, "is on a ramfs, which is memory: it is lost after a reboot"},
    {OVERLAYFS_SUPER_MAGIC,
     "is on an overlay: it is lost when the container is removed; mount a volume there"},
};

/* Cuts the last name off. False: nothing is left. */
static bool to_parent(char *path) {
    char *slash = strrchr(path, '/');
    if (slash == NULL || strcmp(path, "/") == 0)
        return false;
    slash[slash == path ? 1 : 0] = '\0';
    return true;
}

const char *filesystem_warning(const char *path) {
    char existing[PATH_MAX];
    struct statfs status;
    snprintf(existing, sizeof existing, "%s", path);
    while (disk->statfs(existing, &status) != 0)
        if (errno != ENOENT || !to_parent(existing))
            return NULL;
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++)
        if ((unsigned long)status.f_type == unfit[i].magic)
            return unfit[i].warning;
    return NULL;
}

bool filesystem_room(const char *path, struct filesystem_room *room) {
    struct statfs status;
    if (disk->statfs(path, &status) != 0)
        return false;
    int64_t unit = status.f_frsize != 0 ? status.f_frsize : status.f_bsize;
    *room = (struct filesystem_room){.size = (int64_t)status.f_blocks * unit,
                                     .free = (int64_t)status.f_bavail * unit,
                                     .files = (int64_t)status.f_files,
                                     .files_free = (int64_t)status.f_ffree};
    return true;
}

bool filesystem_place(const char *path, struct filesystem_place *place) {
    struct statx status;
    if (disk->statx(path, &status) != 0)
        return false;
    *place = (struct filesystem_place){
        .is_directory = S_ISDIR(status.stx_mode),
        .mount_known = (status.stx_mask & STATX_MNT_ID) != 0,
        .device = makedev(status.stx_dev_major, status.stx_dev_minor),
        .mount = status.stx_mnt_id,
    };
    return true;
}

bool filesystem_is_one_place(const struct filesystem_place *a, const struct filesystem_place *b) {
    return a->device == b->device && (!a->mount_known || !b->mount_known || a->mount == b->mount);
}

bool filesystem_is_writable(const char *directory) {
    return disk->access(directory, R_OK | W_OK | X_OK) == 0;
}

char *filesystem_real_path(const char *path) {
    char *prefix = text_copy(path), *real;
    while ((real = realpath(prefix, NULL)) == NULL && strrchr(prefix, '/') > prefix)
        *strrchr(prefix, '/') = '\0';
    const char *rest = path + strlen(prefix);
    char *text = real == NULL ? text_copy(path) : text_format("%s%s", real, rest);
    free(real);
    free(prefix);
    return text;
}
