#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/reject.h"
#include "streaming/declare/stream.h"
#include "surfaces/docs/completion.h"
#include "surfaces/program/command_line.h"
#include "surfaces/program/commands.h"

static struct command_line line;
static struct problems problems;

static void parse(const char *const *words) {
    char *argv[16] = {"esports-stream"};
    int count = 1;
    for (; *words != NULL; words++)
        argv[count++] = (char *)*words;
    problems_deinit(&problems);
    command_line_read(&line, count, argv, &problems);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static char *completed; // what the last of the words may become

static void complete(const char *const *words) {
    size_t size, count = 0;
    free(completed);
    FILE *out = open_memstream(&completed, &size);
    while (words[count] != NULL)
        count++;
    completion_print(out, program_commands, (char *const *)words, count);
    (void)fclose(out);
}

#define COMPLETE(...) complete((const char *const[]){__VA_ARGS__, NULL})

/* Whether a line is the word, with or without a summary. */
static bool offers(const char *word) {
    for (const char *at = completed; *at != '\0'; at += strcspn(at, "\n") + 1)
        if (strncmp(at, word, strlen(word)) == 0 && strchr("\t\n", at[strlen(word)]) != NULL)
            return true;
    return false;
}

static int teardown(void **state) {
    (void)state;
    free(completed);
    completed = NULL;
    problems_deinit(&problems);
    return 0;
}

static void assert_fault(const char *expected) {
    if (problems.count != 1 || strcmp(problems.lines[0], expected) != 0)
        fail_msg("%zu problems, the first: %s", problems.count,
                 problems.count > 0 ? problems.lines[0] : "none");
}

static void a_command_has_its_options_with_their_defaults(void **state) {
    (void)state;
    PARSE("tail");
    assert_int_equal(problems.count, 0);
    assert_string_equal(line.command->name, "tail");
    assert_int_equal(line.arguments.rows, 10);
    assert_false(line.arguments.follow);

    PARSE("rejects", "ls", "--rows=0", "--offsets", "5..9", "--reason", "PARTITION_VALUE",
          "--json");
    assert_int_equal(problems.count, 0);
    assert_string_equal(line.command->name, "rejects ls");
    assert_int_equal(line.arguments.rows, 0);
    assert_int_equal(line.arguments.offsets.first, 5);
    assert_int_equal(line.arguments.offsets.last, 9);
    assert_int_equal(line.arguments.reason, REJECT_PARTITION_VALUE);
    assert_true(line.arguments.json);

    PARSE("rejects", "show", "3:17", "--job", "matches", "--raw");
    assert_int_equal(problems.count, 0);
    assert_string_equal(line.arguments.operand, "3:17");
}

static void what_other_programs_call_it_is_accepted(void **state) {
    (void)state;
    static const char *const forms[][3] = {{"-n", "5"}, {"-n5"}, {"-n=5"}, {"--rows=5"}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        parse((const char *const[]){"tail", forms[i][0], forms[i][1], NULL});
        assert_int_equal(problems.count, 0);
        assert_int_equal(line.arguments.rows, 5);
    }
    PARSE("rejects", "list", "-n", "5");
    assert_int_equal(problems.count, 0);
    assert_string_equal(line.command->name, "rejects ls");
    PARSE("rewind", "--job", "match_stream", "--to-batch", "3", "-y", "--dry-run");
    assert_int_equal(problems.count, 0);
    assert_true(line.arguments.yes && line.arguments.dry_run);
    PARSE("tail", "-n");
    assert_fault("-n needs a value");
    PARSE("tail", "-help"); // only a letter with a value may be joined to it
    assert_fault("-help: unknown option; did you mean --help?");
}

static void a_command_of_one_query_takes_one_job(void **state) {
    (void)state;
    static const char wanted[] =
        "rewind needs --job with one query: each query numbers its own batches";
    PARSE("rewind", "--to-batch", "3", "--job", "matches", "--job", "match_stream");
    assert_int_equal(problems.count, 0);
    PARSE("rewind", "--to-batch", "3", "--job", "matches", "--job", "players");
    assert_fault(wanted);
    PARSE("rewind", "--to-batch", "3", "--job", "matches,players");
    assert_fault(wanted);
    PARSE("rewind", "--to-batch", "3", "--job", "matches", "--job", "all");
    assert_fault(wanted);
    PARSE("rewind", "--to-batch", "3");
    assert_fault(wanted);
}

static void a_command_of_files_takes_several(void **state) {
    (void)state;
    PARSE("check", "a.sql", "--json", "b.sql");
    assert_int_equal(problems.count, 0);
    assert_int_equal(line.arguments.operand_count, 2);
    assert_string_equal(line.arguments.operands[0], "a.sql");
    assert_string_equal(line.arguments.operands[1], "b.sql");
    assert_true(line.arguments.json);

    PARSE("check");
    assert_string_equal(problems.lines[0], "check needs FILE…");
    PARSE("rejects", "show", "0:1", "0:2", "--job", "matches");
    assert_string_equal(
        problems.lines[0],
        "'0:2': unexpected argument; rejects show takes only one, PARTITION:OFFSET");
    COMPLETE("check", "que");
    assert_string_equal(completed, ":files\n");
    COMPLETE("check", "a.sql", "");
    assert_string_equal(completed, ":files\n");
    COMPLETE("check", "a.sql", "--j");
    assert_true(offers("--json"));
}

static void every_command_that_changes_something_shows_it_first(void **state) {
    (void)state;
    static const char *const changing[] = {"compact",  "expire", "rejects replay", "rewind",
                                           "relocate", "adopt",  "release"};
    const uint64_t both = OPTION_BIT(OPTION_DRY_RUN) | OPTION_BIT(OPTION_YES);
    size_t count = 0;
    for (const struct command *entry = program_commands; entry->name != NULL; entry++) {
        assert_int_equal(entry->options & both, entry->changes ? both : 0);
        if (entry->changes)
            assert_string_equal(entry->name, changing[count++]);
    }
    assert_int_equal(count, sizeof changing / sizeof changing[0]);
}

static void json_goes_with_explain_and_not_with_a_run(void **state) {
    (void)state;
    PARSE("--json", "--explain");
    assert_int_equal(problems.count, 0);
    assert_true(line.arguments.json);
    PARSE("--json", "--job", "matches");
    assert_int_equal(problems.count, 1);
    assert_non_null(
        strstr(problems.lines[0], "--json can only be used with --explain and the commands "));
    PARSE("schema", "--json");
    assert_int_equal(problems.count, 1);
}

static void a_range_may_be_open_at_either_end(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t first, last;
    } cases[] = {{"..", 0, INT64_MAX}, {"7..", 7, INT64_MAX}, {"..7", 0, 7}, {"7", 7, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PARSE("rejects", "ls", "--offsets", cases[i].text);
        assert_int_equal(problems.count, 0);
        assert_int_equal(line.arguments.offsets.first, cases[i].first);
        assert_int_equal(line.arguments.offsets.last, cases[i].last);
    }
    static const char *const wrong[] = {"9..5", "x", "1...2", "1..2x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        PARSE("rejects", "ls", "--offsets", wrong[i]);
        assert_int_equal(problems.count, 1);
    }
}

static void what_was_meant_is_said(void **state) {
    (void)state;
    PARSE("chekpoint");
    assert_fault("'chekpoint': unknown command; did you mean checkpoint?");
    PARSE("tial");
    assert_fault("'tial': unknown command; did you mean tail?");
    PARSE("rejects", "shwo", "0:1");
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.lines[0],
                        "rejects shwo: unknown command; did you mean rejects show?");
    PARSE("tail", "--folow");
    assert_fault("--folow: unknown option; did you mean --follow?");
    PARSE("tail", "--tobatch", "3"); // an option that does not go with it is not offered
    assert_fault("--tobatch: unknown option; --help lists them");
    PARSE("docs", "comands");
    assert_fault("docs: invalid value 'comands'; did you mean commands?");
    PARSE("sample", "more", "--job", "matches");
    assert_fault("'more': unexpected argument; sample takes none");
}

/* The choices of --reason are written out in the table of options. */
static void every_reason_of_a_reject_can_be_asked_for(void **state) {
    (void)state;
    for (enum reject_reason reason = 0; reason < REJECT_REASON_COUNT; reason++) {
        PARSE("rejects", "ls", "--reason", reject_reason_name(reason));
        assert_int_equal(problems.count, 0);
        assert_int_equal(line.arguments.reason, reason);
    }
    COMPLETE("rejects", "ls", "--reason", "");
    for (enum reject_reason reason = 0; reason < REJECT_REASON_COUNT; reason++) {
        assert_non_null(strstr(option_entries[OPTION_REASON].doc, reject_reason_name(reason)));
        assert_non_null(strstr(completed, reject_reason_name(reason)));
    }
}

static void every_command_says_how_it_is_called(void **state) {
    (void)state;
    for (const struct command *entry = program_commands; entry->name != NULL; entry++) {
        char synopsis[COMMAND_SYNOPSIS_MAX], summary[SUMMARY_MAX];
        command_synopsis(entry, synopsis);
        assert_int_equal(strncmp(synopsis, entry->name, strlen(entry->name)), 0);
        assert_true(strlen(synopsis) + 1 < COMMAND_SYNOPSIS_MAX);
        assert_true((entry->run != NULL) != (entry->run_once != NULL));
        assert_int_equal(entry->required & ~entry->options, 0);
        completion_summary(entry->doc, summary);
        assert_int_not_equal(summary[0], '\0');
    }
    char synopsis[COMMAND_SYNOPSIS_MAX];
    PARSE("rewind", "--job", "matches", "--to-batch", "3");
    command_synopsis(line.command, synopsis);
    assert_string_equal(synopsis, "rewind --job JOB --to-batch N [--dry-run] [--yes]");
    PARSE("adopt");
    command_synopsis(line.command, synopsis);
    assert_string_equal(synopsis, "adopt [--cluster ID] [--dry-run] [--yes]");
}

static void words_for_completion_are_those_that_can_be_typed(void **state) {
    (void)state;
    char words[OPTION_TEXT_MAX];
    completion_words("local|local[N]|local[*]", false, words);
    assert_string_equal(words, "local");
    completion_words("DURATION|availableNow", false, words);
    assert_string_equal(words, "availableNow");
    completion_words("DEBUG|INFO", true, words);
    assert_string_equal(words, "DEBUG INFO");
    completion_words("PARTITION:OFFSET", false, words);
    assert_string_equal(words, "");
}

static void the_next_word_is_completed_from_the_tables(void **state) {
    (void)state;
    COMPLETE("");
    assert_true(offers("tail") && offers("rejects"));
    assert_int_not_equal(completed[0], '-'); // commands, and no option among them
    assert_null(strstr(completed, "\n-"));
    assert_false(offers("rejects ls") || offers("rejects list"));
    COMPLETE("-");
    assert_true(offers("--job") && offers("--trigger") && offers("-h"));
    assert_false(offers("tail") || offers("--rows") || offers("--ui-token"));
    COMPLETE("rejects", "");
    assert_true(offers("ls") && offers("show") && offers("replay"));
    assert_false(offers("--job"));
    COMPLETE("tail", "--");
    assert_true(offers("--rows") && offers("--trigger"));
    assert_false(offers("--to-batch") || offers("-f"));
    COMPLETE("tail", "-");
    assert_true(offers("-f") && offers("--follow"));
    COMPLETE("completion", "");
    assert_true(offers("bash"));
    assert_false(offers("--job"));
    COMPLETE("completion", "--");
    assert_true(offers("--job"));
    assert_false(offers("--trigger")); // it reads no settings
    COMPLETE("--demo", "-");
    assert_true(offers("--job"));
    COMPLETE("--demo", "");
    assert_string_equal(completed, ""); // a command comes first
}

static void a_value_is_completed_however_the_shell_cuts_the_words(void **state) {
    (void)state;
    static const char *const values = "reject\npermissive\nfailfast\n";
    COMPLETE("--parse-mode", "");
    assert_string_equal(completed, values);
    COMPLETE("--parse-mode", "=");
    assert_string_equal(completed, values);
    COMPLETE("--parse-mode", "=", "fail");
    assert_string_equal(completed, values);
    COMPLETE("--parse-mode=fail");
    assert_string_equal(completed, values);
    COMPLETE("tail", "--job", "");
    assert_string_equal(completed, "all\nmatches\nplayers\n");
    COMPLETE("tail", "--job", "matches,pl");
    assert_string_equal(completed, "matches,matches\nmatches,players\n");
    COMPLETE("tail", "--job=matches,");
    assert_string_equal(completed, "matches,matches\nmatches,players\n");
    COMPLETE("--env-file", "/e");
    assert_string_equal(completed, ":files\n");
    COMPLETE("--data-lake-path=");
    assert_string_equal(completed, ":files\n");
    COMPLETE("--spark-ui-port", ""); // any number
    assert_string_equal(completed, "");
}

int main(void) {
    streams_load();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_command_has_its_options_with_their_defaults, teardown),
        cmocka_unit_test_teardown(what_other_programs_call_it_is_accepted, teardown),
        cmocka_unit_test_teardown(a_command_of_one_query_takes_one_job, teardown),
        cmocka_unit_test(a_command_of_files_takes_several),
        cmocka_unit_test(every_command_that_changes_something_shows_it_first),
        cmocka_unit_test_teardown(json_goes_with_explain_and_not_with_a_run, teardown),
        cmocka_unit_test_teardown(a_range_may_be_open_at_either_end, teardown),
        cmocka_unit_test_teardown(what_was_meant_is_said, teardown),
        cmocka_unit_test_teardown(every_reason_of_a_reject_can_be_asked_for, teardown),
        cmocka_unit_test_teardown(every_command_says_how_it_is_called, teardown),
        cmocka_unit_test(words_for_completion_are_those_that_can_be_typed),
        cmocka_unit_test_teardown(the_next_word_is_completed_from_the_tables, teardown),
        cmocka_unit_test_teardown(a_value_is_completed_however_the_shell_cuts_the_words, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
