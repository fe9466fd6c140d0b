/* merge_keys.h: the keys of rows, (partition, offset, positions), as they are read from a file. */
#ifndef PIPELINE_MERGE_MERGE_KEYS_H
#define PIPELINE_MERGE_MERGE_KEYS_H

#include "core/schema.h"
#include "pipeline/parquet/read/reader.h"

enum { MERGE_KEY_POSITIONS_MAX = 32 };

/* Which columns they are. */
struct merge_key_columns {
    const char *partition, *offset, *processed; // borrowed names
    const char *const *positions;               // borrowed
    size_t position_count;
    int64_t split_after_us;
};

struct merge_key {
    bool later; // behind split_after_us
    int32_t partition;
    int64_t offset;
    int32_t positions[MERGE_KEY_POSITIONS_MAX]; // INT32_MIN: null
};

/* <0, 0, >0 in the order of outputs, where the later ones come behind all others. */
int merge_key_compare(const struct merge_key *a, const struct merge_key *b, size_t position_count);

/* What tells two sets of keys apart: a sum of 128-bit hashes, so that the order does not matter
 * and how often a key is there does. */
struct merge_digest {
    int64_t rows;
    uint64_t sums[2];
};

void merge_digest_add(struct merge_digest *digest, const struct merge_key *key,
                      size_t position_count);

/* Calls visit() for the key of each row of a file. ERROR_STATE: a key is null, or its column is
 * missing or of another type; or what visit() says. */
MUST_CHECK bool merge_keys_read(struct parquet_reader *reader,
                                const struct merge_key_columns *columns,
                                bool (*visit)(void *context, const struct merge_key *key),
                                void *context, struct error *err);

#endif
