/* starting_offsets.h: where a query without a checkpoint begins, as Spark's startingOffsets says
 * it: "earliest", "latest", or {"topic": {"0": 23, "1": -2}, …} with -2 for earliest and -1 for
 * latest. */
#ifndef STREAMING_STARTING_OFFSETS_H
#define STREAMING_STARTING_OFFSETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/plan.h"
#include "streaming/broker.h"

enum { STARTING_LATEST = -1, STARTING_EARLIEST = -2 };

/* One partition's start. */
struct starting_offset {
    char topic[256];
    int32_t partition;
    int64_t offset; // or STARTING_LATEST, STARTING_EARLIEST
};

struct starting_offsets {
    int64_t everywhere;              // STARTING_LATEST or STARTING_EARLIEST; 0: see `offsets`
    struct starting_offset *offsets; // owned
    size_t count;
};

/* ERROR_CONFIG: neither of the words (any case), nor such JSON; a partition named twice. */
MUST_CHECK bool starting_offsets_parse(const char *text, struct starting_offsets *starts,
                                       struct error *err);
void starting_offsets_deinit(struct starting_offsets *starts);

bool starting_offsets_name(const struct starting_offsets *starts, const char *topic);

/* An offset, STARTING_LATEST or STARTING_EARLIEST. False: the partition is not named, which Spark
 * refuses for a partition that exists. */
bool starting_offsets_find(const struct starting_offsets *starts, const char *topic,
                           int32_t partition, int64_t *offset);

/* One range per partition of the topic, start == end == first offset to read. ERROR_CONFIG: not a
 * text as above, a partition of the topic that is not named, or an offset that it does not have.
 * The caller owns *starts. */
MUST_CHECK bool starting_offsets_resolve(const char *text, const char *topic,
                                         const struct topic_offsets *offsets,
                                         struct offset_range **starts, struct error *err);

#endif
