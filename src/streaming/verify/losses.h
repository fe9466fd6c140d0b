/* losses.h: which offsets of the committed batches are in no file of the table and the rejects: for
 * an operator who accepts that files are gone. What verify proves, without asking Kafka. */
#ifndef STREAMING_VERIFY_LOSSES_H
#define STREAMING_VERIFY_LOSSES_H

#include "streaming/offsets/incarnation.h"
#include "streaming/store/resolved.h"
#include "streaming/verify/report.h"

struct snapshot;
struct offset_map;
struct gaps;
struct row_proof;

/* Offsets [start, end) that one outcome accounts for, of which some are in no file. */
struct lost_piece {
    int32_t incarnation, partition;
    int64_t start, end;
    int64_t without; // offsets that are in no file anyway: absent, empty, filtered
    bool of_spark;   // no outcome accounts for them: any of them may be in no file anyway
};

struct verify_losses {
    struct lost_piece *pieces; // owned
    size_t piece_count;
    struct resolved unmet;   // owned; the offsets of these that are in no file
    struct resolved partial; // owned; offsets in files, of pieces in which rows are missing all the
                             // same (LATERAL VIEW)
    bool complete;           // false: there are more gaps than can be kept
    int64_t rows;            // that manifests count and no file has; -1: not known
    int64_t duplicates;      // offsets that are in files more than once
    struct incarnations incarnations; // owned; which one a row belongs to
    int64_t horizon;                  // the newest committed batch
};

/* The broker of the options is not asked. The errors of verify_run(). */
MUST_CHECK bool verify_find_losses(const struct verify_options *options,
                                   struct verify_losses *losses, struct error *err);
void verify_losses_deinit(struct verify_losses *losses);

/* What is lost if the offsets in `found` are in a file after all: added to `gone`. *unsure: so many
 * of them may be in no file anyway, and cannot be distinguished from the others. */
void verify_losses_settle(const struct verify_losses *losses, const struct resolved *found,
                          struct resolved *gone, int64_t *unsure);

/* ---- for streaming/verify/verify.c ---- */

/* After each pass: which offsets are in files, for tables in which a record can have several rows.
 */
void losses_note_met(struct verify_losses *losses, const struct snapshot *snapshot,
                     const struct offset_map *map);

/* After the last one. */
void losses_take(struct verify_losses *losses, const struct gaps *gaps,
                 const struct row_proof *proof, const struct verify_report *report);

#endif
