#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/disk/disk.h"
#include "directory.h"
#include "pipeline/parquet/read/reader.h"
#include "pipeline/sink/sink_parquet.h"
#include "pipeline/sink/sink_route.h"

static const struct column columns[] = {
    {"id", TYPE_INT64},
    {"status", TYPE_STRING},
    {"role", TYPE_STRING},
    {"note", TYPE_STRING},
};

static const size_t by_status[] = {1}, by_both[] = {1, 2};

struct table {
    struct directory staging;
    struct schema schema;
    struct rows rows;
    struct sink_options options;
    struct sink *sink;
    struct file_list files;
};

static void start(struct table *table, const size_t *partition_columns, size_t count) {
    *table = (struct table){.staging = directory_make()};
    schema_init_plain(&table->schema, "test", columns, 4);
    rows_init(&table->rows, &table->schema, ROWS_CAPACITY, 4 << 20);
    table->options = (struct sink_options){.staging_directory = table->staging.path,
                                           .schema = &table->schema,
                                           .partition_columns = partition_columns,
                                           .partition_column_count = count,
                                           .parquet = {.codec = CODEC_SNAPPY, .delta = true},
                                           .task = 7,
                                           .memory_max = 64 << 20};
    table->sink = sink_create(&table->options);
}

static void end(struct table *table) {
    sink_destroy(table->sink);
    file_list_deinit(&table->files);
    rows_deinit(&table->rows);
    directory_remove(&table->staging);
}

/* NULL: a null. Texts live in the test. */
static void set(struct table *table, size_t column, const char *text) {
    struct vector *vector = &table->rows.columns[column];
    vector->valid[table->rows.count] = text != NULL;
    if (text != NULL)
        vector->texts[table->rows.count] = (struct text){text, (uint32_t)strlen(text)};
}

static void add(struct table *table, int64_t id, const char *status, const char *role) {
    table->rows.columns[0].int64s[table->rows.count] = id;
    table->rows.columns[0].valid[table->rows.count] = 1;
    set(table, 1, status);
    set(table, 2, role);
    set(table, 3, "a note");
    table->rows.count++;
}

static bool append(struct table *table, struct error *err) {
    bool done = sink_append(table->sink, &table->rows, err);
    rows_reset(&table->rows);
    return done;
}

static void finish(struct table *table) {
    struct error err = {0};
    if (!append(table, &err) || !sink_finish(table->sink, &table->files, &err))
        fail_msg("%s", err.message);
}

static const struct data_file *find(const struct table *table, const char *directory) {
    for (size_t i = 0; i < table->files.count; i++) {
        const char *path = table->files.files[i].path;
        if (strncmp(path, directory, strlen(directory)) == 0 && path[strlen(directory)] == '/')
            return &table->files.files[i];
    }
    fail_msg("no file in '%s'", directory);
    return NULL;
}

/* The sum of the ids in a staged file. */
static int64_t sum_ids(const struct table *table, const struct data_file *file) {
    char path[512];
    struct parquet_reader reader;
    struct parquet_cursor cursor;
    struct error err = {0};
    size_t column = 0, count;
    int64_t sum = 0;
    (void)snprintf(path, sizeof path, "%s/%s", table->staging.path, file->staged);
    if (!parquet_reader_open(&reader, path, &err))
        fail_msg("%s", err.message);
    assert_int_equal(reader.metadata.rows, file->rows);
    assert_int_equal(reader.input.size, file->size);
    parquet_cursor_open(&cursor, &reader, &column, 1);
    while (parquet_cursor_next(&cursor, &count, &err) && count > 0)
        for (size_t i = 0; i < count; i++)
            sum += cursor.vectors[0].int64s[i];
    parquet_cursor_close(&cursor);
    parquet_reader_close(&reader);
    return sum;
}

static void directories_are_escaped_as_spark_escapes_them(void **state) {
    (void)state;
    static const struct {
        const char *value, *name;
    } cases[] = {
        {"live", "status=live"},
        {"", "status=__HIVE_DEFAULT_PARTITION__"},
        {NULL, "status=__HIVE_DEFAULT_PARTITION__"},
        {"..", "status=.."},
        {" }|~<>&;,$!@`()+-._", "status= }|~<>&;,$!@`()+-._"},
        {"\"#%'*/:=?[\\]^{", "status=%22%23%25%27%2A%2F%3A%3D%3F%5B%5C%5D%5E%7B"},
        {"\x01\t\n\x1f\x7f", "status=%01%09%0A%1F%7F"},
        {"na\xc3\xafve \xf0\x9f\x98\x80", "status=na\xc3\xafve \xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[PARTITION_NAME_MAX + 1];
        const char *value = cases[i].value;
        struct text text = {value, value != NULL ? (uint32_t)strlen(value) : 0};
        assert_true(partition_directory("status", text, value != NULL, name));
        assert_string_equal(name, cases[i].name);
    }
}

static void every_ascii_character_is_escaped_or_not_as_the_list_says(void **state) {
    (void)state;
    static const char escaped[] = "\"#%'*/:=?[\\]^{\x7f";
    for (int c = 1; c < 128; c++) {
        char value = (char)c, name[PARTITION_NAME_MAX + 1], expected[8];
        bool must = c < 0x20 || strchr(escaped, c) != NULL;
        (void)snprintf(expected, sizeof expected, must ? "a=%%%02X" : "a=%c", (unsigned)c);
        assert_true(partition_directory("a", (struct text){&value, 1}, true, name));
        assert_string_equal(name, expected);
    }
}

static void names_beyond_255_bytes_and_nul_are_rejected(void **state) {
    (void)state;
    char value[300], name[PARTITION_NAME_MAX + 1];
    memset(value, 'x', sizeof value);
    assert_true(partition_directory("status", (struct text){value, 248}, true, name));
    assert_int_equal(strlen(name), 255);
    assert_false(partition_directory("status", (struct text){value, 249}, true, name));
    memset(value, ':', sizeof value);
    assert_true(partition_directory("status", (struct text){value, 82}, true, name));
    assert_false(partition_directory("status", (struct text){value, 83}, true, name));
    assert_false(partition_directory("status", (struct text){"a\0b", 3}, true, name));
}

static void a_row_goes_to_the_file_of_its_partition_value(void **state) {
    (void)state;
    struct table table;
    start(&table, by_status, 1);
    static const char *const statuses[] = {
        "live", "finished", "live", NULL, "", "a:b", "__HIVE_DEFAULT_PARTITION__"};
    for (int64_t id = 0; id < 7000; id++) {
        add(&table, id, statuses[id % 7], "mid");
        if (table.rows.count == ROWS_CAPACITY) {
            struct error err = {0};
            assert_true(append(&table, &err));
        }
    }
    finish(&table);
    assert_int_equal(table.files.count, 4);
    int64_t base = 0; // of the ids 0, 7, 14 …
    for (int64_t i = 0; i < 1000; i++)
        base += i * 7;
    assert_int_equal(sum_ids(&table, find(&table, "status=live")), 2 * base + 2000);
    assert_int_equal(sum_ids(&table, find(&table, "status=finished")), base + 1000);
    assert_int_equal(sum_ids(&table, find(&table, "status=a%3Ab")), base + 5000);
    assert_int_equal(sum_ids(&table, find(&table, "status=__HIVE_DEFAULT_PARTITION__")),
                     3 * base + 3000 + 4000 + 6000);
    end(&table);
}

static void paths_and_names_are_those_of_spark(void **state) {
    (void)state;
    static const struct {
        enum parquet_codec codec;
        const char *end;
    } cases[] = {{CODEC_NONE, ".c000.parquet"},
                 {CODEC_SNAPPY, ".c000.snappy.parquet"},
                 {CODEC_ZSTD, ".c000.zstd.parquet"},
                 {CODEC_LZ4_RAW, ".c000.lz4raw.parquet"}};
    for (size_t i = 0; i < 4; i++) {
        struct table table;
        start(&table, by_both, 2);
        sink_destroy(table.sink);
        table.options.parquet.codec = cases[i].codec;
        table.sink = sink_create(&table.options);
        add(&table, 1, "live", "top/mid");
        finish(&table);
        const struct data_file *file = find(&table, "status=live/role=top%2Fmid");
        const char *name = strrchr(file->path, '/') + 1;
        assert_int_equal(strlen(name), strlen("part-00007-") + 36 + strlen(cases[i].end));
        assert_memory_equal(name, "part-00007-", 11);
        assert_string_equal(name + 11 + 36, cases[i].end);
        assert_int_equal(name[11 + 14], '4'); // a random UUID says so
        size_t length = strlen(file->staged);
        assert_true(length < 8 || strcmp(file->staged + length - 8, ".parquet") != 0);
        assert_true(file->modified_ms > 1700000000000);
        end(&table);
    }
}

static void partition_columns_are_not_in_the_file(void **state) {
    (void)state;
    struct table table;
    struct parquet_reader reader;
    struct error err = {0};
    char path[512];
    start(&table, by_both, 2);
    add(&table, 1, "live", NULL);
    finish(&table);
    (void)snprintf(path, sizeof path, "%s/%s", table.staging.path, table.files.files[0].staged);
    assert_true(parquet_reader_open(&reader, path, &err));
    assert_int_equal(reader.metadata.column_count, 2);
    assert_int_equal(file_metadata_find(&reader.metadata, "id"), 0);
    assert_int_equal(file_metadata_find(&reader.metadata, "note"), 1);
    assert_int_equal(file_metadata_find(&reader.metadata, "status"), -1);
    parquet_reader_close(&reader);
    end(&table);
}

/* A table of `count` partition columns and, behind them, an id. */
static const size_t first_three[] = {0, 1, 2};

static void start_typed(struct table *table, const struct column *partition_columns, size_t count) {
    static struct column all[4];
    start(table, NULL, 0);
    sink_destroy(table->sink);
    rows_deinit(&table->rows);
    memcpy(all, partition_columns, count * sizeof *all);
    all[count] = (struct column){"id", TYPE_INT64};
    schema_init_plain(&table->schema, "typed", all, count + 1);
    rows_init(&table->rows, &table->schema, ROWS_CAPACITY, 1);
    table->options.partition_columns = first_three;
    table->options.partition_column_count = count;
    table->sink = sink_create(&table->options);
}

static void set_number(struct table *table, size_t column, bool valid, int64_t value) {
    struct vector *vector = &table->rows.columns[column];
    size_t width = type_width(vector->type);
    vector->valid[table->rows.count] = valid;
    memcpy((char *)vector->values + table->rows.count * width, &value, width); // low bytes first
}

static void add_typed(struct table *table, bool valid, int64_t value, int64_t id) {
    set_number(table, 0, valid, value);
    set_number(table, 1, true, id);
    table->rows.count++;
}

/* As Spark 4.2 writes them (test_partitions.py asks it again). */
static void values_of_every_type_are_named_as_spark_names_them(void **state) {
    (void)state;
    static const struct {
        enum type type;
        int64_t value;
        const char *directory;
    } cases[] = {
        {TYPE_BOOL, 1, "c=true"},
        {TYPE_BOOL, 0, "c=false"},
        {TYPE_INT8, -128, "c=-128"},
        {TYPE_INT8, 127, "c=127"},
        {TYPE_INT16, -32768, "c=-32768"},
        {TYPE_INT32, 0, "c=0"},
        {TYPE_INT32, INT32_MIN, "c=-2147483648"},
        {TYPE_INT64, INT64_MIN, "c=-9223372036854775808"},
        {TYPE_INT64, INT64_MAX, "c=9223372036854775807"},
        {TYPE_DATE, 0, "c=1970-01-01"},
        {TYPE_DATE, 19724, "c=2024-01-02"},
        {TYPE_DATE, 2932896, "c=9999-12-31"},
        {TYPE_DATE, 2932897, "c=+10000-01-01"},
        {TYPE_DATE, -719528, "c=0000-01-01"},
        {TYPE_DATE, -719529, "c=-0001-12-31"},
        {TYPE_DATE, INT32_MAX, "c=+5881580-07-11"},
        {TYPE_DATE, INT32_MIN, "c=-5877641-06-23"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct table table;
        const struct column column = {"c", cases[i].type};
        start_typed(&table, &column, 1);
        add_typed(&table, true, cases[i].value, 3);
        add_typed(&table, false, cases[i].value, 5);
        add_typed(&table, true, cases[i].value, 7);
        finish(&table);
        assert_int_equal(table.files.count, 2);
        assert_int_equal(sum_ids(&table, find(&table, cases[i].directory)), 10);
        assert_int_equal(sum_ids(&table, find(&table, "c=__HIVE_DEFAULT_PARTITION__")), 5);
        end(&table);
    }
}

static void each_combination_of_numbers_and_flags_is_one_file(void **state) {
    (void)state;
    struct table table;
    struct error err = {0};
    static const struct column by[] = {
        {"flag", TYPE_BOOL}, {"number", TYPE_INT32}, {"day", TYPE_DATE}};
    start_typed(&table, by, 3);
    for (int64_t id = 0; id < 6000; id++) {
        set_number(&table, 0, true, id % 3 == 0);
        set_number(&table, 1, true, id % 50 - 25);
        set_number(&table, 2, id % 2 == 0, 1);
        set_number(&table, 3, true, id);
        table.rows.count++;
        if (table.rows.count == ROWS_CAPACITY)
            assert_true(append(&table, &err));
    }
    finish(&table);
    assert_int_equal(table.files.count, 100); // 50 numbers, each with one day, and the flag
    int64_t rows = 0;
    for (size_t i = 0; i < table.files.count; i++)
        rows += table.files.files[i].rows;
    assert_int_equal(rows, 6000);
    assert_int_equal(find(&table, "flag=true/number=-25/day=1970-01-02")->rows, 40);
    assert_int_equal(find(&table, "flag=false/number=-24/day=__HIVE_DEFAULT_PARTITION__")->rows,
                     80);
    end(&table);
}

static void without_partition_columns_files_lie_in_the_root(void **state) {
    (void)state;
    struct table table;
    start(&table, NULL, 0);
    add(&table, 1, "live", NULL);
    finish(&table);
    assert_int_equal(table.files.count, 1);
    assert_null(strchr(table.files.files[0].path, '/'));
    end(&table);
}

static void a_thousand_partition_values_need_little_memory(void **state) {
    (void)state;
    struct table table;
    static char statuses[1000][16];
    start(&table, by_status, 1);
    for (int i = 0; i < 1000; i++)
        (void)snprintf(statuses[i], sizeof statuses[i], "value-%d", i);
    for (int64_t id = 0; id < 20000; id++) {
        add(&table, id, statuses[id * 7 % 1000], "mid");
        if (table.rows.count == 500) {
            struct error err = {0};
            assert_true(append(&table, &err));
        }
    }
    assert_true(sink_memory(table.sink) < 16 << 20); // 3 columns each
    assert_int_equal(directory_count(&table.staging), 0);
    finish(&table);
    assert_int_equal(table.files.count, 1000);
    assert_int_equal(directory_count(&table.staging), 1000);
    int64_t rows = 0;
    for (size_t i = 0; i < 1000; i++)
        rows += table.files.files[i].rows;
    assert_int_equal(rows, 20000);
    end(&table);
}

static void beyond_its_memory_the_largest_row_groups_are_closed(void **state) {
    (void)state;
    struct table table;
    char notes[64];
    start(&table, by_status, 1);
    sink_destroy(table.sink);
    table.options.memory_max = 2 << 20;
    table.sink = sink_create(&table.options);
    for (int64_t id = 0; id < 200000; id++) {
        add(&table, id, id % 10 == 0 ? "rare" : "live", "mid");
        (void)snprintf(notes, sizeof notes, "%ld", (long)(id * 7919 % 1000003));
        struct text *note = &table.rows.columns[3].texts[table.rows.count - 1];
        note->length = (uint32_t)strlen(notes);
        note->bytes = memcpy(arena_alloc(&table.rows.strings, note->length), notes, note->length);
        if (table.rows.count == 1000) {
            struct error err = {0};
            assert_true(append(&table, &err));
            assert_true(sink_memory(table.sink) <= table.options.memory_max);
        }
    }
    finish(&table);
    assert_int_equal(table.files.count, 2);
    assert_int_equal(find(&table, "status=live")->rows, 180000);
    int64_t all = 200000LL * 199999 / 2, rare = 10 * (20000LL * 19999 / 2);
    assert_int_equal(sum_ids(&table, find(&table, "status=rare")), rare);
    assert_int_equal(sum_ids(&table, find(&table, "status=live")), all - rare);
    end(&table);
}

static void a_sink_that_is_not_finished_leaves_nothing(void **state) {
    (void)state;
    struct table table;
    struct error err = {0};
    start(&table, by_status, 1);
    sink_destroy(table.sink);
    table.options.memory_max = 1;
    table.sink = sink_create(&table.options);
    for (int64_t id = 0; id < 200000; id++) {
        add(&table, id * id, "live", "mid");
        if (table.rows.count == 1000)
            assert_true(append(&table, &err));
    }
    assert_int_equal(directory_count(&table.staging), 1);
    sink_destroy(table.sink);
    table.sink = NULL;
    assert_int_equal(directory_count(&table.staging), 0);
    end(&table);
}

static void a_missing_directory_is_named(void **state) {
    (void)state;
    struct table table;
    struct error err = {0};
    start(&table, by_status, 1);
    sink_destroy(table.sink);
    table.options.staging_directory = "/nonexistent/staging";
    table.sink = sink_create(&table.options);
    add(&table, 1, "live", "mid");
    assert_true(append(&table, &err));
    assert_false(sink_finish(table.sink, &table.files, &err));
    assert_int_equal(err.kind, ERROR_RETRY);
    assert_non_null(strstr(err.message, "/nonexistent/staging/part-00007-"));
    assert_non_null(strstr(err.message, strerror(ENOENT)));
    assert_int_equal(table.files.count, 0);
    end(&table);
}

static int writes_left;

static ssize_t write_until_full(int fd, const void *bytes, size_t size) {
    if (writes_left-- > 0)
        return disk_real.write(fd, bytes, size);
    errno = ENOSPC;
    return -1;
}

static int sync_fails(int fd) {
    (void)fd;
    errno = EIO;
    return -1;
}

static void a_full_or_failing_disk_is_an_error_to_retry_and_leaves_nothing(void **state) {
    (void)state;
    for (int round = 0; round < 4; round++) {
        struct table table;
        struct error err = {0};
        struct disk_ops failing = disk_real;
        writes_left = round;
        if (round < 3)
            failing.write = write_until_full;
        else
            failing.fsync = sync_fails;
        start(&table, by_status, 1);
        add(&table, 1, "live", "mid");
        add(&table, 2, "finished", "mid");
        add(&table, 3, "scheduled", "mid");
        assert_true(append(&table, &err));
        disk = &failing;
        assert_false(sink_finish(table.sink, &table.files, &err));
        disk = &disk_real;
        assert_int_equal(err.kind, ERROR_RETRY);
        assert_non_null(strstr(err.message, strerror(round < 3 ? ENOSPC : EIO)));
        assert_int_equal(table.files.count, 0);
        sink_destroy(table.sink);
        table.sink = NULL;
        assert_int_equal(directory_count(&table.staging), 0);
        end(&table);
    }
}

static void a_value_that_cannot_be_a_directory_is_refused(void **state) {
    (void)state;
    struct table table;
    struct error err = {0};
    char value[300];
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    start(&table, by_status, 1);
    add(&table, 1, value, "mid");
    assert_false(append(&table, &err));
    assert_int_equal(err.kind, ERROR_STATE);
    assert_non_null(strstr(err.message, "status"));
    end(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_are_escaped_as_spark_escapes_them),
        cmocka_unit_test(every_ascii_character_is_escaped_or_not_as_the_list_says),
        cmocka_unit_test(names_beyond_255_bytes_and_nul_are_rejected),
        cmocka_unit_test(a_row_goes_to_the_file_of_its_partition_value),
        cmocka_unit_test(paths_and_names_are_those_of_spark),
        cmocka_unit_test(partition_columns_are_not_in_the_file),
        cmocka_unit_test(values_of_every_type_are_named_as_spark_names_them),
        cmocka_unit_test(each_combination_of_numbers_and_flags_is_one_file),
        cmocka_unit_test(without_partition_columns_files_lie_in_the_root),
        cmocka_unit_test(a_thousand_partition_values_need_little_memory),
        cmocka_unit_test(beyond_its_memory_the_largest_row_groups_are_closed),
        cmocka_unit_test(a_sink_that_is_not_finished_leaves_nothing),
        cmocka_unit_test(a_missing_directory_is_named),
        cmocka_unit_test(a_full_or_failing_disk_is_an_error_to_retry_and_leaves_nothing),
        cmocka_unit_test(a_value_that_cannot_be_a_directory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
