/* test_change_steps.c: what a change leaves on the disk, and what readers see of it. */
#include "change_fixture.h"

#include "base/scope.h"
#include "base/system/clock.h"
#include "streaming/sink_log/sink_log_upkeep.h"
#include "streaming/store/coverage.h"

static struct fixture fixture;
static struct store *store;

static void open_store(void) {
    struct error err;
    struct recovery recovery;
    if (!recovery_open(&fixture.options, &store, &err) || !recover(store, &recovery, &err))
        fail_msg("%s", err.message);
    recovery_deinit(&recovery);
}

static void close_store(void) {
    store_close(store);
    store = NULL;
}

/* Batches up to `last`, then the store is open. */
static void reach(int64_t last) {
    fixture_must_advance(&fixture, last, 0);
    open_store();
}

static void run_batch(int64_t batch) {
    struct error err;
    struct offset_range ranges[2];
    struct plan plan = fixture_plan(batch, ranges);
    if (!store_write_plan(store, &plan, &err) || !fixture_run(store, &plan, 0, false, &err))
        fail_msg("%s", err.message);
}

static void publish(const struct change_wish *wish, struct change *change) {
    struct error err;
    bool recorded = false;
    *change = (struct change){0};
    if (!change_prepare(store, wish, 0, change, &err) ||
        !change_publish(store, change, &recorded, &err))
        fail_msg("%s", err.message);
    assert_true(recorded);
}

static void publish_only(const struct change_wish *wish) {
    struct change change;
    publish(wish, &change);
    change_deinit(&change);
}

static size_t count_listed(bool of_rejects) {
    struct path_list paths = paths_by_listing(&fixture, of_rejects);
    size_t count = paths.count;
    path_list_deinit(&paths);
    return count;
}

static void assert_rows(const struct rows *before) {
    struct rows by_log = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_false(by_log.missing);
    assert_true(rows_equal(before, &by_log));
    assert_true(rows_equal(before, &listed));
    rows_deinit(&by_log);
    rows_deinit(&listed);
}

static void a_compaction_makes_few_files_of_many_and_keeps_the_rows(void **state) {
    (void)state;
    reach(11);
    struct rows before = rows_by_log(&fixture);
    struct change change;
    assert_int_equal(count_listed(false), 24);
    publish(&(struct change_wish){.kind = CHANGE_COMPACTION}, &change);
    assert_int_equal(change.left.count, 20); // 9.compact has the files of batches 0 to 9
    assert_int_equal(change.added.count, 2);
    assert_int_equal(count_listed(false), 6);
    assert_rows(&before);

    // What left is kept, and only that and the new files are named.
    struct changes changes;
    struct error err;
    assert_true(changes_read(store, &changes, &err));
    assert_int_equal(changes.count, 1);
    assert_int_equal(changes.unfinished, -1);
    for (size_t i = 0; i < change.left.count; i++) {
        const struct change *by;
        struct file_path kept;
        bool there;
        const char *path = change.left.files[i].path;
        assert_int_equal(changes_fate(&changes, false, path, &by), FILE_COMPACTED);
        assert_int_equal(changes_fate(&changes, true, path, NULL), FILE_STAYED);
        assert_true(changes_kept_path(store, by, path, &kept, &there, &err));
        assert_true(there);
    }
    const char *added = change.added.files[0].path;
    assert_int_equal(changes_fate(&changes, false, added, NULL), FILE_STAYED);
    assert_int_equal(changes_added(&changes, false, added)->size, change.added.files[0].size);
    assert_null(changes_added(&changes, false, change.left.files[0].path));
    assert_null(changes_added(&changes, true, added));
    changes_deinit(&changes);
    change_deinit(&change);

    // Batches follow, up to the next compact file and beyond.
    for (int64_t batch = 12; batch < 22; batch++)
        run_batch(batch);
    close_store();
    fixture_must_advance(&fixture, 22, 0);
    struct rows after = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_int_equal(after.count, 46);
    assert_true(rows_equal(&after, &listed));
    rows_deinit(&after);
    rows_deinit(&listed);
    rows_deinit(&before);
}

static void what_was_compacted_is_compacted_again(void **state) {
    (void)state;
    reach(9);
    struct rows before = rows_by_log(&fixture);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION, .pieces = 3, .most = 15});
    struct change second;
    publish(&(struct change_wish){.kind = CHANGE_COMPACTION}, &second);
    assert_rows(&before);
    struct changes changes;
    struct error err;
    assert_true(changes_read(store, &changes, &err));
    assert_int_equal(changes.count, 2);
    const struct change *by;
    size_t merged = 0;
    for (size_t i = 0; i < changes.changes[0].added.count; i++, merged++) {
        const char *path = changes.changes[0].added.files[i].path;
        assert_int_equal(changes_fate(&changes, false, path, &by), FILE_COMPACTED);
        assert_int_equal(by->number, 1);
        assert_null(changes_added(&changes, false, path));
    }
    assert_true(merged > 0);
    changes_deinit(&changes);
    change_deinit(&second);
    rows_deinit(&before);
    close_store();
}

static void nothing_may_leave_that_no_compact_file_lists(void **state) {
    (void)state;
    reach(4);
    struct change change;
    struct error err;
    struct change_wish wish = {.kind = CHANGE_COMPACTION};
    assert_true(change_prepare(store, &wish, 0, &change, &err));
    assert_int_equal(change.left.count, 0);
    change_discard(store, false, change.number);
    change_deinit(&change);
    close_store();
}

static void an_expiry_takes_the_rows_and_their_directory(void **state) {
    (void)state;
    reach(10);
    struct rows live = {0};
    publish_only(&(struct change_wish){.kind = CHANGE_EXPIRY, .directory = "status=a%2Fb c"});
    assert_true(fixture_has(&fixture, "processed/matches/status=a%2Fb c")); // batch 10 has files
    struct rows by_log = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_int_equal(by_log.count, 12);
    assert_true(rows_equal(&by_log, &listed));
    rows_deinit(&by_log);
    rows_deinit(&listed);
    rows_deinit(&live);
    for (int64_t batch = 11; batch < 20; batch++)
        run_batch(batch);
    publish_only(&(struct change_wish){.kind = CHANGE_EXPIRY, .directory = "status=a%2Fb c"});
    assert_false(fixture_has(&fixture, "processed/matches/status=a%2Fb c"));
    by_log = rows_by_log(&fixture);
    assert_int_equal(by_log.count, 20);
    assert_false(by_log.missing);
    rows_deinit(&by_log);

    struct changes changes;
    struct resolved gone = {0};
    struct error err;
    assert_true(changes_read(store, &changes, &err));
    changes_gone(&changes, CHANGE_EXPIRY, &gone);
    assert_int_equal(gone.count, 3);
    resolved_deinit(&gone);
    changes_gone(&changes, CHANGE_ACCEPTANCE, &gone);
    assert_int_equal(gone.count, 0);
    changes_deinit(&changes);

    run_batch(20); // a late row makes the directory again
    by_log = rows_by_log(&fixture);
    assert_int_equal(by_log.count, 22);
    rows_deinit(&by_log);
    close_store();
    fixture_must_advance(&fixture, 21, 0);
}

/* ---- what is refused before anything is changed ---- */

static void assert_not_recorded(struct change *change, enum error_kind kind, const char *why) {
    struct error err;
    bool recorded = true;
    scoped(scope_free) char *before = tree_print(fixture.root, "lock");
    assert_false(change_publish(store, change, &recorded, &err));
    assert_false(recorded);
    assert_int_equal(err.kind, kind);
    if (strstr(err.message, why) == NULL)
        fail_msg("'%s' does not contain '%s'", err.message, why);
    scoped(scope_free) char *after = tree_print(fixture.root, "lock");
    assert_string_equal(before, after);
}

static void prepare(const struct change_wish *asked, struct change *change) {
    struct error err;
    if (!change_prepare(store, asked, 0, change, &err))
        fail_msg("%s", err.message);
}

static struct file_path table_path(const char *path) {
    return file_join(fixture.table, path);
}

static void a_change_of_files_that_are_missing_or_differ_is_not_recorded(void **state) {
    (void)state;
    reach(10);
    struct change_wish asked = {.kind = CHANGE_COMPACTION, .directory = "status=live"};
    struct change change;
    prepare(&asked, &change);
    struct data_file *left = &change.left.files[3], *added = &change.added.files[0];
    struct file_path path = table_path(left->path), moved = file_join(fixture.root, "moved");

    check(rename(path.text, moved.text) == 0);
    assert_not_recorded(&change, ERROR_STATE, "is missing, or its size is not");
    check(rename(moved.text, path.text) == 0);
    left->size++;
    assert_not_recorded(&change, ERROR_STATE, "is missing, or its size is not");
    left->size--;
    added->size++;
    assert_not_recorded(&change, ERROR_STATE, "is missing, or its size is not");
    added->size--;

    // Of batch 10, which no compact file has yet.
    char *listed = left->path;
    left->path = text_copy("status=live/part-00010-0.c000.snappy.parquet");
    char *first = change.left.files[0].path;
    assert_true(strcmp(first, left->path) < 0);
    qsort(change.left.files, change.left.count, sizeof *change.left.files, change_compare_paths);
    assert_not_recorded(&change, ERROR_STATE, "is not listed in the newest compact file");
    size_t last = change.left.count - 1;
    free(change.left.files[last].path);
    change.left.files[last].path = listed;
    qsort(change.left.files, change.left.count, sizeof *change.left.files, change_compare_paths);

    struct data_file swapped = change.left.files[0];
    change.left.files[0] = change.left.files[1];
    change.left.files[1] = swapped;
    assert_not_recorded(&change, ERROR_STATE, "not in order");
    change.left.files[1] = change.left.files[0];
    change.left.files[0] = swapped;

    struct error err;
    bool recorded;
    assert_true(change_publish(store, &change, &recorded, &err)); // as it was prepared
    change_deinit(&change);
    close_store();
}

static void a_directory_that_is_a_link_is_not_exchanged(void **state) {
    (void)state;
    reach(9);
    struct change change;
    prepare(&(struct change_wish){.kind = CHANGE_COMPACTION, .directory = "status=live"}, &change);
    struct file_path leaf = table_path("status=live"), other = file_join(fixture.root, "other");
    check(rename(leaf.text, other.text) == 0 && symlink(other.text, leaf.text) == 0);
    assert_not_recorded(&change, ERROR_CONFIG, "is not a directory itself");
    change_deinit(&change);
    close_store();
}

static int refuse_chmod(const char *path, mode_t mode) {
    (void)path, (void)mode;
    return 0; // and does nothing, as on some network file systems
}

static void a_directory_keeps_its_permissions_or_stays_as_it_is(void **state) {
    (void)state;
    struct disk_ops ops = *disk;
    const struct disk_ops *real = disk;
    reach(9);
    struct file_path leaf = table_path("status=live");
    struct change change;
    struct error err;
    struct file_status status;
    bool recorded;
    prepare(&(struct change_wish){.kind = CHANGE_COMPACTION, .directory = "status=live"}, &change);
    check(chmod(leaf.text, 02770) == 0);
    ops.chmod = refuse_chmod;
    disk = &ops;
    assert_not_recorded(&change, ERROR_CONFIG, "permissions that a new directory would not get");
    disk = real;
    if (!change_publish(store, &change, &recorded, &err))
        fail_msg("%s", err.message);
    assert_true(file_look(leaf.text, &status, &err));
    assert_int_equal(status.mode, 02770);
    change_deinit(&change);
    close_store();
}

static int refuse_link(const char *from, const char *to) {
    if (strstr(from, "/status=live/part-00009") == NULL)
        return disk_real.link(from, to);
    errno = EPERM; // as fs.protected_hardlinks does for a file of another user
    return -1;
}

static void a_file_that_may_not_be_linked_is_found_before_the_record(void **state) {
    (void)state;
    reach(10);
    struct disk_ops strict = disk_real;
    struct change change;
    strict.link = refuse_link;
    prepare(&(struct change_wish){.kind = CHANGE_COMPACTION, .most = 3}, &change);
    disk = &strict;
    assert_not_recorded(&change, ERROR_CONFIG, "another user");
    disk = &disk_real;
    change_deinit(&change);
    close_store();
}

static void whether_a_change_is_possible_is_tried_next_to_the_table(void **state) {
    (void)state;
    reach(0);
    struct error err;
    struct file_path root = store->rejects.root, other = file_join(fixture.root, "other");
    for (int of_rejects = 0; of_rejects < 2; of_rejects++) {
        assert_true(change_is_possible(store, of_rejects == 1, &err));
        struct path_list names = {0};
        struct file_path aside = change_aside(store, of_rejects == 1);
        assert_int_equal(file_list(aside.text, rows_visit_path, &names, &err), 1);
        assert_int_equal(names.count, 0);
        path_list_deinit(&names);
    }
    check(rename(root.text, other.text) == 0 && symlink(other.text, root.text) == 0);
    assert_false(change_is_possible(store, true, &err)); // its root would be exchanged
    assert_int_equal(err.kind, ERROR_CONFIG);
    close_store();
}

static int refuse_exchange(const char *a, const char *b) {
    (void)a, (void)b;
    errno = EINVAL;
    return -1;
}

static void a_file_system_that_cannot_exchange_is_named(void **state) {
    (void)state;
    reach(0);
    struct disk_ops old = disk_real;
    old.exchange = refuse_exchange;
    struct error err;
    disk = &old;
    assert_false(change_is_possible(store, false, &err));
    disk = &disk_real;
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "the file system does not support it"));
    close_store();
}

/* ---- what is next to the files ---- */

static void checksums_stay_with_their_files_and_directories_move_over(void **state) {
    (void)state;
    reach(10);
    fixture_write(&fixture, "processed/matches/status=live/.part-00010-0.c000.snappy.parquet.crc",
                  "of batch 10");
    fixture_write(&fixture, "processed/matches/status=live/.part-00003-0.c000.snappy.parquet.crc",
                  "of batch 3");
    fixture_write(&fixture, "processed/matches/status=live/.gone.parquet.crc", "of no file");
    fixture_write(&fixture, "processed/matches/status=live/_note", "by hand");
    check(mkdir(table_path("status=live/_hidden").text, 0755) == 0);
    fixture_write(&fixture, "processed/matches/status=live/_hidden/file", "in a directory");
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION});
    assert_true(fixture_has(&fixture, "processed/matches/status=live/"
                                      ".part-00010-0.c000.snappy.parquet.crc"));
    assert_false(fixture_has(&fixture, "processed/matches/status=live/"
                                       ".part-00003-0.c000.snappy.parquet.crc"));
    assert_false(fixture_has(&fixture, "processed/matches/status=live/.gone.parquet.crc"));
    assert_true(fixture_has(&fixture, "processed/matches/status=live/_note"));
    assert_true(fixture_has(&fixture, "processed/matches/status=live/_hidden/file"));
    close_store();
}

static void what_is_hidden_in_the_root_follows_its_exchange(void **state) {
    (void)state;
    fixture_is_flat = true;
    fixture.options.partition_by_count = 0;
    reach(10);
    check(mkdir(table_path("_orphans").text, 0755) == 0);
    fixture_write(&fixture, "processed/matches/_orphans/a.parquet.orphan", "kept");
    struct rows before = rows_by_log(&fixture);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION});
    assert_rows(&before);
    rows_deinit(&before);
    assert_true(fixture_has(&fixture, "processed/matches/_orphans/a.parquet.orphan"));
    assert_true(fixture_has(&fixture, "processed/matches/_staging"));
    assert_true(fixture_has(&fixture, "processed/matches/_esports_stream"));
    run_batch(11);
    close_store();
    fixture_must_advance(&fixture, 12, 0);
}

static void the_rejects_are_compacted_and_their_table_is_signed(void **state) {
    (void)state;
    reach(4);
    struct rows before = rows_by_listing(&fixture, true);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION, .of_rejects = true});
    struct rows after = rows_by_listing(&fixture, true);
    assert_int_equal(count_listed(true), 1);
    assert_true(rows_equal(&before, &after));
    rows_deinit(&before);
    rows_deinit(&after);
    assert_true(store->rejects.owner_changed && store->table.owner_changed);
    run_batch(5);
    close_store();
    fixture_must_advance(&fixture, 6, 0);
    assert_int_equal(count_listed(true), 3);
}

/* ---- an acceptance ---- */

static void files_that_are_gone_are_taken_out_of_every_file_of_the_log(void **state) {
    (void)state;
    reach(12);
    static const char *const paths[] = {
        "status=live/part-00003-0.c000.snappy.parquet",  // in 9.compact
        "status=live/part-00011-0.c000.snappy.parquet",  // in 11
        "status=live/part-00012-0.c000.snappy.parquet"}; // in 12, the newest batch
    struct change change = {.kind = CHANGE_ACCEPTANCE, .batch_id = 12, .made_ms = 1};
    struct file_path staging;
    struct error err;
    bool recorded;
    assert_true(change_begin(store, false, &change.number, &staging, &err));
    for (size_t i = 0; i < 3; i++) {
        check(unlink(table_path(paths[i]).text) == 0);
        file_list_add(&change.left, (struct data_file){.path = text_copy(paths[i]), .size = 20});
    }
    (void)resolved_add(&change.gone, 0, 0, 9);
    if (!change_publish(store, &change, &recorded, &err))
        fail_msg("%s", err.message);
    change_deinit(&change);
    struct rows by_log = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_int_equal(by_log.count, 23);
    assert_true(rows_equal(&by_log, &listed));
    rows_deinit(&by_log);
    rows_deinit(&listed);
    close_store();
    fixture_must_advance(&fixture, 20, 0); // the newest batch was done
    by_log = rows_by_log(&fixture);
    assert_int_equal(by_log.count, 39);
    assert_false(by_log.missing);
    rows_deinit(&by_log);
}

/* ---- later ---- */

static const char *const aside = "processed/.matches.aside/";

static bool has_aside(const char *name) {
    scoped(scope_free) char *path = fixture_text("%s%s", aside, name);
    return fixture_has(&fixture, path);
}

static void sweep(int64_t after_ms, int64_t grace_ms) {
    struct error err;
    if (!change_sweep(store, clock_wall_ms() + after_ms, grace_ms, &err))
        fail_msg("%s", err.message);
}

static void what_left_is_deleted_after_its_grace(void **state) {
    (void)state;
    reach(9);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION, .directory = "status=live"});
    check(mkdir(file_join(fixture.root, "processed/.matches.aside/reads").text, 0755) == 0);
    check(mkdir(file_join(fixture.root, "processed/.matches.aside/reads/1").text, 0755) == 0);
    fixture_write(&fixture, "processed/.matches.aside/reads/1/part", "pinned");
    check(mkdir(file_join(fixture.root, "processed/.matches.aside/probe-1").text, 0755) == 0);
    sweep(0, 60000);
    assert_true(has_aside("probe-1"));
    assert_true(has_aside("0/left/status=live/part-00003-0.c000.snappy.parquet"));
    assert_true(has_aside("reads/1/part"));
    sweep(61000, 60000);
    assert_false(has_aside("0"));
    assert_false(has_aside("reads/1") || has_aside("probe-1"));
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/changes/0")); // the newest
    close_store();
}

static void a_record_goes_when_no_manifest_needs_it_and_its_offsets_are_kept(void **state) {
    (void)state;
    struct error err;
    struct coverage coverage;
    bool found;
    reach(10);
    publish_only(&(struct change_wish){.kind = CHANGE_EXPIRY, .directory = "status=a%2Fb c"});
    for (int64_t batch = 11; batch < 20; batch++)
        run_batch(batch);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION, .directory = "status=live"});
    sweep(1000, 0);
    assert_false(has_aside("0") || has_aside("1"));
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/changes/0"));
    for (int64_t batch = 20; batch < 110; batch++)
        run_batch(batch); // folds the manifests up to batch 8
    sweep(1000, 0);
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/changes/0"));
    for (int64_t batch = 110; batch < 120; batch++)
        run_batch(batch); // up to batch 18
    sweep(1000, 0);
    assert_false(fixture_has(&fixture, "checkpoints/match_stream/changes/0"));
    assert_true(fixture_has(&fixture, "checkpoints/match_stream/changes/1"));
    assert_true(coverage_read(store, &coverage, &found, &err) && found);
    assert_int_equal(coverage.through, 18);
    assert_int_equal(coverage.expired.count, 3);
    assert_int_equal(coverage.accepted.count, 0);
    coverage_deinit(&coverage);
    for (int64_t batch = 120; batch < 130; batch++)
        run_batch(batch); // the next fold keeps them
    assert_true(coverage_read(store, &coverage, &found, &err) && found);
    assert_int_equal(coverage.through, 28);
    assert_int_equal(coverage.expired.count, 3);
    coverage_deinit(&coverage);

    // Numbers continue.
    struct file_path staging;
    int64_t number;
    assert_true(change_begin(store, false, &number, &staging, &err));
    assert_int_equal(number, 2);
    close_store();
}

static void what_is_to_be_kept_stays_when_there_is_no_coverage_yet(void **state) {
    (void)state;
    struct error err;
    struct resolved gone = {0};
    bool kept;
    reach(0);
    assert_true(coverage_add_gone(store, &gone, &gone, &kept, &err));
    assert_true(kept); // nothing is to be kept
    (void)resolved_add(&gone, 0, 0, 1);
    assert_true(coverage_add_gone(store, &gone, &gone, &kept, &err));
    assert_false(kept);
    resolved_deinit(&gone);
    close_store();
}

/* ---- an older build ---- */

/* How version 0.3.0 reads a signature, and what it says of one that is not its own. */
static bool old_build_takes(const char *text, const char *query_id, char **says) {
    struct error err;
    struct json *owner = json_parse(text, strlen(text), &err);
    const char *query = json_member_text(owner, "query");
    const char *checkpoint = json_member_text(owner, "checkpoint");
    bool sink_log;
    bool ok = query != NULL && strlen(query) == 36 && checkpoint != NULL &&
              json_member_bool(owner, "sinkLog", &sink_log);
    check(ok); // else it calls the file damaged, and says to remove it
    *says = text_copy(checkpoint);
    bool taken = strcmp(query, query_id) == 0;
    json_free(owner);
    return taken;
}

static void an_older_build_refuses_a_table_that_was_changed(void **state) {
    (void)state;
    reach(9);
    const char *id = store_query_id(store);
    char *says = NULL;
    scoped(scope_free) char *before = fixture_read(&fixture, "processed/matches/_esports_stream");
    assert_true(old_build_takes(before, id, &says));
    free(says);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION});
    scoped(scope_free) char *after = fixture_read(&fixture, "processed/matches/_esports_stream");
    assert_false(old_build_takes(after, id, &says));
    assert_non_null(strstr(says, "use esports-stream 0.4.0 or newer"));
    free(says);
    // The rejects were not changed.
    scoped(scope_free) char *rejects = fixture_read(&fixture, "rejected/matches/_esports_stream");
    assert_true(old_build_takes(rejects, id, &says));
    free(says);
    close_store();

    struct table table;
    struct error err;
    assert_true(table_open(&table, fixture.table, &err));
    assert_true(table.owner_changed);
    assert_int_equal(table.owner_change, 0);
    assert_string_equal(table.owner_checkpoint, fixture.checkpoint);
    assert_true(table_sign(&table, table.owner_query, "/moved", true, &err)); // as relocate does
    assert_string_equal(table.owner_checkpoint, "/moved");
    table_close(&table);
    scoped(scope_free) char *moved = fixture_read(&fixture, "processed/matches/_esports_stream");
    assert_false(old_build_takes(moved, "", &says));
    free(says);
}

/* ---- and the thread of the log's upkeep ---- */

static void changes_and_batches_alternate_while_the_upkeep_works(void **state) {
    (void)state;
    struct error err;
    reach(9);
    assert_true(store_start_upkeep(store, &err));
    for (int64_t batch = 10; batch < 40; batch++) {
        run_batch(batch);
        if (batch % 3 == 0)
            publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION});
        if (batch % 7 == 0)
            (void)usleep(2000);
    }
    struct rows by_log = rows_by_log(&fixture), listed = rows_by_listing(&fixture, false);
    assert_int_equal(by_log.count, 80);
    assert_true(rows_equal(&by_log, &listed));
    rows_deinit(&by_log);
    rows_deinit(&listed);
    close_store();
    fixture_must_advance(&fixture, 40, 0);
}

/* ---- what is durable before the record ---- */

static char opened[1024][320]; // by descriptor
static int staging_syncs, syncs_before_record;

static int note_open(const char *path, int flags, mode_t mode) {
    int fd = disk_real.open(path, flags, mode);
    if (fd >= 0)
        (void)snprintf(opened[fd], sizeof opened[fd], "%s", path);
    return fd;
}

static int note_fsync(int fd) {
    staging_syncs += strcmp(strrchr(opened[fd], '/'), "/_staging") == 0;
    return disk_real.fsync(fd);
}

static int note_rename_new(const char *from, const char *to) {
    if (strcmp(strrchr(to, '/'), "/0.open") == 0)
        syncs_before_record = staging_syncs;
    return disk_real.rename_new(from, to);
}

/* The removal of the newest batch's staging directory, in the table and in the rejects. */
static void a_start_and_a_change_finish_the_newest_batch_for_good(void **state) {
    (void)state;
    struct disk_ops ops = disk_real;
    fixture_must_advance(&fixture, 9, 0);
    ops.open = note_open;
    ops.fsync = note_fsync;
    ops.rename_new = note_rename_new;
    disk = &ops;
    staging_syncs = syncs_before_record = 0;
    open_store();
    assert_int_equal(staging_syncs, 2);
    publish_only(&(struct change_wish){.kind = CHANGE_COMPACTION});
    assert_int_equal(syncs_before_record, 4);
    disk = &disk_real;
}

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    store_close(store);
    store = NULL;
    fixture_clear(&fixture);
    return 0;
}

#define STEPS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STEPS(a_start_and_a_change_finish_the_newest_batch_for_good),
        STEPS(a_compaction_makes_few_files_of_many_and_keeps_the_rows),
        STEPS(what_was_compacted_is_compacted_again),
        STEPS(nothing_may_leave_that_no_compact_file_lists),
        STEPS(an_expiry_takes_the_rows_and_their_directory),
        STEPS(a_change_of_files_that_are_missing_or_differ_is_not_recorded),
        STEPS(a_directory_that_is_a_link_is_not_exchanged),
        STEPS(a_directory_keeps_its_permissions_or_stays_as_it_is),
        STEPS(a_file_that_may_not_be_linked_is_found_before_the_record),
        STEPS(whether_a_change_is_possible_is_tried_next_to_the_table),
        STEPS(a_file_system_that_cannot_exchange_is_named),
        STEPS(checksums_stay_with_their_files_and_directories_move_over),
        STEPS(what_is_hidden_in_the_root_follows_its_exchange),
        STEPS(the_rejects_are_compacted_and_their_table_is_signed),
        STEPS(files_that_are_gone_are_taken_out_of_every_file_of_the_log),
        STEPS(what_left_is_deleted_after_its_grace),
        STEPS(a_record_goes_when_no_manifest_needs_it_and_its_offsets_are_kept),
        STEPS(what_is_to_be_kept_stays_when_there_is_no_coverage_yet),
        STEPS(an_older_build_refuses_a_table_that_was_changed),
        STEPS(changes_and_batches_alternate_while_the_upkeep_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
