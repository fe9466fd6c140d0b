#include "store_fixture.h"

#include "../faulty_reads.h"

#include "base/scope.h"
#include "streaming/sink_log/sink_entry.h"
#include "streaming/sink_log/sink_log.h"

static struct fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture_init(&fixture);
    struct error err;
    check(file_make_directory(fixture.table, &err));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    disk = &disk_real;
    fixture_clear(&fixture);
    return 0;
}

static void paths_are_quoted_as_java_quotes_them(void **state) {
    (void)state;
    // The right-hand sides are what java.net.URI and Hadoop's Path of Spark 4.2 print.
    static const char *const cases[][2] = {
        {"/a b", "file:///a%20b"},
        {"/status=a%2Fb", "file:///status=a%252Fb"},
        {"/\xc3\xa9", "file:///\xc3\xa9"},
        {"/a#b?c[d]^`{|}\"<>\\", "file:///a%23b%3Fc%5Bd%5D%5E%60%7B%7C%7D%22%3C%3E%5C"},
        {"/\xc2\xa0x\xc2\x85", "file:///%C2%A0x%C2%85"},
        {"/\xe2\x80\x83\xe3\x80\x80\xe2\x80\x8b\xef\xbb\xbf",
         "file:///%E2%80%83%E3%80%80\xe2\x80\x8b\xef\xbb\xbf"},
        {"/;:@&=+$,-_.!~*'()", "file:///;:@&=+$,-_.!~*'()"},
        {"/\xf0\x9f\x98\x80", "file:///\xf0\x9f\x98\x80"},
        {"/\xe1\x9a\x80\xe1\xa0\x8e\xe2\x80\xa8\xe2\x80\xaf\xe2\x81\x9f",
         "file:///%E1%9A%80\xe1\xa0\x8e%E2%80%A8%E2%80%AF%E2%81%9F"},
        {"/\x7f\x01", "file:///%7F%01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scoped(scope_free) char *uri = sink_entry_uri(cases[i][0]);
        assert_string_equal(uri, cases[i][1]);
    }
}

static void the_interval_follows_from_the_compact_files_there_are(void **state) {
    (void)state;
    // The lone ones are CompactibleFileStreamLog.deriveCompactInterval(10, K) of Spark 4.2.
    static const struct {
        int64_t compact[3];
        size_t count;
        int64_t interval;
    } cases[] = {
        {{0}, 0, 10},     {{0}, 1, 1},    {{2}, 1, 3},    {{9}, 1, 10},         {{10}, 1, 11},
        {{17}, 1, 18},    {{19}, 1, 20},  {{20}, 1, 21},  {{21}, 1, 11},        {{22}, 1, 23},
        {{23}, 1, 12},    {{29}, 1, 10},  {{39}, 1, 10},  {{99}, 1, 10},        {{100}, 1, 101},
        {{9, 19}, 2, 10}, {{5, 6}, 2, 1}, {{4, 9}, 2, 5}, {{9, 19, 29}, 3, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(sink_log_interval(cases[i].compact, cases[i].count), cases[i].interval);
}

static struct file_list one_file(int64_t batch) {
    struct file_list list = {0};
    file_list_add(&list, fixture_file(batch, "status=a b%2Fc", 0, "0123456789"));
    return list;
}

static void write_batches(int64_t first, int64_t last) {
    struct sink_log log;
    struct error err;
    check(sink_log_open(&log, fixture.table, &err));
    for (int64_t batch = first; batch <= last; batch++) {
        struct file_list list = one_file(batch);
        if (!sink_log_write(&log, batch, &list, &err))
            fail_msg("%s", err.message);
        file_list_deinit(&list);
    }
    assert_true(sink_log_check(&log, &err));
    sink_log_close(&log);
}

static size_t lines_of(const char *name) {
    scoped(scope_free) char *path = fixture_text("processed/matches/_spark_metadata/%s", name);
    scoped(scope_free) char *text = fixture_read(&fixture, path);
    check(text != NULL);
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_not_equal(text[strlen(text) - 1], '\n');
    assert_null(strstr(text, "\n\n"));
    return lines;
}

static void an_entry_is_spark_s_byte_for_byte(void **state) {
    (void)state;
    write_batches(0, 0);
    scoped(scope_free) char *text = fixture_read(&fixture, "processed/matches/_spark_metadata/0");
    scoped(scope_free) char *expected =
        fixture_text("v1\n{\"path\":\"file://%s/status=a%%20b%%252Fc/"
                     "part-00000-0.c000.snappy.parquet\",\"size\":10,\"isDir\":false,"
                     "\"modificationTime\":1700000000000,\"blockReplication\":1,"
                     "\"blockSize\":33554432,\"action\":\"add\"}",
                     fixture.table);
    assert_string_equal(text, expected);
}

static void an_entry_does_not_lead_out_of_the_table(void **state) {
    (void)state;
    static const struct {
        const char *uri;
        size_t depth;
        bool is_read;
    } cases[] = {
        {"file:///lake/t/part-0.parquet", 0, true},
        {"file:///lake/t/a=b/..c.parquet", 1, true},
        {"file:///lake/t/..", 0, false},
        {"file:///lake/t/%2e%2e", 0, false},
        {"file:///lake/t/.", 0, false},
        {"file:///lake/t/a=b/..", 1, false},
        {"file:///lake/t/a=b/", 1, false},
        {"file:///lake/t/../part-0.parquet", 1, false},
        {"file:///lake/t/a/../part-0.parquet", 2, false},
        {"hdfs:///lake/t/part-0.parquet", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sink_entry entry = {0};
        struct error err = {0};
        struct json *line = json_new_object();
        json_put_text(line, "path", cases[i].uri);
        json_put_int(line, "size", 1);
        if (sink_entry_read(&entry, line, "/lake/t", cases[i].depth, &err) != cases[i].is_read)
            fail_msg("%s", cases[i].uri);
        sink_entry_deinit(&entry);
        json_free(line);
    }
}

static void every_tenth_batch_is_a_compact_file_of_all_before(void **state) {
    (void)state;
    write_batches(0, 12);
    assert_int_equal(lines_of("8"), 2);
    assert_int_equal(lines_of("9.compact"), 11);
    assert_false(fixture_has(&fixture, "processed/matches/_spark_metadata/9"));
    write_batches(13, 20); // a new process finds the interval again
    assert_int_equal(lines_of("19.compact"), 21);
    assert_int_equal(lines_of("20"), 2);
}

static void a_newline_at_a_file_s_end_does_not_break_the_compact_file(void **state) {
    (void)state;
    write_batches(0, 8);
    scoped(scope_free) char *text = fixture_read(&fixture, "processed/matches/_spark_metadata/4");
    scoped(scope_free) char *longer = fixture_text("%s\n", text);
    fixture_write(&fixture, "processed/matches/_spark_metadata/4", longer);
    fixture_write(&fixture, "processed/matches/_spark_metadata/5", "v1\n");
    fixture_write(&fixture, "processed/matches/_spark_metadata/6", "v1");
    write_batches(9, 9);
    assert_int_equal(lines_of("9.compact"), 9);
}

static void a_batch_without_files_is_a_header(void **state) {
    (void)state;
    struct sink_log log;
    struct error err;
    assert_true(sink_log_open(&log, fixture.table, &err));
    assert_true(sink_log_write(&log, 0, &(struct file_list){0}, &err));
    scoped(scope_free) char *text = fixture_read(&fixture, "processed/matches/_spark_metadata/0");
    assert_string_equal(text, "v1");
    sink_log_close(&log);
}

static void writing_a_batch_again_changes_nothing(void **state) {
    (void)state;
    write_batches(0, 9);
    struct sink_log log;
    struct error err;
    assert_true(sink_log_open(&log, fixture.table, &err));
    for (int64_t batch = 8; batch <= 9; batch++) {
        struct file_list list = one_file(batch);
        assert_true(sink_log_write(&log, batch, &list, &err));
        file_list_deinit(&list);
    }
    sink_log_close(&log);
    assert_int_equal(lines_of("9.compact"), 11);
}

static void old_files_go_when_spark_would_delete_them(void **state) {
    (void)state;
    write_batches(0, 128);
    // Ten minutes old, as far as the file system knows.
    for (int64_t batch = 0; batch <= 128; batch++) {
        scoped(scope_free) char *name =
            fixture_text("processed/matches/_spark_metadata/%" PRId64 "%s", batch,
                         (batch + 1) % 10 == 0 ? ".compact" : "");
        const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
        assert_int_equal(utimensat(AT_FDCWD, file_join(fixture.root, name).text, times, 0), 0);
    }
    fixture_write(&fixture, "processed/matches/_spark_metadata/notes", "not a batch");
    write_batches(129, 129);
    assert_false(fixture_has(&fixture, "processed/matches/_spark_metadata/28"));
    assert_false(fixture_has(&fixture, "processed/matches/_spark_metadata/19.compact"));
    assert_true(fixture_has(&fixture, "processed/matches/_spark_metadata/29.compact"));
    assert_true(fixture_has(&fixture, "processed/matches/_spark_metadata/30"));
    assert_true(fixture_has(&fixture, "processed/matches/_spark_metadata/notes"));
    assert_int_equal(lines_of("129.compact"), 131);
}

static enum sink_log_names compare(int64_t batch, const struct file_list *list) {
    struct sink_log log;
    struct error err;
    enum sink_log_names names;
    check(sink_log_open(&log, fixture.table, &err));
    if (!sink_log_compare(&log, batch, list, &names, &err))
        fail_msg("%s", err.message);
    return names;
}

static void the_log_tells_whose_batch_it_names(void **state) {
    (void)state;
    write_batches(0, 10);
    struct file_list none = {0};
    for (int64_t batch = 8; batch <= 10; batch++) { // 9 is a compact file
        struct file_list ours = one_file(batch), mixed = one_file(batch), others = {0};
        file_list_add(&others, fixture_file(batch, "status=a b%2Fc", 7, "0123456789"));
        file_list_add(&mixed, fixture_file(batch, "status=a b%2Fc", 7, "0123456789"));
        assert_int_equal(compare(batch, &ours), SINK_LOG_NAMES_THESE);
        assert_int_equal(compare(batch, &others), SINK_LOG_NAMES_OTHERS);
        assert_int_equal(compare(batch, &mixed), SINK_LOG_NAMES_SOME);
        assert_int_equal(compare(batch, &none), SINK_LOG_NAMES_OTHERS);
        file_list_deinit(&ours);
        file_list_deinit(&mixed);
        file_list_deinit(&others);
    }
    assert_int_equal(compare(11, &none), SINK_LOG_SILENT);
}

static void a_batch_whose_file_is_deleted_is_found_in_the_compact_one(void **state) {
    (void)state;
    write_batches(0, 10);
    assert_int_equal(unlink(file_join(fixture.table, "_spark_metadata/3").text), 0);
    struct file_list ours = one_file(3);
    assert_int_equal(compare(3, &ours), SINK_LOG_NAMES_THESE);
    file_list_deinit(&ours);
}

static void a_log_with_a_gap_is_refused(void **state) {
    (void)state;
    static const char *const missing[] = {"_spark_metadata/11", "_spark_metadata/9.compact"};
    for (size_t i = 0; i < 2; i++) {
        write_batches(0, 12);
        assert_int_equal(unlink(file_join(fixture.table, missing[i]).text), 0);
        struct sink_log log;
        struct error err;
        assert_true(sink_log_open(&log, fixture.table, &err));
        assert_false(sink_log_check(&log, &err));
        assert_int_equal(err.kind, ERROR_STATE);
        fixture_clear(&fixture);
        assert_true(file_make_directory(fixture.table, &err));
    }
}

/* Compact files larger than what is read at a time, of `files` in each of ten batches. */
static void write_large(size_t files) {
    struct sink_log log;
    struct error err;
    check(sink_log_open(&log, fixture.table, &err));
    for (int64_t batch = 0; batch < 10; batch++) {
        struct file_list list = {0};
        for (size_t i = 0; i < files; i++)
            file_list_add(&list, fixture_file(batch, "status=a b%2Fc", (unsigned)i, "0123456789"));
        if (!sink_log_write(&log, batch, &list, &err))
            fail_msg("%s", err.message);
        file_list_deinit(&list);
    }
    sink_log_close(&log);
}

static bool check_log(struct error *err) {
    struct sink_log log;
    check(sink_log_open(&log, fixture.table, err));
    return sink_log_check(&log, err);
}

static void a_compact_file_that_was_cut_off_is_refused(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 200};
    for (size_t i = 0; i < 2; i++) {
        write_large(sizes[i]);
        struct error err;
        assert_true(check_log(&err));
        struct file_path path = file_join(fixture.table, "_spark_metadata/9.compact");
        struct stat status;
        assert_int_equal(stat(path.text, &status), 0);
        assert_int_equal(truncate(path.text, status.st_size - 5), 0);
        assert_false(check_log(&err));
        assert_int_equal(err.kind, ERROR_STATE);
        fixture_clear(&fixture);
        assert_true(file_make_directory(fixture.table, &err));
    }
}

/* Its own compact file is known by its end; one that is not quite is read from its beginning. */
static void a_large_compact_file_is_compared_as_a_small_one(void **state) {
    (void)state;
    write_large(200);
    struct file_list ours = {0};
    for (unsigned i = 0; i < 200; i++)
        file_list_add(&ours, fixture_file(9, "status=a b%2Fc", i, "0123456789"));
    assert_int_equal(compare(9, &ours), SINK_LOG_NAMES_THESE);
    scoped(scope_free) char *text =
        fixture_read(&fixture, "processed/matches/_spark_metadata/9.compact");
    scoped(scope_free) char *longer = fixture_text("%s\n", text);
    fixture_write(&fixture, "processed/matches/_spark_metadata/9.compact", longer);
    assert_int_equal(compare(9, &ours), SINK_LOG_NAMES_THESE);
    *strrchr(text, '\n') = '\0';
    fixture_write(&fixture, "processed/matches/_spark_metadata/9.compact", text);
    assert_int_equal(compare(9, &ours), SINK_LOG_NAMES_SOME);
    file_list_deinit(&ours);
}

static bool visit_entry(void *context, struct json *entry, struct error *err) {
    (void)context, (void)entry, (void)err;
    return true;
}

/* A file that ends early would have its entries missed silently. */
static void a_read_that_fails_or_ends_early_names_the_file(void **state) {
    (void)state;
    static const struct {
        int error_number;
        off_t cut;
        const char *reason;
    } cases[] = {{EIO, 0, "Input/output error"},
                 {0, 2, "was truncated meanwhile"},
                 {0, 200, "was truncated meanwhile"}};
    static const size_t sizes[] = {1, 200};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct sink_log log;
        struct error err = {0};
        write_large(sizes[i % 2]);
        check(sink_log_open(&log, fixture.table, &err));
        faulty_reads_begin("/9.compact", cases[i / 2].error_number, cases[i / 2].cut);
        for (int check_it = 0; check_it < 2; check_it++) {
            err = (struct error){0};
            assert_false(check_it ? sink_log_check(&log, &err)
                                  : sink_log_each_entry(&log, visit_entry, NULL, &err));
            assert_int_equal(err.kind, ERROR_RETRY);
            assert_non_null(strstr(err.message, "_spark_metadata/9.compact'"));
            assert_non_null(strstr(err.message, cases[i / 2].reason));
        }
        disk = &disk_real;
        sink_log_close(&log);
        fixture_clear(&fixture);
        assert_true(file_make_directory(fixture.table, &err));
    }
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_quoted_as_java_quotes_them),
        cmocka_unit_test(the_interval_follows_from_the_compact_files_there_are),
        ON_DISK(an_entry_is_spark_s_byte_for_byte),
        ON_DISK(an_entry_does_not_lead_out_of_the_table),
        ON_DISK(every_tenth_batch_is_a_compact_file_of_all_before),
        ON_DISK(a_newline_at_a_file_s_end_does_not_break_the_compact_file),
        ON_DISK(a_batch_without_files_is_a_header),
        ON_DISK(writing_a_batch_again_changes_nothing),
        ON_DISK(old_files_go_when_spark_would_delete_them),
        ON_DISK(the_log_tells_whose_batch_it_names),
        ON_DISK(a_batch_whose_file_is_deleted_is_found_in_the_compact_one),
        ON_DISK(a_log_with_a_gap_is_refused),
        ON_DISK(a_compact_file_that_was_cut_off_is_refused),
        ON_DISK(a_large_compact_file_is_compared_as_a_small_one),
        ON_DISK(a_read_that_fails_or_ends_early_names_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
