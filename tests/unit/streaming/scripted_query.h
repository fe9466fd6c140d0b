/* scripted_query.h: a query run by the native engine in the test's own thread. Its clock, broker
 * and crew are scripted. Its store is real, so plans and commits are on the disk. Calls of the disk
 * can be refused, or counted to let something happen at one of them.
 *
 * The clock advances only in sleeps (stop_sleep()) and while the crew does not answer. The events
 * are kept as text, with the milliseconds since the start:
 *
 *     "0 take 0:0-100; 10000 take 0:100-150 1:0-20"     the offsets of each task
 *     "0 list; 0 take 0:0-100"                          listings as well, with tell_listings
 *
 * A test sets `script` and calls script_run(). script_at() adds an event at a given time. */
#ifndef SCRIPTED_QUERY_H
#define SCRIPTED_QUERY_H

#include "store_fixture.h"

#include <sys/mman.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "base/text.h"
#include "streaming/native/native_engine.h"
#include "streaming/start/query_run.h"

enum { SCRIPT_PARTITIONS = 4, SCRIPT_EVENTS = 16, SCRIPT_ERRORS = 16, SCRIPT_SAID = 8192 };

enum { SCRIPT_LONGEST_MS = 24 * 3600 * 1000 };

/* When the script begins: a multiple of every interval up to 10 s. */
static const int64_t script_wall_ms = 1700000000000;

static struct fixture fixture;

static struct {
    /* the topic */
    size_t count;
    struct partition_offsets logs[SCRIPT_PARTITIONS]; // `high` 0: same as `end`
    bool absent, unreachable;
    char id[TOPIC_ID_MAX];
    bool tell_listings;
    int listings;
    void (*on_listing)(int number); // called before each listing, from 1
    int comparisons;                // how often records of the topic were asked for to compare them

    /* the errors of the next tasks, in order; later tasks take their records */
    struct error errors[SCRIPT_ERRORS];
    size_t error_count;
    bool silent;     // tasks are answered only when they are abandoned
    int64_t task_ms; // how long a task takes

    /* the disk: calls that create, write or rename something */
    const char *refused; // the disk is full for paths that contain this; NULL: none
    int calls;           // in this run
    int refuse_at;       // the call with this number, from 1, is refused
    int call_at;         // at the call with this number, on_call() is called
    void (*on_call)(void);

    /* at a time of the script */
    struct {
        int64_t at_ms;
        void (*happens)(void);
    } events[SCRIPT_EVENTS];
    size_t event_count;

    /* the query */
    struct query_options options;
    int64_t began_ms; // after script_wall_ms

    _Atomic int64_t now_us; // the caretaker reads it, too
    struct stop stop;
    struct query query;
    struct task *out; // the task that is not answered yet
    int64_t out_ms;   // when it was sent
    int64_t file_count;
    struct query_snapshot ended; // the status at the end
    int log;                     // file in memory with the log of this run
    char said[SCRIPT_SAID];
    size_t said_used;
} script;

/* ---- the clock ---- */

static inline int64_t script_now_ms(void) {
    return script.now_us / 1000;
}

static int64_t script_wall(void) {
    return script_wall_ms + script.began_ms + script_now_ms();
}

static int64_t script_monotonic(void) {
    return 1000000000 + script.now_us; // 0 means "never" to many
}

static inline void script_say(const char *format, ...) PRINTF_LIKE(1, 2);

static inline void script_say(const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    script.said_used =
        text_append(script.said, sizeof script.said, script.said_used, "%s%lld %s",
                    script.said_used > 0 ? "; " : "", (long long)script_now_ms(), text);
}

static inline void script_at(int64_t at_ms, void (*happens)(void)) {
    check(script.event_count < SCRIPT_EVENTS);
    script.events[script.event_count].at_ms = at_ms;
    script.events[script.event_count++].happens = happens;
}

/* Runs the events up to `until_ms`, in the order in which they were set. */
static inline void script_pass(int64_t until_ms) {
    if (until_ms > SCRIPT_LONGEST_MS)
        fail_msg("the query does not end: %s", script.said);
    for (size_t i = 0; i < script.event_count; i++) {
        if (script.events[i].happens == NULL || script.events[i].at_ms > until_ms)
            continue;
        void (*happens)(void) = script.events[i].happens;
        script.events[i].happens = NULL;
        if (script.events[i].at_ms > script_now_ms())
            script.now_us = script.events[i].at_ms * 1000;
        happens();
        if (stop_read(&script.stop) != STOP_NOT)
            return;
    }
    script.now_us = until_ms * 1000;
}

static bool script_sleep(struct stop *stop, int64_t ms) {
    if (stop_read(stop) == STOP_NOT)
        script_pass(script_now_ms() + ms);
    return stop_read(stop) != STOP_NOT;
}

static inline void script_stop(void) {
    stop_request(&script.stop, STOP_AFTER_BATCH);
}

static inline void script_stop_now(void) {
    stop_request(&script.stop, STOP_NOW);
}

/* ---- the broker ---- */

/* A topic with this many records in each partition. */
static inline void script_topic(size_t count, const int64_t *ends) {
    script.count = count;
    for (size_t i = 0; i < count; i++)
        script.logs[i] = (struct partition_offsets){.partition = (int32_t)i, .end = ends[i]};
}

#define SCRIPT_TOPIC(...)                                                                          \
    script_topic(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

static bool script_list(struct broker *broker, const char *topic, int timeout_ms,
                        struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)timeout_ms;
    if (script.tell_listings)
        script_say("list");
    if (script.on_listing != NULL)
        script.on_listing(++script.listings);
    if (script.unreachable)
        return error_set(err, ERROR_BROKER, "no broker reached");
    if (script.absent)
        return error_set(err, ERROR_NO_TOPIC, "topic '%s' does not exist", topic);
    *offsets = (struct topic_offsets){.count = script.count};
    offsets->partitions = must_alloc(script.count + 1, sizeof *offsets->partitions);
    for (size_t i = 0; i < script.count; i++) {
        offsets->partitions[i] = script.logs[i];
        offsets->partitions[i].high = BROKER_NOT_ASKED;
    }
    return true;
}

static bool script_list_high(struct broker *broker, const char *topic, int timeout_ms,
                             struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)topic, (void)timeout_ms, (void)err;
    for (size_t i = 0; i < offsets->count; i++)
        offsets->partitions[i].high =
            script.logs[i].high == 0 ? script.logs[i].end : script.logs[i].high;
    return true;
}

static bool script_find_id(struct broker *broker, const char *topic, int timeout_ms,
                           struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)topic, (void)timeout_ms, (void)err;
    memcpy(offsets->id, script.id, sizeof script.id);
    return true;
}

/* For record_check(): no record can be compared because the table's files have none. */
static void script_close_source(struct source *source) {
    (void)source;
}

static bool script_open_source(struct broker *broker, struct source_memory memory,
                               struct source **source, struct error *err) {
    static const struct source_ops ops = {.close = script_close_source};
    static struct source none = {&ops};
    (void)broker, (void)memory, (void)err;
    *source = &none;
    script.comparisons++;
    return true;
}

static inline struct broker *script_broker(void) {
    static const struct broker_ops ops = {.list_offsets = script_list,
                                          .list_high = script_list_high,
                                          .find_id = script_find_id,
                                          .open_source = script_open_source};
    static struct broker broker = {&ops};
    return &broker;
}

/* ---- the crew ---- */

static void script_send(struct crew *crew, struct task *task) {
    (void)crew;
    char text[300] = "take";
    size_t used = strlen(text);
    for (size_t i = 0; i < task->range_count; i++)
        used = text_append(text, sizeof text, used, " %d:%lld-%lld", task->ranges[i].partition,
                           (long long)task->ranges[i].start, (long long)task->ranges[i].end);
    script_say("%s", text);
    script.out = task;
    script.out_ms = script_now_ms();
}

/* One file with all rows, if there are any; the store never looks inside. */
static inline bool script_stage(struct task *task) {
    int64_t sum = 0;
    for (size_t i = 0; i < task->range_count; i++) {
        int64_t rows = task->ranges[i].end - task->ranges[i].start;
        task->outcomes[i] = (struct range_outcome){.range = task->ranges[i]};
        range_outcome_set_records(&task->outcomes[i], rows);
        sum += rows;
    }
    if (sum == 0)
        return true;
    struct data_file file = fixture_file(script.file_count++, "status=live", 0, "rows");
    file.rows = sum;
    file_list_add(&task->files, file);
    return fixture_stage(task->staging, file.staged, "rows", &task->error);
}

static inline void script_answer(struct task *task) {
    if (script.error_count == 0) {
        task->done = script_stage(task);
        return;
    }
    task->error = script.errors[0];
    memmove(&script.errors[0], &script.errors[1], --script.error_count * sizeof script.errors[0]);
}

static inline bool script_is_busy(void) {
    return script.silent || script_now_ms() < script.out_ms + script.task_ms;
}

static struct task *script_receive(struct crew *crew, int64_t timeout_ms) {
    (void)crew;
    struct task *task = script.out;
    bool abandoned = atomic_load(task->abandon);
    if (!abandoned && script_is_busy()) {
        int64_t left_ms = script.out_ms + script.task_ms - script_now_ms();
        script_pass(script_now_ms() +
                    (script.silent || left_ms > timeout_ms ? timeout_ms : left_ms));
        if (script_is_busy())
            return NULL;
    }
    script.out = NULL;
    if (script_is_busy())
        (void)error_set(&task->error, ERROR_STOPPED, "abandoned");
    else
        script_answer(task);
    return task;
}

static int64_t script_signs(struct crew *crew, const struct task *task) {
    (void)crew, (void)task;
    return 0;
}

static bool script_waits_for(struct crew *crew, const struct task *task, struct error *cause) {
    (void)crew, (void)task, (void)cause;
    return false;
}

static inline struct crew *script_crew(void) {
    static const struct crew_ops ops = {script_send, script_receive, script_signs,
                                        script_waits_for};
    static struct crew crew = {&ops, 1};
    return &crew;
}

/* The next tasks that are answered end with this. */
static inline void script_fail(enum error_kind kind, const char *message) {
    check(script.error_count < SCRIPT_ERRORS);
    (void)error_set(&script.errors[script.error_count++], kind, "%s", message);
}

/* ---- the disk ---- */

/* The store's upkeep has its own thread. Its calls are not steps of the query. */
static pthread_t script_thread;

static bool script_call(const char *path) {
    if (!pthread_equal(pthread_self(), script_thread))
        return true;
    if (++script.calls == script.call_at)
        script.on_call();
    if (script.calls != script.refuse_at &&
        (script.refused == NULL || strstr(path, script.refused) == NULL))
        return true;
    errno = ENOSPC;
    return false;
}

static int script_open(const char *path, int flags, mode_t mode) {
    return (flags & O_CREAT) == 0 || script_call(path) ? disk_real.open(path, flags, mode) : -1;
}

static int script_rename_new(const char *from, const char *to) {
    return script_call(to) ? disk_real.rename_new(from, to) : -1;
}

static int script_mkdir(const char *path, mode_t mode) {
    return script_call(path) ? disk_real.mkdir(path, mode) : -1;
}

/* ---- the query ---- */

/* Runs the query once, to its end. The next run continues from what is on the disk. */
static inline bool script_run(struct error *err) {
    struct query *query = &script.query;
    script.now_us = 0;
    script.calls = 0;
    check(ftruncate(script.log, 0) == 0 && lseek(script.log, 0, SEEK_SET) == 0);
    script.said_used = 0;
    script.said[0] = '\0';
    stop_init(&script.stop);
    script.stop.sleep = script_sleep;
    bool ok =
        query_init(query, &script.options, script_broker(), script_crew(), &script.stop, err) &&
        query_run(query, native_engine_create(query), NULL, err);
    script.ended = query_status_read(&query->report.status);
    query_deinit(query);
    stop_deinit(&script.stop);
    return ok;
}

static inline void must_run(const char *expected) {
    struct error err = {0};
    if (!script_run(&err))
        fail_msg("the query: %s", err.message);
    assert_string_equal(script.said, expected);
}

/* The query ends with an error of this kind that contains `text`. */
static inline void must_fail(enum error_kind kind, const char *text, const char *expected) {
    struct error err = {0};
    assert_false(script_run(&err));
    if (err.kind != kind || strstr(err.message, text) == NULL)
        fail_msg("not '%s': %s", text, err.message);
    assert_string_equal(script.said, expected);
}

/* How often the log contains `text`. */
static inline int script_logged(const char *text) {
    static char log[1 << 18];
    ssize_t size = pread(script.log, log, sizeof log - 1, 0);
    check(size >= 0 && (size_t)size < sizeof log - 1);
    log[size] = '\0';
    int count = 0;
    for (const char *at = strstr(log, text); at != NULL; at = strstr(at + 1, text))
        count++;
    return count;
}

/* ---- what is on the disk ---- */

static size_t script_files;

static int script_count_file(const char *path, const struct stat *status, int type,
                             struct FTW *at) {
    (void)path, (void)status, (void)at;
    script_files += type == FTW_F && strstr(path, ".parquet") != NULL;
    return 0;
}

/* The time of a committed batch's plan. */
static inline int64_t script_planned_ms(int64_t batch) {
    struct store *store = NULL;
    struct manifest manifest = {0};
    struct error err = {0};
    if (!recovery_open(&script.options.store, &store, &err) ||
        !store_read_manifest(store, batch, &manifest, &err))
        fail_msg("%s", err.message);
    int64_t planned_ms = manifest.timestamp_ms;
    manifest_deinit(&manifest);
    store_close(store);
    return planned_ms;
}

/* Adds the ranges of a manifest, which must begin at the ends so far. */
static inline size_t script_add_manifest(const struct store *store, int64_t batch, int64_t *ends) {
    struct manifest manifest = {0};
    struct error err = {0};
    if (!store_read_manifest(store, batch, &manifest, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < manifest.outcome_count; i++) {
        const struct range_outcome *outcome = &manifest.outcomes[i];
        assert_int_equal(outcome->range.start, ends[outcome->range.partition]);
        assert_int_equal(outcome->rows, outcome->range.end - outcome->range.start);
        ends[outcome->range.partition] = outcome->range.end;
    }
    size_t files = manifest.files.count;
    manifest_deinit(&manifest);
    return files;
}

/* Each record of partition i up to offset expected[i] is in exactly one batch, and the table has no
 * other files. */
static inline void assert_taken_once(size_t count, const int64_t *expected) {
    struct store *store = NULL;
    struct recovery recovery = {0};
    struct error err = {0};
    int64_t ends[SCRIPT_PARTITIONS] = {0};
    size_t files = 0;
    if (!recovery_open(&script.options.store, &store, &err) || !recover(store, &recovery, &err))
        fail_msg("%s", err.message);
    assert_false(recovery.has_open_plan);
    for (int64_t batch = 0; batch < recovery.next_batch; batch++)
        files += script_add_manifest(store, batch, ends);
    recovery_deinit(&recovery);
    store_close(store);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ends[i], expected[i]);
    script_files = 0;
    (void)nftw(fixture.table, script_count_file, 16, FTW_PHYS);
    assert_int_equal(script_files, files);
}

#define ASSERT_TAKEN_ONCE(...)                                                                     \
    assert_taken_once(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

/* ---- set up ---- */

static const struct clock_ops *script_real_clock;
static struct disk_ops script_disk;

static inline int script_set_up(void **state) {
    static const struct clock_ops clock = {script_wall, script_monotonic};
    (void)state;
    fixture_init(&fixture);
    memset(&script, 0, sizeof script);
    script.log = memfd_create("log", MFD_CLOEXEC);
    check(script.log >= 0);
    log_output_set(script.log);
    script.options = (struct query_options){.stream = stream_of("matches"),
                                            .store = fixture.options,
                                            .starting_offsets = "earliest",
                                            .parse_mode = PARSE_REJECT,
                                            .time_zone = "UTC",
                                            .parquet = {.codec = CODEC_SNAPPY},
                                            .kafka_startup_timeout_ms = 5000,
                                            .write_retry_timeout_ms = 5000,
                                            .lag_interval_ms = 10000,
                                            .care = {.target_size = 128 << 20}};
    script_real_clock = clock_source;
    clock_source = &clock;
    script_thread = pthread_self();
    script_disk = disk_real;
    script_disk.open = script_open;
    script_disk.rename_new = script_rename_new;
    script_disk.mkdir = script_mkdir;
    disk = &script_disk;
    return 0;
}

static inline int script_tear_down(void **state) {
    (void)state;
    clock_source = script_real_clock;
    disk = &disk_real;
    log_output_set(STDOUT_FILENO);
    close(script.log);
    fixture_clear(&fixture);
    return 0;
}

#endif
