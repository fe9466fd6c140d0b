/* test_verify.c: tables that the store made from real Parquet files, faults planted in them, and
 * what verify reports. A batch is described by a text per partition, with a letter per offset:
 *     r row   x reject   - absent, and not on the broker   l lost   . not on the broker, no
 * manifest a the manifest says absent, but the broker has it
 * With a plan that explodes or filters, records need not be one row:
 *     1 to 9 so many rows   o the one row of OUTER   e empty   f filtered: two rows before WHERE
 *     p three rows before WHERE, of which the one in the middle was left out
 *     n rows of two views, with positions (0, 0), (0, 1), (1, 0) */
#include "streaming/recovery/recover.h"
#include "streaming/store/batch_steps.h"
#include "tree.h"

#include "../faulty_reads.h"

#include "base/scope.h"
#include "core/rows.h"
#include "pipeline/sink/sink_parquet.h"
#include "streaming/changes/change.h"
#include "streaming/verify/listing.h"
#include "streaming/verify/verify.h"

static struct fixture fixture;

enum { PARTITIONS = 2, OFFSETS_MAX = 100000 };

/* ---- a broker with the records of the batches ---- */

static enum { NOTHING, RECORD, BLANK_RECORD } on_broker[PARTITIONS][OFFSETS_MAX];
static int64_t log_start[PARTITIONS], ends[PARTITIONS];

static struct {
    struct source source;
    struct offset_range range;
} fake;

static bool fake_open_range(struct source *source, const char *topic, struct offset_range range,
                            struct error *err) {
    (void)source, (void)err;
    assert_string_equal(topic, "t1");
    assert_true(range.start >= log_start[range.partition] && range.end <= ends[range.partition]);
    fake.range = range;
    return true;
}

static enum source_status fake_read(struct source *source, struct record *record, int timeout_ms,
                                    struct error *err) {
    (void)source, (void)timeout_ms, (void)err;
    for (; fake.range.start < fake.range.end; fake.range.start++) {
        if (on_broker[fake.range.partition][fake.range.start] == NOTHING)
            continue;
        *record = (struct record){.partition = fake.range.partition,
                                  .offset = fake.range.start,
                                  .value = " \n{}",
                                  .value_size = 4};
        if (on_broker[fake.range.partition][fake.range.start++] == BLANK_RECORD)
            record->value_size = 2;
        return SOURCE_RECORD;
    }
    return SOURCE_END;
}

static void fake_end(struct source *source) {
    (void)source;
}

static bool fake_open_source(struct broker *broker, struct source_memory memory,
                             struct source **source, struct error *err) {
    static const struct source_ops ops = {.open_range = fake_open_range,
                                          .read = fake_read,
                                          .abandon_range = fake_end,
                                          .rest = fake_end,
                                          .close = fake_end};
    (void)broker, (void)memory, (void)err;
    fake.source.ops = &ops;
    *source = &fake.source;
    return true;
}

static bool fake_list(struct broker *broker, const char *topic, int timeout_ms,
                      struct topic_offsets *offsets, struct error *err) {
    (void)broker, (void)topic, (void)timeout_ms, (void)err;
    offsets->count = PARTITIONS;
    offsets->partitions = must_alloc(PARTITIONS, sizeof *offsets->partitions);
    for (int32_t i = 0; i < PARTITIONS; i++)
        offsets->partitions[i] = (struct partition_offsets){i, log_start[i], ends[i]};
    return true;
}

static struct broker *fake_broker(void) {
    static const struct broker_ops ops = {.list_offsets = fake_list,
                                          .open_source = fake_open_source};
    static struct broker broker = {&ops};
    return &broker;
}

/* ---- files ---- */

static const struct column columns[] = {{"partition", TYPE_INT32},
                                        {"offset", TYPE_INT64},
                                        {"status", TYPE_STRING},
                                        {"pos", TYPE_INT32},
                                        {"item", TYPE_INT32}};

static const struct query_plan *plan; // NULL: each record is one row

/* A row that is left out of files, by the place of its record and the number of the row in it. */
static struct {
    int32_t partition;
    int64_t offset;
    int32_t row;
} left_out = {.partition = -1};

struct position {
    int32_t first, second; // -1: null
};

/* Of the rows of a record by its letter; the number of them. */
static size_t positions_of(char letter, struct position positions[static 9]) {
    static const struct position nested[] = {{0, 0}, {0, 1}, {1, 0}};
    size_t count = letter >= '1' && letter <= '9' ? (size_t)(letter - '0') : 0;
    for (size_t i = 0; i < count; i++)
        positions[i] = (struct position){(int32_t)i, 0};
    if (letter == 'n')
        memcpy(positions, nested, sizeof nested);
    if (letter == 'o')
        positions[0] = (struct position){-1, -1};
    if (letter == 'p')
        positions[0] = (struct position){0, 0}, positions[1] = (struct position){2, 0};
    return letter == 'n' ? 3 : letter == 'p' ? 2 : letter == 'o' || letter == 'r' ? 1 : count;
}

static void add_row(struct rows *rows, int32_t partition, int64_t offset,
                    struct position position) {
    size_t row = rows->count++;
    if (plan != NULL) {
        rows->columns[3].valid[row] = position.first >= 0;
        rows->columns[3].int32s[row] = position.first;
        rows->columns[4].valid[row] = position.second >= 0;
        rows->columns[4].int32s[row] = position.second;
    }
    for (size_t i = 0; i < 3; i++)
        rows->columns[i].valid[row] = 1;
    rows->columns[0].int32s[row] = partition;
    rows->columns[1].int64s[row] = offset;
    rows->columns[2].texts[row] = TEXT("live");
}

/* The rows of a record; `letter` 'x' is for rejects. */
static void add_record(struct rows *rows, char letter, int32_t partition, int64_t offset) {
    struct position positions[9] = {0};
    size_t count = letter == 'x' ? 1 : positions_of(letter, positions);
    for (size_t i = 0; i < count; i++)
        if (left_out.partition != partition || left_out.offset != offset ||
            left_out.row != (int32_t)i)
            add_row(rows, partition, offset, positions[i]);
}

/* A Parquet file of rows or, with `letter` 'x', of rejects, staged in `directory`. */
static void write_file(const char *directory, bool partitioned, char letter,
                       const char *const texts[PARTITIONS], struct file_list *files) {
    static struct schema schema;
    static const size_t by_status[] = {2};
    struct rows rows;
    struct error err;
    schema_init_plain(&schema, "verify", columns, plan == NULL ? 3 : 5);
    rows_init(&rows, &schema, ROWS_CAPACITY, 1024);
    const struct sink_options options = {.staging_directory = directory,
                                         .schema = &schema,
                                         .partition_columns = by_status,
                                         .partition_column_count = partitioned,
                                         .parquet = {.codec = CODEC_SNAPPY, .delta = true},
                                         .memory_max = 1 << 20};
    struct sink *sink = sink_create(&options);
    for (int32_t partition = 0; partition < PARTITIONS; partition++)
        for (const char *at = texts[partition]; *at != '\0'; at++) {
            if ((*at == 'x') == (letter == 'x'))
                add_record(&rows, *at, partition, ends[partition] + (at - texts[partition]));
            if (rows.count + 9 > rows.capacity) {
                check(sink_append(sink, &rows, &err));
                rows_reset(&rows);
            }
        }
    check(sink_append(sink, &rows, &err) && sink_finish(sink, files, &err));
    sink_destroy(sink);
    rows_deinit(&rows);
}

/* ---- batches ---- */

static struct range_outcome outcome_of(int32_t partition, const char *text) {
    int64_t start = ends[partition];
    struct range_outcome outcome = {.range = {partition, start, start + (int64_t)strlen(text)}};
    for (; *text != '\0'; text++) {
        struct position positions[9];
        int64_t count = (int64_t)positions_of(*text, positions);
        outcome.records += count > 0;
        outcome.rows += count;
        outcome.filtered_rows += *text == 'f' ? 2 : *text == 'p' ? 1 : 0;
        outcome.empty += *text == 'e';
        outcome.filtered += *text == 'f';
        outcome.rejects += *text == 'x';
        outcome.absent += *text == '-' || *text == 'a';
        outcome.lost += *text == 'l';
    }
    outcome.exploded = outcome.rows + outcome.filtered_rows;
    return outcome;
}

static void move_ends(const char *const texts[PARTITIONS]) {
    for (size_t i = 0; i < PARTITIONS; i++)
        for (const char *at = texts[i]; *at != '\0'; at++)
            on_broker[i][ends[i]++] = strchr("rxaeofpn123456789", *at) != NULL ? RECORD : NOTHING;
}

static bool run(struct store *store, const char *const texts[PARTITIONS], bool roll_forward,
                struct error *err) {
    struct recovery recovery;
    const char *table, *rejects;
    if (!recover(store, &recovery, err))
        return false;
    struct manifest manifest = {
        .batch_id = recovery.next_batch, .timestamp_ms = 1, .counts_rows = plan != NULL};
    manifest.outcomes = must_alloc(PARTITIONS, sizeof *manifest.outcomes);
    struct offset_range ranges[PARTITIONS];
    for (int32_t i = 0; i < PARTITIONS; i++) {
        manifest.outcomes[i] = outcome_of(i, texts[i]);
        ranges[i] = manifest.outcomes[i].range;
    }
    manifest.outcome_count = PARTITIONS;
    struct plan offsets = {recovery.next_batch, 1, PARTITIONS, ranges};
    bool ok = (!recovery.new_query || store_write_initial(store, ranges, PARTITIONS, err)) &&
              store_write_plan(store, &offsets, err) &&
              store_begin_batch(store, offsets.batch_id, &table, &rejects, err);
    if (ok) {
        write_file(table, true, 'r', texts, &manifest.files);
        write_file(rejects, false, 'x', texts, &manifest.rejects);
        ok = store_commit(store, &manifest, err) &&
             (!roll_forward || store_roll_forward(store, &manifest, err));
    }
    manifest_deinit(&manifest);
    recovery_deinit(&recovery);
    return ok;
}

static void run_batch(const char *first, const char *second, bool roll_forward) {
    const char *const texts[PARTITIONS] = {first, second};
    struct store *store = NULL;
    struct error err = {0};
    bool ok =
        recovery_open(&fixture.options, &store, &err) && run(store, texts, roll_forward, &err);
    store_close(store);
    if (!ok)
        fail_msg("%s", err.message);
    move_ends(texts);
}

static void our_batch(const char *first, const char *second) {
    run_batch(first, second, true);
}

#define CHECKPOINT "checkpoints/match_stream/"
#define TABLE "processed/matches/"

/* Appends an entry for a file to the sink log's newest file. */
static void list_file(int64_t batch, const char *name) {
    struct stat status;
    check(stat(file_join(fixture.table, name).text, &status) == 0);
    scoped(scope_free) char *log = fixture_text(TABLE "_spark_metadata/%" PRId64, batch);
    scoped(scope_free) char *before = fixture_read(&fixture, log);
    scoped(scope_free) char *after = fixture_text(
        "%s\n{\"path\":\"file://%s/%s\",\"size\":%lld,\"isDir\":false,\"modificationTime\":1,"
        "\"blockReplication\":1,\"blockSize\":1,\"action\":\"add\"}",
        before, fixture.table, name, (long long)status.st_size);
    fixture_write(&fixture, log, after);
}

/* A batch as Spark runs it: no manifest, and no rejects. */
static void spark_batch(int64_t batch, const char *first, const char *second) {
    const char *const texts[PARTITIONS] = {first, second};
    struct file_list files = {0};
    write_file(fixture.root, true, 'r', texts, &files);
    for (size_t i = 0; i < files.count; i++)
        check(rename(file_join(fixture.root, files.files[i].staged).text,
                     file_join(fixture.table, files.files[i].path).text) == 0);
    move_ends(texts);
    scoped(scope_free) char *planned =
        fixture_text("v1\n{\"batchTimestampMs\":1,\"conf\":{}}\n{\"t1\":{\"0\":%lld,\"1\":%lld}}",
                     (long long)ends[0], (long long)ends[1]);
    scoped(scope_free) char *offsets = fixture_text(CHECKPOINT "offsets/%" PRId64, batch);
    scoped(scope_free) char *commit = fixture_text(CHECKPOINT "commits/%" PRId64, batch);
    scoped(scope_free) char *crc = fixture_text(CHECKPOINT "commits/.%" PRId64 ".crc", batch);
    scoped(scope_free) char *log = fixture_text(TABLE "_spark_metadata/%" PRId64, batch);
    fixture_write(&fixture, offsets, planned);
    fixture_write(&fixture, log, "v1");
    for (size_t i = 0; i < files.count; i++)
        list_file(batch, files.files[i].path);
    fixture_write(&fixture, commit, "v1\n{}");
    fixture_write(&fixture, crc, "crc");
    file_list_deinit(&files);
}

/* The name of the n-th Parquet file below `below`, relative to it; owned by the caller. */
static char *data_file(const char *below, size_t n) {
    struct tree tree;
    char *found = NULL;
    tree_init(&tree, file_join(fixture.root, below).text);
    for (size_t i = 0; i < tree.count && found == NULL; i++)
        if (strstr(tree.paths[i], ".parquet") != NULL && n-- == 0)
            found = strdup(tree.paths[i]);
    tree_deinit(&tree);
    check(found != NULL);
    return found;
}

static void copy_file(const char *from, const char *to) {
    struct error err;
    char *bytes;
    size_t size;
    check(file_read(file_join(fixture.table, from).text, 1 << 26, &bytes, &size, &err));
    FILE *out = fopen(file_join(fixture.table, to).text, "w");
    check(out != NULL && fwrite(bytes, 1, size, out) == size && fclose(out) == 0);
    free(bytes);
}

/* ---- what verify reports ---- */

static struct verify_report report;
static int64_t memory_max = 64 << 20;

static void verify(void) {
    struct error err = {0};
    const struct verify_options options = {.store = &fixture.options,
                                           .broker = fake_broker(),
                                           .memory_max = memory_max,
                                           .workers = 2,
                                           .timeout_ms = 1000,
                                           .plan = plan};
    verify_report_deinit(&report);
    if (!verify_run(&options, &report, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < report.partition_count; i++) {
        const struct verify_partition *p = &report.partitions[i];
        if (plan != NULL && p->duplicates == 0)
            assert_int_equal(p->start + p->records + p->rejects + p->empty + p->filtered +
                                 p->absent + p->lost + p->expired + p->accepted + p->missing +
                                 p->unproven,
                             p->end);
        if (plan != NULL)
            continue;
        assert_int_equal(p->start + p->rows + p->rejects + p->absent + p->lost + p->expired +
                             p->accepted + p->missing + p->unproven - p->duplicates,
                         p->end);
    }
}

static void assert_partition(size_t index, const struct verify_partition *expected) {
    const struct verify_partition *found = &report.partitions[index];
    assert_true(index < report.partition_count);
    assert_int_equal(found->start, expected->start);
    assert_int_equal(found->end, expected->end);
    assert_int_equal(found->rows, expected->rows);
    assert_int_equal(found->rejects, expected->rejects);
    assert_int_equal(found->absent, expected->absent);
    assert_int_equal(found->lost, expected->lost);
    assert_int_equal(found->expired, expected->expired);
    assert_int_equal(found->accepted, expected->accepted);
    assert_int_equal(found->missing, expected->missing);
    assert_int_equal(found->unproven, expected->unproven);
    assert_int_equal(found->duplicates, expected->duplicates);
    if (plan == NULL)
        return;
    assert_int_equal(found->records, expected->records);
    assert_int_equal(found->empty, expected->empty);
    assert_int_equal(found->filtered, expected->filtered);
}

static void assert_says(enum verify_kind kind, const char *part) {
    for (size_t i = 0; i < report.texts[kind].count && i < VERIFY_TEXTS_MAX; i++)
        if (strstr(report.texts[kind].texts[i], part) != NULL)
            return;
    for (size_t i = 0; i < report.texts[kind].count && i < VERIFY_TEXTS_MAX; i++)
        print_message("said: %s\n", report.texts[kind].texts[i]);
    fail_msg("nothing of kind %d says '%s'", kind, part);
}

static void assert_faults(size_t files, size_t missing, size_t duplicates) {
    for (size_t kind = 0; kind < VERIFY_LOST; kind++)
        for (size_t i = 0; i < report.texts[kind].count && i < VERIFY_TEXTS_MAX; i++)
            print_message("said: %s\n", report.texts[kind].texts[i]);
    assert_int_equal(report.texts[VERIFY_FILE].count, files);
    assert_int_equal(report.texts[VERIFY_MISSING].count, missing);
    assert_int_equal(report.texts[VERIFY_DUPLICATE].count, duplicates);
}

/* ---- cases ---- */

static void every_offset_is_accounted_for(void **state) {
    (void)state;
    our_batch("llrrx-rr", "rrr");
    our_batch("r--rx", "xxr");
    verify();
    assert_faults(0, 0, 0);
    assert_partition(
        0, &(struct verify_partition){.end = 13, .rows = 6, .rejects = 2, .absent = 3, .lost = 2});
    assert_partition(1, &(struct verify_partition){.end = 6, .rows = 4, .rejects = 2});
    assert_int_equal(report.horizon, 1);
    assert_int_equal(report.table_files, 2);
    assert_int_equal(report.reject_files, 2);
    assert_says(VERIFY_LOST, "partition 0, offsets 0 to 1");
    assert_says(VERIFY_ABSENT, "partition 0, offset 5");
    assert_says(VERIFY_ABSENT, "partition 0, offsets 9 to 10");
}

static void a_loss_is_named(void **state) {
    (void)state;
    our_batch("rrr-r", "rr");
    our_batch("rrrr", "rxr");
    our_batch("r", "r");
    scoped(scope_free) char *log = fixture_read(&fixture, TABLE "_spark_metadata/1");
    char *entry = strstr(log, "status");
    check(entry != NULL);
    *strchr(entry, '"') = '\0';
    const char *name = entry;
    check(unlink(file_join(fixture.table, name).text) == 0);
    fixture_write(&fixture, TABLE "_spark_metadata/1", "v1");
    verify();
    assert_faults(1, 3, 0);
    assert_says(VERIFY_FILE, "is in the manifest of batch 1, but not in the sink log");
    assert_says(VERIFY_MISSING, "partition 0, offsets 5 to 8: the broker has");
    assert_says(VERIFY_MISSING, "partition 1, offset 2: the broker has");
    assert_says(VERIFY_MISSING, "partition 1, offset 4: the broker has");
    assert_partition(0,
                     &(struct verify_partition){.end = 10, .rows = 5, .absent = 1, .missing = 4});
    assert_partition(1,
                     &(struct verify_partition){.end = 6, .rows = 3, .rejects = 1, .missing = 2});

    log_start[0] = log_start[1] = 8; // the broker no longer knows, but the manifest does
    verify();
    assert_faults(1, 3, 0);
    assert_says(VERIFY_MISSING, "partition 0, offset 8: the broker has");
    assert_says(VERIFY_MISSING,
                "partition 0, 3 of the offsets 3 to 3, 5 to 8: the manifests count");
    assert_says(VERIFY_MISSING,
                "partition 1, 2 of the offsets 2 to 2, 4 to 4: the manifests count");
    assert_partition(0,
                     &(struct verify_partition){.end = 10, .rows = 5, .absent = 1, .missing = 4});
}

static void a_lost_reject_is_named(void **state) {
    (void)state;
    our_batch("rx", "xx");
    scoped(scope_free) char *name = data_file("rejected/matches", 0);
    check(unlink(file_join(fixture.rejects, name).text) == 0);
    verify();
    assert_faults(1, 2, 0);
    assert_says(VERIFY_FILE, "is in the manifest of batch 0, but not on disk");
    assert_says(VERIFY_MISSING, "partition 1, offsets 0 to 1");
}

static void a_duplicate_is_named_with_its_files(void **state) {
    (void)state;
    our_batch("rrxr", "rr");
    our_batch("rr", "rr");
    scoped(scope_free) char *name = data_file("processed/matches", 0);
    copy_file(name, "status=live/part-copy.parquet");
    list_file(1, "status=live/part-copy.parquet");
    verify();
    assert_int_equal(report.texts[VERIFY_FILE].count, 0);
    assert_says(VERIFY_DUPLICATE, name);
    assert_says(VERIFY_DUPLICATE, "status=live/part-copy.parquet");
    assert_int_equal(report.partitions[1].duplicates, 2);
    assert_int_equal(report.partitions[1].missing, 0);
}

static void a_record_in_the_table_and_in_the_rejects_is_a_duplicate(void **state) {
    (void)state;
    our_batch("rrxr", "rr");
    scoped(scope_free) char *name = data_file("rejected/matches", 0);
    struct file_path from = file_join(fixture.rejects, name);
    struct file_path to = file_join(fixture.table, "status=live/part-reject.parquet");
    check(link(from.text, to.text) == 0);
    list_file(0, "status=live/part-reject.parquet");
    verify();
    assert_faults(0, 0, 1);
    assert_says(VERIFY_DUPLICATE,
                "partition 0, offset 2, in 'status=live/part-reject.parquet', the "
                "rejects' 'part-");
}

static void a_file_listed_twice_is_a_duplicate(void **state) {
    (void)state;
    our_batch("rr", "");
    scoped(scope_free) char *name = data_file("processed/matches", 0);
    list_file(0, name);
    verify();
    assert_faults(1, 0, 1);
    assert_says(VERIFY_FILE, "is listed twice in the sink log");
    assert_int_equal(report.partitions[0].duplicates, 2);
}

static void a_file_that_differs_from_its_entry_is_named(void **state) {
    (void)state;
    our_batch("rrr", "rr");
    scoped(scope_free) char *name = data_file("processed/matches", 0);
    struct file_path path = file_join(fixture.table, name);
    FILE *out = fopen(path.text, "a");
    check(out != NULL && fputs("12345678", out) >= 0 && fclose(out) == 0);
    verify(); // it does not end like a Parquet file
    assert_faults(1, 2, 0);
    assert_says(VERIFY_FILE, "is not a complete Parquet file");

    struct stat status;
    check(stat(path.text, &status) == 0 && truncate(path.text, status.st_size - 100) == 0);
    verify();
    assert_says(VERIFY_FILE, "is not a complete Parquet file");

    check(unlink(path.text) == 0);
    verify();
    assert_says(VERIFY_FILE, "does not exist");
    assert_int_equal(report.partitions[0].missing, 3);
}

static void a_size_or_a_count_that_differs_is_named(void **state) {
    (void)state;
    our_batch("rrr", "rr");
    our_batch("rr", "rr");
    // The second batch's file replaces the first's: rows and size differ.
    scoped(scope_free) char *log = fixture_read(&fixture, TABLE "_spark_metadata/0");
    scoped(scope_free) char *other = fixture_read(&fixture, TABLE "_spark_metadata/1");
    char *first = strstr(log, "status"), *second = strstr(other, "status");
    *strchr(first, '"') = '\0';
    *strchr(second, '"') = '\0';
    copy_file(second, first);
    verify();
    assert_says(VERIFY_FILE, first);
    assert_int_equal(report.texts[VERIFY_FILE].count, 1);
    assert_int_equal(report.texts[VERIFY_DUPLICATE].count, 2);
    assert_int_equal(report.texts[VERIFY_MISSING].count, 2);
}

static void an_unlisted_file_is_a_fault_unless_it_belongs_to_a_later_batch(void **state) {
    (void)state;
    our_batch("rrr", "rr");
    scoped(scope_free) char *name = data_file("processed/matches", 0);
    copy_file(name, "status=live/part-copy.parquet");
    verify();
    assert_faults(1, 0, 0);
    assert_says(VERIFY_FILE, "'status=live/part-copy.parquet' is not in the sink log");
    check(unlink(file_join(fixture.table, "status=live/part-copy.parquet").text) == 0);

    run_batch("rr", "x", false); // committed, but not yet published
    run_batch("rr", "x", true);  // rolls it forward
    check(unlink(file_join(fixture.root, CHECKPOINT "commits/2").text) == 0);
    verify(); // as if batch 2 were running, with its files already in place
    assert_faults(0, 0, 0);
    assert_int_equal(report.horizon, 1);
    assert_partition(0, &(struct verify_partition){.end = 5, .rows = 5});

    fixture_write(&fixture, TABLE "status=live/part-torn.parquet", "PAR1 and some more");
    verify(); // a Spark that runs at the same time may be writing it
    assert_faults(0, 0, 0);
    static const struct timespec old[2] = {{1, 0}, {1, 0}};
    check(utimensat(AT_FDCWD, file_join(fixture.table, "status=live/part-torn.parquet").text, old,
                    0) == 0);
    fixture_write(&fixture, TABLE "part-strange.parquet", "PAR1 in the wrong place PAR1");
    verify();
    assert_faults(2, 0, 0);
    assert_says(VERIFY_FILE, "is incomplete");
    assert_says(VERIFY_FILE,
                "'part-strange.parquet' is not in the sink log and was not written by");
}

static void a_row_outside_all_batches_is_named(void **state) {
    (void)state;
    our_batch("rrr", "rr");
    our_batch("rr", "rr");
    check(unlink(file_join(fixture.root, CHECKPOINT "commits/1").text) == 0);
    scoped(scope_free) char *entry = fixture_read(&fixture, TABLE "_spark_metadata/1");
    char *name = strstr(entry, "status");
    *strchr(name, '"') = '\0';
    list_file(0, name); // batch 0 lists the file of batch 1
    verify();
    assert_faults(1, 0, 0);
    assert_says(VERIFY_FILE, "which is in no committed batch");
}

static void for_sparks_batches_the_broker_is_asked(void **state) {
    (void)state;
    our_batch("rrr", "rr");
    spark_batch(1, "rr.r", "r..r");
    our_batch("rxr", "r-r");
    verify();
    assert_faults(0, 0, 0);
    assert_partition(0,
                     &(struct verify_partition){.end = 10, .rows = 8, .rejects = 1, .absent = 1});
    assert_partition(1, &(struct verify_partition){.end = 9, .rows = 6, .absent = 3});
    assert_says(VERIFY_ABSENT, "partition 1, offsets 3 to 4");

    on_broker[1][3] = BLANK_RECORD;
    verify(); // Spark drops it
    assert_faults(0, 0, 0);
    assert_partition(1, &(struct verify_partition){.end = 9, .rows = 6, .absent = 3});
    assert_says(VERIFY_NOTE, "1 record of Spark's batches counted as absent");

    on_broker[1][4] = RECORD;
    verify();
    assert_faults(0, 1, 0);
    assert_says(VERIFY_MISSING, "partition 1, offset 4: the broker has a record there");

    log_start[1] = 5;
    verify(); // it cannot be known any more
    assert_faults(0, 0, 0);
    assert_partition(1,
                     &(struct verify_partition){.end = 9, .rows = 6, .absent = 1, .unproven = 2});
}

static void a_record_that_a_manifest_calls_absent_is_missing(void **state) {
    (void)state;
    our_batch("rr-ar", "r");
    verify();
    assert_faults(0, 1, 0);
    assert_says(VERIFY_MISSING, "partition 0, offset 3: the manifest says absent, but the broker");
    assert_int_equal(report.partitions[0].missing, 1);
    assert_int_equal(report.partitions[0].absent, 1);
}

static void a_batch_that_spark_ran_again_counts_as_sparks_batch(void **state) {
    (void)state;
    our_batch("rrr", "rr");
    run_batch("rx", "r", false);
    ends[0] -= 2;
    ends[1] -= 1;
    check(unlink(file_join(fixture.root, CHECKPOINT "offsets/1").text) == 0);
    spark_batch(1, "rr", "r");
    verify();
    assert_faults(0, 0, 0);
    assert_says(VERIFY_NOTE, "batch 1 was run by Spark after this program committed it");
    assert_partition(0, &(struct verify_partition){.end = 5, .rows = 5});
}

static void a_table_without_a_sink_log_consists_of_its_files(void **state) {
    (void)state;
    fixture.options.sink_log = SINK_LOG_OFF;
    our_batch("rrr", "rr");
    our_batch("rx", "r-");
    verify();
    assert_faults(0, 0, 0);
    assert_false(report.sink_log);
    char *name = data_file("processed/matches", 0);
    copy_file(name, "status=live/part-copy.parquet");
    verify();
    assert_int_equal(report.texts[VERIFY_FILE].count, 0);
    assert_true(report.texts[VERIFY_DUPLICATE].count > 0);
    assert_says(VERIFY_DUPLICATE, "status=live/part-copy.parquet");
    check(unlink(file_join(fixture.table, name).text) == 0);
    free(name);
    verify();
    assert_faults(1, 0, 0);
    assert_says(VERIFY_FILE, "but not on disk");
}

static void several_passes_give_the_same_answer(void **state) {
    (void)state;
    enum { COUNT = 45000 };
    static char first[COUNT + 1], second[COUNT + 1];
    for (size_t i = 0; i < COUNT; i++) {
        first[i] = i % 7 == 3 ? 'x' : i % 1000 == 999 ? '-' : 'r';
        second[i] = i % 11 == 3 ? 'x' : 'r';
    }
    our_batch(first, second);
    our_batch("rrr", "xxr");
    scoped(scope_free) char *name = data_file("processed/matches", 0);
    copy_file(name, "status=live/part-copy.parquet");
    list_file(1, "status=live/part-copy.parquet");
    verify();
    assert_int_equal(report.passes, 1);
    struct verify_partition once[PARTITIONS] = {report.partitions[0], report.partitions[1]};
    assert_true(once[0].absent > 0 && once[0].rejects > 0);

    memory_max = 1; // 32,768 offsets at once
    verify();
    memory_max = 64 << 20;
    assert_int_equal(report.passes, 3);
    for (size_t i = 0; i < PARTITIONS; i++)
        assert_partition(i, &once[i]);
    assert_true(report.partitions[0].duplicates + report.partitions[1].duplicates > 0);
}

static void folded_manifests_prove_the_same_facts(void **state) {
    (void)state;
    for (size_t i = 0; i < 130; i++)
        our_batch(i == 0 ? "lrx-" : "rx-", i % 2 == 0 ? "rr" : "xr");
    int64_t *manifests = NULL, *folded = NULL;
    size_t count, folded_count;
    struct error err;
    check(file_list_numbers(file_join(fixture.checkpoint, "manifests").text, "", &manifests, &count,
                            &err) &&
          file_list_numbers(file_join(fixture.checkpoint, "coverage").text, "", &folded,
                            &folded_count, &err));
    assert_int_equal(count, 101);
    assert_int_equal(manifests[0], 29);
    assert_int_equal(folded_count, 1);
    assert_int_equal(folded[0], 28);
    free(manifests);
    free(folded);
    verify();
    assert_faults(0, 0, 0);
    assert_partition(0, &(struct verify_partition){
                            .end = 391, .rows = 130, .rejects = 130, .absent = 130, .lost = 1});
    assert_says(VERIFY_LOST, "partition 0, offset 0");

    log_start[0] = ends[0], log_start[1] = ends[1];
    struct tree tree; // the reject files; the old ones are no longer listed anywhere
    tree_init(&tree, fixture.rejects);
    for (size_t i = 0; i < tree.count; i++)
        check(unlink(file_join(fixture.rejects, tree.paths[i]).text) == 0);
    tree_deinit(&tree);
    verify();
    assert_int_equal(report.partitions[0].missing, 130);
    assert_int_equal(report.partitions[1].missing, 65);
}

static void without_a_commit_there_is_nothing_to_verify(void **state) {
    (void)state;
    run_batch("rr", "r", false);
    verify();
    assert_int_equal(report.horizon, -1);
    assert_int_equal(verify_faults(&report), 0);
}

static void unreadable_first_offsets_are_only_a_note(void **state) {
    (void)state;
    our_batch("rr", "r");
    assert_int_equal(truncate(file_join(fixture.checkpoint, "sources/0/0").text, 0), 0);
    verify();
    assert_int_equal(verify_faults(&report), 0);
    assert_says(VERIFY_NOTE, "sources/0/0 is missing or unreadable");
}

static void without_a_checkpoint_it_says_so(void **state) {
    (void)state;
    struct error err = {0};
    const struct verify_options options = {.store = &fixture.options,
                                           .broker = fake_broker(),
                                           .memory_max = 1,
                                           .workers = 1,
                                           .timeout_ms = 1};
    assert_false(verify_run(&options, &report, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(
        strstr(err.message, "does not exist: check DATA_LAKE_PATH and CHECKPOINT_PATH"));
    assert_false(fixture_has(&fixture, "checkpoints"));
}

static void count_listed(void *context, const char *path, int64_t size) {
    (void)path, (void)size;
    ++*(size_t *)context;
}

/* 9 is a compact file, and 10 follows it. */
static void a_sink_log_that_cannot_be_read_names_its_file(void **state) {
    (void)state;
    static const struct {
        const char *file;
        int error_number;
    } cases[] = {{"_spark_metadata/10", EIO},
                 {"_spark_metadata/10", 0},
                 {"_spark_metadata/9.compact", EIO},
                 {"_spark_metadata/9.compact", 0}};
    for (int batch = 0; batch <= 10; batch++)
        our_batch("r", "r");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        struct sink_log log;
        size_t files = 0;
        assert_true(sink_log_open(&log, fixture.table, &err));
        faulty_reads_begin(cases[i].file, cases[i].error_number, 60);
        assert_false(listing_read(&log, 10, count_listed, &files, &err));
        disk = &disk_real;
        sink_log_close(&log);
        assert_int_equal(err.kind, ERROR_RETRY);
        assert_non_null(strstr(err.message, cases[i].file));
    }
}

/* ---- records that are not one row each ---- */

static const struct plan_column plan_columns[] = {{.name = "pos"}, {.name = "item"}};
static const struct plan_view one_view[] = {{.is_outer = true, .position_column = 0}};
static const struct plan_view two_views[] = {{.position_column = 0},
                                             {.is_outer = true, .position_column = 1}};
static const struct expr some_condition;
static const struct query_plan exploding = {
    .columns = plan_columns, .column_count = 2, .views = one_view, .view_count = 1};
static const struct query_plan filtering = {
    .columns = plan_columns, .column_count = 2, .where = &some_condition};
static const struct query_plan exploding_and_filtering = {.columns = plan_columns,
                                                          .column_count = 2,
                                                          .views = one_view,
                                                          .view_count = 1,
                                                          .where = &some_condition};
static const struct query_plan exploding_twice = {
    .columns = plan_columns, .column_count = 2, .views = two_views, .view_count = 2};

/* Writes the table's one file again, without what is `left_out`. */
static void write_again(const char *first, const char *second) {
    const char *const texts[PARTITIONS] = {first, second};
    struct file_list files = {0};
    char *name = data_file("processed/matches", 0);
    for (size_t i = 0; i < PARTITIONS; i++)
        ends[i] -= (int64_t)strlen(texts[i]);
    write_file(fixture.root, true, 'r', texts, &files);
    for (size_t i = 0; i < PARTITIONS; i++)
        ends[i] += (int64_t)strlen(texts[i]);
    assert_int_equal(files.count, 1);
    check(rename(file_join(fixture.root, files.files[0].staged).text,
                 file_join(fixture.table, name).text) == 0);
    free(name);
    file_list_deinit(&files);
}

static void lose_row(int32_t partition, int64_t offset, int32_t row, const char *first,
                     const char *second) {
    left_out.partition = partition, left_out.offset = offset, left_out.row = row;
    write_again(first, second);
    left_out.partition = -1;
}

static void rows_of_a_record_differ_in_their_positions(void **state) {
    (void)state;
    plan = &exploding;
    our_batch("3x1eo-9", "ee5");
    our_batch("l2", "x1");
    verify();
    assert_faults(0, 0, 0);
    assert_partition(
        0,
        &(struct verify_partition){
            .end = 9, .records = 5, .rows = 16, .rejects = 1, .empty = 1, .absent = 1, .lost = 1});
    assert_partition(
        1, &(struct verify_partition){.end = 5, .records = 2, .rows = 6, .rejects = 1, .empty = 2});
    assert_false(report.row_per_record);
}

static void a_lost_position_is_named(void **state) {
    (void)state;
    plan = &exploding;
    our_batch("31e9", "5");
    lose_row(0, 3, 4, "31e9", "5");
    verify();
    assert_int_equal(report.texts[VERIFY_MISSING].count, 1);
    assert_says(VERIFY_MISSING, "partition 0, offset 3: the row with pos 4");
    assert_says(VERIFY_FILE, "has 17 rows, but its manifest says 18");
    assert_int_equal(report.partitions[0].missing, 0); // its offset is there

    lose_row(0, 0, 0, "31e9", "5");
    verify();
    assert_says(VERIFY_MISSING, "partition 0, offset 0: the row with pos 0");

    lose_row(0, 3, 8, "31e9", "5"); // the last one: only the counts tell
    verify();
    assert_int_equal(report.texts[VERIFY_MISSING].count, 1);
    assert_says(VERIFY_MISSING,
                "partition 0, offsets 0 to 3: the manifests count 13 rows, but the files have 12");

    lose_row(0, 1, 0, "31e9", "5"); // all of a record
    verify();
    assert_int_equal(report.texts[VERIFY_MISSING].count, 1);
    assert_says(VERIFY_MISSING, "partition 0, 1 of the offsets 1 to 2: the manifests count them");
    assert_int_equal(report.partitions[0].missing, 1);
    assert_int_equal(report.partitions[0].empty, 1);
}

static void a_row_that_was_written_twice_is_a_duplicate(void **state) {
    (void)state;
    plan = &exploding;
    our_batch("3x1eo", "2");
    scoped(scope_free) char *name = data_file("processed/matches", 0);
    copy_file(name, "status=live/part-copy.parquet");
    list_file(0, "status=live/part-copy.parquet");
    verify();
    assert_int_equal(report.partitions[0].duplicates, 5);
    assert_int_equal(report.partitions[1].duplicates, 2);
    assert_int_equal(report.partitions[0].records, 3);
    assert_int_equal(report.texts[VERIFY_MISSING].count, 0);
    assert_says(VERIFY_DUPLICATE, "partition 0, offset 0, in");
    assert_says(VERIFY_DUPLICATE, "partition 0, offset 2, in");
    assert_says(VERIFY_DUPLICATE, "partition 0, offset 4, in");
    assert_says(VERIFY_NOTE, "partition 0, offset 0: the row with pos 0 is there more than once");
    assert_says(VERIFY_DUPLICATE, "status=live/part-copy.parquet");
}

static void with_where_positions_have_gaps_and_counts_prove_the_rows(void **state) {
    (void)state;
    plan = &exploding_and_filtering;
    our_batch("3pf-e", "p");
    our_batch("31", "2");
    verify();
    assert_faults(0, 0, 0);
    assert_partition(
        0, &(struct verify_partition){
               .end = 7, .records = 4, .rows = 9, .empty = 1, .filtered = 1, .absent = 1});
}

static void where_alone_leaves_out_records(void **state) {
    (void)state;
    plan = &filtering;
    our_batch("rr-xr", "r");
    lose_row(0, 4, 0, "rr-xr", "r");
    verify();
    assert_int_equal(report.partitions[0].missing, 1);
    write_again("rr-xr", "r");
    our_batch("rrr", "x");
    verify();
    assert_faults(0, 0, 0);
    assert_partition(0, &(struct verify_partition){
                            .end = 8, .records = 6, .rows = 6, .rejects = 1, .absent = 1});
}

static void positions_of_nested_views_are_complete_level_by_level(void **state) {
    (void)state;
    plan = &exploding_twice;
    our_batch("n3e", "n");
    verify();
    assert_faults(0, 0, 0);
    assert_partition(0, &(struct verify_partition){.end = 3, .records = 2, .rows = 6, .empty = 1});
    lose_row(0, 0, 0, "n3e", "n");
    verify();
    assert_says(VERIFY_MISSING, "partition 0, offset 0: the row with pos 0, item 0");
    lose_row(0, 1, 1, "n3e", "n"); // the second view is OUTER: each element of the first has a row
    verify();
    assert_says(VERIFY_MISSING, "partition 0, offset 1: the row with pos 1");
}

static void for_sparks_batches_a_record_without_a_row_is_unproven(void **state) {
    (void)state;
    plan = &exploding;
    our_batch("3", "1");
    spark_batch(1, "3e.2", "1");
    verify();
    assert_faults(0, 0, 0);
    assert_partition(0, &(struct verify_partition){
                            .end = 5, .records = 3, .rows = 8, .absent = 1, .unproven = 1});
    assert_says(VERIFY_NOTE, "1 record of Spark's batches without a row counted as unproven");
}

/* More runs than there is room for: one per row, because WHERE has left out every other one. */
static void passes_get_smaller_when_there_is_no_room_for_their_rows(void **state) {
    (void)state;
    enum { COUNT = 6000 };
    static char text[COUNT + 1];
    plan = &exploding_and_filtering;
    for (size_t i = 0; i < COUNT; i++)
        text[i] = i % 100 == 0 ? 'x' : 'p';
    our_batch(text, "p1");
    verify();
    assert_faults(0, 0, 0);
    assert_int_equal(report.passes, 1);
    struct verify_partition once = report.partitions[0];
    assert_int_equal(once.rows, 2 * (COUNT - COUNT / 100));
    memory_max = 1; // room for 4,096 runs
    verify();
    memory_max = 64 << 20;
    assert_true(report.passes > 3);
    assert_faults(0, 0, 0);
    assert_partition(0, &once);
}

/* ---- changes of the table ---- */

/* A change as it is on disk, step by step: what it says, and what was done of it. */
static struct change change;

static void begin_change(enum change_kind kind, bool of_rejects) {
    change_deinit(&change);
    change = (struct change){.kind = kind, .of_rejects = of_rejects, .made_ms = 1};
}

static const char *place(void) {
    return change.of_rejects ? "rejected/matches" : "processed/matches";
}

/* The n-th file leaves. */
static void let_leave(size_t n) {
    struct stat status;
    char *name = data_file(place(), n);
    check(stat(file_join(file_join(fixture.root, place()).text, name).text, &status) == 0);
    file_list_add(&change.left,
                  (struct data_file){.path = name, .size = status.st_size, .rows = 1});
}

/* A file with the rows of `first` and `second`, as many records as the ends have; it is staged. */
static void let_come(const char *first, const char *second) {
    const char *const texts[PARTITIONS] = {first, second};
    struct file_list files = {0};
    for (size_t i = 0; i < PARTITIONS; i++)
        ends[i] -= (int64_t)strlen(texts[i]);
    write_file(fixture.root, !change.of_rejects, change.of_rejects ? 'x' : 'r', texts, &files);
    for (size_t i = 0; i < PARTITIONS; i++)
        ends[i] += (int64_t)strlen(texts[i]);
    file_list_move(&change.added, &files);
}

static void record_change(bool open) {
    struct store *store;
    struct error err;
    size_t size;
    check(store_open_to_read(&fixture.options, &store, &err));
    const struct manifest_origin origin = store_origin(store);
    scoped(scope_free) char *text = change_print(&change, &origin, &size);
    scoped(scope_free) char *name =
        fixture_text(CHECKPOINT "changes/%lld%s", (long long)change.number, open ? ".open" : "");
    store_close(store);
    (void)mkdir(file_join(fixture.root, CHECKPOINT "changes").text, 0755);
    fixture_write(&fixture, name, text);
}

/* The sink log lists what the table has after the change. */
static void change_log(int64_t newest) {
    for (int64_t batch = 0; batch <= newest; batch++) {
        scoped(scope_free) char *log = fixture_text(TABLE "_spark_metadata/%lld", (long long)batch);
        scoped(scope_free) char *text = fixture_read(&fixture, log);
        struct rows_of_log {
            char *kept;
            size_t size;
        } out = {0};
        FILE *stream = open_memstream(&out.kept, &out.size);
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            bool left = false;
            for (size_t i = 0; i < change.left.count; i++)
                left = left || strstr(line, strrchr(change.left.files[i].path, '/')) != NULL;
            if (!left)
                (void)fprintf(stream, "%s%s", line[0] == 'v' ? "" : "\n", line);
        }
        check(fclose(stream) == 0);
        fixture_write(&fixture, log, out.kept);
        free(out.kept);
    }
    for (size_t i = 0; i < change.added.count; i++)
        list_file(newest, change.added.files[i].path);
}

/* What was staged comes, and what leaves is kept next to the table. */
static void exchange(void) {
    struct file_path root = file_join(fixture.root, place());
    struct file_path aside = file_join(
        fixture.root, change.of_rejects ? "rejected/.matches.aside/" : "processed/.matches.aside/");
    struct file_path left = file_join(file_join_number(aside.text, change.number).text, "left");
    for (size_t i = 0; i < change.added.count; i++)
        check(rename(file_join(fixture.root, change.added.files[i].staged).text,
                     file_join(root.text, change.added.files[i].path).text) == 0);
    for (size_t i = 0; i < change.left.count; i++) {
        struct file_path to = file_join(left.text, change.left.files[i].path);
        char *slash = strrchr(to.text, '/');
        struct error err;
        *slash = '\0';
        check(file_make_directory(to.text, &err));
        *slash = '/';
        check(rename(file_join(root.text, change.left.files[i].path).text, to.text) == 0);
    }
}

static void let_be_gone(int32_t partition, int64_t first, int64_t last) {
    for (int64_t offset = first; offset <= last; offset++)
        (void)resolved_add(&change.gone, 0, partition, offset);
}

static void compacted_files_are_not_missed(void **state) {
    (void)state;
    our_batch("rrx-", "rr");
    our_batch("r", "rxr");
    begin_change(CHANGE_COMPACTION, false);
    let_leave(0);
    let_leave(1);
    let_come("rrx-r", "rrrxr");
    char *merged = strdup(change.added.files[0].path);
    record_change(false);
    exchange();
    change_log(1);
    verify();
    assert_faults(0, 0, 0);
    assert_partition(0, &(struct verify_partition){.end = 5, .rows = 3, .rejects = 1, .absent = 1});
    assert_partition(1, &(struct verify_partition){.end = 5, .rows = 4, .rejects = 1});
    assert_int_equal(report.table_files, 1);
    assert_int_equal(report.texts[VERIFY_NOTE].count, 0);

    // The rejects, too, which have no log.
    begin_change(CHANGE_COMPACTION, true);
    change.number = 1;
    let_leave(0);
    let_leave(1);
    let_come("rrx-r", "rrrxr");
    record_change(false);
    exchange();
    verify();
    assert_faults(0, 0, 0);
    assert_int_equal(report.reject_files, 1);

    // What came must be there, with the rows that the record promises.
    check(unlink(file_join(fixture.table, merged).text) == 0);
    verify();
    assert_says(VERIFY_FILE, merged);
    assert_int_equal(report.partitions[0].missing, 3);
    free(merged);
}

static void what_a_record_promises_is_compared(void **state) {
    (void)state;
    our_batch("rrr", "rr");
    begin_change(CHANGE_COMPACTION, false);
    let_leave(0);
    let_come("rrr", "rr");
    change.added.files[0].rows = 6;
    record_change(false);
    verify();
    assert_int_equal(report.texts[VERIFY_FILE].count, 2);
    assert_says(VERIFY_FILE, "left the table with change 0, but is in the sink log again");
    assert_says(VERIFY_FILE, "is in the record of change 0, but not in the sink log");
    exchange();
    change_log(0);
    verify();
    assert_faults(1, 0, 0);
    assert_says(VERIFY_FILE, "has 5 rows, but its change's record says 6");
}

static void an_unfinished_change_is_tolerated_and_noted(void **state) {
    (void)state;
    for (int step = 0; step < 3; step++) {
        fixture_clear(&fixture);
        fixture_init(&fixture);
        fixture.options.sink_log = step == 2 ? SINK_LOG_OFF : SINK_LOG_AUTO;
        for (size_t i = 0; i < PARTITIONS; i++)
            log_start[i] = ends[i] = 0;
        our_batch("rr-r", "rx");
        our_batch("r", "r");
        begin_change(CHANGE_COMPACTION, false);
        let_leave(0);
        let_leave(1);
        let_come("rr-rr", "rxr");
        struct file_path staging = file_join(fixture.root, "processed/.matches.aside/0/files");
        struct error err;
        check(file_make_directory(staging.text, &err));
        struct file_path prepared = file_join(staging.text, change.added.files[0].staged);
        struct file_path written = file_join(fixture.root, change.added.files[0].staged);
        record_change(true);
        if (step == 1) { // the log has the new file, the directories the old ones
            exchange();
            change_log(1);
            struct file_path live = file_join(fixture.table, change.added.files[0].path);
            check(rename(live.text, prepared.text) == 0);
            struct file_path left = file_join(fixture.root, "processed/.matches.aside/0/left");
            for (size_t i = 0; i < 2; i++)
                check(rename(file_join(left.text, change.left.files[i].path).text,
                             file_join(fixture.table, change.left.files[i].path).text) == 0);
        } else if (step == 2) {
            exchange(); // a table without a log: done, but the record is still open
        } else {
            check(rename(written.text, prepared.text) == 0);
        }
        verify();
        assert_faults(0, 0, 0);
        assert_partition(0, &(struct verify_partition){.end = 5, .rows = 4, .absent = 1});
        assert_says(VERIFY_NOTE, "change 0 of the table is recorded and not finished yet");
    }
}

/* The file of a batch, by the sink log. */
static void let_leave_of(int64_t batch) {
    scoped(scope_free) char *name = fixture_text(TABLE "_spark_metadata/%lld", (long long)batch);
    scoped(scope_free) char *log = fixture_read(&fixture, name);
    char *path = strstr(log, "status="), *end = strstr(log, ".parquet");
    check(path != NULL && end != NULL);
    file_list_add(&change.left,
                  (struct data_file){.path = fixture_text("%.*s.parquet", (int)(end - path), path),
                                     .size = 1});
}

static void expired_offsets_are_neither_missing_nor_lost(void **state) {
    (void)state;
    our_batch("lrr-x", "rr");
    our_batch("rrr", "xr");
    begin_change(CHANGE_EXPIRY, false);
    let_leave_of(0);
    let_be_gone(0, 1, 2);
    let_be_gone(1, 0, 1);
    record_change(false);
    exchange();
    change_log(1);
    verify();
    assert_faults(0, 0, 0);
    assert_partition(0,
                     &(struct verify_partition){
                         .end = 8, .rows = 3, .rejects = 1, .absent = 1, .lost = 1, .expired = 2});
    assert_partition(1,
                     &(struct verify_partition){.end = 4, .rows = 1, .rejects = 1, .expired = 2});

    // A row that came late is a row, also if all others of its file are gone.
    let_be_gone(0, 5, 5);
    record_change(false);
    verify();
    assert_faults(0, 0, 0);
    assert_int_equal(report.partitions[0].rows, 3);
    assert_int_equal(report.partitions[0].expired, 2);

    // What was not recorded as gone is missing all the same.
    begin_change(CHANGE_ACCEPTANCE, false);
    change.number = 1;
    let_leave_of(1);
    let_be_gone(0, 6, 7);
    record_change(false);
    exchange();
    change_log(1);
    verify();
    assert_int_equal(report.partitions[0].accepted, 2);
    assert_int_equal(report.partitions[0].expired, 3);
    assert_int_equal(report.partitions[1].missing, 1);
    assert_int_equal(report.texts[VERIFY_FILE].count, 0);
}

static void of_a_record_whose_rows_expired_any_positions_may_be_missing(void **state) {
    (void)state;
    plan = &exploding;
    our_batch("31e9", "5");
    lose_row(0, 3, 4, "31e9", "5");
    begin_change(CHANGE_EXPIRY, false);
    let_be_gone(0, 3, 3);
    file_list_add(&change.left,
                  (struct data_file){.path = strdup("status=live/x.parquet"), .size = 1});
    record_change(false);
    verify();
    assert_int_equal(report.texts[VERIFY_MISSING].count, 0);
    assert_int_equal(report.partitions[0].expired, 0); // a row of it is there
    assert_int_equal(report.partitions[0].records, 3);
    // Of another record they may not.
    lose_row(0, 0, 1, "31e9", "5");
    verify();
    assert_int_equal(report.texts[VERIFY_MISSING].count, 1);
    assert_says(VERIFY_MISSING, "partition 0, offset 0: the row with pos 1");
}

static int set_up(void **state) {
    (void)state;
    plan = NULL;
    memset(on_broker, 0, sizeof on_broker);
    for (size_t i = 0; i < PARTITIONS; i++)
        log_start[i] = ends[i] = 0;
    fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    disk = &disk_real;
    verify_report_deinit(&report);
    change_deinit(&change);
    fixture_clear(&fixture);
    return 0;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_offset_is_accounted_for),
        CASE(a_loss_is_named),
        CASE(a_lost_reject_is_named),
        CASE(a_duplicate_is_named_with_its_files),
        CASE(a_record_in_the_table_and_in_the_rejects_is_a_duplicate),
        CASE(a_file_listed_twice_is_a_duplicate),
        CASE(a_file_that_differs_from_its_entry_is_named),
        CASE(a_size_or_a_count_that_differs_is_named),
        CASE(an_unlisted_file_is_a_fault_unless_it_belongs_to_a_later_batch),
        CASE(a_row_outside_all_batches_is_named),
        CASE(for_sparks_batches_the_broker_is_asked),
        CASE(a_record_that_a_manifest_calls_absent_is_missing),
        CASE(a_batch_that_spark_ran_again_counts_as_sparks_batch),
        CASE(a_table_without_a_sink_log_consists_of_its_files),
        CASE(several_passes_give_the_same_answer),
        CASE(folded_manifests_prove_the_same_facts),
        CASE(without_a_commit_there_is_nothing_to_verify),
        CASE(unreadable_first_offsets_are_only_a_note),
        CASE(without_a_checkpoint_it_says_so),
        CASE(a_sink_log_that_cannot_be_read_names_its_file),
        CASE(rows_of_a_record_differ_in_their_positions),
        CASE(a_lost_position_is_named),
        CASE(a_row_that_was_written_twice_is_a_duplicate),
        CASE(with_where_positions_have_gaps_and_counts_prove_the_rows),
        CASE(where_alone_leaves_out_records),
        CASE(positions_of_nested_views_are_complete_level_by_level),
        CASE(for_sparks_batches_a_record_without_a_row_is_unproven),
        CASE(compacted_files_are_not_missed),
        CASE(what_a_record_promises_is_compared),
        CASE(an_unfinished_change_is_tolerated_and_noted),
        CASE(expired_offsets_are_neither_missing_nor_lost),
        CASE(of_a_record_whose_rows_expired_any_positions_may_be_missing),
        CASE(passes_get_smaller_when_there_is_no_room_for_their_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
