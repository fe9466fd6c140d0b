#include "base/disk/filesystem.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include <linux/magic.h>

static const struct {
    unsigned long magic; // statfs's f_type
    const char *warning;
} unfit[] = {
    {TMPFS_MAGIC, "is on a tmpfs: it is memory, and gone after a reboot or with its container"},
    {RAMFS_MAGIC, "is on a ramfs: it is memory, and gone after a reboot"},
    {OVERLAYFS_SUPER_MAGIC, "is on an overlay: in a container it is gone when the container is "
                            "removed; mount a volume there"},
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
    while (statfs(existing, &status) != 0)
        if (errno != ENOENT || !to_parent(existing))
            return NULL;
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++)
        if ((unsigned long)status.f_type == unfit[i].magic)
            return unfit[i].warning;
    return NULL;
}
