/* resolved.h: which rejects have become rows after all, as a set of (incarnation, partition,
 * offset): streaming/offsets/incarnation.h.
 *
 * A replay (streaming/operations/replay.h) makes rows of rejects; the reject rows stay in their
 * files, and the batch's manifest lists what it took, later coverage/N. Readers of rejects join
 * on this set: a reject whose offset is in it is resolved, and its record is a row of the table.
 *
 * Kept compressed: about two bytes for an isolated offset, never more than about a bit for
 * each offset between it and its neighbours. A zeroed set is empty. Any number of threads may ask
 * while nobody adds. */
#ifndef STREAMING_STORE_RESOLVED_H
#define STREAMING_STORE_RESOLVED_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct resolved_part;

struct resolved {
    struct resolved_part *parts; // owned; ascending
    size_t part_count;
    int64_t count; // offsets in it
};

void resolved_deinit(struct resolved *resolved);

/* False: it was in it already. */
bool resolved_add(struct resolved *resolved, int32_t incarnation, int32_t partition,
                  int64_t offset);
/* Offsets from `first` to `last`, both included. */
void resolved_add_range(struct resolved *resolved, int32_t incarnation, int32_t partition,
                        int64_t first, int64_t last);
void resolved_add_all(struct resolved *resolved, const struct resolved *more);

/* Takes out all of `some` that is in it; and all of a partition from an offset on. */
void resolved_drop_all(struct resolved *resolved, const struct resolved *some);
void resolved_drop_from(struct resolved *resolved, int32_t incarnation, int32_t partition,
                        int64_t from);

bool resolved_has(const struct resolved *resolved, int32_t incarnation, int32_t partition,
                  int64_t offset);

/* How many offsets of a partition. */
int64_t resolved_count_of(const struct resolved *resolved, int32_t incarnation, int32_t partition);

/* The next run of offsets in it that begins in [*start, end), up to `end`; a run may be given
 * in parts. False: there is none. */
bool resolved_next_run(const struct resolved *resolved, int32_t incarnation, int32_t partition,
                       int64_t end, int64_t *start, int64_t *run_end);

bool resolved_has_all(const struct resolved *resolved, const struct resolved *some);

/* Calls visit() for each (incarnation, partition) that has an offset in it, ascending. */
void resolved_each_partition(const struct resolved *resolved,
                             void (*visit)(void *context, int32_t incarnation, int32_t partition),
                             void *context);

/* The newest incarnation that has an offset in it; 0 of an empty set. */
int32_t resolved_newest(const struct resolved *resolved);

/* [{"partition":0,"offsets":"5,7-9,12"}], ascending, with "incarnation":1 and so on behind the
 * first. Reading is strict; ERROR_STATE. */
struct json *resolved_print(const struct resolved *resolved);
MUST_CHECK bool resolved_parse(const struct json *array, struct resolved *resolved,
                               struct error *err);

#endif
