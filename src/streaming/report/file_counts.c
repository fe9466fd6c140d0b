/* file_counts.c: each directory has an entry, found by the hash of its whole name: 64 bits, so that
 * two directories with one hash do not occur. A table of more than DIRECTORIES_MAX directories (a
 * few MB) has the rest counted in one entry that is never shown; a merge across directories is
 * impossible, so its files count as files that stay. */
#include "streaming/report/file_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { DIRECTORIES_MAX = 16384, SLOTS = 2 * DIRECTORIES_MAX, DAY_S = 24 * 60 * 60 };

struct directory {
    uint64_t hash;
    int64_t newest_ms, small_bytes;
    struct file_directory shown;
};

struct file_counter {
    int64_t target_size, now_ms;
    struct file_counts counts; // of all that does not depend on directories
    struct directory *directories;
    size_t count, capacity;
    struct directory rest;
    uint32_t slots[SLOTS]; // 1 + index; 0: free
};

int64_t file_age_bound_s(enum file_age age) {
    static const int64_t bounds[FILE_AGES] = {INT64_C(60) * 60, DAY_S, INT64_C(7) * DAY_S,
                                              INT64_MAX};
    return bounds[age];
}

int64_t file_counts_small_below(int64_t target_size) {
    return target_size / 4 * 3;
}

struct file_counter *file_counter_create(int64_t target_size, int64_t now_ms) {
    struct file_counter *counter = must_alloc(1, sizeof *counter);
    counter->target_size = target_size;
    counter->now_ms = now_ms;
    counter->counts.counted_ms = now_ms;
    counter->counts.small_below = file_counts_small_below(target_size);
    return counter;
}

void file_counter_free(struct file_counter *counter) {
    if (counter != NULL)
        free(counter->directories);
    free(counter);
}

/* ---- directories ---- */

static uint64_t hash_of(const char *name, size_t length) {
    uint64_t hash = 14695981039346656037U; // FNV-1a
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 1099511628211U;
    return hash;
}

static void set_name(struct file_directory *directory, const char *name, size_t length) {
    if (length >= FILE_DIRECTORY_MAX)
        length = FILE_DIRECTORY_MAX - 1;
    memcpy(directory->name, name, length);
    directory->name[length] = '\0';
}

static struct directory *find_directory(struct file_counter *counter, const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    uint64_t hash = hash_of(path, length);
    size_t slot = hash % SLOTS;
    for (; counter->slots[slot] != 0; slot = (slot + 1) % SLOTS)
        if (counter->directories[counter->slots[slot] - 1].hash == hash)
            return &counter->directories[counter->slots[slot] - 1];
    if (counter->count == DIRECTORIES_MAX)
        return &counter->rest;
    if (counter->count == counter->capacity) {
        counter->capacity = counter->capacity == 0 ? 64 : 2 * counter->capacity;
        counter->directories =
            reallocarray(counter->directories, counter->capacity, sizeof *counter->directories);
        check(counter->directories != NULL);
    }
    struct directory *directory = &counter->directories[counter->count++];
    *directory = (struct directory){.hash = hash, .newest_ms = INT64_MIN};
    set_name(&directory->shown, path, length);
    counter->slots[slot] = (uint32_t)counter->count;
    return directory;
}

/* ---- files ---- */

static void add(struct file_group *group, int64_t size, bool is_small) {
    group->files++;
    group->bytes += size;
    group->small += is_small;
}

void file_counter_add(struct file_counter *counter, const char *path, int64_t size,
                      int64_t modified_ms) {
    struct file_counts *counts = &counter->counts;
    bool is_small = size < counts->small_below;
    size_t class = 0;
    enum file_age age = FILE_AGE_HOUR;
    while (size > file_size_bound(class))
        class ++;
    while ((counter->now_ms - modified_ms) / 1000 > file_age_bound_s(age))
        age++;
    counts->sizes[class]++;
    add(&counts->all, size, is_small);
    add(&counts->ages[age], size, is_small);
    struct directory *directory = find_directory(counter, path);
    add(&directory->shown.group, size, is_small);
    directory->small_bytes += is_small ? size : 0;
    counts->small_bytes += is_small ? size : 0;
    if (modified_ms > directory->newest_ms)
        directory->newest_ms = modified_ms;
}

/* ---- what comes out ---- */

/* Small files become as many as their bytes fill; others stay. */
static int64_t merged_files(const struct directory *directory, int64_t target_size) {
    const struct file_group *group = &directory->shown.group;
    int64_t merged = (directory->small_bytes + target_size - 1) / target_size;
    if (merged == 0 && group->small > 0)
        merged = 1;
    return group->files - group->small + (merged < group->small ? merged : group->small);
}

/* More small files come first, else more files, else by name. */
static bool comes_before(const struct file_directory *a, const struct file_directory *b) {
    if (a->group.small != b->group.small)
        return a->group.small > b->group.small;
    if (a->group.files != b->group.files)
        return a->group.files > b->group.files;
    return strcmp(a->name, b->name) < 0;
}

static void show(struct file_counts *counts, const struct file_directory *directory) {
    size_t at = counts->shown;
    while (at > 0 && comes_before(directory, &counts->directories[at - 1]))
        at--;
    if (at == FILE_DIRECTORIES_SHOWN)
        return;
    if (counts->shown < FILE_DIRECTORIES_SHOWN)
        counts->shown++;
    memmove(&counts->directories[at + 1], &counts->directories[at],
            (counts->shown - 1 - at) * sizeof *directory);
    counts->directories[at] = *directory;
}

void file_counter_read(const struct file_counter *counter, struct file_counts *counts) {
    int64_t day_ago_ms = counter->now_ms - 1000LL * DAY_S;
    *counts = counter->counts;
    for (size_t i = 0; i < counter->count; i++) {
        const struct directory *directory = &counter->directories[i];
        counts->merged_files += merged_files(directory, counter->target_size);
        counts->recent_directories += directory->newest_ms >= day_ago_ms;
        show(counts, &directory->shown);
    }
    counts->merged_files += counter->rest.shown.group.files;
    counts->directory_count = (int64_t)counter->count;
}
