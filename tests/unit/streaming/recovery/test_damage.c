/* test_damage.c: every byte of every file of a checkpoint and of a sink log is damaged in turn, in
 * three ways; each file is cut at every length, and removed. A start must refuse it and name the
 * file, or `verify` must find it, or it must do no harm: the start and the verification come to
 * what they come to without the damage, or the query runs on and every record is there once.
 *
 * With DAMAGE=all in the environment all of it is done, otherwise one in 32 cases, spread evenly:
 * 80,000 cases take minutes. */
#include "rewind_fixture.h"

#include "base/system/clock.h"

enum { SHARE = 32 }; // one in so many cases

enum damage { XOR_1, XOR_80, ZERO, CUT, REMOVE, DAMAGE_COUNT };
static const char *const damage_names[] = {"xor 01", "xor 80", "zero", "cut", "remove"};

enum outcome {
    REFUSED,   // by a start
    FOUND,     // by verify
    UNCHANGED, // start and verify come to the same as without the damage
    HEALED,    // not the same, but the query ran on and everything is there once
    WRONG,
    OUTCOME_COUNT
};
static const char *const outcome_names[] = {"refused", "found by verify", "harmless", "done again",
                                            "WRONG"};

static int64_t all_rows, all_rejects; // once the query has read all that the capture has
static bool thorough;

/* ---- what a start and a verification come to, as text ---- */

static void print_ranges(FILE *out, const struct offset_range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++)
        (void)fprintf(out, " %d:%" PRId64 "-%" PRId64, ranges[i].partition, ranges[i].start,
                      ranges[i].end);
}

static void print_recovery(FILE *out, const struct recovery *recovery, bool settled) {
    (void)fprintf(out, "%d next %" PRId64 " log %d incarnation %d begun %zu starts", settled,
                  recovery->next_batch, recovery->sink_log, recovery->incarnation.number,
                  recovery->begun.count);
    print_ranges(out, recovery->starts, recovery->start_count);
    if (recovery->has_open_plan) {
        (void)fprintf(out, " open %" PRId64, recovery->open_plan.timestamp_ms);
        print_ranges(out, recovery->open_plan.ranges, recovery->open_plan.count);
    }
    for (size_t i = 0; i < recovery->note_count; i++)
        (void)fprintf(out, " %s", recovery->notes[i]);
}

/* NULL: refused. */
static char *look_at_start(struct error *err) {
    struct store *store = NULL;
    struct recovery recovery = {0};
    bool settled;
    char *text = NULL;
    size_t size;
    if (!store_open_to_read(&fixture.options, &store, err))
        return NULL;
    if (recovery_preview(store, &recovery, &settled, err)) {
        FILE *out = open_memstream(&text, &size);
        print_recovery(out, &recovery, settled);
        check(fclose(out) == 0);
        recovery_deinit(&recovery);
    }
    store_close(store);
    return text;
}

static void print_report(FILE *out, const struct verify_report *report) {
    (void)fprintf(out, "horizon %" PRId64 " files %" PRId64 " %" PRId64 " resolved %" PRId64,
                  report->horizon, report->table_files, report->reject_files, report->resolved);
    for (size_t i = 0; i < report->partition_count; i++) {
        const struct verify_partition *at = &report->partitions[i];
        (void)fprintf(out, " %d:%" PRId64 "-%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
                      at->partition, at->start, at->end, at->rows, at->rejects,
                      at->missing + at->unproven + at->absent + at->lost + at->duplicates +
                          at->expired + at->accepted);
    }
}

/* NULL: something is wrong, as *err says. */
static char *look_at_table(struct error *err) {
    struct verify_report report;
    struct broker *broker = open_capture();
    const struct verify_options options = {.store = &fixture.options,
                                           .broker = broker,
                                           .memory_max = 64 << 20,
                                           .workers = 1,
                                           .timeout_ms = 1000,
                                           .plan = &stream_used()->plan};
    char *text = NULL;
    size_t size;
    if (verify_run(&options, &report, err)) {
        if (verify_faults(&report) == 0) {
            FILE *out = open_memstream(&text, &size);
            print_report(out, &report);
            check(fclose(out) == 0);
        } else {
            err->kind = ERROR_STATE;
        }
        verify_report_deinit(&report);
    }
    broker->ops->close(broker);
    return text;
}

/* ---- one damage ---- */

static char saved[300]; // a copy of the whole lake

static void copy_tree(const char *from, const char *to) {
    scoped(scope_free) char *command = fixture_text("rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
    check(system(command) == 0);
}

static void write_bytes(const char *path, const char *bytes, size_t size) {
    FILE *out = fopen(path, "w");
    check(out != NULL && fwrite(bytes, 1, size, out) == size && fclose(out) == 0);
}

static void do_damage(const char *path, enum damage damage, size_t at, const char *bytes,
                      size_t size) {
    if (damage == REMOVE) {
        check(remove(path) == 0);
        return;
    }
    char *damaged = must_alloc(size + 1, 1);
    memcpy(damaged, bytes, size);
    if (damage == CUT)
        size = at;
    else
        damaged[at] = damage == ZERO ? '\0' : (char)(bytes[at] ^ (damage == XOR_1 ? 1 : 0x80));
    write_bytes(path, damaged, size);
    free(damaged);
}

/* What a message must name: the file as a log has it ("offsets/3"), or as a checkpoint has it. */
static bool names_file(const struct error *err, const char *name) {
    const char *slash = strrchr(name, '/');
    while (slash > name && slash[-1] != '/')
        slash--;
    return strstr(err->message, slash != NULL ? slash : name) != NULL ||
           strstr(err->message, fixture.checkpoint) != NULL ||
           strstr(err->message, fixture.table) != NULL;
}

/* The query runs on with the damage; then the lake is as it was. */
static enum outcome run_on(struct error *err) {
    enum outcome outcome = REFUSED;
    if (run_query(0, err)) {
        scoped(scope_free) char *text = look_at_table(err);
        struct verify_report report;
        int64_t rows = 0, rejects = 0;
        outcome = text == NULL ? FOUND : WRONG;
        if (text != NULL) {
            verify_lake(&report);
            for (size_t i = 0; i < report.partition_count; i++) {
                rows += report.partitions[i].rows;
                rejects += report.partitions[i].rejects;
            }
            verify_report_deinit(&report);
            outcome = rows == all_rows && rejects == all_rejects ? HEALED : WRONG;
        }
    }
    copy_tree(saved, fixture.root);
    return outcome;
}

struct whole {
    char *start, *table; // without damage
};

/* `also_run`: although a look tells no difference. */
static enum outcome judge(const struct whole *whole, const char *name, bool also_run,
                          struct error *err) {
    scoped(scope_free) char *start = look_at_start(err);
    if (start == NULL) {
        if (err->kind != ERROR_STATE && err->kind != ERROR_CONFIG)
            fail_msg("%s: kind %d: %s", name, (int)err->kind, err->message);
        if (!names_file(err, name))
            fail_msg("the file is not named: %s: %s", name, err->message);
        return REFUSED;
    }
    if (strcmp(start, whole->start) != 0)
        return run_on(err);
    scoped(scope_free) char *table = look_at_table(err);
    if (table == NULL)
        return err->kind == ERROR_STATE ? FOUND : WRONG;
    if (strcmp(table, whole->table) != 0 || also_run)
        return run_on(err);
    return UNCHANGED;
}

/* ---- all of them ---- */

struct damage_count {
    int64_t cases, outcomes[OUTCOME_COUNT];
};

static void damage_file(const struct whole *whole, const char *name, struct damage_count *counted) {
    struct file_path path = file_join(fixture.root, name);
    scoped(scope_free) char *bytes = NULL;
    size_t size;
    struct error err = {0};
    struct damage_count mine = {0};
    check(file_read(path.text, 1 << 24, &bytes, &size, &err) && bytes != NULL);
    for (enum damage damage = XOR_1; damage < DAMAGE_COUNT; damage++) {
        for (size_t at = 0; at < (damage == REMOVE ? 1 : size); at++) {
            bool chosen = damage == REMOVE || (at + (size_t)5 * damage) % SHARE == 0;
            if (!chosen && !thorough)
                continue;
            if (damage == ZERO && bytes[at] == '\0')
                continue;
            do_damage(path.text, damage, at, bytes, size);
            enum outcome outcome = judge(whole, name, damage == REMOVE || at == size / 2, &err);
            write_bytes(path.text, bytes, size);
            mine.cases++;
            mine.outcomes[outcome]++;
            if (outcome == WRONG)
                print_error("WRONG: %s %s at %zu: '%.20s'\n", name, damage_names[damage], at,
                            bytes + (at < 10 ? 0 : at - 10));
        }
    }
    print_message("%-60s %5zu", name, size);
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        print_message(" %6" PRId64, mine.outcomes[i]);
        counted->outcomes[i] += mine.outcomes[i];
    }
    print_message("\n");
    counted->cases += mine.cases;
}

static bool is_data(const char *name) {
    return has_end(name, ".parquet") || has_end(name, ".crc");
}

/* Files whose names begin so, or all. */
static void damage_all(const char *const *starts, size_t start_count) {
    struct tree tree;
    struct damage_count counted = {0};
    struct error err = {0};
    const char *wanted = getenv("DAMAGE");
    thorough = wanted != NULL && strcmp(wanted, "all") == 0;
    (void)snprintf(saved, sizeof saved, "%s.saved", fixture.root);
    copy_tree(fixture.root, saved);
    struct whole whole = {.start = look_at_start(&err)};
    whole.table = look_at_table(&err);
    if (whole.start == NULL || whole.table == NULL)
        fail_msg("undamaged: %s", err.message);
    print_message("%-60s %5s", "file", "bytes");
    for (int i = 0; i < OUTCOME_COUNT; i++)
        print_message(" %s", outcome_names[i]);
    print_message("\n");
    tree_init(&tree, fixture.root);
    for (size_t i = 0; i < tree.count; i++) {
        bool chosen = start_count == 0;
        for (size_t k = 0; k < start_count; k++)
            chosen = chosen || strncmp(tree.paths[i], starts[k], strlen(starts[k])) == 0;
        if (chosen && !is_data(tree.paths[i]))
            damage_file(&whole, tree.paths[i], &counted);
    }
    tree_deinit(&tree);
    free(whole.start);
    free(whole.table);
    scoped(scope_free) char *command = fixture_text("rm -rf '%s'", saved);
    check(system(command) == 0);
    print_message("%" PRId64 " cases\n", counted.cases);
    assert_int_equal(counted.outcomes[WRONG], 0);
    assert_true(counted.outcomes[REFUSED] > 0 && counted.outcomes[UNCHANGED] > 0);
}

/* ---- the lakes ---- */

/* Batches 0 to 7 in coverage/, 8 to 11 in manifests, of which 9 is a replay, a compaction, and what
 * history/ knows; and records that the next start will read. */
static void make_lake(void) {
    run_batches(8, 3);
    forget_batches(7);
    int64_t replayed_rows = FIRST_PERMISSIVE + appended_rejects();
    must_replay(PARSE_PERMISSIVE, replayed_rows, 2);
    run_batches(1, 10);
    compact(false);
    run_batches(1, 5);
    append(5);
    all_rows = FIRST_ROWS + line_count - appended_rejects() + replayed_rows;
    all_rejects = FIRST_REJECTS + appended_rejects() - replayed_rows;
}

static void no_damage_to_a_committed_query_makes_a_wrong_table(void **state) {
    (void)state;
    make_lake();
    damage_all(NULL, 0);
}

static void no_damage_to_a_planned_batch_makes_a_wrong_table(void **state) {
    (void)state;
    static const char *const files[] = {CHECKPOINT "offsets/", CHECKPOINT "sources",
                                        CHECKPOINT "manifests/11", CHECKPOINT "commits/11"};
    struct store *store = NULL;
    struct recovery recovery;
    struct error err = {0};
    make_lake();
    check(recovery_open(&fixture.options, &store, &err) && recover(store, &recovery, &err));
    for (size_t i = 0; i < recovery.start_count; i++)
        recovery.starts[i].end += recovery.starts[i].partition == 0 ? 5 : 0;
    const struct plan plan = {.batch_id = recovery.next_batch,
                              .timestamp_ms = clock_wall_ms(),
                              .ranges = recovery.starts,
                              .count = recovery.start_count};
    check(store_write_plan(store, &plan, &err));
    recovery_deinit(&recovery);
    store_close(store);
    damage_all(files, sizeof files / sizeof files[0]);
}

static void no_damage_to_a_batch_that_is_rolled_forward_makes_a_wrong_table(void **state) {
    (void)state;
    static const char *const files[] = {CHECKPOINT "offsets/1", CHECKPOINT "manifests/11",
                                        SINK_LOG "11", SINK_LOG "10"};
    make_lake();
    remove_path(CHECKPOINT "commits/11");
    damage_all(files, sizeof files / sizeof files[0]);
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_damage_to_a_committed_query_makes_a_wrong_table,
                                        rewind_set_up, replay_tear_down),
        cmocka_unit_test_setup_teardown(no_damage_to_a_planned_batch_makes_a_wrong_table,
                                        rewind_set_up, replay_tear_down),
        cmocka_unit_test_setup_teardown(
            no_damage_to_a_batch_that_is_rolled_forward_makes_a_wrong_table, rewind_set_up,
            replay_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
