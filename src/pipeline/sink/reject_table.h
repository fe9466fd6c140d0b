/* reject_table.h: rejected records to files of their own table, through the same sink, and back. */
#ifndef PIPELINE_SINK_REJECT_TABLE_H
#define PIPELINE_SINK_REJECT_TABLE_H

#include "base/error.h"
#include "base/text.h"
#include "core/file_list.h"
#include "core/record.h"
#include "core/reject.h"
#include "pipeline/sink/sink_parquet.h"

/* The columns of the rejects table, in their order. */
enum reject_column {
    REJECT_TOPIC,
    REJECT_PARTITION,
    REJECT_OFFSET,
    REJECT_KAFKA_TIMESTAMP,
    REJECT_KEY,
    REJECT_VALUE,
    REJECT_REASON,
    REJECT_DETAIL,
    REJECT_POSITION,
    REJECT_PROCESSED, // processing_timestamp
    REJECT_COLUMNS,
};

const struct schema *reject_schema(void);

struct reject_sink;

/* `sink` gives staging directory, codec, timestamp type, task and memory; its schema and partition
 * columns are not used. `topic` and the staging directory are borrowed. */
struct reject_sink *reject_sink_create(const char *topic, int64_t batch_timestamp_ms,
                                       const struct sink_options *sink);
MUST_CHECK bool reject_sink_append(struct reject_sink *rejects, const struct record *record,
                                   const struct reject *reject, struct error *err);
MUST_CHECK bool reject_sink_finish(struct reject_sink *rejects, struct file_list *files,
                                   struct error *err);
void reject_sink_destroy(struct reject_sink *rejects);

struct reject_row {
    struct record record; // as its source handed it out; planned_ms: when its batch was planned
    struct text topic, reason, detail;
    int64_t position;
};

/* The rows of one file, in the order in which they were written. */
struct reject_reader;

/* `page_size_max`: bytes; a larger page counts as damage. ERROR_STATE: no such file, damaged, or no
 * file of rejects; ERROR_RETRY: the disk. */
MUST_CHECK bool reject_reader_open(struct reject_reader **reader, const char *path,
                                   size_t page_size_max, struct error *err);

/* *found false: there are no more. What the row points to is valid until the next call. */
MUST_CHECK bool reject_reader_next(struct reject_reader *reader, struct reject_row *row,
                                   bool *found, struct error *err);

void reject_reader_close(struct reject_reader *reader); // accepts NULL

#endif
