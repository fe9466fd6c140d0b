/* connect_frame.h: what Spark is asked to compute, as data: a frame, and the streaming query that
 * writes one. All texts are borrowed; expressions are Spark SQL. */
#ifndef STREAMING_CLUSTER_CONNECT_CONNECT_FRAME_H
#define STREAMING_CLUSTER_CONNECT_CONNECT_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct connect_pair {
    const char *name, *value;
};

/* A frame: a source and what is done to it, step by step. */
enum connect_step_kind {
    CONNECT_SELECT,  // the expressions become the columns
    CONNECT_OBSERVE, // the expressions are aggregated, under `name`, into each batch's progress
    CONNECT_WHERE,   // one expression: rows for which it is true stay
};

struct connect_step {
    enum connect_step_kind kind;
    const char *name;
    const char *const *expressions;
    size_t count;
};

struct connect_frame {
    const char *format; // "kafka", streaming; NULL: the numbers [0, rows), batch
    const struct connect_pair *options;
    size_t option_count;
    int64_t rows;
    int partitions; // of the numbers
    const struct connect_step *steps;
    size_t step_count;
};

/* Where and how a streaming query writes its frame, in append mode. */
struct connect_stream {
    const char *name;
    const struct connect_frame *frame;
    const char *format, *path; // "parquet"
    const struct connect_pair *options;
    size_t option_count;
    const char *const *partition_by;
    size_t partition_by_count;
    const char *interval; // "10 seconds"; NULL: availableNow
};

/* A query that was started: Spark's names of it and of this run of it. */
struct connect_query {
    char id[37], run_id[37];
};

#endif
