#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_type_and_form_are_the_same_and_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
