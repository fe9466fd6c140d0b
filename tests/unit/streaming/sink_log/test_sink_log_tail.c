/* test_sink_log_tail.c: the end of a file of the sink log, however long what is before it. */
#include "store_fixture.h"

#include "../faulty_reads.h"

#include "base/scope.h"
#include "streaming/sink_log/sink_log_file.h"

static struct fixture fixture;

static int setup(void **state) {
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    disk = &disk_real;
    fixture_clear(&fixture);
    return 0;
}

/* A compact file of `count` entries, {"path":"0"} and so on, of `width` bytes each. */
static void write_log(int count, int width, const char *end) {
    FILE *out = fopen(file_join(fixture.root, "log").text, "w");
    check(out != NULL);
    check(fprintf(out, "v1") == 2);
    for (int i = 0; i < count; i++)
        check(fprintf(out, "\n{\"path\":\"%0*d\"}", width, i) > 0);
    check(fputs(end, out) >= 0 && fclose(out) == 0);
}

static char *line_of(int number, int width) {
    return fixture_text("{\"path\":\"%0*d\"}", width, number);
}

static bool count_entry(void *context, struct json *entry, struct error *err) {
    int *next = context;
    (void)err;
    assert_int_equal(strtol(json_member_text(entry, "path"), NULL, 10), *next);
    ++*next;
    return true;
}

static void what_is_behind_an_entry_is_found_however_far_from_the_end_it_is(void **state) {
    (void)state;
    static const struct {
        int count, width, before; // entries, their width, and the one before the first wanted
    } cases[] = {{3, 1, 2},      {3, 1, 0},       {5000, 100, 4997}, {5000, 100, 4000},
                 {5000, 100, 0}, {40, 60000, 38}, {40, 60000, 2}};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        int count = cases[i / 2].count, width = cases[i / 2].width, next = cases[i / 2].before + 1;
        struct error err;
        bool found = false;
        struct file_path path = file_join(fixture.root, "log");
        write_log(count, width, i % 2 == 0 ? "" : "\n");
        scoped(scope_free) char *line = line_of(cases[i / 2].before, width);
        assert_true(sink_log_entries_behind(path.text, line, count_entry, &next, &found, &err));
        assert_true(found);
        assert_int_equal(next, count);

        scoped(scope_free) char *last = NULL;
        scoped(scope_free) char *expected = line_of(count - 1, width);
        assert_true(sink_log_last_line(path.text, &last, &err));
        assert_string_equal(last, expected);
    }
}

static void without_the_entry_or_the_file_nothing_is_found(void **state) {
    (void)state;
    struct error err;
    struct file_path path = file_join(fixture.root, "log");
    int next = 0;
    bool found = true;
    char *last = NULL;
    assert_true(sink_log_entries_behind(path.text, "{}", count_entry, &next, &found, &err));
    assert_false(found);
    assert_true(sink_log_last_line(path.text, &last, &err));
    assert_null(last);
    write_log(0, 0, "");
    assert_true(sink_log_last_line(path.text, &last, &err));
    assert_null(last); // the header is not an entry
    write_log(5000, 100, "");
    assert_true(
        sink_log_entries_behind(path.text, "{\"path\":\"7\"}", count_entry, &next, &found, &err));
    assert_false(found); // a part of a line is not a line
    assert_int_equal(next, 0);
}

static void a_damaged_line_behind_it_is_an_error(void **state) {
    (void)state;
    struct error err;
    bool found;
    int next = 1;
    write_log(2, 1, "\n{\"path\":");
    assert_false(sink_log_entries_behind(file_join(fixture.root, "log").text, "{\"path\":\"0\"}",
                                         count_entry, &next, &found, &err));
    assert_int_equal(err.kind, ERROR_STATE);
}

static void a_read_that_fails_or_ends_early_names_the_file(void **state) {
    (void)state;
    static const int error_numbers[] = {EIO, 0};
    for (size_t i = 0; i < 2; i++) {
        struct error err = {0};
        char *line = NULL;
        struct file_path path = file_join(fixture.root, "log");
        write_log(3, 10, "");
        faulty_reads_begin("/log", error_numbers[i], 20);
        assert_false(sink_log_last_line(path.text, &line, &err));
        assert_int_equal(err.kind, ERROR_RETRY);
        assert_non_null(strstr(err.message, path.text));
        assert_null(line);
        disk = &disk_real;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_behind_an_entry_is_found_however_far_from_the_end_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_entry_or_the_file_nothing_is_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_damaged_line_behind_it_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_read_that_fails_or_ends_early_names_the_file, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
