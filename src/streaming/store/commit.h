/* commit.h: from a batch whose files are staged to a batch that everybody sees.
 *
 *     commit point   manifests/N
 *     roll forward   table files into place, _spark_metadata/N, reject files into place, commits/N,
 *                    staging removed; each durable before the next, each repeatable
 *
 * Of a batch that is Spark's, files, sink log and commit are Spark's own, and there already. */
#ifndef STREAMING_STORE_COMMIT_H
#define STREAMING_STORE_COMMIT_H

#include "base/error.h"
#include "streaming/store/store.h"

/* ERROR_RETRY: nothing was committed. ERROR_STATE: the batch does not add up (nothing was
 * committed), or nobody knows whether it was. */
MUST_CHECK bool commit_publish(const struct store *store, const struct manifest *manifest,
                               struct error *err);

/* ERROR_RETRY: call again. ERROR_STATE: a file of the batch is gone, or not ours. */
MUST_CHECK bool commit_roll_forward(struct store *store, const struct manifest *manifest,
                                    struct error *err);

/* Undoes a roll-forward as far as it went, for a batch that Spark has run itself in the meantime:
 * our files are removed, the manifest becomes manifests/N.overtaken. Repeatable. */
MUST_CHECK bool commit_take_back(const struct store *store, const struct manifest *manifest,
                                 struct error *err);

/* Reads manifests/N. ERROR_STATE: missing, damaged, or of another query or table. */
MUST_CHECK bool commit_read(const struct store *store, int64_t batch_id, struct manifest *manifest,
                            struct error *err);

#endif
