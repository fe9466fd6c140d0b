/* store_options.h: where the durable side of a query is, and how it is written. */
#ifndef STREAMING_STORE_STORE_OPTIONS_H
#define STREAMING_STORE_STORE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "streaming/declare/stream.h"

enum sink_log_mode { SINK_LOG_AUTO, SINK_LOG_ON, SINK_LOG_OFF };

struct store_options {
    const char *query;           // "match_stream"
    const struct stream *stream; // whose columns the table has; NULL: they are not compared
    const char *topic;
    const char *checkpoint; // absolute paths
    const char *table;
    const char *rejects;
    const char *const *partition_by; // names of the partition columns, outermost first
    size_t partition_by_count;
    enum sink_log_mode sink_log;
    int shuffle_partitions;      // what a new offset log's configuration map says
    int64_t rewind_retention_ms; // how far back batches are known; 0: those of offsets/ alone
};

#endif
