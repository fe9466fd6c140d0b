/* origin_reader.h: which records of the topic a data file of a table holds, ours or Spark's: its
 * columns `partition` and `offset` and those that are asked for, and nothing else of it but the
 * footer. */
#ifndef STREAMING_TABLE_ORIGIN_READER_H
#define STREAMING_TABLE_ORIGIN_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/rows.h"
#include "pipeline/parquet/read/metadata_reader.h"

struct origin_bounds {
    int32_t partition_min, partition_max;
    int64_t offset_min, offset_max;
};

struct origin_rows {
    size_t count;
    const int32_t *partitions;
    const int64_t *offsets;
    const struct vector *processed;       // processing_timestamp; NULL unless asked for
    const struct vector *kafka_timestamp; // likewise
    const struct vector *positions;       // INT, one vector per column that was asked for
};

enum { ORIGIN_POSITIONS_MAX = 32 };

/* Row groups whose statistics show that they have nothing of interest are passed over. */
struct origin_visitor {
    void *context;
    bool wants_times;             // the two timestamps
    const char *const *positions; // columns of type INT
    size_t position_count;
    /* The file is open, with so many bytes and this footer. False: enough of it. NULL: all
     * of it is wanted. */
    bool (*begin)(void *context, int64_t size, const struct file_metadata *metadata);
    /* Whether a row group with such rows is wanted; NULL: all are. */
    bool (*wants)(void *context, const struct origin_bounds *bounds);
    void (*rows)(void *context, const struct origin_rows *rows);
};

/* `page_size_max`: bytes; a larger page counts as damage. ERROR_STATE: there is no such file, it is
 * damaged, or it is not of a query; ERROR_RETRY: the disk. */
MUST_CHECK bool origin_read(const char *path, size_t page_size_max,
                            const struct origin_visitor *visitor, struct error *err);

/* Of the batch that has written the file, by its first row; -1: it has none. The same errors, and
 * ERROR_STATE without a column `processing_timestamp`. */
MUST_CHECK bool origin_time(const char *path, int64_t *processed_ms, struct error *err);

/* The times of the batches whose rows a file has, in microseconds: by the footer if it says so.
 * *first > *last: it has no rows. Without the other columns of a query, too. ERROR_STATE: no such
 * file, damaged, or no column `processing_timestamp` without nulls; ERROR_RETRY: the disk. */
MUST_CHECK bool origin_times(const char *path, int64_t *first, int64_t *last, struct error *err);

/* How a look into a file ended. */
enum origin_end {
    ORIGIN_READ,  // every row was visited
    ORIGIN_ENDED, // the visitor has seen enough
    ORIGIN_TORN,  // no end of a Parquet file: its writer did not finish
    ORIGIN_OTHER, // a file without these columns, or that we can't read: nobody's crash
};

/* Calls visit() for every row until it returns false. ERROR_RETRY: the disk. */
MUST_CHECK bool origin_each_offset(const char *path,
                                   bool (*visit)(void *context, int32_t partition, int64_t offset),
                                   void *context, enum origin_end *end, struct error *err);

#endif
