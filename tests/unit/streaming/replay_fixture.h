/* replay_fixture.h: a query on a capture, some of whose lines are rejects, and replays of them. */
#ifndef REPLAY_FIXTURE_H
#define REPLAY_FIXTURE_H

#include "operate.h"

#include "base/log/log.h"
#include "streaming/operations/replay.h"
#include "streaming/start/streaming.h"
#include "streaming/verify/verify.h"

static char capture[300];

/* Partition 0 has two rows, four rejects that PARSE_MODE=permissive makes rows of, and two that it
 * does not; partition 1 a row, and a reject that becomes one. */
static const char *const first_lines[] = {
    "{\"match_id\":\"a\",\"status\":\"live\"}\n{\"match_id\":\n \n{\"status\":\"live\"}\n\\N\n[1]\n"
    "{\"match_id\":\"b\",\"status\":\"done\"}\n{\"status\":\"live\",\"match_id\":null}\n",
    "{\"match_id\":\"c\",\"status\":\"live\"}\n{\"x\":1}\n",
};

enum { FIRST_ROWS = 3, FIRST_REJECTS = 7, FIRST_PERMISSIVE = 5 };

static inline void append_lines(int32_t partition, const char *lines) {
    char path[400];
    (void)snprintf(path, sizeof path, "%s/t1-%d.ndjson", capture, partition);
    FILE *out = fopen(path, "a");
    check(out != NULL && fputs(lines, out) >= 0 && fclose(out) == 0);
}

static inline int replay_set_up(void **state) {
    (void)state;
    log_configure(LOG_CRITICAL, false);
    fixture_init(&fixture);
    (void)snprintf(capture, sizeof capture, "%s.capture", fixture.root);
    check(mkdir(capture, 0755) == 0);
    append_lines(0, first_lines[0]);
    append_lines(1, first_lines[1]);
    return 0;
}

static inline int replay_tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    (void)nftw(capture, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static const struct stream *replay_stream; // NULL: `matches`

static inline const struct stream *stream_used(void) {
    return replay_stream != NULL ? replay_stream : stream_of("matches");
}

static inline struct query_options query_options_of(enum parse_mode mode, int64_t limit) {
    return (struct query_options){
        .stream = stream_used(),
        .store = fixture.options,
        .trigger = {.available_now = true},
        .max_offsets_per_trigger = limit,
        .starting_offsets = "earliest",
        .fail_on_data_loss = true,
        .parse_mode = mode,
        .time_zone = "UTC",
        .parquet = {.codec = CODEC_SNAPPY},
        .kafka_startup_timeout_ms = 1000,
        .lag_interval_ms = 10000,
        .care = {.target_size = 128 << 20}, // by which a run that takes long counts files
    };
}

static inline struct broker *open_capture(void) {
    struct broker *broker;
    struct error err;
    check(capture_broker_open(capture, &broker, &err));
    return broker;
}

static void nothing_to_do(void) {
}

/* All records of the topic, at most `limit` offsets a batch (0: no limit). */
static inline bool run_query(int64_t limit, struct error *err) {
    struct streaming *streaming;
    const struct query_options query = query_options_of(PARSE_REJECT, limit);
    const struct streaming_options options = {
        .queries = {&query},
        .query_count = 1,
        .worker_count = 1,
        .memory_max = 256 << 20,
        .on_query_end = nothing_to_do,
    };
    return streaming_start(&streaming, &options, open_capture(), err) &&
           streaming_join(streaming, err);
}

static inline void must_run_query(int64_t limit) {
    struct error err = {0};
    if (!run_query(limit, &err))
        fail_msg("the query: %s", err.message);
}

static struct replay_report replayed; // by the newest replay

static inline bool replay_chosen(enum parse_mode mode, int64_t limit, bool dry_run,
                                 bool (*is_chosen)(const void *context,
                                                   const struct reject_row *row),
                                 struct error *err) {
    const struct query_options query = query_options_of(mode, limit);
    const struct replay_options options = {
        .query = &query, .is_chosen = is_chosen, .dry_run = dry_run, .memory_max = 256 << 20};
    scoped(scope_free) char *said = NULL;
    size_t size;
    FILE *out = open_memstream(&said, &size);
    check(out != NULL);
    bool ok = operation_replay(&options, &replayed, out, err);
    check(fclose(out) == 0);
    return ok;
}

static inline bool replay(enum parse_mode mode, int64_t limit, struct error *err) {
    return replay_chosen(mode, limit, false, NULL, err);
}

static inline void must_replay(enum parse_mode mode, int64_t rows, int64_t still_rejected) {
    struct error err = {0};
    if (!replay(mode, 0, &err))
        fail_msg("the replay: %s", err.message);
    assert_int_equal(replayed.rows, rows);
    assert_int_equal(replayed.still_rejected, still_rejected);
}

static inline void verify_lake(struct verify_report *report) {
    struct error err = {0};
    struct broker *broker = open_capture();
    const struct verify_options options = {.store = &fixture.options,
                                           .broker = broker,
                                           .memory_max = 64 << 20,
                                           .workers = 1,
                                           .timeout_ms = 1000,
                                           .plan = &stream_used()->plan};
    if (!verify_run(&options, report, &err))
        fail_msg("verify: %s", err.message);
    broker->ops->close(broker);
}

/* Every offset is there once, so many of them as rows and as rejects that are not resolved. */
static inline void assert_once(int64_t rows, int64_t rejects) {
    struct verify_report report;
    verify_lake(&report);
    for (size_t kind = 0; kind < VERIFY_LOST; kind++)
        for (size_t i = 0; i < report.texts[kind].count && i < VERIFY_TEXTS_MAX; i++)
            print_message("said: %s\n", report.texts[kind].texts[i]);
    assert_int_equal(verify_faults(&report), 0);
    for (size_t i = 0; i < report.partition_count; i++) {
        const struct verify_partition *p = &report.partitions[i];
        rows -= p->rows;
        rejects -= p->rejects;
        assert_int_equal(p->missing + p->unproven + p->absent + p->lost + p->duplicates, 0);
    }
    assert_int_equal(rows, 0);
    assert_int_equal(rejects, 0);
    verify_report_deinit(&report);
}

#endif
