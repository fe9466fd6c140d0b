/* offset_set.h: a set of (partition, offset), as one bit for each offset between the lowest and the
 * highest of a partition.
 *
 *     offset_set_widen() for every member, then offset_set_allocate(), then add and remove */
#ifndef STREAMING_OFFSETS_OFFSET_SET_H
#define STREAMING_OFFSETS_OFFSET_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct offset_span {
    int32_t partition;
    int64_t first, last; // inclusive
    size_t bit;          // where its bits begin
};

struct offset_set {
    struct offset_span *spans; // owned
    size_t span_count;
    size_t recent;  // the span that was used last: files are sorted, more or less
    uint64_t *bits; // owned
    size_t count;   // members
};

void offset_set_deinit(struct offset_set *set);

/* Makes room for a member to be. */
void offset_set_widen(struct offset_set *set, int32_t partition, int64_t offset);

/* An empty set with that room. False: it would take more than size_max bytes. */
bool offset_set_allocate(struct offset_set *set, size_t size_max);

void offset_set_add(struct offset_set *set, int32_t partition, int64_t offset); // within the room
void offset_set_remove(struct offset_set *set, int32_t partition, int64_t offset); // any

#endif
