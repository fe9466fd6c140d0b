/* reject_walk.h: every reject of a query, file by file. The rejects table has no sink log: each of
 * its files whose name ends in .parquet is of a committed batch. Which rejects are resolved, that
 * is rows by now, streaming/store/resolved.h says. */
#ifndef STREAMING_STORE_REJECT_WALK_H
#define STREAMING_STORE_REJECT_WALK_H

#include "base/error.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/table/table.h"

/* The files as they were when they were listed; about 100 bytes of memory each. */
struct reject_files {
    const struct table *rejects; // borrowed
    char **paths;                // owned; relative to the table, ascending
    size_t count, capacity;
};

MUST_CHECK bool reject_files_list(const struct table *rejects, struct reject_files *files,
                                  struct error *err);
void reject_files_deinit(struct reject_files *files); // accepts a zeroed struct

/* A row of one of the files. */
struct reject_place {
    size_t file;
    int64_t row;
};

struct reject_walk {
    const struct reject_files *files; // borrowed
    size_t page_size_max;
    struct reject_place next;
    struct reject_reader *reader; // of next.file; NULL: not open yet
};

/* From `place` on, a zeroed one is the first row. Reads nothing yet. */
void reject_walk_begin(struct reject_walk *walk, const struct reject_files *files,
                       struct reject_place place, size_t page_size_max);

/* *found false: that was the last one. What the row points to is valid until the next call. A file
 * that is gone by now (a rewind beside us) is passed over. */
MUST_CHECK bool reject_walk_next(struct reject_walk *walk, struct reject_row *row, bool *found,
                                 struct error *err);
void reject_walk_end(struct reject_walk *walk); // accepts a zeroed struct

#endif
