/* reject_reader.h: the rows of one file of a rejects table (pipeline/sink/reject.h), in the order
 * in which they were written. */
#ifndef PIPELINE_SINK_REJECT_READER_H
#define PIPELINE_SINK_REJECT_READER_H

#include "base/error.h"
#include "base/text.h"
#include "core/record.h"

struct reject_row {
    struct record record; // as its source handed it out; planned_ms: when its batch was planned
    struct text topic, reason, detail;
    int64_t position;
};

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
