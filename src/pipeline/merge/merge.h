/* merge.h: the rows of many Parquet files in few, sorted by partition and offset.
 *
 * Inputs are files of one directory of a table: our own, and Spark's (INT96 timestamps, other
 * encodings, other orders of columns, columns missing that were added later). Outputs are as the
 * sink writes them (pipeline/sink/sink_parquet.h), by the table's present options. No value
 * changes; timestamps outside of what nanoseconds can say are kept.
 *
 * Rows are ordered by the columns `partition`, `offset` and then the positions, within each output.
 * Memory is bounded by `memory_max`, no matter how large the inputs are. */
#ifndef PIPELINE_MERGE_MERGE_H
#define PIPELINE_MERGE_MERGE_H

#include "base/error.h"
#include "core/file_list.h"
#include "core/schema.h"
#include "pipeline/parquet/format.h"

enum { MERGE_POSITIONS_MAX = 32 };

struct merge_options {
    const struct schema *schema;     // of the table
    const size_t *partition_columns; // indexes; their values are in the directory, not in the files
    size_t partition_column_count;
    const char *const *positions; // names of INT columns, outermost first
    size_t position_count;
    struct parquet_options parquet;
    const char *staging_directory; // exists; new files lie there under their `staged` names
    const char *directory;         // of the table: "ingest_date=2026-11-28/status=live", or ""
    int64_t target_size;           // bytes of an output, about
    int64_t memory_max;            // bytes
    /* Rows whose processing_timestamp is later than this go to outputs of their own, so that no
     * output has both; INT64_MAX: all are alike. Microseconds since 1970. */
    int64_t split_after_us;
    /* Called about every millisecond of work, to pause (a share of a core) or to end: false ends
     * the merge with ERROR_STOPPED. NULL: never. */
    bool (*breathe)(void *context);
    void *context;
};

struct merge_result {
    struct file_list files; // owned; with `staged`; `modified_ms` is when it was written
    size_t later;           // files[later] to the end have the rows behind split_after_us
    int64_t rows, input_bytes, output_bytes;
};
void merge_result_deinit(struct merge_result *result);

/* `paths`: absolute. Writes, syncs, and proves: the outputs are read again, and have the same
 * number of rows and the same set of (partition, offset, positions) as the inputs, each as often.
 * ERROR_STATE: an input is damaged, or has columns or types that the table does not have, or the
 * proof failed; the message names the file, and the caller discards the staging directory.
 * ERROR_RETRY, ERROR_LIMIT: the disk. */
MUST_CHECK bool merge_files(const struct merge_options *options, const char *const *paths,
                            size_t count, struct merge_result *result, struct error *err);

#endif
