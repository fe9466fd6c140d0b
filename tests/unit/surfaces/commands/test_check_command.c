#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "surfaces/commands/each_command.h"

static char directory[] = "/tmp/test_check.XXXXXX";
static char *printed, *errors;
static enum exit_code code;

static void write_file(const char *name, const char *text) {
    char *path = text_format("%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static void remove_file(const char *name) {
    char *path = text_format("%s/%s", directory, name);
    (void)unlink(path);
    free(path);
}

/* Names in the directory; "" is itself. */
static void check_files(bool json, const char *const *names) {
    struct config config = {.arguments.json = json};
    struct command_arguments *arguments = &config.arguments;
    char *paths[4] = {0};
    size_t printed_size, errors_size;
    struct error err = {0};
    free(printed);
    free(errors);
    FILE *out = open_memstream(&printed, &printed_size);
    FILE *err_out = open_memstream(&errors, &errors_size);
    for (; *names != NULL; names++) {
        paths[arguments->operand_count] = text_format("%s/%s", directory, *names);
        arguments->operands[arguments->operand_count] = paths[arguments->operand_count];
        arguments->operand_count++;
    }
    code = EXIT_CODE_OK;
    assert_true(check_command(
        &(struct command_call){.config = &config, .out = out, .code = &code, .errors = err_out},
        &err));
    for (size_t i = 0; i < arguments->operand_count; i++)
        free(paths[i]);
    (void)fclose(out);
    (void)fclose(err_out);
}

#define CHECK(json, ...) check_files(json, (const char *const[]){__VA_ARGS__, NULL})

#define TOPIC                                                                                      \
    "CREATE TABLE r (id STRING, n INT, s STRUCT<a: INT>) USING kafka OPTIONS (subscribe 't');\n"

static void a_table_is_shown_with_all_that_it_reads_and_writes(void **state) {
    (void)state;
    write_file("a.sql",
               TOPIC "CREATE STREAMING TABLE x (id STRING NOT NULL COMMENT 'who', two INT)\n"
                     "PARTITIONED BY (two) COMMENT 'rows' TBLPROPERTIES (trigger = '5 s')\n"
                     "AS SELECT id, s.a + 2 AS two FROM STREAM r WHERE n > 1;\n");
    CHECK(false, "a.sql");
    char *expected = text_format(
        "x: rows\n"
        "  declared in    %s/a.sql:2\n"
        "  topic          t\n"
        "  decoded        id STRING, n INT, s STRUCT<a: INT>\n"
        "  where          n > 1\n"
        "  partitioned by two\n"
        "  properties     trigger = '5 s'\n"
        "\n"
        "  column                type       null      expression            comment\n"
        "  id                    STRING     NOT NULL  id                    who\n"
        "  two                   INT                  s.a + 2               \n"
        "  kafka_timestamp       TIMESTAMP            kafka_timestamp       The Kafka record's "
        "timestamp\n"
        "  partition             INT                  partition             The record's Kafka "
        "partition\n"
        "  offset                BIGINT               offset                The record's offset in "
        "its partition\n"
        "  processing_timestamp  TIMESTAMP  never     processing_timestamp  When the micro-batch "
        "was "
        "planned; the same for all its rows, even if the batch is run again\n"
        "\n"
        "  warning        null is possible in a partition column (two): such rows are in a "
        "directory "
        "…=__HIVE_DEFAULT_PARTITION__\n"
        "\n"
        "1 table: no errors\n",
        directory);
    assert_string_equal(printed, expected);
    assert_string_equal(errors, "");
    assert_int_equal(code, EXIT_CODE_OK);
    free(expected);
}

static void each_error_is_reported_and_the_check_continues(void **state) {
    (void)state;
    write_file("a.sql", TOPIC "CREATE STREAMING TABLE x AS SELECT m FROM STREAM r;\n"
                              "CREATE STREAMING TABLE y AS SELECT id FROM STREAM r;\n"
                              "CREATE STREAMING TABLE z (n BIGINT) AS SELECT n FROM STREAM r;\n");
    write_file("b.sql", "CREATE STREAMING\n");
    CHECK(false, "a.sql", "b.sql", "c.sql");
    char *lines = text_format(
        "esports-stream: check: %s/a.sql:2:36: unknown name 'm'; did you mean 'n'?\n"
        "esports-stream: check: %s/a.sql:4:47: column 'n' is declared BIGINT but is INT: write "
        "CAST(n AS BIGINT) AS n\n"
        "esports-stream: check: %s/b.sql:",
        directory, directory, directory);
    assert_int_equal(strncmp(errors, lines, strlen(lines)), 0);
    free(lines);
    lines = text_format("esports-stream: check: %s/c.sql: no such file\n", directory);
    assert_true(text_ends_with(errors, lines));
    free(lines);
    assert_int_equal(strncmp(printed, "y\n", 2), 0); // the table that is right
    assert_null(strstr(printed, "no errors"));
    assert_int_equal(code, EXIT_CODE_USAGE);
}

static void a_directory_is_all_its_sql_files_by_name(void **state) {
    (void)state;
    write_file("b.sql", TOPIC "CREATE STREAMING TABLE second AS SELECT id FROM STREAM r;\n");
    write_file("a.sql", TOPIC "CREATE STREAMING TABLE first AS SELECT id FROM STREAM r;\n");
    write_file("c.txt", "not SQL");
    CHECK(false, "");
    const char *first = strstr(printed, "first\n"), *second = strstr(printed, "second\n");
    assert_true(first != NULL && second != NULL && first < second);
    assert_true(text_ends_with(printed, "2 tables: no errors\n"));
    assert_int_equal(code, EXIT_CODE_OK);
    remove_file("a.sql");
    remove_file("b.sql");
    CHECK(false, "");
    assert_non_null(strstr(errors, "the directory has no file *.sql"));
    assert_int_equal(code, EXIT_CODE_USAGE);
}

static void a_table_is_declared_once_in_all_files(void **state) {
    (void)state;
    write_file("a.sql", TOPIC "CREATE STREAMING TABLE x AS SELECT id FROM STREAM r;\n");
    write_file("b.sql", TOPIC "CREATE STREAMING TABLE X AS SELECT id FROM STREAM r;\n");
    CHECK(false, "a.sql", "b.sql");
    char *expected =
        text_format("esports-stream: check: %s/b.sql:2:24: the table 'X' is also in %s/a.sql\n",
                    directory, directory);
    assert_string_equal(errors, expected);
    free(expected);
}

static void a_file_without_tables_is_an_error(void **state) {
    (void)state;
    write_file("a.sql", TOPIC);
    CHECK(false, "a.sql");
    assert_non_null(strstr(errors, "the file declares no streaming table"));
    assert_int_equal(code, EXIT_CODE_USAGE);
}

static void programs_get_an_object_per_table_and_per_error(void **state) {
    (void)state;
    struct error err;
    write_file("a.sql", "CREATE STREAMING TABLE raw AS SELECT key, value FROM STREAM kafka('t');\n"
                        "CREATE STREAMING TABLE x AS SELECT id FROM STREAM r;\n");
    CHECK(true, "a.sql");
    char *end = strchr(printed, '\n');
    assert_non_null(end);
    struct json *table = json_parse(printed, (size_t)(end - printed), &err);
    assert_non_null(table);
    assert_string_equal(json_member_text(table, "table"), "raw");
    assert_string_equal(json_member_text(table, "topic"), "t");
    assert_null(json_member_text(table, "schema")); // the value is not parsed
    assert_int_equal(json_count(json_member(table, "columns")), 6);
    assert_int_equal(json_count(json_member(table, "warnings")), 0);
    const struct json *column = json_at(json_member(table, "columns"), 0);
    assert_string_equal(json_member_text(column, "name"), "key");
    assert_string_equal(json_member_text(column, "type"), "BINARY");
    json_free(table);
    struct json *wrong = json_parse(end + 1, strlen(end + 1) - 1, &err);
    assert_non_null(wrong);
    assert_string_equal(json_member_text(wrong, "table"), "x");
    assert_non_null(strstr(json_member_text(wrong, "error"), "a.sql:2:"));
    json_free(wrong);
    assert_int_equal(code, EXIT_CODE_USAGE);
}

static void texts_of_a_file_cannot_control_the_terminal(void **state) {
    (void)state;
    write_file("a.sql", "CREATE STREAMING TABLE raw COMMENT '\x1b[31m' AS SELECT key FROM STREAM "
                        "kafka('t');\n"
                        "CREATE STREAMING TABLE x AS SELECT `\x1b[31m` FROM STREAM kafka('t');\n");
    CHECK(false, "a.sql");
    assert_null(strchr(printed, '\x1b'));
    assert_null(strchr(errors, '\x1b'));
    assert_non_null(strstr(printed, "raw: \\x1b[31m\n"));
}

/* ---- what docs/queries.md says ---- */

static char *read_document(void) {
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(TEST_DATA "/../../docs/queries.md", "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    (void)fclose(file);
    return text;
}

/* The next ```sql block; NULL: no more. Owned by the caller. */
static char *next_example(const char **at) {
    static const char begin[] = "```sql\n";
    const char *from = strstr(*at, begin);
    if (from == NULL)
        return NULL;
    from += strlen(begin);
    const char *end = strstr(from, "```");
    assert_non_null(end);
    *at = end;
    return text_format("%.*s", (int)(end - from), from);
}

static void every_example_of_the_document_is_correct(void **state) {
    (void)state;
    char *document = read_document(), *example;
    const char *at = document;
    size_t checked = 0;
    for (; (example = next_example(&at)) != NULL; free(example)) {
        if (strstr(example, "…") != NULL) // a form, not a file
            continue;
        write_file("a.sql", example);
        CHECK(false, "a.sql");
        assert_string_equal(errors, "");
        checked++;
    }
    assert_int_equal(checked, 3);
    free(document);
}

static void the_error_of_the_document_is_the_one_that_is_printed(void **state) {
    (void)state;
    char *document = read_document();
    const char *at = document;
    char *example = next_example(&at);
    char *declared = strstr(example, "queue_id INT");
    assert_non_null(declared);
    char *wrong = text_format("%.*squeue_id BIGINT%s", (int)(declared - example), example,
                              declared + strlen("queue_id INT"));
    write_file("riot.sql", wrong);
    CHECK(false, "riot.sql");
    char *message = strstr(errors, "riot.sql:");
    assert_non_null(message);
    message[strcspn(message, "\n")] = '\0';
    if (strstr(document, message) == NULL)
        fail_msg("docs/queries.md does not have: %s", message);
    remove_file("riot.sql");
    free(wrong);
    free(example);
    free(document);
}

static int setup(void **state) {
    (void)state;
    return mkdtemp(directory) == NULL;
}

static int teardown(void **state) {
    (void)state;
    remove_file("a.sql");
    remove_file("b.sql");
    remove_file("c.txt");
    free(printed);
    free(errors);
    return rmdir(directory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_shown_with_all_that_it_reads_and_writes),
        cmocka_unit_test(each_error_is_reported_and_the_check_continues),
        cmocka_unit_test(a_directory_is_all_its_sql_files_by_name),
        cmocka_unit_test(a_table_is_declared_once_in_all_files),
        cmocka_unit_test(a_file_without_tables_is_an_error),
        cmocka_unit_test(programs_get_an_object_per_table_and_per_error),
        cmocka_unit_test(texts_of_a_file_cannot_control_the_terminal),
        cmocka_unit_test(every_example_of_the_document_is_correct),
        cmocka_unit_test(the_error_of_the_document_is_the_one_that_is_printed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
