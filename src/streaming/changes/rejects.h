/* rejects.h: every reject of a query, file by file, and which of them are resolved, that is rows by
 * now. The rejects table has no sink log: each of its files whose name ends in .parquet is of a
 * committed batch. */
#ifndef STREAMING_CHANGES_REJECTS_H
#define STREAMING_CHANGES_REJECTS_H

#include "base/error.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/offsets/incarnation.h"
#include "streaming/store/resolved.h"
#include "streaming/store/store.h"
#include "streaming/table/path_list.h"

/* The files as they were when they were listed; about 100 bytes of memory each. */
struct reject_files {
    const struct table *rejects; // borrowed
    struct path_list list;       // owned; relative to the table, ascending
};

MUST_CHECK bool reject_files_list(const struct table *rejects, struct reject_files *files,
                                  struct error *err);
void reject_files_deinit(struct reject_files *files); // accepts a zeroed struct

/* A row of one of the files. */
struct reject_mark {
    size_t file;
    int64_t row;
};

struct reject_cursor {
    const struct reject_files *files; // borrowed
    size_t page_size_max;
    struct reject_mark next;
    struct reject_reader *reader; // of next.file; NULL: not open yet
};

/* From there on; a zeroed mark is the first row. Reads nothing yet. */
void reject_cursor_open(struct reject_cursor *cursor, const struct reject_files *files,
                        struct reject_mark from, size_t page_size_max);

/* *found false: that was the last one. What the row points to is valid until the next call. A file
 * that is gone by now (a concurrent rewind) is skipped. */
MUST_CHECK bool reject_cursor_next(struct reject_cursor *cursor, struct reject_row *row,
                                   bool *found, struct error *err);
void reject_cursor_close(struct reject_cursor *cursor); // accepts a zeroed struct

/* The set of a query, and of which incarnation its rejects are. */
struct resolved_rejects {
    struct resolved set;
    struct incarnations incarnations;
};

/* As of the newest committed batch. The store may have been opened read-only, while a query
 * runs. The errors of snapshot_take(). */
MUST_CHECK bool resolved_rejects_read(struct store *store, struct resolved_rejects *rejects,
                                      struct error *err);
void resolved_rejects_deinit(struct resolved_rejects *rejects);

/* `processed_ms`: when the reject's batch was planned. */
bool resolved_rejects_has(const struct resolved_rejects *rejects, int64_t processed_ms,
                          int32_t partition, int64_t offset);

#endif
