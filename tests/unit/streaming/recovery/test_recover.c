#include "change_fixture.h"

#include <dirent.h>

#include "base/scope.h"
#include "streaming/recovery/recover.h"
#include "streaming/recovery/recovery_table.h"
#include "streaming/store/store.h"

#define ASIDE "processed/.matches.aside/"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fixture_clear(&fixture);
    return 0;
}

/* How a survey differs from that of a healthy query between two batches. */
enum {
    OTHERS_TABLE = 1 << 0,
    SETTING_OFF = 1 << 1, // SINK_LOG=off
    SETTING_ON = 1 << 2,
    NO_SINK_LOG = 1 << 3, // neither there nor wanted
    NO_METADATA = 1 << 4,
    NO_PREVIOUS = 1 << 5,
    OPEN = 1 << 6, // the newest manifest is not finished
    NAMES_SOME = 1 << 7,
    NAMES_OTHERS = 1 << 8,
    NO_COMMIT = 1 << 9, // of the newest manifest's batch
    SPARKS_COMMIT = 1 << 10,
    REWINDING = 1 << 11,
    ELSEWHERE = 1 << 12,
    EMPTY_PLAN = 1 << 13,
    CHANGING = 1 << 14, // a change of the table is not finished
    CHANGED_SINCE = 1 << 15,
    MANIFEST_LOST = 1 << 16,
    FILES_MISSING = 1 << 17,
};

static struct survey survey_of(const int64_t newest[4], unsigned unlike) {
    return (struct survey){
        .planned = newest[0],
        .committed = newest[1],
        .manifest = newest[2],
        .logged = newest[3],
        .has_metadata = !(unlike & NO_METADATA),
        .has_previous_plan = !(unlike & NO_PREVIOUS),
        .rewinding = unlike & REWINDING,
        .changing = unlike & CHANGING,
        .changed_since = unlike & CHANGED_SINCE,
        .manifest_lost = unlike & MANIFEST_LOST,
        .logged_files_missing = unlike & FILES_MISSING,
        .plan_is_empty = unlike & EMPTY_PLAN,
        .log_elsewhere = unlike & ELSEWHERE,
        .owned_by_other = unlike & OTHERS_TABLE,
        .sink_log_there = !(unlike & NO_SINK_LOG),
        .sink_log_on = !(unlike & NO_SINK_LOG),
        .sink_log = unlike & SETTING_OFF  ? SINK_LOG_OFF
                    : unlike & SETTING_ON ? SINK_LOG_ON
                                          : SINK_LOG_AUTO,
        .table_has_files = true,
        .manifest_done = !(unlike & OPEN),
        .manifest_in_log = unlike & NAMES_SOME     ? SINK_LOG_NAMES_SOME
                           : unlike & NAMES_OTHERS ? SINK_LOG_NAMES_OTHERS
                                                   : SINK_LOG_SILENT,
        .manifest_commit = unlike & NO_COMMIT       ? COMMIT_MISSING
                           : unlike & SPARKS_COMMIT ? COMMIT_SPARKS
                                                    : COMMIT_OURS,
    };
}

static void every_case_of_the_table_is_reached(void **state) {
    (void)state;
    // In the table's order. Newest plan, commit, manifest, sink log.
    static const struct {
        int64_t newest[4];
        unsigned unlike;
    } surveys[] = {
        {{4, 4, 4, 4}, REWINDING | NO_METADATA | OTHERS_TABLE | CHANGING},
        {{4, 4, 4, 4}, NO_METADATA | OTHERS_TABLE | CHANGING},
        {{4, 4, 4, 4}, OTHERS_TABLE | CHANGED_SINCE | CHANGING},
        {{4, 4, 4, 5}, CHANGED_SINCE | CHANGING},
        {{-1, -1, -1, 3}, CHANGING | ELSEWHERE},
        {{-1, -1, -1, 3}, 0},
        {{4, 4, 4, 4}, ELSEWHERE | SETTING_OFF},
        {{-1, 3, -1, -1}, NO_SINK_LOG},
        {{4, 4, 4, 4}, SETTING_OFF},
        {{-1, -1, -1, -1}, SETTING_ON | NO_SINK_LOG},
        {{-1, -1, -1, -1}, 0},
        {{4, 5, 4, 4}, 0},
        {{4, 4, 5, 4}, 0},
        {{4, 4, 4, 5}, 0},
        {{5, 4, 4, 4}, NO_PREVIOUS},
        {{4, 4, 4, 3}, 0},
        {{4, 4, 3, 4}, MANIFEST_LOST | OPEN},
        {{4, 4, 4, 4}, OPEN | NAMES_SOME},
        {{4, 4, 4, 4}, OPEN | NAMES_OTHERS},
        {{4, 4, 4, -1}, OPEN | NO_SINK_LOG | SPARKS_COMMIT},
        {{5, 3, 4, 3}, OPEN | NO_COMMIT},
        {{4, 2, 4, 2}, OPEN | NO_COMMIT},
        {{4, 2, 4, 4}, OPEN | NO_COMMIT},
        {{4, 3, 4, 3}, OPEN | NO_COMMIT},
        {{4, 4, 4, 4}, NAMES_SOME},
        {{5, 4, 4, 5}, FILES_MISSING},
        {{5, 4, 4, 5}, 0},
        {{5, 3, 3, 3}, 0},
        {{5, 4, 4, 4}, EMPTY_PLAN},
        {{5, 4, 4, 4}, 0},
        {{4, 4, 4, 4}, 0},
    };
    size_t count;
    const struct recovery_case *cases = recovery_cases(&count);
    assert_int_equal(count, sizeof surveys / sizeof surveys[0]);
    for (size_t i = 0; i < count; i++) {
        struct survey survey = survey_of(surveys[i].newest, surveys[i].unlike);
        const struct recovery_case *found = recovery_decide(&survey);
        if (found != &cases[i])
            fail_msg("case %zu '%s' was taken for '%s'", i, cases[i].state, found->state);
        bool refusal = found->action == RECOVER_STOP || found->action == RECOVER_REFUSE;
        assert_int_equal(refusal, found->cure != NULL);
    }
}

static bool start(struct recovery *recovery, struct error *err) {
    struct store *store = NULL;
    *recovery = (struct recovery){0};
    bool ok = recovery_open(&fixture.options, &store, err) && recover(store, recovery, err);
    store_close(store);
    return ok;
}

static void must_start(struct recovery *recovery) {
    struct error err = {0};
    bool started = start(recovery, &err);
    if (!started)
        print_error("%s\n", err.message);
    check(started);
}

static struct offset_range open_range(const struct recovery *recovery, size_t index) {
    check(recovery->open_plan.ranges != NULL && index < recovery->open_plan.count);
    return recovery->open_plan.ranges[index];
}

/* The start is refused, says `why`, and leaves the disk as it is, except for the lock's text. */
static void assert_refused(enum error_kind kind, const char *why) {
    struct recovery recovery;
    struct error err = {0};
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    if (start(&recovery, &err))
        fail_msg("started: %s", why);
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_string_equal(before, after);
    if (err.kind != kind || strstr(err.message, why) == NULL)
        fail_msg("expected '%s', not: %s", why, err.message);
}

static void remove_path(const char *name) {
    struct file_path path = file_join(fixture.root, name);
    (void)nftw(path.text, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void move_path(const char *from, const char *to) {
    struct file_path old = file_join(fixture.root, from), new = file_join(fixture.root, to);
    assert_int_equal(rename(old.text, new.text), 0);
}

#define CHECKPOINT "checkpoints/match_stream/"
#define REJECTS "rejected/matches/"
#define SINK_LOG "processed/matches/_spark_metadata/"

/* Of the names in a directory, one; owned by the caller. */
static char *last_name(const char *directory) {
    char *name = NULL;
    DIR *names = opendir(file_join(fixture.root, directory).text);
    check(names != NULL);
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;)
        if (entry->d_name[0] != '.') {
            free(name);
            name = text_copy(entry->d_name);
        }
    (void)closedir(names);
    check(name != NULL);
    return name;
}

static void damage_is_refused_and_nothing_is_touched(void **state) {
    (void)state;
    static const struct {
        const char *name, *content; // NULL: the file or directory is removed
        const char *why;
    } cases[] = {
        {CHECKPOINT "metadata", "", "metadata"},
        {CHECKPOINT "metadata", NULL, "`metadata` is missing"},
        {CHECKPOINT "offsets/2", "", "it is empty"},
        {CHECKPOINT "offsets/2", "v1\n{\"batchTi", "offsets/2"},
        {CHECKPOINT "offsets/2", "v9\n{}\n{}", "'v9'"},
        {CHECKPOINT "offsets/2", "v1\n{}\n{\"t9\":{\"0\":9,\"1\":9}}", "topic 't9'"},
        {CHECKPOINT "offsets/2", "v1\n{}\n{\"t1\":{\"0\":9,\"1\":8}}", "end at different offsets"},
        {CHECKPOINT "offsets/3", "", "it is empty"},
        {CHECKPOINT "offsets/2", NULL, "ahead of the newest plan"},
        {CHECKPOINT "offsets", NULL, "but this checkpoint has planned no batch"},
        {CHECKPOINT "commits/2", "", "is not 'v1'"},
        {CHECKPOINT "commits/2", "v2\n{}", "is not 'v1'"},
        {CHECKPOINT "commits/3", "v1\n{}", "commit is ahead"},
        {CHECKPOINT "manifests/2", "", "its first line"},
        {CHECKPOINT "manifests/2", "v1\n{\"batch\":2", "invalid JSON"},
        {CHECKPOINT "manifests/2", "v1\n{\"batch\":1}", "not the manifest of batch 2"},
        {CHECKPOINT "manifests/2", NULL, "but its manifest is missing"},
        {CHECKPOINT "manifests/3", "v1\n{}", "manifest is ahead"},
        {SINK_LOG "2", NULL, "does not contain a committed batch"},
        {SINK_LOG "2", "", "is not 'v1'"},
        {SINK_LOG "1", NULL, "is missing"},
        {SINK_LOG "3", "v1", "sink log is ahead"},
        {"processed/matches/_spark_metadata", NULL, "sink log is missing"},
        {"processed/matches", NULL, "sink log is missing"},
        {"processed/matches/_esports_stream", "{}", "does not name the query that owns the table"},
        {"checkpoints", NULL, "belongs to another checkpoint"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_must_advance(&fixture, 2, 0);
        if (cases[i].content == NULL)
            remove_path(cases[i].name);
        else
            fixture_write(&fixture, cases[i].name, cases[i].content);
        assert_refused(ERROR_STATE, cases[i].why);
        remove_path("checkpoints");
        remove_path("processed");
        remove_path("rejected");
    }
}

static void a_deleted_checkpoint_is_not_even_begun(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    remove_path("checkpoints");
    assert_refused(ERROR_STATE, "belongs to another checkpoint");
    assert_false(fixture_has(&fixture, "checkpoints"));

    remove_path("processed/matches/_esports_stream"); // as a table of Spark is
    remove_path("rejected/matches/_esports_stream");
    assert_refused(ERROR_STATE, "this checkpoint has planned no batch");
    assert_false(fixture_has(&fixture, "checkpoints"));
}

static void a_second_checkpoint_on_a_table_is_refused(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    char other[400];
    (void)snprintf(other, sizeof other, "%s/checkpoints/other", fixture.root);
    fixture.options.checkpoint = other;
    assert_refused(ERROR_STATE, "checkpoints/match_stream')");
    char table[400];
    (void)snprintf(table, sizeof table, "%s/processed/other", fixture.root);
    fixture.options.table = table; // the rejects are shared still
    assert_refused(ERROR_STATE, "rejected/matches' says");
}

static void a_moved_table_is_refused(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    move_path("processed", "moved");
    char table[400];
    (void)snprintf(table, sizeof table, "%s/moved/matches", fixture.root);
    fixture.options.table = table;
    assert_refused(ERROR_STATE, "if the lake was moved, run `esports-stream relocate`");
}

static void other_partition_columns_are_refused(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    static const char *const others[] = {"region", "status"};
    fixture.options.partition_by = others;
    assert_refused(ERROR_CONFIG, "(expected 'region=…')");
    fixture.options.partition_by = others + 1;
    fixture.options.partition_by_count = 0;
    assert_refused(ERROR_CONFIG, "(expected files)");
    static const char *const deeper[] = {"status", "role"};
    fixture.options.partition_by = deeper;
    fixture.options.partition_by_count = 2;
    assert_refused(ERROR_CONFIG, "(expected directories 'role=…')");
}

static bool note_found(void *context, const char *path) {
    char *found = context;
    assert_string_equal(found, "");
    (void)snprintf(found, 100, "%s", path);
    return true;
}

static void a_partition_value_may_end_like_a_file(void **state) {
    (void)state;
    static const char file[] = "status=x.parquet/part-0.parquet";
    struct error err;
    struct table table;
    struct file_path stranger;
    char found[100] = "", none[100] = "";
    fixture_must_advance(&fixture, 0, 0);
    for (size_t i = 0; i < 2; i++) {
        scoped(scope_free) char *other =
            fixture_text("%s/status=%s", fixture.table, i == 0 ? "live" : "a%2Fb c");
        (void)nftw(other, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    }
    assert_true(file_make_directory(file_join(fixture.table, "status=x.parquet").text, &err));
    fixture_write(&fixture, "processed/matches/status=x.parquet/part-0.parquet", "x");
    assert_true(table_open(&table, fixture.table, &err));
    assert_true(table_check_partitions(&table, fixture_columns, 1, &err));
    assert_true(table_each_file(&table, 1, note_found, found, &err));
    assert_string_equal(found, file);
    assert_true(table_each_file(&table, 0, note_found, none, &err));
    assert_string_equal(none, "");
    assert_true(table_find_stranger(&table, 1, &stranger, &err));
    assert_string_equal(stranger.text, "");
    fixture_write(&fixture, "processed/matches/a=b.parquet", "x"); // a file is one all the same
    assert_false(table_check_partitions(&table, fixture_columns, 1, &err));
    assert_true(table_find_stranger(&table, 1, &stranger, &err));
    assert_string_equal(stranger.text, "a=b.parquet");
    table_close(&table);
}

static void assert_refused_as(const char *const *names, size_t count, const char *text) {
    struct store_options options = fixture.options;
    struct store *store;
    struct error err;
    options.partition_by = names;
    options.partition_by_count = count;
    assert_false(recovery_open(&options, &store, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    if (strstr(err.message, text) == NULL)
        fail_msg("not '%s': %s", text, err.message);
}

/* Of the directories of a level, each can be another one. */
static void every_directory_of_a_table_must_have_its_partition_columns(void **state) {
    (void)state;
    static const char *const both[] = {"status", "role"};
    struct error err;
    struct store *store;
    fixture_must_advance(&fixture, 0, 0); // status=live/part-….parquet, status=…
    assert_refused_as(both, 2, "(expected directories 'role=…')");
    for (int letter = 'a'; letter < 'k'; letter++) {
        char name = (char)letter;
        scoped(scope_free) char *file =
            fixture_text("processed/matches/status=%c/part-0.parquet", name);
        assert_true(file_make_directory(
            file_join(fixture.table, (char[]){'s', 't', 'a', 't', 'u', 's', '=', name, 0}).text,
            &err));
        fixture_write(&fixture, file, "x");
    }
    scoped(scope_free) char *other = fixture_text("%s/status=h/role=x", fixture.table);
    assert_true(file_make_directory(other, &err));
    assert_false(recovery_open(&fixture.options, &store, &err));
    assert_non_null(
        strstr(err.message, "different partition columns than this start (status); set"));
    assert_non_null(
        strstr(err.message, "/status=h' contains the directory 'role=x' (expected files)"));
}

static void a_table_whose_files_are_gone_keeps_its_partition_columns(void **state) {
    (void)state;
    static const char *const names[] = {"ingest_date", "status"};
    struct error err;
    struct store *store;
    fixture_must_advance(&fixture, 0, 0);
    (void)nftw(fixture.table, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    assert_true(file_make_directory(file_join(fixture.table, "_spark_metadata").text, &err));
    assert_refused_as(names, 2, "a batch of this checkpoint wrote 'status=");
    assert_refused_as(names, 0, "than this start (none); set *_PARTITION_BY");
    assert_true(recovery_open(&fixture.options, &store, &err));
    store_close(store);
}

static void a_table_without_partitions_is_its_own_kind(void **state) {
    (void)state;
    fixture.options.partition_by_count = 0;
    struct error err;
    assert_true(file_make_directory(fixture.table, &err));
    fixture_write(&fixture, "processed/matches/part-0.parquet", "x");
    struct recovery recovery;
    must_start(&recovery);
    recovery_deinit(&recovery);
    fixture.options.partition_by_count = 1;
    assert_refused(ERROR_CONFIG, "(expected directories 'status=…')");
}

static void a_table_of_the_old_job_is_written_without_a_sink_log(void **state) {
    (void)state;
    struct error err;
    assert_true(file_make_directory(file_join(fixture.table, "status=live").text, &err));
    fixture_write(&fixture, "processed/matches/status=live/part-x.snappy.parquet", "x");
    fixture.options.sink_log = SINK_LOG_ON;
    assert_refused(ERROR_CONFIG, "would hide them from Spark");
    fixture.options.sink_log = SINK_LOG_AUTO;
    struct recovery recovery;
    must_start(&recovery);
    assert_true(recovery.new_query);
    assert_false(recovery.sink_log);
    assert_true(recovery.table_unlogged);
    recovery_deinit(&recovery);
    fixture_must_advance(&fixture, 1, 0);
    assert_false(fixture_has(&fixture, "processed/matches/_spark_metadata"));

    // What was decided stays decided, also when the old files are gone.
    remove_path("processed/matches/status=live");
    remove_path("processed/matches/status=a%2Fb c");
    must_start(&recovery);
    assert_false(recovery.sink_log);
    recovery_deinit(&recovery);
}

static void a_new_table_gets_a_sink_log_unless_it_must_not(void **state) {
    (void)state;
    struct recovery recovery;
    must_start(&recovery);
    assert_true(recovery.sink_log);
    assert_false(recovery.table_unlogged);
    recovery_deinit(&recovery);
    fixture_must_advance(&fixture, 0, 0);
    fixture.options.sink_log = SINK_LOG_OFF;
    assert_refused(ERROR_CONFIG, "SINK_LOG=off");
}

/* As in a copy that was made file by file, some files of the batch are whole, and one is not. */
static void a_committed_batch_that_lacks_a_file_is_left_as_it_is(void **state) {
    (void)state;
    static const char *const contents[] = {NULL, "half"};
    static const char *const whys[] = {"batch 5 is committed, but cannot be finished",
                                       "has 4 bytes instead of"};
    for (size_t i = 0; i < 2; i++) {
        fixture_clear(&fixture);
        fixture_init(&fixture);
        fixture_must_advance(&fixture, 4, 0);
        fixture_leave_open(&fixture, 5, true);
        scoped(scope_free) char *name = last_name(REJECTS "_staging/5");
        scoped(scope_free) char *path = fixture_text(REJECTS "_staging/5/%s", name);
        if (contents[i] == NULL)
            remove_path(path);
        else
            fixture_write(&fixture, path, contents[i]);
        assert_refused(ERROR_STATE, whys[i]);
    }
}

static void a_batch_is_not_finished_in_a_state_that_is_refused_afterwards(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 4, 0);
    remove_path(CHECKPOINT "commits/4");
    scoped(scope_free) char *plan = fixture_read(&fixture, CHECKPOINT "offsets/4");
    fixture_write(&fixture, CHECKPOINT "offsets/5", plan);
    fixture_write(&fixture, CHECKPOINT "offsets/6", plan);
    assert_refused(ERROR_STATE, "a batch before the newest plan is not committed");
    remove_path(CHECKPOINT "offsets/6");
    remove_path(CHECKPOINT "offsets/5");
    fixture_must_advance(&fixture, 6, 0);
}

/* ---- Spark's checkpoints and tables ---- */

static void write_checksum(const char *log, int64_t batch) {
    scoped(scope_free) char *name = fixture_text("%s.%" PRId64 ".crc", log, batch);
    fixture_write(&fixture, name, "crc");
}

/* As Spark leaves them after batch `last`; its checkpoint has neither manifests nor a signature. */
static void become_sparks(int64_t last) {
    fixture_must_advance(&fixture, last, 0);
    remove_path(CHECKPOINT "manifests");
    remove_path(CHECKPOINT "lock");
    remove_path("processed/matches/_staging");
    remove_path("processed/matches/_esports_stream");
    remove_path("rejected");
    for (int64_t batch = 0; batch <= last; batch++) {
        write_checksum(CHECKPOINT "commits/", batch);
        write_checksum(SINK_LOG, batch);
    }
}

/* Commands go by what is on disk, as with SINK_LOG=auto; their first recovery may come before the
 * first batch. */
static void a_query_without_a_sink_log_takes_back_a_promise_of_one(void **state) {
    (void)state;
    struct recovery recovery;
    must_start(&recovery);
    recovery_deinit(&recovery);
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, 1, 0);
    fixture.options.sink_log = SINK_LOG_AUTO;
    must_start(&recovery);
    assert_false(recovery.sink_log);
    assert_int_equal(recovery.next_batch, 2);
    recovery_deinit(&recovery);
}

static void a_checkpoint_of_spark_is_taken_over(void **state) {
    (void)state;
    become_sparks(3);
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(recovery.next_batch, 4);
    assert_false(recovery.has_open_plan);
    assert_true(recovery.sink_log);
    check(recovery.start_count == 2 && recovery.starts != NULL);
    assert_int_equal(recovery.starts[1].start, 12);
    recovery_deinit(&recovery);
    fixture_must_advance(&fixture, 9, 0);
    assert_true(fixture_has(&fixture, SINK_LOG "9.compact"));
}

static void a_batch_that_spark_left_open_runs_again_with_its_timestamp(void **state) {
    (void)state;
    become_sparks(3);
    remove_path(CHECKPOINT "commits/3");
    remove_path(SINK_LOG "3");
    struct recovery recovery;
    must_start(&recovery);
    assert_true(recovery.has_open_plan);
    assert_int_equal(recovery.next_batch, 3);
    assert_int_equal(recovery.open_plan.batch_id, 3);
    assert_int_equal(recovery.open_plan.timestamp_ms, 1795366883123);
    assert_int_equal(open_range(&recovery, 0).start, 9);
    assert_int_equal(open_range(&recovery, 0).end, 12);
    recovery_deinit(&recovery);
}

static void batch_0_runs_again_from_the_first_offsets(void **state) {
    (void)state;
    become_sparks(0);
    remove_path(CHECKPOINT "commits/0");
    remove_path(SINK_LOG "0");
    char initial[] = "?v1\n{\"t1\":{\"0\":1,\"1\":2}}";
    initial[0] = '\0';
    FILE *out = fopen(file_join(fixture.checkpoint, "sources/0/0").text, "w");
    assert_int_equal(fwrite(initial, 1, sizeof initial - 1, out), sizeof initial - 1);
    assert_int_equal(fclose(out), 0);
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(open_range(&recovery, 0).start, 1);
    assert_int_equal(open_range(&recovery, 1).start, 2);
    recovery_deinit(&recovery);

    remove_path(CHECKPOINT "sources/0/0");
    assert_refused(ERROR_STATE, "plan before the newest one is missing");
}

static void a_batch_in_spark_s_sink_log_gets_its_commit(void **state) {
    (void)state;
    become_sparks(3);
    remove_path(CHECKPOINT "commits/3");
    struct recovery recovery;
    must_start(&recovery);
    assert_false(recovery.has_open_plan);
    assert_int_equal(recovery.next_batch, 4);
    assert_int_equal(recovery.note_count, 1);
    recovery_deinit(&recovery);
    assert_true(fixture_has(&fixture, CHECKPOINT "commits/3"));
}

static void a_partition_that_is_new_in_an_open_plan_is_read_from_its_start(void **state) {
    (void)state;
    become_sparks(3);
    fixture_write(&fixture, CHECKPOINT "offsets/4",
                  "v1\n{\"batchTimestampMs\":1,\"conf\":{}}\n{\"t1\":{\"2\":7,\"0\":12,\"1\":13}}");
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(recovery.open_plan.count, 3);
    assert_int_equal(open_range(&recovery, 2).partition, 2);
    assert_int_equal(open_range(&recovery, 2).start, 0);
    assert_int_equal(open_range(&recovery, 2).end, 7);
    recovery_deinit(&recovery);
}

static void a_plan_whose_positions_go_back_begins_an_incarnation(void **state) {
    (void)state;
    become_sparks(3);
    fixture_write(&fixture, CHECKPOINT "offsets/4",
                  "v1\n{\"batchTimestampMs\":1795366883999,\"conf\":{}}\n"
                  "{\"t1\":{\"0\":15,\"1\":5,\"2\":3}}");
    struct recovery recovery;
    must_start(&recovery);
    assert_true(recovery.has_open_plan);
    const struct offset_range *ranges = recovery.open_plan.ranges;
    assert_int_equal(recovery.open_plan.count, 3);
    assert_int_equal(ranges[0].end - ranges[0].start, 3);
    assert_int_equal(ranges[1].end - ranges[1].start, 0); // of which nothing is taken
    assert_int_equal(ranges[2].end - ranges[2].start, 3);
    assert_int_equal(recovery.starts[1].end, 12);
    assert_int_equal(recovery.begun.count, 1);
    const struct incarnation_begin *begin = recovery.begun.begins;
    assert_int_equal(begin->batch_id, 4);
    assert_int_equal(begin->since_ms, 1795366883999);
    assert_int_equal(begin->former.entries[1].offset, 12);
    assert_int_equal(begin->starts.entries[0].offset, 12);
    assert_int_equal(begin->starts.entries[1].offset, 5);
    assert_int_equal(begin->starts.entries[2].offset, 0);
    recovery_deinit(&recovery);
}

static void what_spark_leaves_in_its_directories_does_not_disturb(void **state) {
    (void)state;
    become_sparks(3);
    fixture_write(&fixture, CHECKPOINT ".metadata.crc", "crc");
    fixture_write(&fixture, CHECKPOINT "offsets/.4.0a1b2c3d-0000.tmp", "half");
    fixture_write(&fixture, CHECKPOINT "offsets/foo", "");
    fixture_write(&fixture, CHECKPOINT "offsets/9.tmp", "");
    write_checksum(SINK_LOG, 3);
    fixture_write(&fixture, "processed/matches/_SUCCESS", "");
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(recovery.next_batch, 4);
    recovery_deinit(&recovery);
}

static void drafts_that_a_crash_left_are_swept(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 2, 0);
    static const char *const drafts[] = {CHECKPOINT "offsets/.3.tmp",
                                         CHECKPOINT "commits/.2.tmp",
                                         CHECKPOINT "manifests/.3.tmp",
                                         SINK_LOG ".9.compact.tmp",
                                         SINK_LOG ".3.tmp",
                                         CHECKPOINT "changes/.0.open.tmp",
                                         "processed/matches/._esports_stream.tmp"};
    check(mkdir(file_join(fixture.checkpoint, "changes").text, 0755) == 0);
    for (size_t i = 0; i < 7; i++)
        fixture_write(&fixture, drafts[i], "half");
    struct recovery recovery;
    must_start(&recovery);
    recovery_deinit(&recovery);
    for (size_t i = 0; i < 7; i++)
        assert_false(fixture_has(&fixture, drafts[i]));
}

static void a_batch_that_we_logged_and_spark_committed_is_finished(void **state) {
    (void)state;
    // Killed between the sink log and the commit, which Spark then writes: it passes the batch
    // over.
    fixture_must_advance(&fixture, 4, 0);
    write_checksum(CHECKPOINT "commits/", 4);
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(recovery.next_batch, 5);
    assert_int_equal(recovery.note_count, 0);
    recovery_deinit(&recovery);
    fixture_must_advance(&fixture, 6, 0);
}

/* ---- the table, walked on disk ---- */

/* Each builds on a query that has run batches 0 to 4, except `an_empty_disk`. */

static void a_healthy_query(void) {
    fixture_must_advance(&fixture, 4, 0);
}

static void a_healthy_query_without_log(void) {
    fixture.options.sink_log = SINK_LOG_OFF;
    a_healthy_query();
}

static void an_empty_disk(void) {
}

static void a_rewind_half_done(void) {
    a_healthy_query();
    fixture_write(&fixture, CHECKPOINT "rewind", "v1");
}

/* Each file of the log names one of another lake. */
static void a_log_from_elsewhere(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "manifests"); // they would tell first
    for (int64_t batch = 0; batch <= 4; batch++) {
        scoped(scope_free) char *name = fixture_text(SINK_LOG "%" PRId64, batch);
        fixture_write(&fixture, name,
                      "v1\n{\"path\":\"file:///gone/status=live/part-0.c000.snappy.parquet\","
                      "\"size\":12,\"isDir\":false,\"modificationTime\":1,\"blockReplication\":1,"
                      "\"blockSize\":33554432,\"action\":\"add\"}");
    }
}

static void no_metadata(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "metadata");
}

static void another_query_id(void) {
    a_healthy_query();
    fixture_write(&fixture, CHECKPOINT "metadata",
                  "{\"id\":\"00000000-0000-0000-0000-000000000001\"}");
}

/* The record of a compaction, whose last step was undone by a power cut. */
static void a_change_half_done(void) {
    a_healthy_query_without_log();
    struct store *store = NULL;
    struct error err = {0};
    struct recovery recovery;
    struct change change;
    bool recorded;
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err) ||
        !change_prepare(store, &(struct change_wish){.kind = CHANGE_COMPACTION}, 0, &change,
                        &err) ||
        !change_publish(store, &change, &recorded, &err))
        fail_msg("%s", err.message);
    recovery_deinit(&recovery);
    change_deinit(&change);
    store_close(store);
    check(rename(file_join(fixture.checkpoint, "changes/0").text,
                 file_join(fixture.checkpoint, "changes/0.open").text) == 0);
}

static void no_plans(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "offsets");
}

static void no_plans_and_no_log(void) {
    a_healthy_query_without_log();
    remove_path(CHECKPOINT "offsets");
}

static void a_log_that_is_not_wanted(void) {
    a_healthy_query();
    fixture.options.sink_log = SINK_LOG_OFF;
}

static void a_log_wanted_too_late(void) {
    a_healthy_query_without_log();
    fixture.options.sink_log = SINK_LOG_ON;
}

static void a_commit_too_many(void) {
    a_healthy_query();
    fixture_write(&fixture, CHECKPOINT "commits/5", "v1\n{}");
}

static void a_manifest_too_many(void) {
    a_healthy_query();
    fixture_write(&fixture, CHECKPOINT "manifests/5", "v1\n{}");
}

static void a_log_entry_too_many(void) {
    a_healthy_query();
    fixture_write(&fixture, SINK_LOG "5", "v1");
}

static void a_plan_too_few(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "commits/4");
    remove_path(CHECKPOINT "offsets/3");
}

static void a_log_entry_too_few(void) {
    a_healthy_query();
    remove_path(SINK_LOG "4");
}

static void a_committed_batch(void) {
    a_healthy_query();
    fixture_leave_open(&fixture, 5, true);
}

/* `name`: of the only file that the sink log has for the committed batch 5. */
static void a_committed_batch_logged_as(const char *name) {
    a_committed_batch();
    scoped(scope_free) char *entry =
        fixture_text("v1\n{\"path\":\"file://%s/status=live/%s\",\"size\":12,\"isDir\":false,"
                     "\"modificationTime\":1,\"blockReplication\":1,\"blockSize\":33554432,"
                     "\"action\":\"add\"}",
                     fixture.table, name);
    fixture_write(&fixture, SINK_LOG "5", entry);
}

static void a_lost_manifest(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "manifests/4");
}

static void a_half_logged_batch(void) {
    a_committed_batch_logged_as("part-00005-5.c000.snappy.parquet");
}

static void a_batch_that_spark_logged(void) {
    a_committed_batch_logged_as("part-00005-spark.c000.snappy.parquet");
    fixture_write(&fixture, "processed/matches/status=live/part-00005-spark.c000.snappy.parquet",
                  "twelve bytes");
    write_checksum(SINK_LOG, 5);
}

static void a_batch_that_spark_committed(void) {
    a_healthy_query_without_log();
    fixture_leave_open(&fixture, 5, true);
    fixture_write(&fixture, CHECKPOINT "commits/5", "v1\n{}");
    write_checksum(CHECKPOINT "commits/", 5);
}

static void a_plan_after_a_committed_batch(void) {
    a_committed_batch();
    scoped(scope_free) char *plan = fixture_read(&fixture, CHECKPOINT "offsets/5");
    fixture_write(&fixture, CHECKPOINT "offsets/6", plan);
}

static void a_log_that_misses_two(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "commits/3");
    remove_path(CHECKPOINT "commits/4");
    remove_path(SINK_LOG "3");
    remove_path(SINK_LOG "4");
}

static void two_lost_commits(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "commits/3");
    remove_path(CHECKPOINT "commits/4");
}

static void a_log_entry_cut_short(void) {
    a_healthy_query();
    scoped(scope_free) char *text = fixture_read(&fixture, SINK_LOG "4");
    *strrchr(text, '\n') = '\0'; // between two lines: what is left is well-formed
    fixture_write(&fixture, SINK_LOG "4", text);
}

static void a_logged_batch_of_spark(void) {
    a_healthy_query();
    remove_path(CHECKPOINT "manifests");
    remove_path(CHECKPOINT "commits/4");
    write_checksum(SINK_LOG, 4);
}

static void a_logged_batch_of_spark_without_its_files(void) {
    a_logged_batch_of_spark();
    scoped(scope_free) char *text = fixture_read(&fixture, SINK_LOG "4");
    char *path = strstr(text, fixture.table);
    check(path != NULL);
    path[strcspn(path, "\"")] = '\0';
    check(unlink(path) == 0);
}

static void two_open_batches_of_spark(void) {
    a_log_that_misses_two();
    remove_path(CHECKPOINT "manifests");
}

static void a_planned_batch(void) {
    a_healthy_query();
    fixture_leave_open(&fixture, 5, false);
}

static void a_planned_replay(void) {
    a_healthy_query();
    scoped(scope_free) char *plan = fixture_read(&fixture, CHECKPOINT "offsets/4");
    fixture_write(&fixture, CHECKPOINT "offsets/5", plan);
}

/* The newest batch is 9, of which 9.compact tells; `spark`: its commit is Spark's. */
static void compact(bool spark, struct change_wish wish) {
    struct store *store = NULL;
    struct error err = {0};
    struct recovery recovery;
    struct change change;
    bool recorded;
    fixture_must_advance(&fixture, 9, 0);
    if (spark)
        write_checksum(CHECKPOINT "commits/", 9);
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err) ||
        !change_prepare(store, &wish, 0, &change, &err) ||
        !change_publish(store, &change, &recorded, &err))
        fail_msg("%s", err.message);
    recovery_deinit(&recovery);
    change_deinit(&change);
    store_close(store);
}

static void compact_all(bool spark, int pieces) {
    compact(spark, (struct change_wish){.kind = CHANGE_COMPACTION,
                                        .directory = pieces > 0 ? NULL : "status=live",
                                        .pieces = pieces});
}

static void a_newest_batch_whose_files_were_compacted_is_done(void **state) {
    (void)state;
    for (int spark = 0; spark < 2; spark++)
        for (int pieces = 0; pieces < 4; pieces++) {
            fixture_clear(&fixture);
            fixture_init(&fixture);
            compact_all(spark == 1, pieces);
            struct recovery recovery;
            must_start(&recovery);
            assert_int_equal(recovery.next_batch, 10);
            assert_int_equal(recovery.note_count, 0);
            recovery_deinit(&recovery);
            fixture_must_advance(&fixture, 20, 0);
            struct rows by_log = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
            assert_int_equal(by_log.count, 42);
            assert_true(rows_equal(&by_log, &listed));
            rows_deinit(&by_log);
            rows_deinit(&listed);
        }
}

/* The removal of a staging directory is not synced: a power cut long after it can undo it. */
static void
a_staging_directory_that_came_back_does_not_open_a_batch_whose_files_have_left(void **state) {
    (void)state;
    struct error err;
    compact_all(false, 2);
    assert_true(file_make_directory(file_join(fixture.table, "_staging/9").text, &err));
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(recovery.next_batch, 10);
    assert_int_equal(recovery.note_count, 0);
    recovery_deinit(&recovery);
    assert_false(fixture_has(&fixture, "processed/matches/_staging/9"));
}

/* It has a batch's entries among others: those that a compaction of older files has added. */
static void a_batch_among_other_entries_of_a_compact_file_is_rolled_forward(void **state) {
    (void)state;
    struct error err;
    compact(false, (struct change_wish){.kind = CHANGE_COMPACTION, .most = 4});
    assert_true(file_make_directory(file_join(fixture.table, "_staging/9").text, &err));
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(recovery.next_batch, 10);
    assert_int_equal(recovery.note_count, 1);
    recovery_deinit(&recovery);
    assert_false(fixture_has(&fixture, "processed/matches/_staging/9"));
}

/* As `adopt` leaves the log: the newest file lists the whole table. */
static void a_batch_among_the_entries_of_the_whole_table_is_rolled_forward(void **state) {
    (void)state;
    struct error err;
    a_healthy_query();
    scoped(scope_free) char *all = fixture_text("v1");
    for (int64_t batch = 0; batch <= 4; batch++) {
        scoped(scope_free) char *name = fixture_text(SINK_LOG "%" PRId64, batch);
        scoped(scope_free) char *text = fixture_read(&fixture, name);
        char *longer = fixture_text("%s%s", all, text + strlen("v1"));
        free(all);
        all = longer;
        fixture_write(&fixture, name, batch == 4 ? all : "v1");
    }
    assert_true(file_make_directory(file_join(fixture.table, "_staging/4").text, &err));
    struct recovery recovery;
    must_start(&recovery);
    assert_int_equal(recovery.next_batch, 5);
    recovery_deinit(&recovery);
    fixture_must_advance(&fixture, 6, 0);
}

#define LIVE_FILE "processed/matches/status=live/part-00004-0.c000.snappy.parquet"

/* As a power cut may leave the newest batch: the staged name of a file that is in the table. */
static struct file_path bring_back_staging(void) {
    struct error err;
    a_healthy_query();
    struct file_path staging = file_join(fixture.table, "_staging/4");
    assert_true(file_make_directory(staging.text, &err));
    return file_join(staging.text, "4-0-status=live.staged");
}

/* One file with two names, or, after a directory or the lake was copied, two files. */
static void a_staged_file_that_came_back_is_removed_if_the_table_has_its_bytes(void **state) {
    (void)state;
    for (int copied = 0; copied < 2; copied++) {
        fixture_clear(&fixture);
        fixture_init(&fixture);
        struct file_path staged = bring_back_staging();
        if (copied)
            fixture_write(&fixture, staged.text + strlen(fixture.root) + 1, "batch 4 status=live");
        else
            check(link(file_join(fixture.root, LIVE_FILE).text, staged.text) == 0);
        struct recovery recovery;
        must_start(&recovery);
        assert_int_equal(recovery.next_batch, 5);
        recovery_deinit(&recovery);
        assert_false(fixture_has(&fixture, "processed/matches/_staging/4"));
        scoped(scope_free) char *bytes = fixture_read(&fixture, LIVE_FILE);
        assert_string_equal(bytes, "batch 4 status=live");
    }
}

static void a_file_of_other_bytes_under_a_committed_name_is_refused(void **state) {
    (void)state;
    struct file_path staged = bring_back_staging();
    fixture_write(&fixture, staged.text + strlen(fixture.root) + 1, "batch 4 STATUS=live");
    assert_refused(ERROR_STATE, "blocks a committed file");
}

static void a_file_that_a_compaction_made_is_not_an_orphan(void **state) {
    (void)state;
    a_change_half_done();
    fixture_leave_open(&fixture, 5, false);
    struct recovery recovery;
    must_start(&recovery);
    assert_true(recovery.has_open_plan);
    recovery_deinit(&recovery);
    struct rows listed = rows_by_listing(&fixture, false);
    assert_int_equal(listed.count, 10);
    rows_deinit(&listed);
}

static void what_was_prepared_and_not_recorded_is_swept(void **state) {
    (void)state;
    struct store *store = NULL;
    struct error err = {0};
    struct recovery recovery;
    struct change change;
    fixture_must_advance(&fixture, 9, 0);
    assert_true(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err));
    recovery_deinit(&recovery);
    assert_true(
        change_prepare(store, &(struct change_wish){.kind = CHANGE_COMPACTION}, 0, &change, &err));
    change_deinit(&change);
    store_close(store);
    check(mkdir(file_join(fixture.root, ASIDE "reads").text, 0755) == 0);
    check(mkdir(file_join(fixture.root, ASIDE "reads/pin").text, 0755) == 0);
    assert_true(fixture_has(&fixture, ASIDE "0/files"));
    must_start(&recovery);
    recovery_deinit(&recovery);
    assert_false(fixture_has(&fixture, ASIDE "0"));
    assert_true(fixture_has(&fixture, ASIDE "reads/pin"));
}

static void a_preview_says_that_a_change_would_be_finished(void **state) {
    (void)state;
    struct store *store = NULL;
    struct error err = {0};
    struct recovery recovery;
    bool settled = true;
    a_change_half_done();
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    assert_true(store_open_to_read(&fixture.options, &store, &err));
    assert_true(recovery_preview(store, &recovery, &settled, &err));
    assert_false(settled);
    assert_int_equal(recovery.note_count, 1);
    assert_non_null(strstr(recovery.notes[0], "would be finished"));
    recovery_deinit(&recovery);
    store_close(store);
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_string_equal(before, after);
}

/* In the table's order: a case without a state on disk fails. */
/* A backup of the checkpoint, next to a table that was compacted since. */
static void a_checkpoint_from_before_a_change(void) {
    compact_all(false, 1);
    remove_path("checkpoints/match_stream/changes/0");
}

static void (*const states[])(void) = {
    a_rewind_half_done,
    no_metadata,
    another_query_id,
    a_checkpoint_from_before_a_change,
    a_change_half_done,
    no_plans,
    a_log_from_elsewhere,
    no_plans_and_no_log,
    a_log_that_is_not_wanted,
    a_log_wanted_too_late,
    an_empty_disk,
    a_commit_too_many,
    a_manifest_too_many,
    a_log_entry_too_many,
    a_plan_too_few,
    a_log_entry_too_few,
    a_lost_manifest,
    a_half_logged_batch,
    a_batch_that_spark_logged,
    a_batch_that_spark_committed,
    a_plan_after_a_committed_batch,
    a_log_that_misses_two,
    two_lost_commits,
    a_committed_batch,
    a_log_entry_cut_short,
    a_logged_batch_of_spark_without_its_files,
    a_logged_batch_of_spark,
    two_open_batches_of_spark,
    a_planned_replay,
    a_planned_batch,
    a_healthy_query,
};

static const struct recovery_case *look(void) {
    struct store *store = NULL;
    struct survey survey;
    struct error err = {0};
    if (!recovery_open(&fixture.options, &store, &err) || !survey_take(store, &survey, &err))
        fail_msg("%s", err.message);
    store_close(store);
    return recovery_decide(&survey);
}

static void every_case_is_a_state_on_disk_and_is_acted_on(void **state) {
    (void)state;
    size_t count;
    const struct recovery_case *cases = recovery_cases(&count);
    assert_int_equal(count, sizeof states / sizeof states[0]);
    for (size_t i = 0; i < count; i++) {
        fixture_clear(&fixture);
        fixture_init(&fixture);
        states[i]();
        const struct recovery_case *found = look();
        if (found != &cases[i])
            fail_msg("case %zu '%s' was taken for '%s'", i, cases[i].state, found->state);
        if (found->action == RECOVER_STOP || found->action == RECOVER_REFUSE) {
            assert_refused(found->action == RECOVER_STOP ? ERROR_STATE : ERROR_CONFIG, found->cure);
            continue;
        }
        fixture_must_advance(&fixture, 6, 9); // it continues, and a start finds nothing to do then
        struct recovery recovery;
        must_start(&recovery);
        assert_int_equal(recovery.next_batch, 7);
        assert_int_equal(recovery.note_count, 0);
        recovery_deinit(&recovery);
    }
    print_message("%zu cases of the table, each as a state on disk\n", count);
}

static struct store *open_and_recover(const struct store_options *options) {
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    check(recovery_open(options, &store, &err) && recover(store, &recovery, &err));
    recovery_deinit(&recovery);
    return store;
}

static void copy_tree(const char *from, const char *to) {
    char command[700];
    (void)snprintf(command, sizeof command, "cp -r '%s' '%s'", from, to);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): directories of our own
}

/* A copy has a lock of its own: the table's own lock keeps it out, until the process ends. */
static void a_copy_of_the_checkpoint_waits_for_the_table(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 2, 0);
    struct store *store = open_and_recover(&fixture.options);
    struct file_path copy = file_join(fixture.root, "checkpoints/copy");
    copy_tree(fixture.checkpoint, copy.text);
    const char *own = fixture.options.checkpoint;
    fixture.options.checkpoint = copy.text;
    assert_refused(ERROR_LOCKED, "another process writes this table (host=");
    store_close(store);
    struct recovery recovery;
    must_start(&recovery);
    recovery_deinit(&recovery);
    fixture.options.checkpoint = own;
}

/* Removed, moved, replaced by a copy: by path, the query would write into something else. */
static void what_was_replaced_under_the_query_is_not_written(void **state) {
    (void)state;
    const char *const places[] = {"checkpoints/match_stream", "processed/matches",
                                  "rejected/matches"};
    fixture_must_advance(&fixture, 2, 0);
    for (size_t i = 0; i < 2 * sizeof places / sizeof places[0]; i++) {
        struct store *store = open_and_recover(&fixture.options);
        struct file_path place = file_join(fixture.root, places[i / 2]);
        struct file_path aside = file_join(fixture.root, "aside");
        struct offset_range range = {0, 9, 12};
        struct plan plan = {.batch_id = 3, .timestamp_ms = 1, .count = 1, .ranges = &range};
        struct error err = {0};
        const char *staging, *reject_staging;
        assert_true(store_check_locks(store, &err));
        assert_int_equal(rename(place.text, aside.text), 0);
        if (i % 2 == 1)
            copy_tree(aside.text, place.text);
        scoped(scope_free) char *before = tree_print(fixture.root, "lock");
        assert_false(store_write_plan(store, &plan, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        assert_non_null(strstr(err.message, place.text));
        assert_false(store_begin_batch(store, 3, &staging, &reject_staging, &err));
        assert_false(store_commit(store, &(struct manifest){.batch_id = 3}, &err));
        assert_false(store_roll_forward(store, &(struct manifest){.batch_id = 3}, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        scoped(scope_free) char *after = tree_print(fixture.root, "lock");
        assert_string_equal(before, after);
        store_close(store);
        remove_path(places[i / 2]);
        assert_int_equal(rename(aside.text, place.text), 0);
    }
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_table_is_reached),
        ON_DISK(a_newest_batch_whose_files_were_compacted_is_done),
        ON_DISK(a_staging_directory_that_came_back_does_not_open_a_batch_whose_files_have_left),
        ON_DISK(a_batch_among_other_entries_of_a_compact_file_is_rolled_forward),
        ON_DISK(a_batch_among_the_entries_of_the_whole_table_is_rolled_forward),
        ON_DISK(a_staged_file_that_came_back_is_removed_if_the_table_has_its_bytes),
        ON_DISK(a_file_of_other_bytes_under_a_committed_name_is_refused),
        ON_DISK(a_file_that_a_compaction_made_is_not_an_orphan),
        ON_DISK(what_was_prepared_and_not_recorded_is_swept),
        ON_DISK(a_preview_says_that_a_change_would_be_finished),
        ON_DISK(a_batch_that_we_logged_and_spark_committed_is_finished),
        ON_DISK(damage_is_refused_and_nothing_is_touched),
        ON_DISK(a_deleted_checkpoint_is_not_even_begun),
        ON_DISK(a_second_checkpoint_on_a_table_is_refused),
        ON_DISK(a_moved_table_is_refused),
        ON_DISK(other_partition_columns_are_refused),
        ON_DISK(a_partition_value_may_end_like_a_file),
        ON_DISK(a_table_without_partitions_is_its_own_kind),
        ON_DISK(every_directory_of_a_table_must_have_its_partition_columns),
        ON_DISK(a_table_whose_files_are_gone_keeps_its_partition_columns),
        ON_DISK(a_table_of_the_old_job_is_written_without_a_sink_log),
        ON_DISK(a_new_table_gets_a_sink_log_unless_it_must_not),
        ON_DISK(a_query_without_a_sink_log_takes_back_a_promise_of_one),
        ON_DISK(a_checkpoint_of_spark_is_taken_over),
        ON_DISK(a_batch_that_spark_left_open_runs_again_with_its_timestamp),
        ON_DISK(batch_0_runs_again_from_the_first_offsets),
        ON_DISK(a_batch_in_spark_s_sink_log_gets_its_commit),
        ON_DISK(a_partition_that_is_new_in_an_open_plan_is_read_from_its_start),
        ON_DISK(a_plan_whose_positions_go_back_begins_an_incarnation),
        ON_DISK(a_batch_is_not_finished_in_a_state_that_is_refused_afterwards),
        ON_DISK(a_committed_batch_that_lacks_a_file_is_left_as_it_is),
        ON_DISK(what_spark_leaves_in_its_directories_does_not_disturb),
        ON_DISK(drafts_that_a_crash_left_are_swept),
        ON_DISK(every_case_is_a_state_on_disk_and_is_acted_on),
        ON_DISK(a_copy_of_the_checkpoint_waits_for_the_table),
        ON_DISK(what_was_replaced_under_the_query_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
