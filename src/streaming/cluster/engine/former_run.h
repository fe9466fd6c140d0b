/* former_run.h: what a start does about a run on a cluster whose program did not end cleanly:
 * makes sure that Spark runs the query no more, and writes the rejects of its last batches.
 * Whichever engine starts. Driver thread. */
#ifndef STREAMING_CLUSTER_ENGINE_FORMER_RUN_H
#define STREAMING_CLUSTER_ENGINE_FORMER_RUN_H

#include "streaming/cluster/connect/connect_url.h"
#include "streaming/query/query.h"
#include "streaming/store/checkpoint_notes.h"

struct former_run {
    bool found;
    struct run_note note;
};

/* `today`: the server that the settings name, whose token may be the former one's; NULL: they name
 * none.
 *
 * Before anything on disk is touched, because a Spark that still writes must not be tidied up
 * after. ERROR_CLUSTER: it may still run, and can't be asked; ERROR_CONFIG: PARSE_MODE is another
 * than its batches were run with. */
MUST_CHECK bool former_run_end(struct query *query, const struct connect_url *today,
                               struct former_run *former, struct error *err);

/* After recovery, with the topic listed: the rejects of its batches that nobody has looked at, and
 * then the note goes. */
MUST_CHECK bool former_run_settle(struct query *query, const struct former_run *former,
                                  struct error *err);

#endif
