/* Lakes that the program wrote are accepted, and each fault that is planted in one is found. */
#include "lake_fixture.h"

#include "base/system/clock.h"
#include "streaming/operations/replay.h"

/* Records, transactions, compaction and retention; nothing that keeps the program from its end. */
static const struct broker_chances usual = {.of = {[BROKER_PRODUCED] = 900,
                                                   [BROKER_TRANSACTION_BEGUN] = 200,
                                                   [BROKER_TRANSACTION_COMMITTED] = 200,
                                                   [BROKER_TRANSACTION_ABORTED] = 200,
                                                   [BROKER_COMPACTED] = 50,
                                                   [BROKER_PARTITION_ADDED] = 50},
                                            .records_most = 15,
                                            .malformed = 150};

static const int64_t day_ms = 86400000;

static struct checker_lake lake;
static struct checker_report report;

static void live(int steps) {
    for (int i = 0; i < steps; i++)
        model_broker_live(false);
    model_broker_live(true);
}

static void begin(const struct broker_chances *chances, const char *first, const char *second) {
    lie = (struct lie){0};
    lie_told = false;
    lake_init(first, second);
    model_broker_begin(5, chances, (struct broker_time){0}, NULL);
}

static void begin_check(void) {
    lake = (struct checker_lake){.table = lake_at.table,
                                 .rejects = lake_at.rejects,
                                 .checkpoint = lake_at.checkpoint,
                                 .partition_by_count = lake_at.partition_by_count,
                                 .has_no_sink_log = lake_at.options.store.sink_log == SINK_LOG_OFF,
                                 .expires_before_ms = INT64_MIN};
    for (size_t i = 0; i < lake.partition_by_count; i++)
        lake.partition_by[i] = lake_at.partition_by[i];
    report = (struct checker_report){0};
    checker_begin(&lake);
}

static void end(void) {
    checker_end();
    model_broker_end();
    lake_clear();
    tree_clear();
}

static void run_batches(int batches) {
    for (int i = 0; i < batches; i++) {
        live(4);
        lake_run();
    }
}

static struct verify_options verifying(struct broker *broker) {
    return (struct verify_options){.store = &lake_at.options.store,
                                   .broker = broker,
                                   .memory_max = 64 << 20,
                                   .workers = 1,
                                   .timeout_ms = 1000};
}

static void must_verify(bool must_be_clean) {
    struct broker *broker = liar_open();
    struct verify_options options = verifying(broker);
    report.findings = 0;
    report.text[0] = '\0';
    if (!checker_verify(&options, must_be_clean, &report))
        fail_msg("%s", report.text);
    broker->ops->close(broker);
}

/* The lake as the program has left it. */
static void must_accept(void) {
    tree_load();
    if (!checker_look(&report) || !checker_judge(&report))
        fail_msg("%zu findings: %s", report.findings, report.text);
}

static void must_find(const char *text) {
    if (report.findings == 0 || strstr(report.text, text) == NULL)
        fail_msg("not '%s' in %zu findings: %s", text, report.findings, report.text);
}

static void must_find_in_look(const char *text) {
    report = (struct checker_report){0};
    assert_false(checker_look(&report));
    must_find(text);
}

static void must_find_in_the_end(const char *text) {
    report = (struct checker_report){0};
    assert_false(checker_judge(&report));
    must_find(text);
}

/* ---- files to change ---- */

static struct tree_file *find_file(const char *directory, const char *ending) {
    for (size_t i = tree.count; i-- > 0;)
        if (strncmp(tree.files[i].path, directory, strlen(directory)) == 0 &&
            strstr(tree.files[i].path, "/_") == NULL && strstr(tree.files[i].path, "/.") == NULL &&
            text_ends_with(tree.files[i].path, ending))
            return &tree.files[i];
    fail_msg("no file %s in %s", ending, directory);
    return NULL;
}

/* The file of the sink log with the highest number. */
static struct tree_file *newest_log(void) {
    struct tree_file *newest = NULL;
    long number = -1;
    char *directory = text_format("%s/_spark_metadata/", lake_at.table);
    for (size_t i = 0; i < tree.count; i++) {
        const char *name = tree.files[i].path + strlen(directory);
        if (strncmp(tree.files[i].path, directory, strlen(directory)) == 0 &&
            strtol(name, NULL, 10) > number && name[0] != '.') {
            number = strtol(name, NULL, 10);
            newest = &tree.files[i];
        }
    }
    free(directory);
    assert_non_null(newest);
    return newest;
}

static void append_line(struct tree_file *file, const char *line) {
    char *bytes = text_format("%.*s\n%s", (int)file->size, file->bytes, line);
    free(file->bytes);
    file->bytes = bytes;
    file->size = strlen(bytes);
}

/* The last line is gone. */
static void cut_line(struct tree_file *file) {
    char *newline = memrchr(file->bytes, '\n', file->size);
    assert_non_null(newline);
    file->size = (size_t)(newline - file->bytes);
}

static char *last_line(const struct tree_file *file) {
    const char *newline = memrchr(file->bytes, '\n', file->size);
    assert_non_null(newline);
    return text_format("%.*s", (int)(file->bytes + file->size - newline - 1), newline + 1);
}

/* ---- correct lakes ---- */

static void a_correct_lake_is_accepted(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(14);
    must_accept();
    assert_true(report.rows > 200 && report.rejects > 20);
    assert_true(report.missing[CHECKER_COMPACTED] >= 0);
    assert_non_null(strstr(newest_log()->path, "_spark_metadata/13"));
    must_verify(true);
    end();
}

static void each_moment_between_runs_is_right(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    for (int i = 0; i < 12; i++) {
        live(4);
        lake_run();
        live(3); // what is not taken yet is not missing
        tree_load();
        if (!checker_look(&report))
            fail_msg("%s", report.text);
    }
    end();
}

static void a_lake_without_sink_log_is_accepted(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    lake_at.options.store.sink_log = SINK_LOG_OFF;
    begin_check();
    run_batches(5);
    must_accept();
    assert_true(report.rows > 50);
    must_verify(true);
    end();
}

static void what_retention_took_before_it_was_read_is_counted_as_lost(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(3);
    live(10);
    for (int i = 0; i < 20; i++)
        (void)model_broker_do(BROKER_RETENTION);
    run_batches(3);
    must_accept();
    assert_true(report.missing[CHECKER_LOST] > 0);
    must_verify(true);
    end();
}

static void a_topic_that_was_created_again_is_accepted(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(4);
    live(3);
    for (int i = 0; i < 2; i++) {
        assert_true(model_broker_do(BROKER_TOPIC_DELETED));
        assert_true(model_broker_do(BROKER_TOPIC_CREATED));
        run_batches(4);
    }
    must_accept();
    assert_true(report.missing[CHECKER_LOST] + report.missing[CHECKER_DELETED] > 0);
    must_verify(true);
    end();
}

static void a_log_that_was_cut_is_accepted(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(4);
    for (int i = 0; i < 6; i++)
        (void)model_broker_do(BROKER_LOG_CUT);
    lake_run();
    run_batches(4);
    must_accept();
    end();
}

static void a_query_that_begins_at_the_end_is_accepted(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    lake_at.options.starting_offsets = "latest";
    begin_check();
    live(20);
    run_batches(4);
    must_accept();
    assert_true(report.missing[CHECKER_BEFORE_START] > 0);
    end();
}

/* Records come from so far ahead that what is of today and before can expire. */
static int64_t days_ahead(void) {
    return clock_wall_ms() + 3 * day_ms;
}

static void merged_and_expired_files_are_accepted(void **state) {
    (void)state;
    begin(&usual, "ingest_date", "status");
    model_broker_end();
    model_broker_begin(5, &usual, (struct broker_time){.wall_ms = days_ahead}, NULL);
    begin_check();
    run_batches(12);
    lake_care((struct care_request){.kind = REQUEST_COMPACT, .target_size = 128 << 20});
    must_accept();
    int64_t rows = report.rows, tomorrow = clock_wall_ms() / day_ms + 1;
    lake_care((struct care_request){.kind = REQUEST_EXPIRE, .before = (int32_t)tomorrow});
    lake.expires_before_ms = tomorrow * day_ms;
    checker_begin(&lake);
    report = (struct checker_report){0};
    must_accept();
    assert_true(report.missing[CHECKER_EXPIRED] > 0);
    assert_int_equal(report.rows + report.missing[CHECKER_EXPIRED], rows);
    must_verify(true);
    lake.expires_before_ms = (tomorrow - 20) * day_ms; // these dates should have stayed
    checker_begin(&lake);
    must_find_in_the_end("is lost");
    end();
}

static void replay(enum parse_mode mode) {
    struct error err = {0};
    struct replay_report replayed = {0};
    lake_at.options.parse_mode = mode;
    const struct replay_options options = {.query = &lake_at.options, .memory_max = 512 << 20};
    FILE *out = fopen("/dev/null", "w");
    bool done = operation_replay(&options, &replayed, out, &err);
    (void)fclose(out);
    if (!done)
        fail_msg("%s", err.message);
    assert_true(replayed.rows > 0 || mode == PARSE_REJECT);
}

static void rejects_that_were_replayed_are_rows_and_stay_rejects(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(6);
    replay(PARSE_REJECT);
    must_accept();
    assert_int_equal(report.replayed, 0);
    replay(PARSE_PERMISSIVE);
    lake.is_permissive = true;
    checker_begin(&lake);
    run_batches(3);
    report = (struct checker_report){0};
    must_accept();
    assert_true(report.replayed > 0);
    must_verify(true);
    lake.is_permissive = false;
    checker_begin(&lake);
    must_find_in_the_end("is in the table");
    end();
}

static void rows_of_a_permissive_run_are_accepted(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    lake_at.options.parse_mode = PARSE_PERMISSIVE;
    begin_check();
    lake.is_permissive = true;
    checker_begin(&lake);
    run_batches(4);
    must_accept();
    lake.is_permissive = false;
    checker_begin(&lake);
    must_find_in_the_end("is in the table");
    end();
}

static void rewound_batches_are_done_again(void **state) {
    (void)state;
    struct error err = {0};
    struct offsets next = {0};
    const struct rewind_request request = {
        .to_batch = 4, .query = &lake_at.options, .memory_max = 512 << 20};
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(12);
    FILE *out = fopen("/dev/null", "w");
    bool done = operation_rewind(&lake_at.options.store, &request, false, &next, out, &err);
    (void)fclose(out);
    offsets_deinit(&next);
    if (!done)
        fail_msg("%s", err.message);
    tree_load();
    if (!checker_look(&report))
        fail_msg("%s", report.text);
    must_find_in_the_end("is lost");
    run_batches(2);
    report = (struct checker_report){0};
    must_accept();
    must_verify(true);
    end();
}

/* A file that a change brings is listed before it is there. */
static void a_change_that_is_not_carried_out_is_a_moment_and_not_an_end(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(12);
    lake_care((struct care_request){.kind = REQUEST_COMPACT, .target_size = 128 << 20});
    must_accept();
    char *done = text_format("%s/changes/0", lake_at.checkpoint);
    char *open = text_format("%s/changes/0.open", lake_at.checkpoint);
    struct tree_file *record = tree_find(done);
    tree_add(open, record->bytes, record->size);
    tree_remove(tree_find(done));
    char *log = text_format("%s/_spark_metadata/9.compact", lake_at.table);
    const char *listed = strstr(tree_find(log)->bytes, "status=");
    char *path = text_format("%s/%.*s", lake_at.table, (int)strcspn(listed, "\""), listed);
    tree_remove(tree_find(path));
    report = (struct checker_report){0};
    if (!checker_look(&report))
        fail_msg("%s", report.text);
    must_find_in_the_end("a change of the table is not carried out");
    free(done);
    free(open);
    free(log);
    free(path);
    end();
}

/* ---- any history ---- */

/* All events of the topic, between runs; the last run finds a cluster without faults. */
static void any_history_is_accepted(void **state) {
    (void)state;
    const char *from = getenv("CHECKER_SEED"), *lives = getenv("CHECKER_LIVES");
    uint64_t first = from == NULL ? 1 : strtoull(from, NULL, 10);
    for (uint64_t seed = first; seed < first + (lives == NULL ? 4 : strtoull(lives, NULL, 10));
         seed++) {
        struct random random = random_fork(seed, 99);
        struct broker_chances chances = broker_chances_usual;
        chances.of[BROKER_TOPIC_DELETED] = (unsigned)random_below(&random, 40);
        chances.of[BROKER_LOG_CUT] = (unsigned)random_below(&random, 80);
        chances.of[BROKER_RETENTION] = (unsigned)random_below(&random, 80);
        chances.has_no_ids = random_chance(&random, 300);
        lie = (struct lie){0};
        lake_init("status", NULL);
        model_broker_begin(seed, &chances, (struct broker_time){0}, NULL);
        begin_check();
        lake.has_no_ids = chances.has_no_ids;
        checker_begin(&lake);
        for (int run = 0; run < 10; run++) {
            live(1 + (int)random_below(&random, 12));
            lake_run();
            live(3);
            tree_load();
            if (!checker_look(&report))
                fail_msg("seed %" PRIu64 ", run %d: %s", seed, run, report.text);
        }
        lake_run();
        tree_load();
        if (!checker_judge(&report))
            fail_msg("seed %" PRIu64 ": %s", seed, report.text);
        must_verify(true);
        end();
    }
}

/* ---- faults in the files ---- */

/* One lake for all; each test changes its own copy in memory. */
static int make_lake(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    run_batches(13);
    return 0;
}

static int remove_lake(void **state) {
    (void)state;
    end();
    return 0;
}

static int take_lake(void **state) {
    (void)state;
    report = (struct checker_report){0};
    tree_load();
    return 0;
}

static void a_listed_file_that_is_missing_is_found(void **state) {
    (void)state;
    tree_remove(find_file(lake_at.table, ".parquet"));
    must_find_in_look("is not there");
    must_find_in_the_end("is lost: it is in neither table nor rejects");
}

static void a_file_that_is_cut_short_is_found(void **state) {
    (void)state;
    find_file(lake_at.table, ".parquet")->size -= 7;
    must_find_in_look("it is not a complete Parquet file");
}

static void a_file_with_a_sector_of_zeros_is_found(void **state) {
    (void)state;
    struct tree_file *file = find_file(lake_at.table, ".parquet");
    memset(file->bytes + 4, 0, file->size > 1600 ? 512 : 64);
    assert_false(checker_look(&report));
    must_find(file->path);
}

static void an_empty_file_is_found(void **state) {
    (void)state;
    find_file(lake_at.rejects, ".parquet")->size = 0;
    must_find_in_look("it is not a complete Parquet file of 0 bytes");
}

static void a_file_on_its_way_that_readers_see_is_found(void **state) {
    (void)state;
    char *path = text_format("%s/status=live/part-1.staged", lake_at.table);
    tree_add(path, "PAR1", 4);
    must_find_in_look("is not a data file, and readers see it");
    free(path);
}

static void a_file_under_a_hidden_name_is_not_seen(void **state) {
    (void)state;
    char *path = text_format("%s/_staging/9/part-1.parquet", lake_at.table);
    tree_add(path, "PAR1", 4);
    assert_true(checker_judge(&report));
    free(path);
}

static void a_file_that_the_log_does_not_list_is_found(void **state) {
    (void)state;
    const struct tree_file *file = find_file(lake_at.table, ".parquet");
    char *directory = text_format("%.*s", (int)(strrchr(file->path, '/') - file->path), file->path);
    char *path = text_format("%s/part-copy.parquet", directory);
    tree_add(path, file->bytes, file->size);
    must_find_in_look("is there twice: in ");
    must_find_in_the_end("is in the table, and not in its sink log");
    free(path);
    free(directory);
}

static void a_file_that_is_listed_twice_is_found(void **state) {
    (void)state;
    struct tree_file *log = newest_log();
    char *line = last_line(log);
    append_line(log, line);
    must_find_in_look("is there twice");
    free(line);
}

static void half_a_batch_in_the_log_is_found(void **state) {
    (void)state;
    cut_line(newest_log());
    must_find_in_look("is not whole");
}

static void a_row_of_a_batch_that_does_not_take_its_offset_is_found(void **state) {
    (void)state;
    char *newest = text_format("%s/offsets/12", lake_at.checkpoint);
    char *before = text_format("%s/offsets/11", lake_at.checkpoint);
    // As if the newest batch had the offsets of the one before, and it none.
    struct tree_file *plan = tree_find(newest);
    const struct tree_file *other = tree_find(before);
    char *ends = memrchr(plan->bytes, '\n', plan->size);
    const char *other_ends = memrchr(other->bytes, '\n', other->size);
    char *changed = text_format("%.*s%.*s", (int)(ends - plan->bytes), plan->bytes,
                                (int)(other->bytes + other->size - other_ends), other_ends);
    free(plan->bytes);
    plan->bytes = changed;
    plan->size = strlen(changed);
    char *last = memrchr(plan->bytes, '}', plan->size - 1); // and one of a new partition
    check(last != NULL);
    char *with = text_format("%.*s,\"5\":1}}", (int)(last - plan->bytes), plan->bytes);
    free(plan->bytes);
    plan->bytes = with;
    plan->size = strlen(with);
    must_find_in_look("which takes offsets");
    free(newest);
    free(before);
}

static void a_gap_in_the_log_is_found(void **state) {
    (void)state;
    char *path = text_format("%s/_spark_metadata/11", lake_at.table);
    tree_remove(tree_find(path));
    must_find_in_look("but has no ");
    free(path);
}

static void a_torn_line_of_the_log_is_found(void **state) {
    (void)state;
    newest_log()->size -= 5;
    must_find_in_look("_spark_metadata/12");
}

static void a_file_in_another_directory_is_found(void **state) {
    (void)state;
    struct tree_file *file = find_file(lake_at.table, ".parquet");
    char *path = text_format("%s/status=other/%s", lake_at.table, strrchr(file->path, '/') + 1);
    char *bytes = must_alloc(file->size, 1);
    size_t size = file->size;
    memcpy(bytes, file->bytes, size);
    tree_remove(file);
    tree_add(path, bytes, size);
    must_find_in_look("has another status than its record");
    free(bytes);
    free(path);
}

static void a_reject_that_is_gone_is_found(void **state) {
    (void)state;
    tree_remove(find_file(lake_at.rejects, ".parquet"));
    must_find_in_the_end("to be rejected, Kafka has it) is lost");
}

static void a_reject_that_exists_twice_is_found(void **state) {
    (void)state;
    const struct tree_file *file = find_file(lake_at.rejects, ".parquet");
    char *path = text_format("%s/part-copy.parquet", lake_at.rejects);
    tree_add(path, file->bytes, file->size);
    must_find_in_look("rejects: partition");
    free(path);
}

static struct tree_file *find_manifest(int batch) {
    char *path = text_format("%s/manifests/%d", lake_at.checkpoint, batch);
    struct tree_file *file = tree_find(path);
    free(path);
    assert_non_null(file);
    return file;
}

static void a_manifest_that_goes_before_its_coverage_is_found(void **state) {
    (void)state;
    assert_true(checker_look(&report));
    tree_remove(find_manifest(0));
    char *path = text_format("%s/coverage/0", lake_at.checkpoint);
    tree_add(path, "v5\n", strlen("v5\n"));
    assert_true(checker_look(&report));
    tree_remove(find_manifest(1));
    must_find_in_look("manifest 1 was removed, and no coverage counts its batch");
    free(path);
}

static void a_record_that_was_not_taken_is_found(void **state) {
    (void)state;
    assert_true(model_broker_do(BROKER_PRODUCED));
    must_find_in_the_end("is lost: it is in neither table nor rejects");
    report = (struct checker_report){0};
    assert_true(checker_look(&report)); // it is of a batch to come
}

/* ---- faults that the program was led to ---- */

/* A record of this kind that all readers have; also one whose text has it. */
static struct content_place find_record(enum content_kind kind, const char *text) {
    const struct model_record *history;
    size_t count = model_broker_history(&history);
    for (size_t i = 0; i < count; i++) {
        const struct model_record *record = &history[i];
        const struct content *content =
            model_broker_content(record->incarnation, record->partition, record->offset);
        if (record->was_readable && record->fate == OFFSET_RECORD && content->kind == kind &&
            (text == NULL ||
             memmem(content->value.bytes, content->value.length, text, strlen(text)) != NULL))
            return (struct content_place){record->incarnation, record->partition, record->offset};
    }
    fail_msg("no such record");
    return (struct content_place){0};
}

/* One batch, in which the program gets something else for this record. */
static void run_with(struct lie told) {
    lie = told;
    lake_run();
    assert_true(lie_told);
    tree_load();
}

static int set_up_records(void **state) {
    (void)state;
    begin(&usual, "status", NULL);
    begin_check();
    live(60);
    return 0;
}

static void a_lost_row_is_found(void **state) {
    (void)state;
    run_with((struct lie){LIE_LEAVE_OUT, find_record(CONTENT_ROW, NULL), NULL, NULL});
    must_find_in_look("is not whole");
    must_find_in_the_end("to be a row, Kafka has it) is lost");
    must_verify(false); // Kafka has a record where the manifest says there is none
}

static void a_lost_reject_is_found(void **state) {
    (void)state;
    run_with((struct lie){LIE_LEAVE_OUT, find_record(CONTENT_MALFORMED, NULL), NULL, NULL});
    must_find_in_the_end("to be rejected, Kafka has it) is lost");
}

static void a_wrong_text_is_found(void **state) {
    (void)state;
    run_with(
        (struct lie){LIE_CHANGE, find_record(CONTENT_ROW, "match 0-"), "match 0-", "match 1-"});
    must_find_in_look("has another match_id than its record");
}

static void a_wrong_number_is_found(void **state) {
    (void)state;
    run_with((struct lie){LIE_CHANGE, find_record(CONTENT_ROW, "\"match_duration\":1"),
                          "\"match_duration\":1", "\"match_duration\":2"});
    must_find_in_look("has another match_duration than its record");
}

static void a_wrong_partition_value_is_found(void **state) {
    (void)state;
    run_with(
        (struct lie){LIE_CHANGE, find_record(CONTENT_ROW, "\"live\""), "\"live\"", "\"liv3\""});
    must_find_in_look("has another");
}

static void content_of_another_record_is_found(void **state) {
    (void)state;
    struct content_place place = find_record(CONTENT_ROW, NULL);
    char from[32], to[32];
    (void)snprintf(from, sizeof from, "%" PRId64, content_ingestion(place));
    place.offset++;
    (void)snprintf(to, sizeof to, "%" PRId64, content_ingestion(place));
    place.offset--;
    run_with((struct lie){LIE_CHANGE, place, from, to});
    must_find_in_look("has the content of no record at that offset");
}

static void a_reject_with_other_bytes_is_found(void **state) {
    (void)state;
    run_with((struct lie){LIE_CHANGE, find_record(CONTENT_MISSING_IDENTIFIER, "ingestion"),
                          "ingestion", "Ingestion"});
    must_find_in_look("has not the key, value and time of any record at that offset");
}

static void an_extra_row_is_found(void **state) {
    (void)state;
    const struct model_record *history;
    size_t count = model_broker_history(&history);
    struct lie told = {.kind = LIE_MAKE_UP};
    for (size_t i = 0; i + 1 < count; i++)
        if (!history[i].was_readable && !history[i].is_reject && history[i + 1].was_readable &&
            history[i + 1].partition == history[i].partition &&
            history[i + 1].fate == OFFSET_RECORD)
            told.place = (struct content_place){history[i].incarnation, history[i].partition,
                                                history[i].offset};
    assert_true(told.place.offset > 0);
    run_with(told);
    assert_false(checker_judge(&report));
    assert_true(strstr(report.text, "no reader could ever have had it") != NULL ||
                strstr(report.text, "has another kafka_timestamp") != NULL);
}

int main(int argc, char **argv) {
    streams_load();
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
#define WITH_LAKE(name) cmocka_unit_test_setup(name, take_lake)
#define WITH_RECORDS(name) cmocka_unit_test_setup_teardown(name, set_up_records, remove_lake)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_correct_lake_is_accepted),
        cmocka_unit_test(each_moment_between_runs_is_right),
        cmocka_unit_test(a_lake_without_sink_log_is_accepted),
        cmocka_unit_test(what_retention_took_before_it_was_read_is_counted_as_lost),
        cmocka_unit_test(a_topic_that_was_created_again_is_accepted),
        cmocka_unit_test(a_log_that_was_cut_is_accepted),
        cmocka_unit_test(a_query_that_begins_at_the_end_is_accepted),
        cmocka_unit_test(merged_and_expired_files_are_accepted),
        cmocka_unit_test(rejects_that_were_replayed_are_rows_and_stay_rejects),
        cmocka_unit_test(rows_of_a_permissive_run_are_accepted),
        cmocka_unit_test(rewound_batches_are_done_again),
        cmocka_unit_test(a_change_that_is_not_carried_out_is_a_moment_and_not_an_end),
        cmocka_unit_test(any_history_is_accepted),
        WITH_RECORDS(a_lost_row_is_found),
        WITH_RECORDS(a_lost_reject_is_found),
        WITH_RECORDS(a_wrong_text_is_found),
        WITH_RECORDS(a_wrong_number_is_found),
        WITH_RECORDS(a_wrong_partition_value_is_found),
        WITH_RECORDS(content_of_another_record_is_found),
        WITH_RECORDS(a_reject_with_other_bytes_is_found),
        WITH_RECORDS(an_extra_row_is_found),
    };
    const struct CMUnitTest of_one_lake[] = {
        WITH_LAKE(a_listed_file_that_is_missing_is_found),
        WITH_LAKE(a_file_that_is_cut_short_is_found),
        WITH_LAKE(a_file_with_a_sector_of_zeros_is_found),
        WITH_LAKE(an_empty_file_is_found),
        WITH_LAKE(a_file_on_its_way_that_readers_see_is_found),
        WITH_LAKE(a_file_under_a_hidden_name_is_not_seen),
        WITH_LAKE(a_file_that_the_log_does_not_list_is_found),
        WITH_LAKE(a_file_that_is_listed_twice_is_found),
        WITH_LAKE(half_a_batch_in_the_log_is_found),
        WITH_LAKE(a_row_of_a_batch_that_does_not_take_its_offset_is_found),
        WITH_LAKE(a_gap_in_the_log_is_found),
        WITH_LAKE(a_torn_line_of_the_log_is_found),
        WITH_LAKE(a_file_in_another_directory_is_found),
        WITH_LAKE(a_reject_that_is_gone_is_found),
        WITH_LAKE(a_reject_that_exists_twice_is_found),
        WITH_LAKE(a_manifest_that_goes_before_its_coverage_is_found),
        WITH_LAKE(a_record_that_was_not_taken_is_found),
    };
    if (getenv("CHECKER_LOG") == NULL)
        log_output_set(open("/dev/null", O_WRONLY | O_CLOEXEC));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + cmocka_run_group_tests(of_one_lake, make_lake, remove_lake);
}
