#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "surfaces/settings/variables.h"

static char path[64];
static struct variables variables;
static struct problems problems;

/* Reads a file of these bytes. */
static void read_bytes(const char *bytes, size_t size) {
    strcpy(path, "/tmp/test_variables.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
    variables_add_file(&variables, path, &problems);
    unlink(path);
}

static int forget(void **state) {
    (void)state;
    variables_deinit(&variables);
    problems_deinit(&problems);
    return 0;
}

static void a_line_is_a_variable_in_any_of_the_usual_forms(void **state) {
    (void)state;
    static const struct {
        const char *line, *value, *why;
    } cases[] = {
        {"NAME=value", "value", "plain"},
        {"export NAME=value", "value", "with export"},
        {"export\tNAME=value", "value", "with export and a tab"},
        {"  NAME = value  ", "value", "blanks around"},
        {"NAME=two words", "two words", "blanks inside"},
        {"NAME=value # comment", "value", "a comment behind a blank"},
        {"NAME=val#ue", "val#ue", "no comment without a blank"},
        {"NAME=# comment", "", "only a comment"},
        {"NAME=", "", "empty"},
        {"NAME='as $it \\n stands'", "as $it \\n stands", "single quotes"},
        {"NAME='a # b' # comment", "a # b", "a comment behind a quote"},
        {"NAME=\"a\\tb\\nc\\\"d\\\\e\\$f\"", "a\tb\nc\"d\\e$f", "escapes in double quotes"},
        {"NAME=\"a\\\\n\"", "a\\n", "an escaped backslash escapes nothing"},
        {"NAME=\"\"", "", "empty quotes"},
        {"NAME=$HOME ${X}", "$HOME ${X}", "nothing is expanded"},
        {"NAME=a=b", "a=b", "only the first = counts"},
        {"NAME=value\r", "value", "a Windows line end"},
        {"\xef\xbb\xbfNAME=value", "value", "a byte order mark"},
        {"NAME={\"t\": {\"0\": 1}}", "{\"t\": {\"0\": 1}}", "JSON without quotes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        int size = snprintf(text, sizeof text, "%s\n", cases[i].line);
        read_bytes(text, (size_t)size);
        const struct variable *variable = variables_find(&variables, "NAME");
        if (problems.count > 0 || variable == NULL || strcmp(variable->value, cases[i].value) != 0)
            fail_msg("'%s' (%s) gave %s", cases[i].line, cases[i].why,
                     variable != NULL ? variable->value : "nothing");
        forget(NULL);
    }
}

static void comments_and_empty_lines_are_skipped(void **state) {
    (void)state;
    static const char text[] = "# a comment\n\n   \n\r\n  # another\nA=1\nB=2";
    read_bytes(text, sizeof text - 1);
    assert_int_equal(problems.count, 0);
    assert_int_equal(variables.count, 2);
    assert_string_equal(variables_find(&variables, "B")->value, "2");
    assert_non_null(strstr(variables_find(&variables, "B")->where, ":7"));
}

static void the_last_of_two_lines_counts(void **state) {
    (void)state;
    static const char text[] = "A=1\nA=2\n";
    read_bytes(text, sizeof text - 1);
    assert_string_equal(variables_find(&variables, "A")->value, "2");
    assert_null(variables_find(&variables, "B"));
}

static void every_line_that_is_none_is_a_fault_with_its_place(void **state) {
    (void)state;
    static const char text[] = "just words\n"
                               "=value\n"
                               "1NAME=value\n"
                               "NAME='open\n"
                               "NAME=\"open\n"
                               "NAME=\"open\\\n"
                               "NAME='a' b\n"
                               "NA-ME=value\n"
                               "NAME=a\0b\n"
                               "GOOD=1\n";
    read_bytes(text, sizeof text - 1);
    assert_int_equal(problems.count, 9);
    for (size_t i = 0; i < problems.count; i++) {
        char place[32];
        snprintf(place, sizeof place, ":%zu: ", i + 1);
        assert_non_null(strstr(problems.lines[i], place));
        assert_null(strstr(problems.lines[i], "words")); // it may be a secret
    }
    assert_int_equal(variables.count, 1);
}

static void a_missing_file_is_a_fault(void **state) {
    (void)state;
    variables_add_file(&variables, "/nowhere/at.all", &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.lines[0],
                        "--env-file: '/nowhere/at.all': No such file or directory");
    variables_add_file(&variables, "/tmp", &problems);
    assert_int_equal(problems.count, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_line_is_a_variable_in_any_of_the_usual_forms, forget),
        cmocka_unit_test_teardown(comments_and_empty_lines_are_skipped, forget),
        cmocka_unit_test_teardown(the_last_of_two_lines_counts, forget),
        cmocka_unit_test_teardown(every_line_that_is_none_is_a_fault_with_its_place, forget),
        cmocka_unit_test_teardown(a_missing_file_is_a_fault, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
