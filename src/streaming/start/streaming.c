/* Starting all queries, and ending them.
 *
 * The order of a start: every lock, the workers, the cluster, the lag clock, a thread per query; so
 * a lock that is held ends the start before anything runs. Queries share the workers, each by a
 * crew of its own, and a failure of one lets the others finish their batch. */
#include "streaming/start/streaming.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/disk/disk_error.h"
#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/system/thread.h"
#include "streaming/cluster/engine/cluster_engine.h"
#include "streaming/native/native_engine.h"
#include "streaming/query/lag_clock.h"
#include "streaming/start/query_run.h"
#include "streaming/tasks/worker.h"

enum { MIB = 1 << 20 };

/* What a process of ours takes before its first record: code, libraries, stacks, librdkafka's
 * handles and threads. With two workers and no data 11 MiB were seen; the rest is reserve. */
static const int64_t fixed_bytes = 32LL * MIB;

/* More than this does not make a worker faster, it only fills caches: beyond it, memory stays free.
 */
static const int64_t prefetch_max = 8LL * MIB;

/* A query on its thread. */
struct running_query {
    struct query query;
    struct worker_crew crew;
    struct streaming *streaming;
    pthread_t thread;
    bool failed;        // read after the thread's end, as the next two
    int64_t failed_us;  // monotonic; when
    struct error error; // why
};

struct streaming {
    struct stop stop;
    struct broker *broker;
    struct cluster *cluster;               // owned; NULL: this program's workers run the queries
    const struct connect_url *cluster_url; // of the settings; NULL: none
    void (*on_query_end)(void);
    void (*complete_error)(const void *context, struct error *err);
    const void *context; // of complete_error
    struct running_query *queries;
    size_t query_count;
    struct lag_clock lag_clock;
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
        .batch = (size_t)share / 4, // held at most four times (MEMORY_FLOOR_BATCHES)
        // Of the whole, not of a worker's share: batches that large are rare, and seldom are two
        // held at once. Half of it, because what librdkafka keeps for each record comes on top.
        .unpacked = (size_t)(memory_max - fixed_bytes) / 2,
    };
}

static void running_query_deinit(struct running_query *running) {
    query_deinit(&running->query);
    worker_crew_deinit(&running->crew);
}

static void streaming_free(struct streaming *streaming) {
    cluster_close(streaming->cluster);
    for (size_t i = 0; i < streaming->query_count; i++)
        running_query_deinit(&streaming->queries[i]);
    free(streaming->queries);
    free(streaming->workers);
    free(streaming->worker_queries);
    streaming->broker->ops->close(streaming->broker);
    stop_deinit(&streaming->stop);
    free(streaming);
}

static bool init_query(struct streaming *streaming, size_t i,
                       const struct streaming_options *options, struct error *err) {
    struct running_query *running = &streaming->queries[i];
    running->streaming = streaming;
    worker_crew_init(&running->crew, streaming->workers, options->worker_count, i);
    streaming->query_count = i + 1;
    bool ok = query_init(&running->query, options->queries[i], streaming->broker,
                         &running->crew.crew, &streaming->stop, err);
    streaming->worker_queries[i] =
        micro_batch_work(&running->query.definition, &running->query.report);
    return ok;
}

static bool open_queries(struct streaming *streaming, const struct streaming_options *options,
                         struct error *err) {
    for (size_t i = 0; i < options->query_count; i++)
        if (!init_query(streaming, i, options, err))
            return false;
    // All locks before anything else is touched; but if a disk refuses temporarily, the query's own
    // thread waits for it, while signals still work and the other queries continue.
    for (size_t i = 0; i < streaming->query_count; i++) {
        struct query *query = &streaming->queries[i].query;
        if (!query_open(query, err) && !disk_error_may_pass(err))
            return error_wrap(err, "%s", query->report.name);
    }
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
    streaming->cluster_url = options->cluster->url;
    return cluster_open(options->cluster, &streaming->stop, &streaming->cluster, err);
}

static bool start_lag_clock(struct streaming *streaming, struct error *err) {
    struct lag_question questions[STREAMING_QUERIES_MAX];
    for (size_t i = 0; i < streaming->query_count; i++) {
        struct query *query = &streaming->queries[i].query;
        questions[i] =
            (struct lag_question){.broker = streaming->broker,
                                  .topic = query->definition.topic,
                                  .book = &query->report.status.lag,
                                  .interval_ms = query->definition.options->lag_interval_ms};
    }
    return lag_clock_start(&streaming->lag_clock, questions, streaming->query_count, err);
}

/* So that top -H and a debugger show whose thread it is. */
static void name_thread(const char *query) {
    char name[16]; // the kernel's limit
    snprintf(name, sizeof name, "%s", query);
    (void)pthread_setname_np(pthread_self(), name); // only for people
}

/* A failure lets the other queries finish their batch. */
static void note_end(struct running_query *running, bool done, const struct error *err) {
    struct query_report *report = &running->query.report;
    running->failed = !done && err->kind != ERROR_STOPPED;
    running->failed_us = clock_monotonic_us();
    running->error = *err;
    if (running->failed) {
        log_write(LOG_CRITICAL, report->name, "Query failed: %s", err->message);
        query_status_fault(&report->status, QUERY_FAILED, false, "Terminated with an error",
                           err->message);
    } else {
        query_status_say(&report->status, QUERY_STOPPED, false, "Stopped");
    }
    query_status_set_active(&report->status, false);
    if (running->failed)
        stop_request(running->query.stop, STOP_AFTER_BATCH);
}

static void *query_main(void *argument) {
    struct running_query *running = argument;
    struct streaming *streaming = running->streaming;
    struct query *query = &running->query;
    struct error err = {0};
    name_thread(query->report.name);
    struct engine *engine = streaming->cluster != NULL
                                ? cluster_engine_create(query, streaming->cluster)
                                : native_engine_create(query);
    bool done = query_run(query, engine, streaming->cluster_url, &err);
    if (!done && streaming->complete_error != NULL)
        streaming->complete_error(streaming->context, &err);
    note_end(running, done, &err);
    streaming->on_query_end();
    return NULL;
}

static bool start_query(struct running_query *running, struct error *err) {
    struct query_report *report = &running->query.report;
    const struct query_options *options = running->query.definition.options;
    log_write(LOG_INFO, report->name, "Initialized %s for topic: %s", options->stream->class,
              options->store.topic);
    query_status_set_active(&report->status, true);
    char what[64];
    (void)snprintf(what, sizeof what, "cannot start the thread of query %s", report->name);
    return thread_start(&running->thread, query_main, running, what, err);
}

static void join_queries(struct streaming *streaming, size_t count) {
    for (size_t i = 0; i < count; i++)
        check(pthread_join(streaming->queries[i].thread, NULL) == 0);
}

static bool start_queries(struct streaming *streaming, struct error *err) {
    for (size_t i = 0; i < streaming->query_count; i++)
        if (!start_query(&streaming->queries[i], err)) {
            stop_request(&streaming->stop, STOP_NOW);
            join_queries(streaming, i);
            return false;
        }
    return true;
}

bool streaming_start(struct streaming **out, const struct streaming_options *options,
                     struct broker *broker, struct error *err) {
    check(options->query_count > 0 && options->query_count <= STREAMING_QUERIES_MAX);
    struct streaming *streaming = must_alloc(1, sizeof *streaming);
    streaming->broker = broker;
    streaming->on_query_end = options->on_query_end;
    streaming->complete_error = options->complete_error;
    streaming->context = options->context;
    streaming->queries = must_alloc(options->query_count, sizeof *streaming->queries);
    streaming->worker_queries = must_alloc(options->query_count, sizeof *streaming->worker_queries);
    streaming->workers = must_alloc(options->worker_count, sizeof *streaming->workers);
    stop_init(&streaming->stop);
    if (!open_queries(streaming, options, err) || !start_workers(streaming, options, err) ||
        !start_cluster(streaming, options, err) || !start_lag_clock(streaming, err) ||
        !start_queries(streaming, err)) {
        lag_clock_stop(&streaming->lag_clock);
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
        if (query_status_read(&streaming->queries[i].query.report.status).is_active)
            return true;
    return false;
}

size_t streaming_query_count(const struct streaming *streaming) {
    return streaming->query_count;
}

struct query_snapshot streaming_query_status(struct streaming *streaming, size_t query) {
    check(query < streaming->query_count);
    return query_status_read(&streaming->queries[query].query.report.status);
}

struct query_view streaming_query_view(struct streaming *streaming, size_t index) {
    check(index < streaming->query_count);
    struct query *query = &streaming->queries[index].query;
    return (struct query_view){.options = query->definition.options,
                               .schema = &query->definition.schema,
                               .status = &query->report.status,
                               .history = &query->report.history,
                               .care = &query->report.care};
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
        memory.history +=
            (int64_t)query_history_memory(&streaming->queries[i].query.report.history);
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
    // Workers end last: a query waits for the tasks that it has out. Of several failures the first
    // is reported, as the others may follow from it.
    join_queries(streaming, streaming->query_count);
    lag_clock_stop(&streaming->lag_clock);
    stop_workers(streaming);
    const struct running_query *first = NULL;
    for (size_t i = 0; i < streaming->query_count; i++) {
        const struct running_query *query = &streaming->queries[i];
        if (query->failed && (first == NULL || query->failed_us < first->failed_us))
            first = query;
    }
    if (first != NULL)
        *err = first->error;
    streaming_free(streaming);
    return first == NULL;
}
