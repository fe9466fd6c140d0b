/* temporary.h: a directory for what is read from files only. In memory where that is possible; it
 * is removed at the end. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/disk/file.h"

static char temporary_root[64];

static int temporary_remove_one(const char *path, const struct stat *status, int type,
                                struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static inline void temporary_clear(const char *path) {
    (void)nftw(path, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void temporary_remove(void) {
    temporary_clear(temporary_root);
}

static inline const char *temporary_directory(void) {
    if (temporary_root[0] == '\0') {
        bool memory = access("/dev/shm", W_OK) == 0;
        (void)snprintf(temporary_root, sizeof temporary_root, "%s/fuzz-XXXXXX",
                       memory ? "/dev/shm" : "/tmp");
        check(mkdtemp(temporary_root) != NULL && atexit(temporary_remove) == 0);
    }
    return temporary_root;
}

/* The path of a file of the directory that has these bytes. */
static inline struct file_path temporary_write(const char *name, const void *bytes, size_t size) {
    struct file_path path = file_join(temporary_directory(), name);
    FILE *out = fopen(path.text, "w");
    check(out != NULL);
    check(fwrite(bytes, 1, size, out) == size && fclose(out) == 0);
    return path;
}

#endif
