/* test_rewind.c: a rewind to batches whose plans and manifests are gone, and across compactions,
 * replays and batches of Spark's, on real Parquet files. What is read again makes the same table.
 */
#include "replay_fixture.h"

#include "pipeline/merge/merge.h"
#include "pipeline/sink/reject_table.h"
#include "streaming/history/history.h"
#include "streaming/operations/rewind_target.h"
#include "streaming/query/query_definition.h"
#include "streaming/store/change_steps.h"
#include "streaming/store/changes.h"

/* ---- the records ---- */

static int64_t line_count; // of partition 0 behind the first lines

static void append(int64_t count) {
    for (int64_t i = 0; i < count; i++, line_count++) {
        scoped(scope_free) char *line =
            line_count % 10 == 9
                ? fixture_text("{\"match_id\":\n")
                : fixture_text("{\"match_id\":\"m%" PRId64 "\",\"status\":\"%s\"}\n", line_count,
                               line_count % 3 == 0 ? "live" : "done");
        append_lines(0, line);
    }
}

/* One more batch for each `size` lines. */
static void run_batches(int64_t count, int64_t size) {
    for (int64_t i = 0; i < count; i++) {
        append(size);
        must_run_query(0);
    }
}

/* Rejects of the lines that were appended. */
static int64_t appended_rejects(void) {
    return line_count / 10;
}

static void assert_whole(int64_t replayed_rejects) {
    assert_once(FIRST_ROWS + line_count - appended_rejects() + replayed_rejects,
                FIRST_REJECTS + appended_rejects() - replayed_rejects);
}

/* ---- rewinding ---- */

static struct query_options rewind_query;

static void must_rewind(int64_t batch, const char *what) {
    to_batch = batch;
    must_operate(REWIND, what);
    must_operate(REWIND, "nothing to do");
}

/* ---- compacting ---- */

static bool take_file(void *context, const char *path, int64_t size, int64_t modified_ms) {
    struct file_list *files = context;
    file_list_add(
        files, (struct data_file){
                   .path = text_copy(path), .size = size, .rows = 1, .modified_ms = modified_ms});
    return true;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct data_file *)a)->path, ((const struct data_file *)b)->path);
}

static size_t directory_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path);
}

static void merge_directory(const struct query_definition *definition, struct change *change,
                            const char *root, const char *staging, size_t first, size_t end) {
    struct error err;
    struct merge_result result = {0};
    char *paths[1000];
    check(end - first < 1000);
    const char *path = change->left.files[first].path;
    scoped(scope_free) char *directory = fixture_text("%.*s", (int)directory_length(path), path);
    for (size_t i = first; i < end; i++)
        paths[i - first] = fixture_text("%s/%s", root, change->left.files[i].path);
    const struct merge_options options = {.schema = change->of_rejects ? reject_schema()
                                                                       : &definition->schema,
                                          .partition_columns = definition->partition_columns,
                                          .partition_column_count = change->of_rejects ? 0 : 1,
                                          .parquet = {.codec = CODEC_SNAPPY},
                                          .staging_directory = staging,
                                          .directory = directory,
                                          .target_size = 128 << 20,
                                          .memory_max = 64 << 20,
                                          .split_after_us = INT64_MAX};
    if (!merge_files(&options, (const char *const *)paths, end - first, &result, &err))
        fail_msg("%s", err.message);
    file_list_move(&change->added, &result.files);
    merge_result_deinit(&result);
    for (size_t i = first; i < end; i++)
        free(paths[i - first]);
}

/* All files of a directory that may leave become one. */
static void compact(bool of_rejects) {
    struct store *store;
    struct error err = {0};
    struct recovery recovery;
    struct query_definition definition;
    struct file_path staging;
    struct change change = {.kind = CHANGE_COMPACTION, .of_rejects = of_rejects, .made_ms = 1};
    const char *root = of_rejects ? fixture.rejects : fixture.table;
    bool recorded;
    check(query_definition_init(&definition, &rewind_query, &err));
    check(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err));
    change.batch_id = recovery.next_batch - 1;
    recovery_deinit(&recovery);
    check(change_each_eligible(store, of_rejects, take_file, &change.left, &err));
    qsort(change.left.files, change.left.count, sizeof *change.left.files, by_path);
    check(change_begin(store, of_rejects, &change.number, &staging, &err));
    for (size_t first = 0, end; first < change.left.count; first = end) {
        size_t length = directory_length(change.left.files[first].path);
        for (end = first + 1; end < change.left.count; end++)
            if (directory_length(change.left.files[end].path) != length ||
                strncmp(change.left.files[end].path, change.left.files[first].path, length) != 0)
                break;
        merge_directory(&definition, &change, root, staging.text, first, end);
    }
    qsort(change.added.files, change.added.count, sizeof *change.added.files, by_path);
    if (!change_publish(store, &change, &recorded, &err))
        fail_msg("%s", err.message);
    change_deinit(&change);
    store_close(store);
}

/* ---- deep ---- */

static void the_plans_are_gone_but_the_batches_can_be_undone(void **state) {
    (void)state;
    run_batches(230, 2);
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/100"));
    assert_whole(0);
    must_rewind(150, "rewound to batch 150"); // its plan is there
    run_batches(1, 0);
    assert_whole(0);
    must_rewind(40, "rewound to batch 40");
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/39"));
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/40"));
    assert_false(fixture_has(&fixture, CHECKPOINT "offsets/41"));
    must_run_query(0);
    assert_whole(0);
    run_batches(1, 2);
    must_rewind(3, "rewound to batch 3");
    must_run_query(7);
    assert_whole(0);
}

static void without_a_sink_log_too(void **state) {
    (void)state;
    must_operate(RELEASE, "");
    run_batches(140, 2);
    assert_false(fixture_has(&fixture, SINK_LOG));
    must_rewind(20, "rewound to batch 20");
    must_run_query(0);
    assert_whole(0);
}

/* Rows of a replay have old offsets, and are of a later batch. */
static void what_was_replayed_after_the_batch_is_a_reject_again(void **state) {
    (void)state;
    run_batches(30, 2);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE + appended_rejects(), 2);
    run_batches(130, 2);
    assert_whole(FIRST_PERMISSIVE + 6);
    must_rewind(10, "rewound to batch 10");
    must_run_query(0);
    assert_whole(0);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE + appended_rejects(), 2);
    must_rewind(10, "rewound to batch 10");
    must_run_query(0);
    assert_whole(0);
}

/* ---- compactions ---- */

static void compactions_and_replays_are_rewound_past(void **state) {
    (void)state;
    run_batches(12, 5);
    compact(false);
    assert_whole(0);
    assert_false(fixture_has(&fixture, CHECKPOINT "changes/1"));
    must_rewind(7, "rewound to batch 7");
    assert_true(
        fixture_has(&fixture, CHECKPOINT "changes/1")); // files with rows of both were split
    must_run_query(0);
    assert_whole(0);
    run_batches(5, 5);
    compact(false);
    compact(true);
    must_replay(PARSE_PERMISSIVE, FIRST_PERMISSIVE + appended_rejects(), 2);
    run_batches(12, 5);
    assert_whole(FIRST_PERMISSIVE + 8);
    compact(false);
    compact(true);
    assert_whole(FIRST_PERMISSIVE + 8);
    must_rewind(5, "rewound to batch 5");
    must_run_query(0);
    assert_whole(0);
    run_batches(12, 1);
    compact(false);
    must_rewind(8, "rewound to batch 8");
    must_run_query(0);
    assert_whole(0);
}

static void compactions_are_rewound_past_to_where_no_plans_are(void **state) {
    (void)state;
    run_batches(125, 2);
    compact(false);
    compact(true);
    run_batches(12, 2);
    compact(false);
    must_rewind(30, "rewound to batch 30");
    must_run_query(0);
    assert_whole(0);
    must_rewind(8, "rewound to batch 8");
    must_run_query(0);
    assert_whole(0);
}

/* ---- a time ---- */

static int64_t planned_ms(int64_t batch) {
    struct store *store;
    struct history history;
    struct error err;
    check(store_open_to_read(&fixture.options, &store, &err) &&
          history_read(store, &history, &err));
    const struct history_entry *entry = history_find(&history, batch);
    check(entry != NULL);
    int64_t ms = entry->last_ms;
    history_deinit(&history);
    store_close(store);
    return ms;
}

static void the_newest_batch_before_a_time_stays(void **state) {
    (void)state;
    run_batches(115, 1);
    before_ms = planned_ms(90) + 1;
    must_operate(REWIND, "rewound to batch 90");
    before_ms = planned_ms(7);
    char time[REWIND_TIME_MAX], text[200];
    int64_t sixth = planned_ms(6);
    (void)snprintf(text, sizeof text, "batch 6, planned at %s, is the newest before ",
                   rewind_time(sixth, time));
    must_operate(REWIND, text);
    must_operate(REWIND, "nothing to do");
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/6"));
    before_ms = planned_ms(0);
    assert_refuses(REWIND, ERROR_CONFIG, "no batch is known that was planned before ");
    before_ms = 0;
    must_run_query(0);
    assert_whole(0);
}

/* ---- what Kafka has ---- */

static int64_t log_start;
static bool is_reachable = true;

static bool list_offsets(struct broker *broker, const char *topic, int timeout_ms,
                         struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)timeout_ms;
    if (!is_reachable)
        return error_set(err, ERROR_BROKER, "no broker reached");
    assert_string_equal(topic, "t1");
    *offsets = (struct topic_offsets){
        .count = 2, .partitions = must_alloc(2, sizeof(struct partition_offsets))};
    offsets->partitions[0] = (struct partition_offsets){0, log_start, 1000};
    offsets->partitions[1] = (struct partition_offsets){1, 2, 2}; // nothing was read of it since
    return true;
}

static void offsets_that_kafka_no_longer_has_are_refused_by_name(void **state) {
    (void)state;
    static const struct broker_ops ops = {.list_offsets = list_offsets};
    static struct broker broker = {&ops};
    run_batches(20, 5);
    rewind_broker = &broker;
    to_batch = 3; // ends at offset 8 + 15
    log_start = 30;
    assert_refuses(REWIND, ERROR_CONFIG,
                   "after batch 3 of topic t1: partition 0 needs offset 23, the first that Kafka "
                   "has is 30, 7 offsets gone. The oldest batch that can stay is 5 (planned at ");
    log_start = 2000;
    assert_refuses(REWIND, ERROR_CONFIG, "The oldest batch that can stay is 20 ");
    is_reachable = false;
    assert_refuses(REWIND, ERROR_BROKER,
                   "use --no-kafka-check to rewind without knowing: no broker");
    is_reachable = true;
    log_start = 23;
    must_rewind(3, "rewound to batch 3");
    rewind_broker = NULL;
    must_run_query(0);
    assert_whole(0);
}

/* ---- what is not known ---- */

static void a_batch_that_is_not_known_is_refused_with_those_next_to_it(void **state) {
    (void)state;
    run_batches(115, 1);
    remove_path(CHECKPOINT "history/0");
    to_batch = 5;
    assert_refuses(REWIND, ERROR_CONFIG,
                   "the plan of batch 5 is no longer known (REWIND_RETENTION): choose a newer "
                   "batch; the oldest that can stay is ");
    fixture.options.rewind_retention_ms = 0;
    to_batch = 40;
    must_operate(REWIND, "rewound to batch 40");
    must_run_query(0);
    assert_whole(0);
}

/* A version without a history has folded batches. */
static void what_a_gap_has_added_is_not_guessed(void **state) {
    (void)state;
    run_batches(12, 2);
    fixture.options.rewind_retention_ms = 0;
    run_batches(150, 1);
    fixture.options.rewind_retention_ms = 7LL * 24 * 3600 * 1000;
    run_batches(2, 1);
    to_batch = 10;
    assert_refuses(REWIND, ERROR_STATE, "it is not known what the batches after 10 have added");
    assert_whole(0);
}

static int set_up(void **state) {
    (void)replay_set_up(state);
    fixture.options.rewind_retention_ms = 7LL * 24 * 3600 * 1000;
    line_count = 0;
    before_ms = 0;
    rewind_broker = NULL;
    rewind_query = query_options_of(PARSE_REJECT, 0);
    rewind_query_used = &rewind_query;
    must_run_query(0); // batch 0 has the first lines
    return 0;
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, replay_tear_down)

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        ON_DISK(the_plans_are_gone_but_the_batches_can_be_undone),
        ON_DISK(without_a_sink_log_too),
        ON_DISK(what_was_replayed_after_the_batch_is_a_reject_again),
        ON_DISK(compactions_and_replays_are_rewound_past),
        ON_DISK(compactions_are_rewound_past_to_where_no_plans_are),
        ON_DISK(the_newest_batch_before_a_time_stays),
        ON_DISK(offsets_that_kafka_no_longer_has_are_refused_by_name),
        ON_DISK(a_batch_that_is_not_known_is_refused_with_those_next_to_it),
        ON_DISK(what_a_gap_has_added_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
