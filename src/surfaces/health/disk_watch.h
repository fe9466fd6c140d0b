/* disk_watch.h: how much room the file systems of the lake have. */
#ifndef SURFACES_HEALTH_DISK_WATCH_H
#define SURFACES_HEALTH_DISK_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "surfaces/settings/config.h"

enum { DISKS_MAX = 3 };

/* A file system that holds something of ours, named after the first thing that it holds. */
struct disk_look {
    const char *place;  // "data_lake", "processed", "checkpoint"
    const char *path;   // borrowed from the watch
    int64_t size, free; // bytes; free: for users other than root
};

struct disk_watch;

/* ERROR_LIMIT: no room for its thread. */
MUST_CHECK bool disk_watch_open(const struct config *config, struct disk_watch **watch,
                                struct error *err);
void disk_watch_close(struct disk_watch *watch); // accepts NULL

/* What is known now; the number of disks. None: the directories do not exist yet, a disk does not
 * answer, or `watch` is NULL. Any thread; waits for a fraction of a second at most. */
size_t disk_watch_read(struct disk_watch *watch, struct disk_look disks[static DISKS_MAX]);

#endif
