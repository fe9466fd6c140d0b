/* scan.h: all files of a verification through its threads, into the map of offsets. */
#ifndef STREAMING_VERIFY_SCAN_H
#define STREAMING_VERIFY_SCAN_H

#include "core/schema.h"
#include "streaming/verify/files.h"
#include "streaming/verify/offset_map.h"
#include "streaming/verify/report.h"
#include "streaming/verify/row_runs.h"

struct scan {
    const struct store *store;
    const struct snapshot *snapshot;
    const struct schema *schema; // of the table; NULL: types are not compared
    struct verify_files *files;
    struct kept_files *kept;
    struct offset_map *map;
    const struct row_shape *shape;
    struct row_runs runs;         // owned by the caller; of records that can have several rows
    struct verify_report *report; // its partitions are the snapshot's ranges
    int workers;
    size_t page_size_max;
    bool first_pass; // files are checked in this one, and rows outside of all ranges are seen
};

/* Adds what lies in the map's windows to it and to the counts of the report. *full: there was no
 * room for all runs; nothing was added, and the windows must be smaller. ERROR_RETRY: the disk;
 * what is wrong with a file is in its `fault`. */
MUST_CHECK bool scan_run(struct scan *scan, bool *full, struct error *err);

#endif
