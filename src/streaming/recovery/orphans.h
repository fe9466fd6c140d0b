/* orphans.h: data files that nobody counts, because their writer (Spark) died before it could say
 * so. A reader that lists the table's directories would take them, so a start sets them aside, as
 * <table>/_orphans/<path>.orphan; nothing is ever deleted.
 *
 * A batch write of Spark that was killed before its files were in place has left them below
 * _temporary/, where a glob sees them too: while the plan is open, they are looked at as well.
 *
 * Only files modified since the newest manifest are looked at (without any: since the oldest plan
 * that is left; after a run on a cluster: since it began). One that the sink log lists counts, or
 * the newest manifest, or one before it that is not older than that moment, or that a compaction
 * has made (streaming/changes/changes.h). Another is an orphan
 * when it was never finished, when every row of it lies in the plan that is to run again, or, in a
 * table with a sink log, when every row of it is in a listed file too. What is none of these is
 * somebody else's, reported and left alone. */
#ifndef STREAMING_RECOVERY_ORPHANS_H
#define STREAMING_RECOVERY_ORPHANS_H

#include <time.h>

#include "base/error.h"
#include "streaming/store/store.h"

struct orphan_report {
    size_t moved;
    size_t left;     // unlisted, and not ours to judge; in a table with a sink log only
    char *left_path; // owned; one of them
    bool too_many;   // more files are new than can be compared; none was looked at
};

/* The moment from which on files are looked at. *found false: nothing was ever planned. */
MUST_CHECK bool orphans_since(const struct store *store, int64_t manifest, struct timespec *since,
                              bool *found, struct error *err);

void orphan_report_deinit(struct orphan_report *report);

/* `open_plan`: the one that is to run again, NULL: none. `manifest`, `oldest_plan`: batch ids, -1:
 * none. ERROR_RETRY: the disk. Repeatable. */
MUST_CHECK bool orphans_set_aside(struct store *store, const struct plan *open_plan,
                                  int64_t manifest, struct orphan_report *report,
                                  struct error *err);

#endif
