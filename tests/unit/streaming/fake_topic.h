/* fake_topic.h: a broker with one topic in memory, and a query on it. A test can cut the topic's
 * log, delete it and create it again. Each generation of the topic has a letter, which determines
 * the identifiers and timestamps of its records.
 *
 * The query's driver runs in the test's own thread, its tasks run on a worker thread. The clock
 * advances only while one of them waits: the driver in a sleep, or the worker for a record. It also
 * advances by one second after each run, so that plans differ in their timestamps. */
#ifndef FAKE_TOPIC_H
#define FAKE_TOPIC_H

#include "operate.h"

#include <poll.h>

#include "base/log/log.h"
#include "base/system/clock.h"
#include "streaming/native/native_engine.h"
#include "streaming/operations/replay.h"
#include "streaming/start/query_run.h"
#include "streaming/table/origin_reader.h"
#include "streaming/tasks/worker.h"
#include "streaming/verify/verify.h"

enum { FAKE_PARTITIONS = 4 };
static const int64_t first_ms = 1700000000000, generation_ms = 1000000;

struct fake_log {
    int64_t log_start;
    _Atomic int64_t end; // may be read by a worker, like `reach`
    int64_t high;        // 0: same as `end`
    char letter;         // of the records; 0: 'A'
    int64_t from;        // records from here on have the letter `later`,
    char later;          // unless it is 0
};

static struct {
    bool absent;
    bool unreachable; // no broker answers
    char id[TOPIC_ID_MAX];
    const char *cluster_id;       // NULL: none
    const char *starting_offsets; // NULL: earliest
    size_t count;
    struct fake_log logs[FAKE_PARTITIONS];
    _Atomic int64_t reach; // records are only sent up to here; 0: all
    int refusals;          // number of reads that fail
    bool silent;           // no records are sent
    int64_t compacted_to;  // there are no records below
    bool markers;          // every tenth offset is a transaction's marker, not a record
    bool one_time;         // all records have the same timestamp
    int high_refusals;     // number of times that high watermarks are unavailable
    int64_t limit;         // MAX_OFFSETS_PER_TRIGGER
    int listings;
    void (*on_listing)(int number); // called before each listing, from 1
    void (*on_open)(void);          // called on a worker thread, before a range is read
} fake;

static struct query *running; // NULL between runs

/* ---- the clock ---- */

static int64_t fake_began_ms;         // wall clock
static _Atomic int64_t fake_slept_us; // since then

static int64_t fake_wall(void) {
    return fake_began_ms + fake_slept_us / 1000;
}

static int64_t fake_monotonic(void) {
    return 1000000 + fake_slept_us; // 0 means "never" to many
}

static bool fake_sleep(struct stop *stop, int64_t ms) {
    if (stop_read(stop) == STOP_NOT)
        fake_slept_us += ms * 1000;
    return stop_read(stop) != STOP_NOT;
}

/* ---- the broker ---- */

static inline void fake_set(size_t count, char letter, const int64_t *ends) {
    fake.count = count;
    for (size_t i = 0; i < count; i++)
        fake.logs[i] = (struct fake_log){.end = ends[i], .letter = letter};
}

#define FAKE_SET(letter, ...)                                                                      \
    fake_set(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), letter, (int64_t[]){__VA_ARGS__})

static inline bool fake_list(struct broker *broker, const char *topic, int timeout_ms,
                             struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)timeout_ms;
    if (fake.on_listing != NULL)
        fake.on_listing(++fake.listings);
    if (fake.unreachable)
        return error_set(err, ERROR_BROKER, "topic '%s': no answer from Kafka", topic);
    if (fake.absent)
        return error_set(err, ERROR_NO_TOPIC, "topic '%s' does not exist", topic);
    *offsets = (struct topic_offsets){.count = fake.count};
    offsets->partitions = must_alloc(fake.count, sizeof *offsets->partitions);
    for (size_t i = 0; i < fake.count; i++)
        offsets->partitions[i] = (struct partition_offsets){(int32_t)i, fake.logs[i].log_start,
                                                            fake.logs[i].end, BROKER_NOT_ASKED};
    return true;
}

static inline bool fake_list_high(struct broker *broker, const char *topic, int timeout_ms,
                                  struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)topic, (void)timeout_ms;
    if (fake.high_refusals > 0) {
        fake.high_refusals--;
        return error_set(err, ERROR_BROKER, "no high watermarks");
    }
    for (size_t i = 0; i < offsets->count; i++)
        offsets->partitions[i].high = fake.logs[i].high == 0 ? fake.logs[i].end : fake.logs[i].high;
    return true;
}

static inline bool fake_cluster_id(struct broker *broker, char id[static KAFKA_CLUSTER_ID_MAX]) {
    (void)broker;
    if (fake.cluster_id != NULL)
        (void)snprintf(id, KAFKA_CLUSTER_ID_MAX, "%s", fake.cluster_id);
    return fake.cluster_id != NULL;
}

static inline bool fake_find_id(struct broker *broker, const char *topic, int timeout_ms,
                                struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)topic, (void)timeout_ms, (void)err;
    memcpy(offsets->id, fake.id, sizeof fake.id);
    return true;
}

struct fake_source {
    struct source source;
    struct offset_range range;
    char value[64];
};

static inline bool fake_open_range(struct source *source, const char *topic,
                                   struct offset_range range, struct error *err) {
    (void)topic, (void)err;
    if (fake.on_open != NULL)
        fake.on_open();
    ((struct fake_source *)source)->range = range;
    return true;
}

static inline enum source_status fake_read(struct source *source, struct record *record,
                                           int timeout_ms, struct error *err) {
    struct fake_source *self = (struct fake_source *)source;
    const struct fake_log *log = &fake.logs[self->range.partition];
    int64_t offset = self->range.start;
    *err = (struct error){0};
    for (; offset < fake.compacted_to && offset < self->range.end; self->range.start = offset)
        offset++;
    if (fake.markers && offset < self->range.end && offset % 10 == 9)
        offset = ++self->range.start;
    if (offset == self->range.end)
        return SOURCE_END;
    if (fake.absent) {
        (void)error_set(err, ERROR_BROKER, "the topic is gone");
        return SOURCE_FAILED;
    }
    if (fake.refusals > 0) {
        fake.refusals--;
        (void)error_set(err, ERROR_BROKER, "refused for a moment");
        return SOURCE_FAILED;
    }
    if (fake.silent || offset >= log->end || (fake.reach > 0 && offset >= fake.reach)) {
        (void)poll(NULL, 0, 1); // let the other thread run, too
        fake_slept_us += (int64_t)timeout_ms * 1000;
        return SOURCE_WAIT;
    }
    char letter = log->letter == 0 ? 'A' : log->letter;
    if (log->later != 0 && offset >= log->from)
        letter = log->later;
    int size =
        snprintf(self->value, sizeof self->value,
                 offset % 10 == 9 ? "%c%lld" : "{\"match_id\":\"%c%lld\",\"status\":\"live\"}",
                 letter, (long long)offset);
    *record = (struct record){
        .partition = self->range.partition,
        .offset = offset,
        .timestamp_ms =
            fake.one_time ? first_ms : first_ms + (letter - 'A') * generation_ms + offset,
        .value = self->value,
        .value_size = (size_t)size};
    self->range.start++;
    return SOURCE_RECORD;
}

static inline void fake_expect(struct source *source, const char *topic,
                               const struct offset_range *ranges, size_t count) {
    (void)source, (void)topic, (void)ranges, (void)count;
}

static inline void fake_rest(struct source *source) {
    (void)source;
}

static inline void fake_close_source(struct source *source) {
    free(source);
}

static inline bool fake_open_source(struct broker *broker, struct source_memory memory,
                                    struct source **source, struct error *err) {
    static const struct source_ops ops = {.expect_ranges = fake_expect,
                                          .open_range = fake_open_range,
                                          .read = fake_read,
                                          .abandon_range = fake_rest,
                                          .rest = fake_rest,
                                          .close = fake_close_source};
    (void)broker, (void)memory, (void)err;
    struct fake_source *self = must_alloc(1, sizeof *self);
    self->source.ops = &ops;
    *source = &self->source;
    return true;
}

static inline void fake_close(struct broker *broker) {
    (void)broker;
}

static inline struct broker *fake_broker(void) {
    static const struct broker_ops ops = {.list_offsets = fake_list,
                                          .list_high = fake_list_high,
                                          .cluster_id = fake_cluster_id,
                                          .find_id = fake_find_id,
                                          .open_source = fake_open_source,
                                          .close = fake_close};
    static struct broker broker = {&ops};
    return &broker;
}

/* ---- a query on the topic ---- */

static inline struct query_options fake_query(bool fail_on_data_loss, bool available_now) {
    return (struct query_options){
        .stream = stream_of("matches"),
        .store = fixture.options,
        .trigger = {.available_now = available_now},
        .max_offsets_per_trigger = fake.limit,
        .starting_offsets = fake.starting_offsets == NULL ? "earliest" : fake.starting_offsets,
        .fail_on_data_loss = fail_on_data_loss,
        .parse_mode = PARSE_REJECT,
        .time_zone = "UTC",
        .parquet = {.codec = CODEC_SNAPPY},
        .kafka_startup_timeout_ms = 1000,
        .write_retry_timeout_ms = 1000,
        .lag_interval_ms = 10000,
        .care = {.target_size = 128 << 20},
    };
}

/* Runs the query with a worker for its tasks. */
static inline bool fake_run_query(struct query *query, struct worker *worker, struct error *err) {
    struct worker_query work = micro_batch_work(&query->definition, &query->report);
    struct source *source;
    if (!fake_open_source(fake_broker(), (struct source_memory){0}, &source, err) ||
        !worker_start(worker, source, &work, 1, 200 << 20, err))
        return false;
    running = query;
    bool ok = query_run(query, native_engine_create(query), NULL, err);
    running = NULL;
    worker_stop(worker);
    return ok || err->kind == ERROR_STOPPED;
}

static inline bool fake_run(bool fail_on_data_loss, bool available_now, struct error *err) {
    const struct query_options options = fake_query(fail_on_data_loss, available_now);
    struct query query;
    struct worker worker;
    struct worker_crew crew;
    struct stop stop;
    fake.listings = 0;
    stop_init(&stop);
    stop.sleep = fake_sleep;
    worker_crew_init(&crew, &worker, 1, 0);
    bool ok = query_init(&query, &options, fake_broker(), &crew.crew, &stop, err) &&
              fake_run_query(&query, &worker, err);
    query_deinit(&query);
    worker_crew_deinit(&crew);
    stop_deinit(&stop);
    fake.on_listing = NULL;
    fake_slept_us += 1000000;
    return ok;
}

/* Takes everything in the topic, with FAIL_ON_DATA_LOSS=false. */
static inline void must_take(void) {
    struct error err = {0};
    if (!fake_run(false, true, &err))
        fail_msg("the query: %s", err.message);
}

/* Runs until on_listing() requests a stop. */
static inline void must_follow(void (*on_listing)(int number)) {
    struct error err = {0};
    fake.on_listing = on_listing;
    if (!fake_run(false, false, &err))
        fail_msg("the query: %s", err.message);
}

static inline void assert_refused(const char *why) {
    struct error err = {0};
    assert_false(fake_run(true, true, &err));
    if (err.kind != ERROR_DATA_LOSS || strstr(err.message, why) == NULL ||
        strstr(err.message, "FAIL_ON_DATA_LOSS=false") == NULL)
        fail_msg("expected '%s', not: %s", why, err.message);
}

/* With FAIL_ON_DATA_LOSS, the query stops. The next start stops again and changes nothing. */
static inline void assert_data_loss(const char *why, const char *why_again) {
    assert_refused(why);
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    assert_refused(why_again);
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_string_equal(before, after);
}

/* Replays all rejects, so that they become rows. */
static inline void must_replay(int64_t rows) {
    struct error err = {0};
    struct query_options query = fake_query(false, true);
    query.parse_mode = PARSE_PERMISSIVE;
    const struct replay_options options = {.query = &query, .memory_max = 256 << 20};
    struct replay_report report;
    scoped(scope_free) char *said = NULL;
    size_t size;
    FILE *out = open_memstream(&said, &size);
    check(out != NULL);
    bool ok = operation_replay(&options, &report, out, &err);
    check(fclose(out) == 0);
    if (!ok)
        fail_msg("the replay: %s", err.message);
    assert_int_equal(report.rows, rows);
}

/* ---- the results ---- */

static struct {
    int64_t by_letter[26]; // rows and rejects
} seen;

static inline void seen_rows(void *context, const struct origin_rows *rows) {
    (void)context;
    for (size_t i = 0; i < rows->count; i++)
        seen.by_letter[(rows->kafka_timestamp->int64s[i] / 1000 - first_ms) / generation_ms]++;
}

static inline int seen_file(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)at;
    size_t length = strlen(path);
    struct error err = {0};
    const struct origin_visitor visitor = {.wants_times = true, .rows = seen_rows};
    if (type == FTW_F && length > 8 && strcmp(path + length - 8, ".parquet") == 0 &&
        !origin_read(path, 1 << 20, &visitor, &err))
        fail_msg("%s", err.message);
    return 0;
}

static inline void assert_seen(char letter, int64_t count) {
    memset(&seen, 0, sizeof seen);
    (void)nftw(fixture.table, seen_file, 16, FTW_PHYS);
    (void)nftw(fixture.rejects, seen_file, 16, FTW_PHYS);
    if (seen.by_letter[letter - 'A'] != count)
        fail_msg("%lld records of %c, not %lld", (long long)seen.by_letter[letter - 'A'], letter,
                 (long long)count);
}

static inline void fake_verify(struct verify_report *report) {
    struct error err = {0};
    const struct verify_options options = {.store = &fixture.options,
                                           .broker = fake_broker(),
                                           .memory_max = 64 << 20,
                                           .workers = 1,
                                           .timeout_ms = 1000};
    if (!verify_run(&options, report, &err))
        fail_msg("verify: %s", err.message);
    for (size_t kind = 0; kind < VERIFY_LOST; kind++)
        for (size_t i = 0; i < report->texts[kind].count && i < VERIFY_TEXTS_MAX; i++)
            print_message("said: %s\n", report->texts[kind].texts[i]);
}

/* What verify must report, per incarnation and partition:
 * "incarnation/partition: start..end=rows+rejects-lost; …". */
static inline void assert_verified(const char *expected) {
    struct verify_report report;
    scoped(scope_free) char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    fake_verify(&report);
    assert_int_equal(verify_faults(&report), 0);
    for (size_t i = 0; i < report.partition_count; i++) {
        const struct verify_partition *at = &report.partitions[i];
        assert_int_equal(at->missing + at->unproven + at->absent + at->duplicates, 0);
        (void)fprintf(out, "%s%d/%d: %lld..%lld=%lld+%lld", i > 0 ? "; " : "", at->incarnation,
                      at->partition, (long long)at->start, (long long)at->end, (long long)at->rows,
                      (long long)at->rejects);
        if (at->lost > 0)
            (void)fprintf(out, "-%lld", (long long)at->lost);
    }
    check(fclose(out) == 0);
    verify_report_deinit(&report);
    assert_string_equal(text, expected);
}

static const struct clock_ops *fake_real_clock;

static inline int fake_set_up(void **state) {
    static const struct clock_ops clock = {fake_wall, fake_monotonic};
    (void)state;
    log_configure(LOG_CRITICAL + 1, false);
    fixture_init(&fixture);
    memset(&fake, 0, sizeof fake);
    fake_began_ms = clock_wall_ms();
    fake_slept_us = 0;
    fake_real_clock = clock_source;
    clock_source = &clock;
    return 0;
}

static inline int fake_tear_down(void **state) {
    (void)state;
    clock_source = fake_real_clock;
    fixture_clear(&fixture);
    return 0;
}

#endif
