/* operate.h: runs an operation on the fixture's directories and checks the result. */
#ifndef OPERATE_H
#define OPERATE_H

#include "streaming/recovery/recover.h"
#include "tree.h"

#include "base/scope.h"
#include "streaming/operations/operations.h"
#include "streaming/store/checkpoint_notes.h"

static struct fixture fixture;

#define CHECKPOINT "checkpoints/match_stream/"
#define TABLE "processed/matches/"
#define SINK_LOG TABLE "_spark_metadata/"

/* ---- running an operation ---- */

enum operation { ADOPT, RELEASE, RELOCATE, REWIND, ADOPT_KAFKA };
static int64_t to_batch;                              // for REWIND
static int64_t rewind_before_ms;                      // likewise; 0: to_batch counts
static const struct query_options *rewind_query_used; // NULL: nothing must be split
static struct broker *rewind_broker;                  // NULL: the records are not asked for
#define NEW_CLUSTER "new"                             // for ADOPT_KAFKA

static inline bool operate_as(enum operation operation, bool dry_run, char **said,
                              struct error *err) {
    size_t size;
    *said = NULL;
    FILE *out = open_memstream(said, &size);
    check(out != NULL);
    struct offsets next = {0};
    const struct rewind_request request = {.by_time = rewind_before_ms > 0,
                                           .to_batch = to_batch,
                                           .before_ms = rewind_before_ms,
                                           .broker = rewind_broker,
                                           .query = rewind_query_used,
                                           .memory_max = 64 << 20};
    bool ok = operation == ADOPT     ? operation_adopt(&fixture.options, dry_run, out, err)
              : operation == RELEASE ? operation_release(&fixture.options, dry_run, out, err)
              : operation == ADOPT_KAFKA
                  ? operation_adopt_kafka(&fixture.options, NEW_CLUSTER, dry_run, out, err)
              : operation == RELOCATE
                  ? operation_relocate(&fixture.options, dry_run, out, err)
                  : operation_rewind(&fixture.options, &request, dry_run, &next, out, err);
    offsets_deinit(&next);
    check(fclose(out) == 0);
    return ok;
}

static inline bool operate(enum operation operation, char **said, struct error *err) {
    return operate_as(operation, false, said, err);
}

/* A dry run has the same result as the operation itself, and changes nothing at all. */
static inline void dry_run(enum operation operation, enum error_kind kind) {
    struct error err = {0};
    scoped(scope_free) char *before = tree_print(fixture.root, "");
    scoped(scope_free) char *said = NULL;
    bool ok = operate_as(operation, true, &said, &err);
    scoped(scope_free) char *after = tree_print(fixture.root, "");
    assert_string_equal(before, after);
    bool locked = kind == ERROR_LOCKED; // the dry run continues, but says so
    if (ok != (kind == ERROR_NONE || locked) || (!ok && err.kind != kind))
        fail_msg("a dry run %s: %s", ok ? "was not refused" : "failed", ok ? said : err.message);
    if (locked && strstr(said, "the query is running") == NULL)
        fail_msg("not told that the query runs: %s", said);
}

static inline void must_operate(enum operation operation, const char *what) {
    struct error err = {0};
    dry_run(operation, ERROR_NONE);
    scoped(scope_free) char *said = NULL;
    if (!operate(operation, &said, &err))
        fail_msg("%s", err.message);
    if (strstr(said, what) == NULL)
        fail_msg("expected '%s', not: %s", what, said);
}

/* Refuses, says why, and changes nothing on the disk except the text of the lock. */
static inline void assert_refuses(enum operation operation, enum error_kind kind, const char *why) {
    struct error err = {0};
    dry_run(operation, kind);
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    scoped(scope_free) char *said = NULL;
    if (operate(operation, &said, &err))
        fail_msg("not refused: %s", said);
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    if (err.kind != kind || strstr(err.message, why) == NULL)
        fail_msg("expected '%s', not: %s", why, err.message);
    assert_string_equal(before, after);
}

static inline void remove_path(const char *name) {
    struct file_path path = file_join(fixture.root, name);
    (void)nftw(path.text, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is on the disk ---- */

static inline bool has_end(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static inline size_t count_files(const char *start, const char *end) {
    struct tree tree;
    tree_init(&tree, fixture.root);
    size_t count = 0;
    for (size_t i = 0; i < tree.count; i++)
        count += strncmp(tree.paths[i], start, strlen(start)) == 0 && has_end(tree.paths[i], end);
    tree_deinit(&tree);
    return count;
}

static inline size_t lines_of(const char *name) {
    scoped(scope_free) char *text = fixture_read(&fixture, name);
    check(text != NULL);
    assert_memory_equal(text, "v1", 2);
    size_t lines = 0;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    return lines;
}

/* How many files the log lists as of batch `last`, if it is compacted every 10 batches. */
static inline size_t listed(int64_t last) {
    int64_t compact = (last + 1) / 10 * 10 - 1;
    size_t lines = 0;
    for (int64_t batch = compact < 0 ? 0 : compact; batch <= last; batch++) {
        scoped(scope_free) char *name =
            fixture_text(SINK_LOG "%" PRId64 "%s", batch, (batch + 1) % 10 == 0 ? ".compact" : "");
        lines += lines_of(name);
    }
    return lines;
}

/* The table has exactly the batches 0..last, each once: two files, and one of rejects. */
static inline void assert_table(int64_t last) {
    assert_int_equal(count_files(TABLE, ".parquet"), 2 * (last + 1));
    assert_int_equal(count_files("rejected/matches/", ".parquet"), last + 1);
    for (int64_t batch = 0; batch <= last; batch++) {
        scoped(scope_free) char *start =
            fixture_text(TABLE "status=live/part-%05" PRId64 "-", batch);
        assert_int_equal(count_files(start, ".parquet"), 1);
    }
    assert_int_equal(count_files("", ".tmp"), 0);
}

/* Writes batches 0..last without a sink log, as the foreachBatch job does. */
static inline void write_unlogged(int64_t last) {
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, last, 0);
    fixture.options.sink_log = SINK_LOG_AUTO;
}

/* Writes manifests 0..last as with a librdkafka that has topic ids, for the Kafka cluster "old". */
static inline void write_topic_ids(int64_t last) {
    struct error err;
    check(kafka_note_write(fixture.checkpoint, &(struct topic_identity){"old", "one"}, &err));
    for (int64_t batch = 0; batch <= last; batch++) {
        scoped(scope_free) char *name = fixture_text(CHECKPOINT "manifests/%" PRId64, batch);
        scoped(scope_free) char *text = fixture_read(&fixture, name);
        check(text != NULL);
        scoped(scope_free) char *with =
            fixture_text("%.*s,\"topicId\":\"one\"}", (int)strlen(text) - 1, text);
        fixture_write(&fixture, name, with);
    }
}

/* The topic id that a start would compare with: that of the newest manifest. */
static inline void assert_topic_id(const char *expected) {
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err))
        fail_msg("%s", err.message);
    assert_string_equal(recovery.incarnation.topic_id, expected);
    recovery_deinit(&recovery);
    store_close(store);
}

static inline void move_lake(void) {
    char old[300], new[300];
    (void)snprintf(old, sizeof old, "%s/processed", fixture.root);
    (void)snprintf(new, sizeof new, "%s/moved here", fixture.root);
    assert_int_equal(rename(old, new), 0);
    (void)snprintf(fixture.table, sizeof fixture.table, "%s/moved here/matches", fixture.root);
}

static inline void start_refuses(const char *why) {
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    bool ok = recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err);
    store_close(store);
    assert_false(ok);
    if (err.kind != ERROR_STATE || strstr(err.message, why) == NULL)
        fail_msg("expected '%s', not: %s", why, err.message);
}

#endif
