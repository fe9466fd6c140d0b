/* path_list.h: paths of files, as a table's directories are listed: as a list, and as a set. */
#ifndef STREAMING_TABLE_PATH_LIST_H
#define STREAMING_TABLE_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct path_list {
    char **paths; // owned, as is each of them
    size_t count, capacity;
};

void path_list_deinit(struct path_list *list); // accepts a zeroed struct
void path_list_add(struct path_list *list, const char *path);
void path_list_sort(struct path_list *list);

/* One of them, if it is there. */
void path_list_remove(struct path_list *list, const char *path);

/* Of a sorted list. */
void path_list_drop_doubles(struct path_list *list);

/* ---- a set of paths, as eight bytes each ----
 *
 * For comparing two lists of a million files without holding either.
 *
 *     path_set_add() for every member, then path_set_seal(), then path_set_has()
 *
 * A path counts as a member when its 64-bit hash is one: with a million members, a stranger is
 * taken for a member once in 10^13. */

struct path_set {
    uint64_t *hashes; // owned; ascending once sealed
    size_t count, capacity;
};

void path_set_deinit(struct path_set *set);
void path_set_add(struct path_set *set, const char *path);

/* Returns how many members were added more than once; they are in it once. */
size_t path_set_seal(struct path_set *set);

bool path_set_has(const struct path_set *set, const char *path); // sealed

/* Which of `count` equal shares of all paths it falls into, for sets that would become too large.
 */
size_t path_set_share(const char *path, size_t count);

#endif
