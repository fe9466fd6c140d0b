/* resolved.h: which rejects have become rows after all, as a set of (partition, offset).
 *
 * A replay (streaming/replay.h) makes rows of rejects; the reject rows stay in their files, and the
 * batch's manifest lists what it took, later coverage/N. Whoever reads rejects joins on this set: a
 * reject whose offset is in it is resolved, and its record is a row of the table.
 *
 * Kept compressed: some two bytes for an offset that stands alone, never more than about a bit for
 * each offset between it and its neighbours. A zeroed set is empty. Any number of threads may ask
 * while nobody adds. */
#ifndef STREAMING_RESOLVED_H
#define STREAMING_RESOLVED_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct store;
struct resolved_part;

struct resolved {
    struct resolved_part *parts; // owned; ascending
    size_t part_count;
    int64_t count; // offsets in it
};

void resolved_deinit(struct resolved *resolved);

/* False: it was in it already. */
bool resolved_add(struct resolved *resolved, int32_t partition, int64_t offset);
void resolved_add_all(struct resolved *resolved, const struct resolved *more);
bool resolved_has(const struct resolved *resolved, int32_t partition, int64_t offset);

/* [{"partition":0,"offsets":"5,7-9,12"}], both ascending. Reading is strict; ERROR_STATE. */
struct json *resolved_print(const struct resolved *resolved);
MUST_CHECK bool resolved_parse(const struct json *array, struct resolved *resolved,
                               struct error *err);

/* What is resolved as of the newest committed batch. The store may have been opened to be read
 * only, beside a query that runs. The errors of snapshot_take() (verify/snapshot.h). */
MUST_CHECK bool resolved_read(struct store *store, struct resolved *resolved, struct error *err);

#endif
