/* streaming.h: the chosen queries, the workers that they share, the cluster that runs them if one
 * does, and their end. */
#ifndef STREAMING_START_STREAMING_H
#define STREAMING_START_STREAMING_H

#include "base/error.h"
#include "streaming/cluster/spark/cluster.h"
#include "streaming/query/query.h"

enum { STREAMING_QUERIES_MAX = STREAMS_MAX };

struct streaming_options {
    const struct query_options *queries[STREAMING_QUERIES_MAX]; // borrowed
    size_t query_count;
    size_t worker_count;
    int64_t memory_max; // bytes; SPARK_DRIVER_MEMORY, or what is ours with a cluster
    const struct cluster_options *cluster; // borrowed; NULL: the queries run here
    int statistics_ms;                     // how often sources tell statistics; 0: nobody will ask
    void (*on_query_end)(void);            // on the query's thread, when it is not active any more

    /* Adds to a query's error what only the caller knows, before it is logged; on the query's
     * thread. NULL: there is nothing to add. */
    void (*complete_error)(const void *context, struct error *err);
    const void *context; // borrowed
};

struct streaming;

/* What each worker's source may hold. */
struct source_memory streaming_source_memory(int64_t memory_max, size_t worker_count);

/* One query, to be looked at by any thread until streaming_join(). */
struct query_view {
    const struct query_options *options;
    const struct schema *schema;
    struct query_status *status;
    struct query_history *history;
    struct care_status *care;
};

/* Whether a record need not be one row: only then counts of records tell more than those of rows.
 */
static inline bool query_view_counts_rows(const struct query_view *view) {
    return !plan_is_row_per_record(&view->options->stream->plan);
}

/* Bytes of SPARK_DRIVER_MEMORY and what is known to take them; the rest of the process is code,
 * libraries, and what librdkafka has fetched. */
struct streaming_memory {
    int64_t budget;
    int64_t rows;         // slices of decoded rows
    int64_t encoded;      // Parquet pages being built, now
    int64_t history;      // what the queries report
    int64_t prefetch_max; // the limit set for librdkafka, all workers together
};

/* Takes every query's checkpoint lock first: if one is held, nothing starts (ERROR_LOCKED). Takes
 * over `broker`. */
MUST_CHECK bool streaming_start(struct streaming **streaming,
                                const struct streaming_options *options, struct broker *broker,
                                struct error *err);

/* Any thread. */
void streaming_request_stop(struct streaming *streaming, enum stop_level level);
bool streaming_is_active(struct streaming *streaming); // whether any query still runs
size_t streaming_query_count(const struct streaming *streaming);
struct query_snapshot streaming_query_status(struct streaming *streaming, size_t query);
struct query_view streaming_query_view(struct streaming *streaming, size_t index);
struct streaming_memory streaming_memory_read(struct streaming *streaming);

/* What the workers' sources have told of themselves; found[i] false: nothing yet, or never. Fills
 * `most` at most, and returns the number of workers. */
size_t streaming_source_statistics(struct streaming *streaming, size_t most, bool *found,
                                   struct kafka_statistics *statistics);

/* Waits for all queries to end and frees everything. False: *err is the first failed query's. */
MUST_CHECK bool streaming_join(struct streaming *streaming, struct error *err);

#endif
