/* files.h: the files that a verification looks at, and what is said of them. About 150 bytes of
 * memory each, more with long names. */
#ifndef STREAMING_VERIFY_FILES_H
#define STREAMING_VERIFY_FILES_H

#include "streaming/changes/kept_files.h"
#include "streaming/changes/snapshot.h"
#include "streaming/table/origin_reader.h"
#include "streaming/table/path_list.h"
#include "streaming/verify/report.h"

struct verify_file {
    char *path;     // owned; relative to its table
    bool reject;    // of the rejects table
    bool counted;   // by the sink log: its rows may not lie beyond the horizon
    int64_t size;   // as the sink log, a manifest or a record of a change says; -1: nobody does
    int64_t rows;   // as a manifest or a record says; -1: none does
    int64_t change; // whose record says so; -1: a manifest
    int64_t batch;  // whose manifest names it; -1: none does
    char *fault;    // owned; what is wrong with it; NULL: nothing was found yet
};

struct verify_files {
    struct verify_file *files; // owned; of the table, then of the rejects; each ascending by path
    size_t count, capacity;
    size_t table_count;
    struct path_list unlisted; // owned; in the table, but not in its sink log; ascending
    size_t memory;             // bytes, about
    struct changes changes;    // owned; as of the end of the listing
    int64_t settled;           // changes up to this one were finished before the listing; -1: none
};

/* Lists the files, without those of batches beyond the horizon, as far as manifests tell: a
 * replay's rows have offsets from before it. What contradicts another list becomes a fault of
 * `report`. Adds what changes have taken from the table meanwhile to the snapshot. ERROR_STATE
 * also: the table was moved. */
MUST_CHECK bool verify_files_list(const struct store *store, struct snapshot *snapshot,
                                  struct verify_files *files, struct verify_report *report,
                                  struct error *err);
void verify_files_deinit(struct verify_files *files);

/* Looks into the unlisted files: one that only has offsets beyond the horizon belongs to the
 * running batch, every other is a fault. */
MUST_CHECK bool verify_files_judge(const struct store *store, const struct snapshot *snapshot,
                                   const struct verify_files *files, struct verify_report *report,
                                   struct error *err);

/* Of which incarnation of the topic a row of the file is. `rows` have their times, unless there is
 * only one. */
int32_t verify_incarnation(const struct snapshot *snapshot, const struct verify_file *file,
                           const struct origin_rows *rows, size_t index);

struct file_path verify_file_path(const struct store *store, const struct verify_file *file);

/* Reads a file that was listed, wherever it is by now; the errors of origin_read(). */
MUST_CHECK bool verify_file_read(struct kept_files *kept, const struct verify_file *file,
                                 size_t page_size_max, const struct origin_visitor *visitor,
                                 struct error *err);

#endif
