/* coverage.h: the outcome of the offsets of old batches, after their manifests are gone.
 *
 *     <checkpoint>/coverage/N
 *     v1
 *     {"through":N,"query":"<uuid>","topic":"…",
 *      "ranges":[{"partition":0,"start":0,"end":3000,"rows":2990,"rejects":9,"absent":1,"lost":0}]}
 *
 * Once rejects were replayed, it has version 2, and lists them as a manifest does ("replayed"): a
 * program that only knows version 1 would lose that list with its next fold, and so refuses the
 * file and folds nothing.
 *
 * After the first incarnation of the topic (streaming/offsets/incarnation.h) it has version 3:
 * it lists how each began ("incarnations") and which replays were of an earlier one ("replays"),
 * and ranges have an "incarnation", 0 if there is none.
 *
 * Of a query that has WHERE or LATERAL VIEW it has version 4, whose ranges count records and rows
 * apart as those of a manifest of version 5 do, and which has the counts of replayed rejects
 * (streaming/store/replay_counts.h). The other members are there as needed.
 *
 * Once rows have left the table for good (streaming/changes/change.h) it has version 5, which lists
 * their offsets as "replayed" does ("expired", "accepted"), has the other members as needed, and
 * says whether it counts records and rows apart ("countsRows").
 *
 * N is the newest batch that is folded in. Neighbouring ranges of a partition are one range, with
 * the sum of their counts; what was lost to retention stays a range of its own. A batch that Spark
 * ran has no manifest, so it leaves a gap. Files are not listed: those of the table are in its sink
 * log, and in the rejects table every name that ends in .parquet is committed.
 *
 * A new file is published next to the old one, which is then removed with the manifests in it.
 * After any crash, the newest file and the manifests after it are complete, and the next fold
 * tidies up. */
#ifndef STREAMING_STORE_COVERAGE_H
#define STREAMING_STORE_COVERAGE_H

#include "base/error.h"
#include "core/plan.h"
#include "streaming/store/manifest.h"
#include "streaming/store/store.h"

struct coverage {
    int64_t through;              // manifests up to this batch are folded in; -1: none
    struct range_outcome *ranges; // owned; ascending by incarnation, partition and start
    size_t count, capacity;
    bool counts_rows;                   // a manifest of version 5 is folded in
    struct resolved replayed;           // owned
    struct resolved expired, accepted;  // owned; of changes whose records are gone
    struct replay_counts replay_counts; // owned
    struct incarnations incarnations;   // owned
};

void coverage_deinit(struct coverage *coverage);

/* Adds what a manifest says of a range. ERROR_STATE: it overlaps with an existing one. */
MUST_CHECK bool coverage_add(struct coverage *coverage, const struct range_outcome *outcome,
                             struct error *err);

/* Adds all that a manifest says. ERROR_STATE also: its incarnation does not follow. */
MUST_CHECK bool coverage_add_manifest(struct coverage *coverage, const struct manifest *manifest,
                                      struct error *err);

/* Owned by the caller. */
char *coverage_print(const struct coverage *coverage, const struct manifest_origin *origin,
                     size_t *size);

/* ERROR_STATE, without the file's name: damaged, or of another query or topic. */
MUST_CHECK bool coverage_parse(const char *text, size_t size, int64_t through,
                               const struct manifest_origin *origin, struct coverage *coverage,
                               struct error *err);

/* Reads the newest file. Without any, `through` is -1. A concurrent fold may remove the file
 * between two reads: *found is false then, and another call is due. */
MUST_CHECK bool coverage_read(const struct store *store, struct coverage *coverage, bool *found,
                              struct error *err);

/* Adds offsets whose rows have left the table to the newest file, durably. *kept false: there is no
 * file yet. Repeatable. */
MUST_CHECK bool coverage_add_gone(const struct store *store, const struct resolved *expired,
                                  const struct resolved *accepted, bool *kept, struct error *err);

/* Every COVERAGE_INTERVAL batches, folds the manifests that are more than CHECKPOINT_BATCHES_KEPT
 * batches older than `batch_id`, the newest, and removes them; at most COVERAGE_FOLD_MAX at once.
 * Repeatable. ERROR_RETRY, ERROR_STATE: nothing is lost, and the next call tries again. */
enum { COVERAGE_INTERVAL = 10, COVERAGE_FOLD_MAX = 1000 };
MUST_CHECK bool coverage_fold(const struct store *store, int64_t batch_id, struct error *err);

#endif
