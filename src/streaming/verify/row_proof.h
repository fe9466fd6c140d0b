/* row_proof.h: what the runs of rows prove: no row is there twice, positions are complete, and the
 * manifests' counts are those of the files. */
#ifndef STREAMING_VERIFY_ROW_PROOF_H
#define STREAMING_VERIFY_ROW_PROOF_H

#include "streaming/verify/gaps.h"
#include "streaming/verify/row_runs.h"

/* Rows and records that were met. */
struct row_count {
    int64_t records, rows, named; // named: positions that were found missing
};

struct row_proof {
    const struct row_shape *shape;
    const struct gaps *gaps; // its pieces
    struct offset_map *map;  // keeps what was met twice
    struct verify_report *report;
    struct row_count *pieces;   // owned; those of records that were not rejects before
    struct row_count *replayed; // owned; by index of the snapshot's ranges: those that were
};

void row_proof_init(struct row_proof *proof, const struct row_shape *shape, const struct gaps *gaps,
                    struct offset_map *map, struct verify_report *report);
void row_proof_deinit(struct row_proof *proof); // accepts a zeroed struct

/* Takes the sorted runs of a pass; passes come in ascending order of offsets. Counts records and
 * duplicates of the report's partitions, and names missing positions. */
void row_proof_take(struct row_proof *proof, const struct row_runs *runs);

/* When all passes are over: compares with the manifests. */
void row_proof_compare(const struct row_proof *proof);

#endif
