/* path_set.h: a set of paths, as eight bytes each, for comparing two lists of a million files
 * without holding either.
 *
 *     path_set_add() for every member, then path_set_seal(), then path_set_has()
 *
 * A path counts as a member when its 64-bit hash is one: with a million members, a stranger is
 * taken for a member once in 10^13. */
#ifndef STREAMING_TABLE_PATH_SET_H
#define STREAMING_TABLE_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct path_set {
    uint64_t *hashes; // owned; ascending once sealed
    size_t count, capacity;
};

void path_set_deinit(struct path_set *set);
void path_set_add(struct path_set *set, const char *path);

/* Returns how many members were added more than once; they are in it once. */
size_t path_set_seal(struct path_set *set);

bool path_set_has(const struct path_set *set, const char *path); // sealed

#endif
