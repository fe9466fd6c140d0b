#include "streaming/start/streaming.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/disk/disk_error.h"
#include "base/log/log.h"

enum { MIB = 1 << 20 };

/* What a process of ours takes before its first record: code, libraries, stacks, librdkafka's
 * handles and threads. With two workers and no data 11 MiB were seen; the rest is reserve. */
static const int64_t fixed_bytes = 32LL * MIB;

/* More than this does not make a worker faster, it only fills caches: beyond it, memory stays free.
 */
static const int64_t prefetch_max = 8LL * MIB;

struct streaming {
    struct stop stop;
    struct broker *broker;
    struct cluster *cluster; // owned; NULL: none
    struct query *queries;
    size_t query_count;
    struct worker *workers;
    struct worker_query *worker_queries;
    size_t worker_count;
    int64_t memory_max, prefetch_max; // bytes; of all workers
};

static int64_t worker_share(int64_t memory_max, size_t worker_count) {
    return (memory_max - fixed_bytes) / (int64_t)worker_count;
}

struct source_memory streaming_source_memory(int64_t memory_max, size_t worker_count) {
    int64_t share = worker_share(memory_max, worker_count);
    return (struct source_memory){
        .fetched = (size_t)(share / 3 < prefetch_max ? share / 3 : prefetch_max),
        .batch = (size_t)share / 4, // held up to four times (MEMORY_FLOOR_BATCHES)
        // Of the whole, not of a worker's share: batches that large are rare, and seldom are two
        // held at once. Half of it, because what librdkafka keeps for each record comes on top.
        .unpacked = (size_t)(memory_max - fixed_bytes) / 2,
    };
}

static void streaming_free(struct streaming *streaming) {
    cluster_close(streaming->cluster);
    for (size_t i = 0; i < streaming->query_count; i++)
        query_deinit(&streaming->queries[i]);
    free(streaming->queries);
    free(streaming->workers);
    free(streaming->worker_queries);
    streaming->broker->ops->close(streaming->broker);
    stop_deinit(&streaming->stop);
    free(streaming);
}

static bool open_queries(struct streaming *streaming, const struct streaming_options *options,
                         struct error *err) {
    for (size_t i = 0; i < options->query_count; i++) {
        struct query *query = &streaming->queries[i];
        streaming->query_count = i + 1;
        if (!query_init(query, options->queries[i], i, streaming->broker, &streaming->stop, err))
            return false;
        query->on_end = options->on_query_end;
        streaming->worker_queries[i] = query->how;
    }
    // All locks before anything else is touched; but a disk that refuses for the moment is waited
    // for by the query's own thread, while signals are heard and the other queries go on.
    for (size_t i = 0; i < streaming->query_count; i++)
        if (!query_open(&streaming->queries[i], err) && !disk_error_may_pass(err))
            return error_wrap(err, "%s", streaming->queries[i].how.name);
    return true;
}

static bool start_workers(struct streaming *streaming, const struct streaming_options *options,
                          struct error *err) {
    struct source_memory memory =
        streaming_source_memory(options->memory_max, options->worker_count);
    size_t rest = (size_t)worker_share(options->memory_max, options->worker_count) - memory.fetched;
    if (streaming->broker->ops->keep_statistics != NULL)
        streaming->broker->ops->keep_statistics(streaming->broker, options->statistics_ms);
    streaming->memory_max = options->memory_max;
    streaming->prefetch_max = (int64_t)(memory.fetched * options->worker_count);
    for (size_t i = 0; i < options->worker_count; i++) {
        struct source *source;
        if (!streaming->broker->ops->open_source(streaming->broker, memory, &source, err))
            return false;
        if (!worker_start(&streaming->workers[i], source, streaming->worker_queries,
                          streaming->query_count, rest, err))
            return false;
        streaming->worker_count = i + 1;
    }
    return true;
}

static void stop_workers(struct streaming *streaming) {
    for (size_t i = 0; i < streaming->worker_count; i++)
        worker_stop(&streaming->workers[i]);
    streaming->worker_count = 0;
}

/* After the locks, so that no server is started for nothing. */
static bool start_cluster(struct streaming *streaming, const struct streaming_options *options,
                          struct error *err) {
    if (options->cluster == NULL)
        return true;
    if (!cluster_open(options->cluster, &streaming->stop, &streaming->cluster, err))
        return false;
    for (size_t i = 0; i < streaming->query_count; i++)
        streaming->queries[i].cluster = streaming->cluster;
    return true;
}

static bool start_queries(struct streaming *streaming, struct error *err) {
    for (size_t i = 0; i < streaming->query_count; i++) {
        const struct query_options *options = streaming->queries[i].options;
        log_write(LOG_INFO, options->stream->name, "Initialized %s for topic: %s",
                  options->stream->class, options->store.topic);
        if (!query_start(&streaming->queries[i], streaming->workers, streaming->worker_count,
                         err)) {
            stop_request(&streaming->stop, STOP_NOW);
            for (size_t j = 0; j < i; j++)
                query_join(&streaming->queries[j]);
            return false;
        }
    }
    return true;
}

bool streaming_start(struct streaming **out, const struct streaming_options *options,
                     struct broker *broker, struct error *err) {
    check(options->query_count > 0 && options->query_count <= STREAMING_QUERIES_MAX);
    struct streaming *streaming = must_alloc(1, sizeof *streaming);
    streaming->broker = broker;
    streaming->queries = must_alloc(options->query_count, sizeof *streaming->queries);
    streaming->worker_queries = must_alloc(options->query_count, sizeof *streaming->worker_queries);
    streaming->workers = must_alloc(options->worker_count, sizeof *streaming->workers);
    stop_init(&streaming->stop);
    if (!open_queries(streaming, options, err) || !start_workers(streaming, options, err) ||
        !start_cluster(streaming, options, err) || !start_queries(streaming, err)) {
        stop_workers(streaming);
        streaming_free(streaming);
        return false;
    }
    *out = streaming;
    return true;
}

void streaming_request_stop(struct streaming *streaming, enum stop_level level) {
    stop_request(&streaming->stop, level);
}

bool streaming_is_active(struct streaming *streaming) {
    for (size_t i = 0; i < streaming->query_count; i++)
        if (query_status_read(&streaming->queries[i].status).is_active)
            return true;
    return false;
}

size_t streaming_query_count(const struct streaming *streaming) {
    return streaming->query_count;
}

struct query_snapshot streaming_query_status(struct streaming *streaming, size_t query) {
    check(query < streaming->query_count);
    return query_status_read(&streaming->queries[query].status);
}

struct query_view streaming_query_view(struct streaming *streaming, size_t index) {
    check(index < streaming->query_count);
    struct query *query = &streaming->queries[index];
    return (struct query_view){.options = query->options,
                               .schema = &query->schema,
                               .status = &query->status,
                               .history = &query->history};
}

struct streaming_memory streaming_memory_read(struct streaming *streaming) {
    struct streaming_memory memory = {.budget = streaming->memory_max,
                                      .prefetch_max = streaming->prefetch_max};
    for (size_t i = 0; i < streaming->worker_count; i++) {
        struct worker *worker = &streaming->workers[i];
        memory.rows += (int64_t)worker_rows_memory(worker);
        // Relaxed: a number for display; nothing else hangs on it.
        memory.encoded += (int64_t)atomic_load_explicit(&worker->encoded, memory_order_relaxed);
    }
    for (size_t i = 0; i < streaming->query_count; i++)
        memory.history += (int64_t)query_history_memory(&streaming->queries[i].history);
    return memory;
}

size_t streaming_source_statistics(struct streaming *streaming, size_t most, bool *found,
                                   struct kafka_statistics *statistics) {
    for (size_t i = 0; i < streaming->worker_count && i < most; i++) {
        struct source *source = streaming->workers[i].source;
        found[i] =
            source->ops->statistics != NULL && source->ops->statistics(source, &statistics[i]);
    }
    return streaming->worker_count;
}

bool streaming_join(struct streaming *streaming, struct error *err) {
    for (size_t i = 0; i < streaming->query_count; i++)
        query_join(&streaming->queries[i]);
    stop_workers(streaming);
    const struct query *first = NULL;
    for (size_t i = 0; i < streaming->query_count; i++) {
        const struct query *query = &streaming->queries[i];
        if (query->failed && (first == NULL || query->failed_us < first->failed_us))
            first = query;
    }
    if (first != NULL)
        *err = first->error;
    streaming_free(streaming);
    return first == NULL;
}
