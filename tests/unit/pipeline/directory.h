/* directory.h: a directory that lives as long as a test. */
#ifndef TEST_DIRECTORY_H
#define TEST_DIRECTORY_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

struct directory {
    char path[64];
};

static inline struct directory directory_make(void) {
    struct directory directory = {"/tmp/test-XXXXXX"};
    check(mkdtemp(directory.path) != NULL);
    return directory;
}

static inline int directory_remove_one(const char *path, const struct stat *status, int flag,
                                       struct FTW *walk) {
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

static inline void directory_remove(const struct directory *directory) {
    check(nftw(directory->path, directory_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* How many names are in it. */
static inline size_t directory_count(const struct directory *directory) {
    DIR *stream = opendir(directory->path);
    size_t count = 0;
    check(stream != NULL);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    check(closedir(stream) == 0);
    return count;
}

#endif
