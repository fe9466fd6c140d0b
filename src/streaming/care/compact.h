/* compact.h: one pass of compaction over a table: what is to be merged is chosen, merged, and
 * published, one change after the other. */
#ifndef STREAMING_CARE_COMPACT_H
#define STREAMING_CARE_COMPACT_H

#include "streaming/care/care_work.h"
#include "streaming/care/selection.h"

struct compact_order {
    enum selection_mode mode;
    int64_t older_than_ms, target_size;
    bool dry_run; // only says what would be done
};

/* *result is filled also when it fails: what was published stays. A file that cannot be merged is
 * warned of once, and left alone. ERROR_RETRY, ERROR_LIMIT: the disk, also one without enough room;
 * ERROR_CONFIG: a file system that cannot do it; ERROR_STOPPED: host->breathe() said so. */
MUST_CHECK bool compact_pass(const struct care_table *table, const struct compact_order *order,
                             const struct care_host *host, struct care_result *result,
                             struct error *err);

#endif
