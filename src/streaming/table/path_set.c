#include "streaming/table/path_set.h"

#include <stdlib.h>

#include "base/check.h"

void path_set_deinit(struct path_set *set) {
    free(set->hashes);
    *set = (struct path_set){0};
}

/* FNV-1a, and murmur's finish, which spreads the last bytes over the whole word. */
static uint64_t hash_of(const char *path) {
    uint64_t hash = 14695981039346656037U;
    for (const unsigned char *at = (const unsigned char *)path; *at != '\0'; at++)
        hash = (hash ^ *at) * 1099511628211U;
    hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCDU;
    hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53U;
    return hash ^ hash >> 33;
}

void path_set_add(struct path_set *set, const char *path) {
    if (set->count == set->capacity) {
        set->capacity = set->capacity == 0 ? 1024 : set->capacity * 2;
        set->hashes = realloc(set->hashes, set->capacity * sizeof *set->hashes);
        check(set->hashes != NULL);
    }
    set->hashes[set->count++] = hash_of(path);
}

static int compare_hashes(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

size_t path_set_seal(struct path_set *set) {
    if (set->count < 2)
        return 0;
    qsort(set->hashes, set->count, sizeof *set->hashes, compare_hashes);
    size_t kept = 1;
    for (size_t i = 1; i < set->count; i++)
        if (set->hashes[i] != set->hashes[kept - 1])
            set->hashes[kept++] = set->hashes[i];
    size_t repeated = set->count - kept;
    set->count = kept;
    return repeated;
}

bool path_set_has(const struct path_set *set, const char *path) {
    uint64_t hash = hash_of(path);
    return set->count > 0 &&
           bsearch(&hash, set->hashes, set->count, sizeof hash, compare_hashes) != NULL;
}
