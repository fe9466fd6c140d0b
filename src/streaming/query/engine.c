#include "streaming/query/engine.h"

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

struct engine {
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

struct source_memory engine_source_memory(int64_t memory_max, size_t worker_count) {
    int64_t share = worker_share(memory_max, worker_count);
    return (struct source_memory){
        .fetched = (size_t)(share / 3 < prefetch_max ? share / 3 : prefetch_max),
        .batch = (size_t)share / 4, // held up to four times (MEMORY_FLOOR_BATCHES)
        // Of the whole, not of a worker's share: batches that large are rare, and seldom are two
        // held at once. Half of it, because what librdkafka keeps for each record comes on top.
        .unpacked = (size_t)(memory_max - fixed_bytes) / 2,
    };
}

static void engine_free(struct engine *engine) {
    cluster_close(engine->cluster);
    for (size_t i = 0; i < engine->query_count; i++)
        query_deinit(&engine->queries[i]);
    free(engine->queries);
    free(engine->workers);
    free(engine->worker_queries);
    engine->broker->ops->close(engine->broker);
    stop_deinit(&engine->stop);
    free(engine);
}

static bool open_queries(struct engine *engine, const struct engine_options *options,
                         struct error *err) {
    for (size_t i = 0; i < options->query_count; i++) {
        struct query *query = &engine->queries[i];
        engine->query_count = i + 1;
        if (!query_init(query, options->queries[i], i, engine->broker, &engine->stop, err))
            return false;
        query->on_end = options->on_query_end;
        engine->worker_queries[i] = query->how;
    }
    // All locks before anything else is touched; but a disk that refuses for the moment is waited
    // for by the query's own thread, while signals are heard and the other queries go on.
    for (size_t i = 0; i < engine->query_count; i++)
        if (!query_open(&engine->queries[i], err) && !disk_error_may_pass(err))
            return error_wrap(err, "%s", engine->queries[i].how.name);
    return true;
}

static bool start_workers(struct engine *engine, const struct engine_options *options,
                          struct error *err) {
    struct source_memory memory = engine_source_memory(options->memory_max, options->worker_count);
    size_t rest = (size_t)worker_share(options->memory_max, options->worker_count) - memory.fetched;
    if (engine->broker->ops->keep_statistics != NULL)
        engine->broker->ops->keep_statistics(engine->broker, options->statistics_ms);
    engine->memory_max = options->memory_max;
    engine->prefetch_max = (int64_t)(memory.fetched * options->worker_count);
    for (size_t i = 0; i < options->worker_count; i++) {
        struct source *source;
        if (!engine->broker->ops->open_source(engine->broker, memory, &source, err))
            return false;
        if (!worker_start(&engine->workers[i], source, engine->worker_queries, engine->query_count,
                          rest, err))
            return false;
        engine->worker_count = i + 1;
    }
    return true;
}

static void stop_workers(struct engine *engine) {
    for (size_t i = 0; i < engine->worker_count; i++)
        worker_stop(&engine->workers[i]);
    engine->worker_count = 0;
}

/* After the locks, so that no server is started for nothing. */
static bool start_cluster(struct engine *engine, const struct engine_options *options,
                          struct error *err) {
    if (options->cluster == NULL)
        return true;
    if (!cluster_open(options->cluster, &engine->stop, &engine->cluster, err))
        return false;
    for (size_t i = 0; i < engine->query_count; i++)
        engine->queries[i].cluster = engine->cluster;
    return true;
}

static bool start_queries(struct engine *engine, struct error *err) {
    for (size_t i = 0; i < engine->query_count; i++) {
        const struct query_options *options = engine->queries[i].options;
        log_write(LOG_INFO, options->stream->name, "Initialized %s for topic: %s",
                  options->stream->class, options->store.topic);
        if (!query_start(&engine->queries[i], engine->workers, engine->worker_count, err)) {
            stop_request(&engine->stop, STOP_NOW);
            for (size_t j = 0; j < i; j++)
                query_join(&engine->queries[j]);
            return false;
        }
    }
    return true;
}

bool engine_start(struct engine **out, const struct engine_options *options, struct broker *broker,
                  struct error *err) {
    check(options->query_count > 0 && options->query_count <= ENGINE_QUERIES_MAX);
    struct engine *engine = must_alloc(1, sizeof *engine);
    engine->broker = broker;
    engine->queries = must_alloc(options->query_count, sizeof *engine->queries);
    engine->worker_queries = must_alloc(options->query_count, sizeof *engine->worker_queries);
    engine->workers = must_alloc(options->worker_count, sizeof *engine->workers);
    stop_init(&engine->stop);
    if (!open_queries(engine, options, err) || !start_workers(engine, options, err) ||
        !start_cluster(engine, options, err) || !start_queries(engine, err)) {
        stop_workers(engine);
        engine_free(engine);
        return false;
    }
    *out = engine;
    return true;
}

void engine_request_stop(struct engine *engine, enum stop_level level) {
    stop_request(&engine->stop, level);
}

bool engine_is_active(struct engine *engine) {
    for (size_t i = 0; i < engine->query_count; i++)
        if (query_status_read(&engine->queries[i].status).is_active)
            return true;
    return false;
}

size_t engine_query_count(const struct engine *engine) {
    return engine->query_count;
}

struct query_snapshot engine_query_status(struct engine *engine, size_t query) {
    check(query < engine->query_count);
    return query_status_read(&engine->queries[query].status);
}

struct query_view engine_query_view(struct engine *engine, size_t index) {
    check(index < engine->query_count);
    struct query *query = &engine->queries[index];
    return (struct query_view){.options = query->options,
                               .schema = &query->schema,
                               .status = &query->status,
                               .history = &query->history};
}

struct engine_memory engine_memory_read(struct engine *engine) {
    struct engine_memory memory = {.budget = engine->memory_max,
                                   .prefetch_max = engine->prefetch_max};
    for (size_t i = 0; i < engine->worker_count; i++) {
        struct worker *worker = &engine->workers[i];
        memory.rows += (int64_t)worker_rows_memory(worker);
        // Relaxed: a number for display; nothing else hangs on it.
        memory.encoded += (int64_t)atomic_load_explicit(&worker->encoded, memory_order_relaxed);
    }
    for (size_t i = 0; i < engine->query_count; i++)
        memory.history += (int64_t)query_history_memory(&engine->queries[i].history);
    return memory;
}

size_t engine_source_statistics(struct engine *engine, size_t most, bool *found,
                                struct kafka_statistics *statistics) {
    for (size_t i = 0; i < engine->worker_count && i < most; i++) {
        struct source *source = engine->workers[i].source;
        found[i] =
            source->ops->statistics != NULL && source->ops->statistics(source, &statistics[i]);
    }
    return engine->worker_count;
}

bool engine_join(struct engine *engine, struct error *err) {
    for (size_t i = 0; i < engine->query_count; i++)
        query_join(&engine->queries[i]);
    stop_workers(engine);
    const struct query *first = NULL;
    for (size_t i = 0; i < engine->query_count; i++) {
        const struct query *query = &engine->queries[i];
        if (query->failed && (first == NULL || query->failed_us < first->failed_us))
            first = query;
    }
    if (first != NULL)
        *err = first->error;
    engine_free(engine);
    return first == NULL;
}
