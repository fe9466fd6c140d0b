/* data_offsets.h: which records of the topic a data file of a table holds, ours or Spark's. Reads
 * the columns `partition` and `offset` alone. */
#ifndef STREAMING_TABLE_DATA_OFFSETS_H
#define STREAMING_TABLE_DATA_OFFSETS_H

#include <stdint.h>

#include "base/error.h"
#include "pipeline/parquet/read/metadata_reader.h"

enum data_offsets {
    DATA_OFFSETS_READ,  // every row was visited
    DATA_OFFSETS_ENDED, // the visitor has seen enough
    DATA_OFFSETS_TORN,  // no end of a Parquet file: whoever wrote it did not finish
    DATA_OFFSETS_OTHER, // a file without these columns, or that we can't read: nobody's crash
};

/* Calls visit() for every row; a false from it ends the walk. ERROR_RETRY: the disk. */
MUST_CHECK bool data_offsets_each(const char *path,
                                  bool (*visit)(void *context, int32_t partition, int64_t offset),
                                  void *context, enum data_offsets *outcome, struct error *err);

/* Where these columns are in a file. False: it lacks them, or has them with other types. */
bool data_offsets_columns(const struct file_metadata *metadata, size_t columns[static 2]);

#endif
