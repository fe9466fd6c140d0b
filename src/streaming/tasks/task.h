/* task.h: what a worker is asked to do, and what it answers. */
#ifndef STREAMING_TASKS_TASK_H
#define STREAMING_TASKS_TASK_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/system/thread.h"
#include "core/file_list.h"
#include "core/plan.h"
#include "pipeline/parquet/format.h"
#include "pipeline/record_format.h"
#include "streaming/tasks/tally.h"

struct query_plan;

/* How a task of a query is done: the same for all its tasks, constant while the program runs. */
struct worker_query {
    const char *name; // the logger
    const char *topic;
    const struct schema *schema;
    const struct record_schema *record; // what is decoded
    const struct query_plan *plan;      // of its inputs and columns
    const size_t *partition_columns;
    size_t partition_column_count;
    enum record_format format;
    enum parse_mode parse_mode;
    const char *time_zone;
    struct parquet_options parquet;
    _Atomic int64_t *records_read; // live, for the progress display
};

/* The rows of one record that is not a reject. */
struct record_rows {
    int32_t partition;
    int64_t offset;
    int64_t exploded, rows; // before WHERE, and written
};

struct task {
    struct message message;

    /* asked */
    size_t query;    // index into the workers' queries
    unsigned number; // in its batch
    int64_t batch_timestamp_ms;
    const char *staging, *reject_staging; // borrowed while the task is out
    const struct offset_range *ranges;    // borrowed likewise
    size_t range_count;
    bool rejects_only;          // the rows are somebody else's: they are counted, not written
    bool wants_records;         // the rows of each record are asked for, of a single range
    const atomic_bool *abandon; // true: give up at once with ERROR_STOPPED
    struct mailbox *reply;      // where the task goes back to

    bool back; // the asker's note: it came back

    /* answered */
    bool done; // false: `error` says why; nothing is left in the staging directories
    struct error error;
    struct file_list files, rejects;
    struct range_outcome *outcomes; // owned by the asker: room for range_count
    struct record_rows *records;    // owned by the asker: room for each offset of its range, if
    size_t record_count;            // they are asked for
    struct tally tally;             // owned by the asker, who starts it as {0}
};

#endif
