#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/disk/disk.h"
#include "base/disk/file.h"
#include "merge_table.h"

enum { INPUTS_MAX = 400, MEMORY = 48 << 20, PARTITIONS = 3 };

struct fixture {
    struct directory directory, staging;
    struct schema schema;
    struct random random;
    struct merge_options options;
    char *paths[INPUTS_MAX];
    size_t count;
    int64_t next[PARTITIONS]; // offsets
    int64_t processed;
    struct row_texts before;
    struct merge_result result;
};

static void start(struct fixture *fixture, uint64_t seed) {
    *fixture = (struct fixture){.directory = directory_make(),
                                .staging = directory_make(),
                                .random = {seed},
                                .processed = 1000000};
    schema_init_plain(&fixture->schema, "test", merge_columns, MERGE_COLUMNS);
    fixture->options = (struct merge_options){
        .schema = &fixture->schema,
        .parquet = {.codec = CODEC_SNAPPY, .delta = true},
        .staging_directory = fixture->staging.path,
        .directory = "day=2026-11-28/status=live",
        .target_size = 128 << 20,
        .memory_max = MEMORY,
        .split_after_us = INT64_MAX,
    };
}

static void end(struct fixture *fixture) {
    for (size_t i = 0; i < fixture->count; i++)
        free(fixture->paths[i]);
    row_texts_deinit(&fixture->before);
    merge_result_deinit(&fixture->result);
    directory_remove(&fixture->directory);
    directory_remove(&fixture->staging);
}

/* How a file is written. */
struct form {
    struct parquet_options options;
    bool shuffled;     // columns in another order
    bool lacks;        // a column that may be null
    size_t group_rows; // 0: one row group
};

static size_t make_columns(struct random *random, const struct form *form,
                           struct column columns[MERGE_COLUMNS]) {
    size_t count = 0;
    for (size_t i = 0; i < MERGE_COLUMNS; i++)
        if (!(form->lacks && !merge_columns[i].required && i != COLUMN_PLACE &&
              random_below(random, 4) == 0))
            columns[count++] = merge_columns[i];
    for (size_t i = count; form->shuffled && i > 1; i--) {
        size_t other = random_below(random, i);
        struct column column = columns[other];
        columns[other] = columns[i - 1];
        columns[i - 1] = column;
    }
    return count;
}

/* The next key of a file: as a task walks its partitions, or any. */
static void set_key(struct fixture *fixture, struct rows *rows, size_t row, size_t count,
                    bool any_order) {
    size_t partition = row * PARTITIONS / count;
    int64_t offset = fixture->next[partition];
    if (any_order) {
        partition = random_below(&fixture->random, PARTITIONS);
        offset = (int64_t)random_below(&fixture->random, 5000);
    } else {
        fixture->next[partition] += 1 + (int64_t)random_below(&fixture->random, 2);
    }
    merge_set_key(rows, (int)partition, offset, fixture->processed);
}

static void add_file(struct fixture *fixture, const struct form *form, size_t count,
                     bool any_order) {
    struct column columns[MERGE_COLUMNS];
    struct schema schema;
    struct parquet_table table;
    struct rows rows;
    struct error err = {0};
    struct parquet_file file;
    schema_init_plain(&schema, "test", columns, make_columns(&fixture->random, form, columns));
    parquet_table_init(&table, &schema, NULL, 0, &form->options);
    rows_init(&rows, &schema, ROWS_CAPACITY, 4 << 20);
    char *path = text_format("%s/%zu.parquet", fixture->directory.path, fixture->count);
    struct parquet_writer *writer = parquet_writer_create(&table, path);
    for (size_t row = 0; row < count;) {
        while (row < count && rows.count < rows.capacity &&
               (form->group_rows == 0 || rows.count < form->group_rows)) {
            merge_fill_row(&rows, &fixture->random);
            set_key(fixture, &rows, row++, count, any_order);
            rows.count++;
        }
        struct row_slice slice;
        row_slice_init(&slice, &rows);
        check(parquet_writer_append(writer, &slice, NULL, rows.count, &err));
        if (form->group_rows > 0)
            check(parquet_writer_close_row_group(writer, &err));
        rows_reset(&rows);
    }
    check(parquet_writer_finish(writer, &file, &err));
    parquet_writer_destroy(writer);
    rows_deinit(&rows);
    parquet_table_deinit(&table);
    fixture->paths[fixture->count++] = path;
    check(row_texts_read(&fixture->before, path, &err));
}

static struct form any_form(struct random *random) {
    return (struct form){
        .options = {.codec = (enum parquet_codec)random_below(random, 4),
                    .timestamp = (enum parquet_timestamp)random_below(random, 2),
                    .delta = random_below(random, 2)},
        .shuffled = random_below(random, 2),
        .lacks = random_below(random, 3) == 0,
        .group_rows = random_below(random, 3) == 0 ? 1 + random_below(random, 200) : 0,
    };
}

static bool merge(struct fixture *fixture, struct error *err) {
    return merge_files(&fixture->options, (const char *const *)fixture->paths, fixture->count,
                       &fixture->result, err);
}

static char *staged(const struct fixture *fixture, size_t file) {
    return text_format("%s/%s", fixture->staging.path, fixture->result.files.files[file].staged);
}

/* Each output is sorted, and together they have the rows of the inputs. */
static void assert_same_rows(struct fixture *fixture) {
    struct row_texts after = {0};
    struct error err = {0};
    int64_t bytes = 0;
    for (size_t i = 0; i < fixture->result.files.count; i++) {
        char *path = staged(fixture, i);
        size_t first = after.count;
        if (!row_texts_read(&after, path, &err))
            fail_msg("%s", err.message);
        assert_int_equal(after.count - first, fixture->result.files.files[i].rows);
        for (size_t row = first + 1; row < after.count; row++) // by partition, offset
            assert_true(strncmp(after.texts[row - 1], after.texts[row], 8 + 1 + 16) <= 0);
        bytes += fixture->result.files.files[i].size;
        free(path);
    }
    assert_int_equal(after.count, fixture->before.count);
    assert_int_equal(fixture->result.rows, fixture->before.count);
    assert_int_equal(fixture->result.output_bytes, bytes);
    row_texts_sort(&after);
    row_texts_sort(&fixture->before);
    for (size_t i = 0; i < after.count; i++)
        assert_string_equal(after.texts[i], fixture->before.texts[i]);
    row_texts_deinit(&after);
}

static void rows_of_every_type_and_form_are_the_same_and_sorted(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct fixture fixture;
        struct error err = {0};
        start(&fixture, seed);
        fixture.options.parquet = any_form(&fixture.random).options;
        bool any_order = seed % 3 == 0;
        for (size_t i = 0; i < 15; i++) {
            struct form form = any_form(&fixture.random);
            size_t rows = random_below(&fixture.random, i % 5 == 0 ? 3000 : 100);
            add_file(&fixture, &form, rows, any_order);
        }
        if (!merge(&fixture, &err))
            fail_msg("seed %d: %s", (int)seed, err.message);
        assert_int_equal(fixture.result.files.count, 1);
        assert_same_rows(&fixture);
        end(&fixture);
    }
}

static const struct form plain_form = {.options = {.codec = CODEC_SNAPPY, .delta = true}};

static void add_files(struct fixture *fixture, size_t count, size_t rows) {
    for (size_t i = 0; i < count; i++)
        add_file(fixture, &plain_form, rows, false);
}

static void assert_merges(struct fixture *fixture, size_t files) {
    struct error err = {0};
    if (!merge(fixture, &err))
        fail_msg("%s", err.message);
    assert_int_equal(fixture->result.files.count, files);
    assert_same_rows(fixture);
}

/* Nothing is left of an output, nor of the spool. */
static void assert_fails(struct fixture *fixture, enum error_kind kind, const char *message) {
    struct error err = {0};
    if (merge(fixture, &err))
        fail_msg("merged, without '%s'", message);
    if (strstr(err.message, message) == NULL || err.kind != kind)
        fail_msg("kind %d: %s", (int)err.kind, err.message);
    assert_int_equal(fixture->result.files.count, 0);
    assert_int_equal(directory_count(&fixture->staging), 0);
}

static void names_are_those_of_the_sink(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 1);
    add_files(&fixture, 3, 50);
    assert_merges(&fixture, 1);
    const struct data_file *file = &fixture.result.files.files[0];
    char *expected = text_format("%s/%s", fixture.options.directory, file->staged);
    expected[strlen(expected) - strlen(".staged")] = '\0';
    assert_string_equal(file->path, expected);
    assert_non_null(strstr(file->path, "/part-00000-"));
    assert_true(text_ends_with(file->path, ".c000.snappy.parquet"));
    assert_true(file->modified_ms > 0);
    assert_int_equal(directory_count(&fixture.staging), 1);
    free(expected);
    end(&fixture);
}

static void without_rows_there_is_no_output(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 1);
    assert_merges(&fixture, 0);
    add_files(&fixture, 2, 0);
    assert_merges(&fixture, 0);
    end(&fixture);
}

static void a_target_size_gives_several_outputs_each_sorted(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 2);
    fixture.options.target_size = 100000;
    add_files(&fixture, 40, 300);
    struct error err = {0};
    assert_true(merge(&fixture, &err));
    assert_in_range(fixture.result.files.count, 3, 20);
    assert_same_rows(&fixture);
    end(&fixture);
}

static void duplicate_keys_stay_as_often_as_they_are(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 3);
    add_files(&fixture, 3, 100);
    memset(fixture.next, 0, sizeof fixture.next); // the same offsets again
    add_files(&fixture, 2, 100);
    fixture.paths[fixture.count] = text_copy(fixture.paths[0]); // and a file twice
    struct error err = {0};
    assert_true(row_texts_read(&fixture.before, fixture.paths[fixture.count++], &err));
    assert_merges(&fixture, 1);
    end(&fixture);
}

/* Rows of one record follow one another by their positions; no position comes first. */
static void positions_order_the_rows_of_a_record(void **state) {
    (void)state;
    static const char *const positions[] = {"place"};
    struct fixture fixture;
    struct row_texts after = {0};
    struct error err = {0};
    start(&fixture, 15);
    fixture.options.positions = positions;
    fixture.options.position_count = 1;
    add_files(&fixture, 3, 200);
    for (int i = 0; i < 3; i++) // offsets come again, with other places
        add_file(&fixture, &plain_form, 3000, true);
    assert_merges(&fixture, 1);
    char *path = staged(&fixture, 0);
    assert_true(row_texts_read(&after, path, &err));
    for (size_t row = 1; row < after.count; row++) // partition, offset, processed, place
        assert_true(strncmp(after.texts[row - 1], after.texts[row], 8 + 1 + 16 + 1 + 16 + 1 + 8) <=
                    0);
    row_texts_deinit(&after);
    free(path);
    end(&fixture);
}

/* As a replay leaves them: some offsets of long ago, in a file of their own. */
static void runs_that_overlap_are_merged(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 4);
    add_files(&fixture, 10, 200);
    for (int i = 0; i < 3; i++)
        add_file(&fixture, &plain_form, 150, true);
    assert_merges(&fixture, 1);
    end(&fixture);
}

static void rows_behind_the_split_are_in_outputs_of_their_own(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 5);
    fixture.options.target_size = 60000;
    for (int i = 0; i < 20; i++) {
        fixture.processed = INT64_C(1000000) * (int64_t)(i % 4);
        add_file(&fixture, &plain_form, 200, i % 7 == 0);
    }
    fixture.options.split_after_us = 1000000;
    struct error err = {0};
    assert_true(merge(&fixture, &err));
    assert_same_rows(&fixture);
    assert_in_range(fixture.result.later, 1, fixture.result.files.count - 1);
    for (size_t i = 0; i < fixture.result.files.count; i++) {
        struct parquet_reader reader;
        struct parquet_cursor cursor;
        size_t column = COLUMN_PROCESSED, rows;
        char *path = staged(&fixture, i);
        assert_true(parquet_reader_open(&reader, path, &err));
        parquet_cursor_open(&cursor, &reader, &column, 1);
        while (parquet_cursor_next(&cursor, &rows, &err) && rows > 0)
            for (size_t row = 0; row < rows; row++)
                assert_int_equal(cursor.vectors[0].int64s[row] > 1000000,
                                 i >= fixture.result.later);
        parquet_cursor_close(&cursor);
        parquet_reader_close(&reader);
        free(path);
    }
    // One file with both is split, too.
    fixture.options.target_size = 128 << 20;
    char *mixed = NULL;
    fixture.options.split_after_us = INT64_MAX;
    merge_result_deinit(&fixture.result);
    assert_true(merge(&fixture, &err));
    mixed = staged(&fixture, 0);
    const char *paths[] = {mixed};
    struct merge_result result;
    fixture.options.split_after_us = 1000000;
    assert_true(merge_files(&fixture.options, paths, 1, &result, &err));
    assert_int_equal(result.files.count, 2);
    assert_int_equal(result.later, 1);
    assert_int_equal(result.files.files[0].rows, 2000);
    assert_int_equal(result.files.files[1].rows, 2000);
    merge_result_deinit(&result);
    free(mixed);
    end(&fixture);
}

static void partition_columns_are_not_in_the_files(void **state) {
    (void)state;
    static const size_t word = 5;
    struct fixture fixture;
    struct error err = {0};
    start(&fixture, 6);
    fixture.options.partition_columns = &word;
    fixture.options.partition_column_count = 1;
    add_files(&fixture, 1, 10); // with the column `word`
    assert_fails(&fixture, ERROR_STATE, "has a column 'word' that the table does not have");
    fixture.options.partition_column_count = 0;
    assert_true(merge(&fixture, &err));
    end(&fixture);
}

/* A file with these columns; `change` may change what row `rows->count` has. */
static void add_rows(struct fixture *fixture, const struct column *columns, int count,
                     void (*change)(struct rows *rows)) {
    struct schema schema;
    struct parquet_table table;
    struct rows rows;
    struct row_slice slice;
    struct parquet_file file;
    struct error err = {0};
    schema_init_plain(&schema, "test", columns, MERGE_COLUMNS);
    parquet_table_init(&table, &schema, NULL, 0, &plain_form.options);
    rows_init(&rows, &schema, ROWS_CAPACITY, 4 << 20);
    for (int i = 0; i < count; i++) {
        merge_fill_row(&rows, &fixture->random);
        merge_set_key(&rows, 0, i, 7);
        if (change != NULL)
            change(&rows);
        rows.count++;
    }
    row_slice_init(&slice, &rows);
    char *path = text_format("%s/%zu.parquet", fixture->directory.path, fixture->count);
    struct parquet_writer *writer = parquet_writer_create(&table, path);
    check(parquet_writer_append(writer, &slice, NULL, rows.count, &err));
    check(parquet_writer_finish(writer, &file, &err));
    parquet_writer_destroy(writer);
    rows_deinit(&rows);
    parquet_table_deinit(&table);
    fixture->paths[fixture->count++] = path;
}

/* A file with the columns of the test's table, one of them changed. */
static void add_other(struct fixture *fixture, size_t column, struct column other) {
    struct column columns[MERGE_COLUMNS];
    memcpy(columns, merge_columns, sizeof merge_columns);
    columns[column] = other;
    add_rows(fixture, columns, 50, NULL);
}

static void what_the_table_does_not_have_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        size_t column;
        struct column other;
        const char *message;
    } cases[] = {
        {COLUMN_PLACE,
         {"elsewhere", TYPE_INT32},
         "has a column 'elsewhere' that the table does not"},
        {COLUMN_PLACE,
         {"place", TYPE_INT64},
         "column 'place' is BIGINT, but in the table it is INT"},
        {COLUMN_PLACE, {"place", TYPE_DATE}, "column 'place' is DATE, but in the table it is INT"},
        {18,
         {"price", TYPE_DECIMAL, .precision = 7, .scale = 3},
         "is DECIMAL(7,3), but in the table it is DECIMAL(7,2)"},
        {12, {"raw", TYPE_STRING}, "column 'raw' is STRING, but in the table it is BINARY"},
        {14,
         {"local", TYPE_TIMESTAMP},
         "column 'local' is TIMESTAMP, but in the table it is TIMESTAMP_NTZ"},
        {COLUMN_NAME, {"place_2", TYPE_STRING}, "has a column 'place_2'"},
        {COLUMN_NAME,
         {"name", TYPE_STRING},
         "column 'name' has a null, but in the table it is never null"},
        {COLUMN_OFFSET, {"offset", TYPE_INT32}, "column 'offset' is INT"},
        {COLUMN_OFFSET, {"offset", TYPE_INT64}, NULL}, // may be null, but is not: see below
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture fixture;
        start(&fixture, 7);
        add_files(&fixture, 2, 60);
        add_other(&fixture, cases[i].column, cases[i].other);
        assert_fails(&fixture, ERROR_STATE,
                     cases[i].message != NULL ? cases[i].message : "has a row without");
        if (cases[i].message != NULL) { // which file it is
            struct error err = {0};
            assert_false(merge(&fixture, &err));
            assert_non_null(strstr(err.message, fixture.paths[2]));
        }
        end(&fixture);
    }
}

static void a_file_that_lacks_a_required_column_is_refused(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 8);
    struct column columns[MERGE_COLUMNS + 1];
    memcpy(columns, merge_columns, sizeof merge_columns);
    columns[MERGE_COLUMNS] = (struct column){"new", TYPE_INT32, .required = true};
    add_files(&fixture, 2, 60);
    struct schema schema;
    schema_init_plain(&schema, "test", columns, MERGE_COLUMNS + 1);
    fixture.options.schema = &schema;
    assert_fails(&fixture, ERROR_STATE, "lacks the column 'new', which is never null");
    columns[MERGE_COLUMNS].required = false; // then it is null
    assert_merges(&fixture, 1);
    end(&fixture);
}

/* ---- the disk ---- */

static struct {
    int calls, at; // of fsync; which one is hit
    void (*hit)(const char *path);
} fault;

static void file_of(int fd, char path[static 4096]) {
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, 4095);
    path[size > 0 ? size : 0] = '\0';
}

static int faulty_close(int fd) { // after the last byte was written and synced
    char path[4096];
    file_of(fd, path);
    int result = disk_real.close(fd);
    if (text_ends_with(path, ".staged") && fault.calls++ == fault.at)
        fault.hit(path);
    return result;
}

static void cut(const char *path) {
    struct stat status;
    check(stat(path, &status) == 0 && truncate(path, status.st_size - 100) == 0);
}

static void flip(const char *path, long at) {
    FILE *file = fopen(path, "r+");
    check(file != NULL && fseek(file, at, SEEK_SET) == 0);
    int byte = fgetc(file);
    check(fseek(file, at, SEEK_SET) == 0 && fputc(byte ^ 0x10, file) != EOF && fclose(file) == 0);
}

static void flip_keys(const char *path) { // of the first column, `partition`
    flip(path, 24);                       // in its dictionary
}

static const char *other_file;

static void swap_file(const char *path) {
    char *bytes;
    size_t size;
    struct error err = {0};
    check(file_read(other_file, 64 << 20, &bytes, &size, &err));
    FILE *file = fopen(path, "w");
    check(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    free(bytes);
}

static void fail_proof(struct fixture *fixture, void (*hit)(const char *path),
                       const char *message) {
    static struct disk_ops ops;
    ops = disk_real;
    ops.close = faulty_close;
    fault.calls = fault.at = 0;
    fault.hit = hit;
    disk = &ops;
    assert_fails(fixture, ERROR_STATE, message);
    disk = &disk_real;
}

static void an_output_that_is_not_what_was_read_fails_the_proof(void **state) {
    (void)state;
    struct fixture fixture, other;
    struct error err = {0};
    start(&fixture, 9);
    start(&other, 10);
    add_files(&fixture, 5, 100);
    add_files(&other, 5, 100);
    fixture.options.parquet.codec = other.options.parquet.codec = CODEC_NONE;
    fail_proof(&fixture, cut, "is not a complete Parquet file");
    fail_proof(&fixture, flip_keys, "merging failed its check");
    // Another file with as many rows, well-formed and sorted: only the keys tell.
    other.next[0] = 1000000;
    add_files(&other, 1, 100);
    add_files(&fixture, 1, 100);
    assert_true(merge(&other, &err));
    char *path = staged(&other, 0);
    other_file = path;
    fail_proof(&fixture, swap_file, "merging failed its check");
    free(path);
    // One that is not sorted.
    other_file = other.paths[0];
    add_file(&other, &plain_form, 600, true);
    other_file = other.paths[other.count - 1];
    fail_proof(&fixture, swap_file, "");
    assert_merges(&fixture, 1);
    end(&fixture);
    end(&other);
}

static ssize_t full_write(int fd, const void *bytes, size_t size) {
    char path[4096];
    file_of(fd, path);
    if (!text_ends_with(path, ".staged") || fault.calls++ < fault.at)
        return disk_real.write(fd, bytes, size);
    errno = ENOSPC;
    return -1;
}

static void a_full_disk_leaves_nothing_behind(void **state) {
    (void)state;
    static struct disk_ops ops;
    struct fixture fixture;
    struct error err = {0};
    start(&fixture, 11);
    fixture.options.target_size = 30000;
    add_files(&fixture, 12, 200);
    ops = disk_real;
    ops.write = full_write;
    for (fault.at = 0; fault.at < 4; fault.at++) {
        fault.calls = 0;
        disk = &ops;
        assert_false(merge(&fixture, &err));
        disk = &disk_real;
        assert_int_equal(err.kind, ERROR_RETRY);
        assert_int_equal(directory_count(&fixture.staging), 0);
    }
    end(&fixture);
}

static bool breathe_some(void *context) {
    return --*(int *)context > 0;
}

static void a_caller_that_says_no_ends_it(void **state) {
    (void)state;
    struct fixture fixture;
    int breaths = 3;
    start(&fixture, 12);
    add_files(&fixture, 60, 300);
    fixture.options.breathe = breathe_some;
    fixture.options.context = &breaths;
    assert_fails(&fixture, ERROR_STOPPED, "was stopped");
    assert_int_equal(breaths, 0);
    end(&fixture);
}

/* With so little memory columns are read in parts, and chunks lie in the spool's file. */
static void little_memory_gives_the_same_rows(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 13);
    fixture.options.memory_max = 1 << 20;
    for (int i = 0; i < 60; i++) {
        struct form form = any_form(&fixture.random);
        add_file(&fixture, &form, i % 20 == 0 ? 2500 : 60, i % 9 == 0);
    }
    struct error err = {0};
    if (!merge(&fixture, &err))
        fail_msg("%s", err.message);
    assert_same_rows(&fixture);
    assert_int_equal(directory_count(&fixture.staging), fixture.result.files.count);
    end(&fixture);
}

/* `word` is a long text that no other row has; only row 0 of a file has none. */
static void make_long_word(struct rows *rows) {
    enum { LENGTH = 600, COLUMN_WORD = 5 };
    struct vector *words = &rows->columns[COLUMN_WORD];
    char *bytes = arena_alloc(&rows->strings, LENGTH);
    check(bytes != NULL && strcmp(rows->schema->columns[COLUMN_WORD].name, "word") == 0);
    memset(bytes, 'x', LENGTH);
    (void)snprintf(bytes, LENGTH, "%zu", rows->count);
    words->valid[rows->count] = rows->count > 0;
    words->texts[rows->count] = (struct text){bytes, LENGTH};
}

/* Parts of a column become one page. The nulls of all files come first. */
static void a_part_without_nulls_follows_one_that_has_some(void **state) {
    (void)state;
    struct fixture fixture;
    struct error err = {0};
    start(&fixture, 15);
    fixture.options.memory_max = 1 << 20;
    for (size_t i = 0; i < 4; i++) {
        add_rows(&fixture, merge_columns, 250, make_long_word);
        check(row_texts_read(&fixture.before, fixture.paths[i], &err));
    }
    if (!merge(&fixture, &err))
        fail_msg("%s", err.message);
    assert_same_rows(&fixture);
    end(&fixture);
}

/* No matter which byte is changed, or where a file ends: an error that names the file, or the rows
 * as before (a change in what nobody reads). Values themselves have no checksum. */
static void damaged_inputs_are_refused_or_harmless(void **state) {
    (void)state;
    struct fixture fixture;
    struct error err = {0};
    char *bytes;
    size_t size, refused = 0, tries = 0;
    start(&fixture, 14);
    add_files(&fixture, 2, 40);
    assert_true(file_read(fixture.paths[1], 64 << 20, &bytes, &size, &err));
    for (size_t at = 0; at < size; at += 13) {
        FILE *file = fopen(fixture.paths[1], "w");
        check(file != NULL);
        if (at % 2 == 0) {
            check(fwrite(bytes, 1, at, file) == at); // cut off
        } else {
            bytes[at] = (char)(bytes[at] ^ 1 << at % 8);
            check(fwrite(bytes, 1, size, file) == size);
            bytes[at] = (char)(bytes[at] ^ 1 << at % 8);
        }
        check(fclose(file) == 0);
        bool done = merge(&fixture, &err);
        tries++;
        refused += !done;
        if (!done) {
            assert_int_equal(err.kind, ERROR_STATE);
            assert_non_null(strstr(err.message, "'"));
            assert_int_equal(directory_count(&fixture.staging), 0);
        } else {
            assert_true(at % 2 == 1);
            assert_int_equal(fixture.result.rows, 80);
            char *path = staged(&fixture, 0);
            check(unlink(path) == 0);
            free(path);
            merge_result_deinit(&fixture.result);
        }
    }
    assert_in_range(refused, tries / 2, tries - 1);
    free(bytes);
    end(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_type_and_form_are_the_same_and_sorted),
        cmocka_unit_test(names_are_those_of_the_sink),
        cmocka_unit_test(without_rows_there_is_no_output),
        cmocka_unit_test(a_target_size_gives_several_outputs_each_sorted),
        cmocka_unit_test(duplicate_keys_stay_as_often_as_they_are),
        cmocka_unit_test(positions_order_the_rows_of_a_record),
        cmocka_unit_test(runs_that_overlap_are_merged),
        cmocka_unit_test(rows_behind_the_split_are_in_outputs_of_their_own),
        cmocka_unit_test(partition_columns_are_not_in_the_files),
        cmocka_unit_test(what_the_table_does_not_have_is_refused_by_name),
        cmocka_unit_test(a_file_that_lacks_a_required_column_is_refused),
        cmocka_unit_test(an_output_that_is_not_what_was_read_fails_the_proof),
        cmocka_unit_test(a_full_disk_leaves_nothing_behind),
        cmocka_unit_test(a_caller_that_says_no_ends_it),
        cmocka_unit_test(little_memory_gives_the_same_rows),
        cmocka_unit_test(a_part_without_nulls_follows_one_that_has_some),
        cmocka_unit_test(damaged_inputs_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
