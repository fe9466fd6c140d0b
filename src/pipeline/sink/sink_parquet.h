/* sink_parquet.h: rows to Parquet files, one per partition value and task.
 *
 * Files are written and synced in a staging directory under names that no reader takes; the commit
 * renames them into place. Paths, Hive escaping and file names are Spark's:
 * "status=live/part-<task>-<uuid>.c000.snappy.parquet" ("part-….snappy.parquet" without
 * partition columns). Not thread-safe: a worker has one sink per task. */
#ifndef PIPELINE_SINK_SINK_PARQUET_H
#define PIPELINE_SINK_SINK_PARQUET_H

#include "base/error.h"
#include "core/file_list.h"
#include "core/rows.h"
#include "pipeline/parquet/format.h" // struct parquet_options

struct sink_options {
    const char *staging_directory; // exists; on the table's file system
    const struct schema *schema;
    const size_t *partition_columns; // indexes, outermost directory first
    size_t partition_column_count;   // 0: the files lie in the table's root
    struct parquet_options parquet;
    unsigned task;     // the number in the file names
    size_t memory_max; // bytes to hold; beyond it, the largest row groups are closed. They stay at
                       // least ROW_GROUP_SIZE_MIN large, so many files may take more than this
};

/* Bytes of memory below which a row group is not closed for lack of memory: smaller ones would cost
 * more in footers than they give back. */
enum { ROW_GROUP_SIZE_MIN = 64 * 1024 };

/* "part-<task>-<uuid>.c000.snappy.parquet", as Spark names its files; the UUID keeps attempts and
 * writers apart. Owned by the caller. */
char *sink_file_name(unsigned task, enum parquet_codec codec);

struct sink;

/* Everything that `options` points to is borrowed until sink_destroy(). */
struct sink *sink_create(const struct sink_options *options);

/* Encodes rows [0, rows->count). ERROR_RETRY: the disk; the task is to be discarded. ERROR_STATE: a
 * partition value that cannot be a directory (the caller was to reject the record), or a value
 * beyond 1.5 GiB. */
MUST_CHECK bool sink_append(struct sink *sink, const struct rows *rows, struct error *err);

/* Writes and syncs what is left, and adds every file to `files`. A file is never synced a second
 * time after a failed sync: ERROR_RETRY means that the task must be discarded. */
MUST_CHECK bool sink_finish(struct sink *sink, struct file_list *files, struct error *err);

/* Frees everything; removes staged files that sink_finish() did not hand over. */
void sink_destroy(struct sink *sink);

/* Bytes of memory in use. */
size_t sink_memory(const struct sink *sink);

/* How long it has waited for the disk, in nanoseconds; the rest of its time is encoding. */
int64_t sink_write_ns(const struct sink *sink);

#endif
