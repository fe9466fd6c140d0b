/* test_operations.c: adopt, release, relocate and rewind: what they make of healthy directories,
 * what they refuse, and that they may be stopped at any call to the disk. */
#include "faulty_disk.h"
#include "tree.h"

#include "base/scope.h"
#include "streaming/operations.h"
#include "streaming/path_set.h"

static struct fixture fixture;
static char snapshot[300], graveyard[300];

#define CHECKPOINT "checkpoints/match_stream/"
#define TABLE "processed/matches/"
#define SINK_LOG TABLE "_spark_metadata/"

/* ---- running them ---- */

enum operation { ADOPT, RELEASE, RELOCATE, REWIND };
static int64_t to_batch; // of REWIND

static bool operate(enum operation operation, char **said, struct error *err) {
    size_t size;
    *said = NULL;
    FILE *out = open_memstream(said, &size);
    check(out != NULL);
    bool ok = operation == ADOPT      ? operation_adopt(&fixture.options, out, err)
              : operation == RELEASE  ? operation_release(&fixture.options, out, err)
              : operation == RELOCATE ? operation_relocate(&fixture.options, out, err)
                                      : operation_rewind(&fixture.options, to_batch, out, err);
    check(fclose(out) == 0);
    return ok;
}

static void must_operate(enum operation operation, const char *what) {
    struct error err = {0};
    scoped(scope_free) char *said = NULL;
    if (!operate(operation, &said, &err))
        fail_msg("%s", err.message);
    if (strstr(said, what) == NULL)
        fail_msg("expected '%s', not: %s", what, said);
}

/* Refuses, says why, and leaves the disk as it is but for the lock's text. */
static void assert_refuses(enum operation operation, enum error_kind kind, const char *why) {
    struct error err = {0};
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    scoped(scope_free) char *said = NULL;
    if (operate(operation, &said, &err))
        fail_msg("not refused: %s", said);
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    if (err.kind != kind || strstr(err.message, why) == NULL)
        fail_msg("expected '%s', not: %s", why, err.message);
    assert_string_equal(before, after);
}

static void remove_path(const char *name) {
    struct file_path path = file_join(fixture.root, name);
    (void)nftw(path.text, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is there ---- */

static bool has_end(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static size_t count_files(const char *start, const char *end) {
    struct tree tree;
    tree_init(&tree, fixture.root);
    size_t count = 0;
    for (size_t i = 0; i < tree.count; i++)
        count += strncmp(tree.paths[i], start, strlen(start)) == 0 && has_end(tree.paths[i], end);
    tree_deinit(&tree);
    return count;
}

static size_t lines_of(const char *name) {
    scoped(scope_free) char *text = fixture_read(&fixture, name);
    if (text == NULL)
        fail_msg("'%s' is missing", name);
    assert_memory_equal(text, "v1", 2);
    size_t lines = 0;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    return lines;
}

/* How many files the log lists as of `last`, in a log whose interval is 10. */
static size_t listed(int64_t last) {
    int64_t compact = (last + 1) / 10 * 10 - 1;
    size_t lines = 0;
    for (int64_t batch = compact < 0 ? 0 : compact; batch <= last; batch++) {
        scoped(scope_free) char *name =
            fixture_text(SINK_LOG "%" PRId64 "%s", batch, (batch + 1) % 10 == 0 ? ".compact" : "");
        lines += lines_of(name);
    }
    return lines;
}

/* Batches 0..last are there once, two files of each, one of rejects; nothing else is. */
static void assert_table(int64_t last) {
    assert_int_equal(count_files(TABLE, ".parquet"), 2 * (last + 1));
    assert_int_equal(count_files("rejected/matches/", ".parquet"), last + 1);
    for (int64_t batch = 0; batch <= last; batch++) {
        scoped(scope_free) char *start =
            fixture_text(TABLE "status=live/part-%05" PRId64 "-", batch);
        assert_int_equal(count_files(start, ".parquet"), 1);
    }
    assert_int_equal(count_files("", ".tmp"), 0);
}

/* A query that wrote batches 0..last without a sink log, as the foreachBatch job does. */
static void write_unlogged(int64_t last) {
    fixture.options.sink_log = SINK_LOG_OFF;
    fixture_must_advance(&fixture, last, 0);
    fixture.options.sink_log = SINK_LOG_AUTO;
}

/* ---- adopt and release ---- */

static void a_young_table_is_adopted_into_its_newest_batch(void **state) {
    (void)state;
    write_unlogged(4);
    must_operate(ADOPT, "lists all 10 files");
    assert_int_equal(lines_of(SINK_LOG "4"), 10);
    for (int i = 0; i < 4; i++) {
        scoped(scope_free) char *name = fixture_text(SINK_LOG "%d", i);
        assert_int_equal(lines_of(name), 0);
    }
    scoped(scope_free) char *owner = fixture_read(&fixture, TABLE "_esports_stream");
    assert_non_null(strstr(owner, "\"sinkLog\":true,\"adoptedAt\":4"));
    must_operate(ADOPT, "nothing to do");
    fixture_must_advance(&fixture, 12, 1);
    assert_table(12);
    assert_int_equal(listed(12), 26);
}

static void an_old_table_is_adopted_into_a_compact_file(void **state) {
    (void)state;
    write_unlogged(12);
    must_operate(ADOPT, "lists all 26 files");
    assert_int_equal(lines_of(SINK_LOG "9.compact"), 26);
    assert_false(fixture_has(&fixture, SINK_LOG "8"));
    assert_int_equal(listed(12), 26);
    fixture_must_advance(&fixture, 20, 1);
    assert_int_equal(lines_of(SINK_LOG "19.compact"), 40);
    assert_int_equal(listed(20), 42);
}

static void an_entry_is_as_the_sink_log_writes_it(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 0, 0);
    scoped(scope_free) char *ours = fixture_read(&fixture, SINK_LOG "0");
    must_operate(RELEASE, "the 2 files");
    must_operate(ADOPT, "lists all 2 files");
    scoped(scope_free) char *adopted = fixture_read(&fixture, SINK_LOG "0");
    for (char *text = ours; text != NULL; text = text == ours ? adopted : NULL)
        for (char *at = text; (at = strstr(at, "\"modificationTime\":")) != NULL;)
            for (at += strlen("\"modificationTime\":"); *at != ','; at++)
                *at = '9';                           // the fixture's is made up
    assert_int_equal(strlen(adopted), strlen(ours)); // lines may stand in another order
    assert_non_null(strstr(adopted, "status=a%252Fb%20c/part-00000-0.c000.snappy.parquet\","
                                    "\"size\":22,\"isDir\":false,\"modificationTime\":99999999999"
                                    "99,\"blockReplication\":1,\"blockSize\":33554432,"
                                    "\"action\":\"add\"}"));
}

static void what_a_log_can_not_list_is_refused(void **state) {
    (void)state;
    write_unlogged(1);
    static const char *const strangers[] = {TABLE "data.parquet", TABLE "status=live/notes.txt",
                                            TABLE "status=live/data.orc"};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        fixture_write(&fixture, strangers[i], "x");
        if (i > 0)
            assert_refuses(ADOPT, ERROR_STATE, "is not a Parquet file in a directory");
        remove_path(strangers[i]);
    }
    fixture_write(&fixture, TABLE "_SUCCESS", "");
    fixture_write(&fixture, TABLE "status=live/.part.crc", "");
    must_operate(ADOPT, "lists all 4 files");
}

static void without_a_checkpoint_nothing_is_done(void **state) {
    (void)state;
    to_batch = 0;
    for (enum operation operation = ADOPT; operation <= REWIND; operation++)
        assert_refuses(operation, ERROR_CONFIG, "there is no checkpoint");
}

static void a_running_query_is_named(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    struct store *store;
    struct error err;
    check(store_open(&fixture.options, &store, &err));
    for (enum operation operation = ADOPT; operation <= REWIND; operation++)
        assert_refuses(operation, ERROR_LOCKED, "is locked: another instance runs this query");
    store_close(store);
}

static void a_log_is_released_when_it_agrees_with_the_files(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 11, 0);
    must_operate(RELEASE, "the 24 files");
    assert_int_equal(count_files(TABLE "_spark_metadata", ""), 0);
    must_operate(RELEASE, "nothing to do");
    fixture_must_advance(&fixture, 13, 1); // SINK_LOG=auto goes on without one
    assert_false(fixture_has(&fixture, SINK_LOG));
    assert_table(13);
    must_operate(ADOPT, "lists all 28 files");
    assert_int_equal(listed(13), 28);
}

static void a_log_that_disagrees_is_not_released(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    static const char live[] = TABLE "status=live/part-00001-0.c000.snappy.parquet";
    scoped(scope_free) char *content = fixture_read(&fixture, live);
    fixture_write(&fixture, TABLE "status=live/part-x.parquet", "PAR1 ... PAR1");
    assert_refuses(RELEASE, ERROR_STATE, "'status=live/part-x.parquet' is there and not listed");
    remove_path(TABLE "status=live/part-x.parquet");
    fixture_write(&fixture, live, "longer than it was, by far");
    assert_refuses(RELEASE, ERROR_STATE, "is listed with another size");
    remove_path(live);
    assert_refuses(RELEASE, ERROR_STATE, "1 listed files are not there");
    fixture_write(&fixture, live, content);
    scoped(scope_free) char *log = fixture_read(&fixture, SINK_LOG "1");
    scoped(scope_free) char *twice = fixture_text("%s%s", log, strchr(log, '\n'));
    fixture_write(&fixture, SINK_LOG "1", twice);
    assert_refuses(RELEASE, ERROR_STATE, "lists files more than once");
    fixture_write(&fixture, SINK_LOG "1", log);
    must_operate(RELEASE, "the 4 files");
}

/* ---- relocate ---- */

static void move_lake(void) {
    char old[300], new[300];
    (void)snprintf(old, sizeof old, "%s/processed", fixture.root);
    (void)snprintf(new, sizeof new, "%s/moved here", fixture.root);
    assert_int_equal(rename(old, new), 0);
    (void)snprintf(fixture.table, sizeof fixture.table, "%s/moved here/matches", fixture.root);
}

static void start_refuses(const char *why) {
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    bool ok = store_open(&fixture.options, &store, &err) && store_recover(store, &recovery, &err);
    store_close(store);
    assert_false(ok);
    if (err.kind != ERROR_STATE || strstr(err.message, why) == NULL)
        fail_msg("expected '%s', not: %s", why, err.message);
}

static void a_moved_table_is_refused_until_it_is_relocated(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 21, 0);
    move_lake();
    start_refuses("esports-stream relocate");
    must_operate(RELOCATE, "all 44 listed files are there");
    must_operate(RELOCATE, "nothing to do");
    scoped(scope_free) char *log =
        fixture_read(&fixture, "moved here/matches/_spark_metadata/19.compact");
    assert_null(strstr(log, "processed"));
    assert_non_null(strstr(log, "/moved%20here/matches/status=a%252Fb%20c/"));
    scoped(scope_free) char *old =
        fixture_read(&fixture, "moved here/matches/_spark_metadata/9.compact");
    assert_null(strstr(old, "processed"));
    fixture_must_advance(&fixture, 30, 1);
    assert_int_equal(count_files("moved here/", ".parquet"), 62);
}

/* Without a manifest, as after Spark, it is the log that tells. */
static void a_moved_log_is_refused_without_a_manifest_too(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 3, 0);
    remove_path(CHECKPOINT "manifests");
    move_lake();
    start_refuses("names files of another place");
    must_operate(RELOCATE, "all 8 listed files are there");
    fixture_must_advance(&fixture, 5, 1);
}

static void a_moved_checkpoint_is_written_into_the_signatures(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    char old[320], new[320];
    (void)snprintf(old, sizeof old, "%s/checkpoints", fixture.root);
    (void)snprintf(new, sizeof new, "%s/points", fixture.root);
    assert_int_equal(rename(old, new), 0);
    (void)snprintf(fixture.checkpoint, sizeof fixture.checkpoint, "%s/points/match_stream",
                   fixture.root);
    must_operate(RELOCATE, "2 signatures were rewritten");
    scoped(scope_free) char *owner = fixture_read(&fixture, TABLE "_esports_stream");
    assert_non_null(strstr(owner, "/points/match_stream\",\"sinkLog\":true"));
    fixture_must_advance(&fixture, 3, 1);
}

static void a_table_that_did_not_come_along_is_not_relocated(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 1, 0);
    move_lake();
    remove_path("moved here/matches/status=live/part-00001-0.c000.snappy.parquet");
    assert_refuses(RELOCATE, ERROR_STATE, "part-00001-0.c000.snappy.parquet' is not there");
    (void)snprintf(fixture.table, sizeof fixture.table, "%s/elsewhere", fixture.root);
    assert_refuses(RELOCATE, ERROR_STATE, "neither a sink log nor a signature");
}

/* ---- rewind ---- */

static void batches_are_taken_back_and_done_again(void **state) {
    (void)state;
    static const int64_t targets[] = {22, 19, 18, 9, 8, 5, 0};
    fixture_must_advance(&fixture, 25, 0);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        to_batch = targets[i];
        scoped(scope_free) char *what =
            fixture_text("%" PRId64 " files of the table and %" PRId64 " of rejects were set aside",
                         2 * (25 - to_batch), 25 - to_batch);
        must_operate(REWIND, what);
        must_operate(REWIND, "nothing to do");
        assert_table(to_batch);
        assert_int_equal(listed(to_batch), 2 * (to_batch + 1));
        scoped(scope_free) char *next = fixture_text(CHECKPOINT "offsets/%" PRId64, to_batch + 1);
        assert_false(fixture_has(&fixture, next));
        fixture_must_advance(&fixture, 25, 1 + (unsigned)i);
        assert_table(25);
        assert_int_equal(listed(25), 52);
    }
    assert_int_equal(count_files(TABLE "_rewound/status=live/", ".rewound"),
                     3 + 6 + 7 + 16 + 17 + 20 + 25);
}

static void an_open_plan_is_taken_back_too(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 2, 0);
    fixture_write(&fixture, CHECKPOINT "offsets/3",
                  "v1\n{\"batchTimestampMs\":1,\"conf\":{}}\n{\"t1\":{\"0\":99,\"1\":99}}");
    to_batch = 2;
    must_operate(REWIND, "partition 0 offset 9, partition 1 offset 9");
    assert_true(fixture_has(&fixture, CHECKPOINT "offsets/3.rewound"));
    fixture_must_advance(&fixture, 4, 1);
    assert_table(4);
}

static void a_table_without_a_log_is_rewound_by_its_manifests(void **state) {
    (void)state;
    write_unlogged(6);
    to_batch = 3;
    must_operate(REWIND, "6 files of the table and 3 of rejects");
    assert_table(3);
    fixture_must_advance(&fixture, 5, 1);
    assert_table(5);
    assert_false(fixture_has(&fixture, SINK_LOG));
}

static void what_can_not_be_rewound_is_refused(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 5, 0);
    to_batch = 6;
    assert_refuses(REWIND, ERROR_CONFIG, "the newest that is is 5");
    remove_path(CHECKPOINT "offsets/1");
    to_batch = 2;
    assert_refuses(REWIND, ERROR_CONFIG, "choose a newer batch");
    to_batch = 1;
    assert_refuses(REWIND, ERROR_CONFIG, "choose a newer batch");
    to_batch = 3;
    must_operate(REWIND, "4 files of the table");
}

/* The files of this fixture are no Parquet files, so that nobody can tell. */
static void an_adopted_batch_whose_files_do_not_tell_is_refused(void **state) {
    (void)state;
    write_unlogged(12);
    must_operate(ADOPT, "lists all 26 files");
    to_batch = 11;
    assert_refuses(REWIND, ERROR_STATE, "which batch");
    fixture_must_advance(&fixture, 15, 1);
    to_batch = 12;
    must_operate(REWIND, "6 files of the table");
    assert_int_equal(listed(12), 26);
}

/* ---- faults ---- */

static const char *copy_to;

/* Copies, not second names: these operations write into files that are there. */
static int copy_path(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)at;
    struct file_path to;
    (void)snprintf(to.text, sizeof to.text, "%s%s", copy_to, path + tree_root_length);
    check((type == FTW_D ? mkdir(to.text, 0755) : link(path, to.text)) == 0);
    return 0;
}

static void copy_tree(const char *from, const char *to) {
    (void)nftw(to, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    copy_to = to;
    tree_root_length = strlen(from);
    (void)nftw(from, copy_path, 16, FTW_PHYS);
}

static const char *const fault_names[FAULT_COUNT] = {
    "none", "read error", "error", "late error", "kill", "power cut", "power cut, half synced"};

/* With a fault at call `at`, then again without one. False: there are fewer calls. */
static bool try_fault(enum operation operation, enum fault fault, long at, void (*verify)(void)) {
    struct error err = {0};
    scoped(scope_free) char *said = NULL;
    scoped(scope_free) char *again = NULL;
    copy_tree(snapshot, fixture.root);
    faulty_begin(fault, fault == FAULT_ERROR ? ENOSPC : EIO, at, graveyard);
    bool ok = operate(operation, &said, &err);
    bool reached = faulty.calls >= at, dead = faulty.dead;
    faulty_end();
    if (!ok && !dead && err.kind == ERROR_NONE)
        fail_msg("%s at call %ld: gave up without an error", fault_names[fault], at);
    if (!operate(operation, &again, &err))
        fail_msg("again, after %s at call %ld: %s", fault_names[fault], at, err.message);
    verify();
    return reached;
}

static void survive(const char *name, enum operation operation, void (*verify)(void)) {
    copy_tree(fixture.root, snapshot);
    long points = 0;
    for (enum fault fault = FAULT_READ_ERROR; fault < FAULT_COUNT; fault++)
        for (long at = 1; try_fault(operation, fault, at, verify); at++)
            points++;
    print_message("%s: %ld faults survived\n", name, points);
}

static void verify_adopted(void) {
    assert_int_equal(listed(11), 24);
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata_new"));
    fixture_must_advance(&fixture, 12, 1);
    assert_int_equal(listed(12), 26);
    assert_table(12);
}

static void adopting_survives_any_fault(void **state) {
    (void)state;
    write_unlogged(11);
    survive("adopt", ADOPT, verify_adopted);
}

static void verify_released(void) {
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata"));
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata_released"));
    fixture_must_advance(&fixture, 3, 1);
    assert_false(fixture_has(&fixture, TABLE "_spark_metadata"));
    assert_table(3);
}

static void releasing_survives_any_fault(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 2, 0);
    survive("release", RELEASE, verify_released);
}

static void verify_relocated(void) {
    fixture_must_advance(&fixture, 12, 1);
    assert_int_equal(count_files("moved here/matches/status", ".parquet"), 26);
    scoped(scope_free) char *log =
        fixture_read(&fixture, "moved here/matches/_spark_metadata/9.compact");
    assert_null(strstr(log, "processed"));
}

static void relocating_survives_any_fault(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 9, 0);
    move_lake();
    survive("relocate", RELOCATE, verify_relocated);
}

static void verify_rewound(void) {
    assert_table(8);
    assert_int_equal(listed(8), 18);
    assert_int_equal(count_files(TABLE "_rewound/", ".rewound"), 6);
    fixture_must_advance(&fixture, 11, 1);
    assert_table(11);
    assert_int_equal(listed(11), 24);
}

static void rewinding_survives_any_fault(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 11, 0);
    to_batch = 8;
    survive("rewind", REWIND, verify_rewound);
}

/* Between a fault and the second run, a start must go on without harm or refuse: never half. */
static void nothing_starts_on_a_rewind_that_is_not_finished(void **state) {
    (void)state;
    fixture_must_advance(&fixture, 6, 0);
    to_batch = 3;
    copy_tree(fixture.root, snapshot);
    long refused = 0, before = 0, after = 0;
    for (long at = 1;; at++) {
        struct error err = {0};
        scoped(scope_free) char *said = NULL;
        copy_tree(snapshot, fixture.root);
        faulty_begin(FAULT_KILL, EIO, at, graveyard);
        bool ok = operate(REWIND, &said, &err);
        bool reached = faulty.calls >= at;
        faulty_end();
        if (!reached) {
            assert_true(ok);
            break;
        }
        if (fixture_has(&fixture, CHECKPOINT "rewind")) {
            start_refuses("rewind` again");
            refused++;
        } else if (fixture_has(&fixture, CHECKPOINT "commits/4")) {
            fixture_must_advance(&fixture, 7, 1);
            assert_table(7);
            before++;
        } else {
            fixture_must_advance(&fixture, 7, 1);
            assert_table(7);
            after++;
        }
    }
    assert_true(before > 0 && refused > 0 && after > 0);
}

/* ---- the set ---- */

static void a_set_knows_its_members_and_what_came_twice(void **state) {
    (void)state;
    struct path_set set = {0};
    assert_int_equal(path_set_seal(&set), 0);
    assert_false(path_set_has(&set, "a"));
    for (int i = 0; i < 5000; i++) {
        scoped(scope_free) char *path = fixture_text("status=live/part-%d.parquet", i);
        path_set_add(&set, path);
    }
    path_set_add(&set, "status=live/part-7.parquet");
    assert_int_equal(path_set_seal(&set), 1);
    assert_true(path_set_has(&set, "status=live/part-4999.parquet"));
    assert_false(path_set_has(&set, "status=live/part-5000.parquet"));
    path_set_deinit(&set);
}

static int set_up(void **state) {
    (void)state;
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 1); // thousands of runs that sync: memory is quick
    fixture_init(&fixture);
    (void)snprintf(snapshot, sizeof snapshot, "%s.snapshot", fixture.root);
    (void)snprintf(graveyard, sizeof graveyard, "%s.graveyard", fixture.root);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    disk = &disk_real;
    fixture_clear(&fixture);
    (void)nftw(snapshot, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    (void)nftw(graveyard, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_DISK(a_young_table_is_adopted_into_its_newest_batch),
        ON_DISK(an_old_table_is_adopted_into_a_compact_file),
        ON_DISK(an_entry_is_as_the_sink_log_writes_it),
        ON_DISK(what_a_log_can_not_list_is_refused),
        ON_DISK(without_a_checkpoint_nothing_is_done),
        ON_DISK(a_running_query_is_named),
        ON_DISK(a_log_is_released_when_it_agrees_with_the_files),
        ON_DISK(a_log_that_disagrees_is_not_released),
        ON_DISK(a_moved_table_is_refused_until_it_is_relocated),
        ON_DISK(a_moved_log_is_refused_without_a_manifest_too),
        ON_DISK(a_moved_checkpoint_is_written_into_the_signatures),
        ON_DISK(a_table_that_did_not_come_along_is_not_relocated),
        ON_DISK(batches_are_taken_back_and_done_again),
        ON_DISK(an_open_plan_is_taken_back_too),
        ON_DISK(a_table_without_a_log_is_rewound_by_its_manifests),
        ON_DISK(what_can_not_be_rewound_is_refused),
        ON_DISK(an_adopted_batch_whose_files_do_not_tell_is_refused),
        ON_DISK(adopting_survives_any_fault),
        ON_DISK(releasing_survives_any_fault),
        ON_DISK(relocating_survives_any_fault),
        ON_DISK(rewinding_survives_any_fault),
        ON_DISK(nothing_starts_on_a_rewind_that_is_not_finished),
        cmocka_unit_test(a_set_knows_its_members_and_what_came_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
