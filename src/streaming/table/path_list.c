#include "streaming/table/path_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

void path_list_deinit(struct path_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct path_list){0};
}

void path_list_add(struct path_list *list, const char *path) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        list->paths = reallocarray(list->paths, list->capacity, sizeof *list->paths);
        check(list->paths != NULL);
    }
    list->paths[list->count++] = text_copy(path);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void path_list_sort(struct path_list *list) {
    if (list->count > 1)
        qsort(list->paths, list->count, sizeof *list->paths, by_text);
}

void path_list_remove(struct path_list *list, const char *path) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->paths[i], path) != 0)
            continue;
        free(list->paths[i]);
        list->count--;
        memmove(&list->paths[i], &list->paths[i + 1], (list->count - i) * sizeof *list->paths);
        return;
    }
}

void path_list_drop_doubles(struct path_list *list) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && strcmp(list->paths[kept - 1], list->paths[i]) == 0)
            free(list->paths[i]);
        else
            list->paths[kept++] = list->paths[i];
    }
    list->count = kept;
}

/* ---- path_set ---- */

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

/* By the upper half of the hash, so that a share's hashes are as spread as all of them. */
size_t path_set_share(const char *path, size_t count) {
    return (size_t)(hash_of(path) >> 32) % count;
}
