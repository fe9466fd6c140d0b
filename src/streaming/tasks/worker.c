/* The ranges of a task are read one after the other. Records become rows of a slice, which goes to
 * the sink when it is full. When the texts of a record don't fit, the slice is handed on before it
 * was full; a record that doesn't fit into an empty slice gets more room. Rejects have a sink of
 * their own, which the first one opens.
 *
 * What must stay true: each offset of a range is a row, a reject or absent, and is counted as one
 * of them. A task that fails leaves no staged file. Between two records the worker checks whether
 * the batch was aborted, and no wait for a record is longer than READ_TIMEOUT_MS. */
#include "streaming/tasks/worker.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log/log.h"
#include "base/system/thread.h"
#include "pipeline/sink/reject_table.h"
#include "pipeline/sink/sink_parquet.h"

enum { READ_TIMEOUT_MS = 100 };

/* A slice of rows is as large as still stays in cache; with little memory it is smaller. */
enum { ROWS_FEW = 512 };
static const size_t memory_for_large_slices = 64 << 20;

/* Without a task for so long, the source stops asking the broker for more. */
enum { REST_AFTER_MS = 1000 };

/* How often a source is tended while it rests. */
enum { TEND_EVERY_MS = 10000 };

/* The most that a task's sink may hold in encoded form before it closes a row group: with about 80
 * bytes a row, 200,000 rows. */
static const size_t sink_memory_max = 16 << 20;

/* One task under way. */
struct task_run {
    struct worker *worker;
    const struct worker_query *query;
    struct row_maker *maker;
    struct task *task;
    struct sink_options sink_options;
    struct sink *sink;
    struct reject_sink *rejects; // NULL until the first reject
    struct range_outcome *outcome;
    struct stage_clock clock;
    int64_t sink_wrote_ns;   // how long the sink has waited for the disk so far
    int64_t derive_began_ns; // of rows that are being computed
};

/* A call to the sink is over: its time is encoding, except the time that it waited for the disk. */
static void count_sink_time(struct task_run *run, int64_t began_ns) {
    int64_t wrote_ns = sink_write_ns(run->sink) - run->sink_wrote_ns;
    run->sink_wrote_ns += wrote_ns;
    run->clock.ns[STAGE_WRITE] += wrote_ns;
    run->clock.ns[STAGE_ENCODE] += clock_stopwatch_ns() - began_ns - wrote_ns;
}

/* Per slice, where the column lies in cache and costs less than a nanosecond a row. */
static void note_timestamps(struct task_run *run, const struct rows *rows) {
    const struct vector *timestamp = &rows->columns[run->query->schema->kafka_timestamp];
    int64_t oldest = INT64_MAX, newest = INT64_MIN;
    for (size_t i = 0; i < rows->count; i++) {
        int64_t value = timestamp->int64s[i];
        if (value <= 0) // no clock's: the record has none, or a made-up one
            continue;
        oldest = value < oldest ? value : oldest;
        newest = value > newest ? value : newest;
    }
    if (oldest > newest)
        return;
    tally_note_timestamp(&run->task->tally, oldest / 1000);
    tally_note_timestamp(&run->task->tally, newest / 1000);
}

/* Takes the rows that a slice of records has become. Since the sink was left, or the slice was
 * begun, they have been computed. */
static bool append_rows(void *context, struct rows *rows, struct error *err) {
    struct task_run *run = context;
    int64_t began_ns = clock_stopwatch_ns();
    run->clock.ns[STAGE_DERIVE] += began_ns - run->derive_began_ns;
    note_timestamps(run, rows);
    bool appended = sink_append(run->sink, rows, err);
    count_sink_time(run, began_ns);
    // Relaxed: a number for display; nothing else hangs on it.
    atomic_store_explicit(&run->worker->encoded, sink_memory(run->sink), memory_order_relaxed);
    run->derive_began_ns = clock_stopwatch_ns();
    return appended;
}

/* How many rows the records of the slice have. */
static void note_records(struct task_run *run) {
    const struct rows *rows = &run->maker->rows;
    const struct schema *schema = run->query->schema;
    for (size_t i = 0; i < rows->count && run->task->wants_records; i++) {
        struct record_rows *record = &run->task->records[run->task->record_count++];
        *record = (struct record_rows){.partition = rows->columns[schema->partition].int32s[i],
                                       .offset = rows->columns[schema->offset].int64s[i]};
        row_maker_count_record(run->maker, i, &record->exploded, &record->rows);
    }
}

static bool flush_rows(struct task_run *run, struct error *err) {
    bool written = true;
    if (run->maker->rows.count > 0) {
        run->derive_began_ns = clock_stopwatch_ns();
        written = row_maker_flush(run->maker, run->worker->memory_max, run->outcome,
                                  run->task->rejects_only ? NULL : append_rows, run, err);
        if (written)
            note_records(run);
        run->clock.ns[STAGE_DERIVE] += clock_stopwatch_ns() - run->derive_began_ns;
    }
    row_maker_reset(run->maker);
    return written;
}

static bool reject_record(struct task_run *run, const struct record *record,
                          const struct reject *reject, struct error *err) {
    run->outcome->rejects++;
    if (run->query->parse_mode == PARSE_FAILFAST)
        return error_set(
            err, ERROR_RECORD,
            "the record at topic %s, partition %" PRId32 ", offset %" PRId64
            " cannot become a row: %s (%s, byte %zu); PARSE_MODE=failfast stops here: fix the "
            "producer, or set PARSE_MODE=reject to write such records to the rejects table",
            run->query->topic, record->partition, record->offset, reject->detail,
            reject_reason_name(reject->reason), reject->position);
    if (run->rejects == NULL) {
        struct sink_options options = run->sink_options;
        options.staging_directory = run->task->reject_staging;
        run->rejects =
            reject_sink_create(run->query->topic, run->task->batch_timestamp_ms, &options);
    }
    log_write(LOG_DEBUG, run->query->name,
              "Record rejected | topic=%s | partition=%" PRId32 " | offset=%" PRId64
              " | reason=%s | detail=%s | position=%zu",
              run->query->topic, record->partition, record->offset,
              reject_reason_name(reject->reason), reject->detail, reject->position);
    tally_note_reject(&run->task->tally, record, reject, run->task->batch_timestamp_ms);
    bool appended = reject_sink_append(run->rejects, record, reject, err);
    stage_clock_lap(&run->clock, STAGE_ENCODE);
    return appended;
}

static bool take_record(struct task_run *run, const struct record *record, struct error *err) {
    struct rows *rows = &run->maker->rows;
    run->task->tally.bytes += (int64_t)record->value_size;
    struct reject reject;
    enum decode_result result = row_maker_make(run->maker, record, &run->clock, &reject);
    // Each round makes room: the slice is handed on, or, if it is empty already, made larger.
    while (result == DECODE_FULL) {
        if (!(rows->count > 0 ? flush_rows(run, err)
                              : row_maker_grow(run->maker, record, run->worker->memory_max, err)))
            return false;
        result = row_maker_make(run->maker, record, &run->clock, &reject);
    }
    if (result == DECODE_REJECT)
        return reject_record(run, record, &reject, err);
    if (run->task->rejects_only)
        decoder_uncount_row(run->maker->decoder, false);
    rows->count++;
    if (!row_maker_counts_by_range(run->maker)) {
        run->outcome->records++;
        run->outcome->exploded++;
        run->outcome->rows++;
    }
    return rows->count < rows->capacity || flush_rows(run, err);
}

/* The worker alone writes it, so that no locked instruction is needed. */
static void give_sign(struct worker *worker) {
    int64_t signs = atomic_load_explicit(&worker->signs, memory_order_relaxed);
    atomic_store_explicit(&worker->signs, signs + 1, memory_order_relaxed);
}

int64_t worker_signs(const struct worker *worker) {
    return atomic_load_explicit(&worker->signs, memory_order_relaxed);
}

static void note_wait(struct worker *worker, const struct error *cause) {
    pthread_mutex_lock(&worker->lock);
    worker->waits_for = *cause;
    pthread_mutex_unlock(&worker->lock);
}

bool worker_waits_for(struct worker *worker, struct error *cause) {
    pthread_mutex_lock(&worker->lock);
    *cause = worker->waits_for;
    pthread_mutex_unlock(&worker->lock);
    return cause->kind != ERROR_NONE;
}

static bool read_range(struct task_run *run, struct error *err) {
    struct source *source = run->worker->source;
    struct record record;
    for (;;) {
        give_sign(run->worker);
        if (atomic_load_explicit(run->task->abandon, memory_order_relaxed))
            return error_set(err, ERROR_STOPPED, "the batch was aborted");
        switch (source->ops->read(source, &record, READ_TIMEOUT_MS, err)) {
        case SOURCE_RECORD:
            if (!take_record(run, &record, err))
                return false;
            // Relaxed: read alone, for display only.
            atomic_fetch_add_explicit(run->query->records_read, 1, memory_order_relaxed);
            break;
        case SOURCE_END:
            return true;
        case SOURCE_WAIT:
            note_wait(run->worker, err);
            break;
        case SOURCE_FAILED:
            return false;
        }
    }
}

static bool run_range(struct task_run *run, struct offset_range range, struct error *err) {
    struct source *source = run->worker->source;
    *run->outcome = (struct range_outcome){.range = range};
    if (range.start == range.end)
        return true;
    if (!source->ops->open_range(source, run->query->topic, range, err))
        return false;
    if (!read_range(run, err)) {
        source->ops->abandon_range(source);
        return false;
    }
    if (row_maker_counts_by_range(run->maker) && !flush_rows(run, err))
        return false;
    struct range_outcome *outcome = run->outcome;
    // Offsets without a record: compacted, aborted, or a transaction's marker.
    outcome->absent = range.end - range.start - outcome->records - outcome->rejects -
                      outcome->empty - outcome->filtered;
    check(outcome->absent >= 0);
    return true;
}

static bool finish_files(struct task_run *run, struct error *err) {
    int64_t began_ns = clock_stopwatch_ns();
    bool finished = sink_finish(run->sink, &run->task->files, err);
    count_sink_time(run, began_ns);
    if (!finished || run->rejects == NULL)
        return finished;
    began_ns = clock_stopwatch_ns();
    finished = reject_sink_finish(run->rejects, &run->task->rejects, err);
    run->clock.ns[STAGE_WRITE] += clock_stopwatch_ns() - began_ns;
    return finished;
}

static bool run_ranges(struct task_run *run, struct error *err) {
    struct source *source = run->worker->source;
    source->ops->expect_ranges(source, run->query->topic, run->task->ranges,
                               run->task->range_count);
    for (size_t i = 0; i < run->task->range_count; i++) {
        run->outcome = &run->task->outcomes[i];
        if (!run_range(run, run->task->ranges[i], err))
            return false;
    }
    return flush_rows(run, err) && finish_files(run, err);
}

static void run_task(struct worker *worker, struct task *task) {
    const struct worker_query *query = &worker->queries[task->query];
    struct task_run run = {
        .worker = worker, .query = query, .maker = &worker->makers[task->query], .task = task};
    run.sink_options = (struct sink_options){
        .staging_directory = task->staging,
        .schema = query->schema,
        .partition_columns = query->partition_columns,
        .partition_column_count = query->partition_column_count,
        .parquet = query->parquet,
        .task = task->number,
        .memory_max =
            worker->memory_max / 2 < sink_memory_max ? worker->memory_max / 2 : sink_memory_max};
    run.sink = sink_create(&run.sink_options);
    run.maker->batch_time_ms = task->batch_timestamp_ms;
    run.maker->abandon = task->abandon;
    run.maker->decoder->counts = (struct decode_counts){0};

    stage_clock_start(&run.clock);
    task->done = run_ranges(&run, &task->error);
    stage_clock_stop(&run.clock);
    memcpy(task->tally.stage_ns, run.clock.ns, sizeof run.clock.ns);
    decode_counts_add(&task->tally.counts, &run.maker->decoder->counts);
    row_maker_reset(run.maker);
    if (run.rejects != NULL)
        reject_sink_destroy(run.rejects);
    sink_destroy(run.sink);
    atomic_store_explicit(&worker->encoded, 0, memory_order_relaxed);
    note_wait(worker, &(struct error){0});
}

/* NULL: the mailbox was closed. */
static struct task *next_task(struct worker *worker) {
    // Not at once: with a short trigger the next task comes soon, and its records are on their way.
    struct message *message = mailbox_receive(&worker->tasks, REST_AFTER_MS);
    if (message == NULL) {
        const struct source_ops *ops = worker->source->ops;
        ops->rest(worker->source);
        if (ops->tend == NULL)
            return (struct task *)mailbox_receive(&worker->tasks, -1);
        while ((message = mailbox_receive(&worker->tasks, TEND_EVERY_MS)) == NULL &&
               !mailbox_is_closed(&worker->tasks))
            ops->tend(worker->source);
    }
    return (struct task *)message;
}

static void *worker_main(void *argument) {
    struct worker *worker = argument;
    struct task *task;
    (void)pthread_setname_np(pthread_self(), "worker"); // only for people
    while ((task = next_task(worker)) != NULL) {
        run_task(worker, task);
        mailbox_send(task->reply, &task->message);
    }
    return NULL;
}

static bool make_ready(struct worker *worker, struct error *err) {
    size_t capacity = worker->memory_max < memory_for_large_slices ? ROWS_FEW : ROWS_CAPACITY;
    for (size_t i = 0; i < worker->query_count; i++)
        if (!row_maker_init(&worker->makers[i], &worker->queries[i], capacity, err))
            return false;
    return thread_start(&worker->thread, worker_main, worker, "cannot start a worker thread", err);
}

/* Its thread has ended, or was never started. */
static void worker_free(struct worker *worker) {
    mailbox_deinit(&worker->tasks);
    pthread_mutex_destroy(&worker->lock);
    for (size_t i = 0; i < worker->query_count; i++)
        row_maker_deinit(&worker->makers[i]);
    free(worker->makers);
    worker->source->ops->close(worker->source);
    *worker = (struct worker){0};
}

bool worker_start(struct worker *worker, struct source *source, const struct worker_query *queries,
                  size_t query_count, size_t memory_max, struct error *err) {
    *worker = (struct worker){
        .source = source, .queries = queries, .query_count = query_count, .memory_max = memory_max};
    worker->makers = must_alloc(query_count, sizeof *worker->makers);
    mailbox_init(&worker->tasks);
    check(pthread_mutex_init(&worker->lock, NULL) == 0);
    if (make_ready(worker, err))
        return true;
    worker_free(worker);
    return false;
}

void worker_stop(struct worker *worker) {
    mailbox_close(&worker->tasks);
    check(pthread_join(worker->thread, NULL) == 0);
    worker_free(worker);
}

size_t worker_rows_memory(const struct worker *worker) {
    size_t bytes = 0;
    for (size_t i = 0; i < worker->query_count; i++)
        bytes += row_maker_memory(&worker->makers[i]);
    return bytes;
}

/* ---- a query's crew ---- */

/* Queries start at different workers, so that two small batches run side by side. */
static struct worker *worker_of(const struct crew *crew, const struct task *task) {
    const struct worker_crew *self = (const struct worker_crew *)crew;
    return &self->workers[(self->query + task->number) % crew->size];
}

static void send(struct crew *crew, struct task *task) {
    struct worker_crew *self = (struct worker_crew *)crew;
    task->query = self->query;
    task->reply = &self->replies;
    mailbox_send(&worker_of(crew, task)->tasks, &task->message);
}

static struct task *receive(struct crew *crew, int64_t timeout_ms) {
    return (struct task *)mailbox_receive(&((struct worker_crew *)crew)->replies, timeout_ms);
}

static int64_t signs(struct crew *crew, const struct task *task) {
    return worker_signs(worker_of(crew, task));
}

static bool waits_for(struct crew *crew, const struct task *task, struct error *cause) {
    return worker_waits_for(worker_of(crew, task), cause);
}

void worker_crew_init(struct worker_crew *crew, struct worker *workers, size_t worker_count,
                      size_t query) {
    static const struct crew_ops ops = {send, receive, signs, waits_for};
    *crew = (struct worker_crew){.crew = {&ops, worker_count}, .workers = workers, .query = query};
    mailbox_init(&crew->replies);
}

void worker_crew_deinit(struct worker_crew *crew) {
    mailbox_deinit(&crew->replies);
}
