/* batch_steps.h: the steps that take a batch from plan to committed, in their order
 * (docs/internals/batches.md).
 *
 *     plan           sources/0/0 once, then offsets/N
 *     stage          _staging/N/ of the table and of the rejects
 *     commit point   manifests/N
 *     roll forward   table files into place, _spark_metadata/N, reject files into place, commits/N,
 *                    staging removed; each durable before the next, each repeatable
 *
 * Of a batch that is Spark's, files, sink log and commit are Spark's own, and there already. The
 * store is recovered; recovery itself only rolls forward or takes back. */
#ifndef STREAMING_STORE_BATCH_STEPS_H
#define STREAMING_STORE_BATCH_STEPS_H

#include "base/error.h"
#include "streaming/store/store.h"

/* Lets a thread do ahead what a later commit would wait for. ERROR_LIMIT: there is none, and
 * commits do it themselves. */
MUST_CHECK bool store_start_upkeep(struct store *store, struct error *err);

/* Makes the query's first offsets durable (sources/0/0), before its first plan. */
MUST_CHECK bool store_write_initial(struct store *store, const struct offset_range *starts,
                                    size_t count, struct error *err);

/* Publishes offsets/N without overwriting. ERROR_STATE: somebody else planned this batch.
 * ERROR_RESTART: nobody knows whether it is planned. */
MUST_CHECK bool store_write_plan(struct store *store, const struct plan *plan, struct error *err);

/* The same, with what is known of the topic: where it ended, if the plan moves positions
 * (streaming/offsets/incarnation.h), and which one it is. */
MUST_CHECK bool store_write_known(struct store *store, const struct plan *plan,
                                  const struct offsets *known_ends,
                                  const struct topic_identity *identity, struct error *err);

/* Empties and makes the staging directories of a batch. The paths stay valid until the next call.
 */
MUST_CHECK bool store_begin_batch(struct store *store, int64_t batch_id, const char **table_staging,
                                  const char **rejects_staging, struct error *err);

/* Removes the staging directories of an abandoned attempt. */
void store_discard_batch(struct store *store, int64_t batch_id);

/* The commit point. ERROR_RETRY: nothing was committed, discard and run again. ERROR_STATE: the
 * batch does not add up, or someone else has committed it. ERROR_RESTART: nobody knows whether it
 * is committed; the next start reads the disk. */
MUST_CHECK bool store_commit(struct store *store, const struct manifest *manifest,
                             struct error *err);

/* Everything after the commit point. ERROR_RETRY: call again, nothing is ever discarded.
 * ERROR_STATE: a file of the batch is gone, or not ours. */
MUST_CHECK bool store_roll_forward(struct store *store, const struct manifest *manifest,
                                   struct error *err);

/* Undoes a roll-forward as far as it went, for a batch that Spark has run itself in the meantime:
 * our files are removed, the manifest becomes manifests/N.overtaken. Repeatable. */
MUST_CHECK bool store_take_back(const struct store *store, const struct manifest *manifest,
                                struct error *err);

#endif
