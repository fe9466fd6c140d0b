#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/reject.h"
#include "surfaces/commands/commands.h"
#include "surfaces/docs/completion.h"
#include "surfaces/settings/options.h"

static struct options options;
static struct faults faults;

static void parse(const char *const *words) {
    char *argv[16] = {"esports-stream"};
    int count = 1;
    for (; *words != NULL; words++)
        argv[count++] = (char *)*words;
    faults_deinit(&faults);
    options_parse(&options, count, argv, &faults);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static int teardown(void **state) {
    (void)state;
    faults_deinit(&faults);
    return 0;
}

static void assert_fault(const char *expected) {
    if (faults.count != 1 || strcmp(faults.lines[0], expected) != 0)
        fail_msg("%zu faults, the first: %s", faults.count,
                 faults.count > 0 ? faults.lines[0] : "none");
}

static void a_command_has_its_options_with_their_defaults(void **state) {
    (void)state;
    PARSE("tail");
    assert_int_equal(faults.count, 0);
    assert_string_equal(options.entry->name, "tail");
    assert_int_equal(options.arguments.rows, 10);
    assert_false(options.arguments.follow);

    PARSE("rejects", "ls", "--rows=0", "--offsets", "5..9", "--reason", "PARTITION_VALUE",
          "--json");
    assert_int_equal(faults.count, 0);
    assert_string_equal(options.entry->name, "rejects ls");
    assert_int_equal(options.arguments.rows, 0);
    assert_int_equal(options.arguments.offsets.first, 5);
    assert_int_equal(options.arguments.offsets.last, 9);
    assert_int_equal(options.arguments.reason, REJECT_PARTITION_VALUE);
    assert_true(options.arguments.json);

    PARSE("rejects", "show", "3:17", "--job", "matches", "--raw");
    assert_int_equal(faults.count, 0);
    assert_string_equal(options.arguments.operand, "3:17");
}

static void a_range_may_be_open_at_either_end(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t first, last;
    } cases[] = {{"..", 0, INT64_MAX}, {"7..", 7, INT64_MAX}, {"..7", 0, 7}, {"7", 7, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PARSE("rejects", "ls", "--offsets", cases[i].text);
        assert_int_equal(faults.count, 0);
        assert_int_equal(options.arguments.offsets.first, cases[i].first);
        assert_int_equal(options.arguments.offsets.last, cases[i].last);
    }
    static const char *const wrong[] = {"9..5", "x", "1...2", "1..2x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        PARSE("rejects", "ls", "--offsets", wrong[i]);
        assert_int_equal(faults.count, 1);
    }
}

static void what_was_meant_is_said(void **state) {
    (void)state;
    PARSE("chekpoint");
    assert_fault("'chekpoint': unknown command; did you mean checkpoint?");
    PARSE("tial");
    assert_fault("'tial': unknown command; did you mean tail?");
    PARSE("rejects", "shwo", "0:1");
    assert_int_equal(faults.count, 2);
    assert_string_equal(faults.lines[0],
                        "rejects shwo: unknown command; did you mean rejects show?");
    PARSE("tail", "--folow");
    assert_fault("--folow: unknown option; did you mean --follow?");
    PARSE("tail", "--tobatch", "3"); // an option that does not go with it is not offered
    assert_fault("--tobatch: unknown option; --help lists all");
    PARSE("docs", "comands");
    assert_fault("docs: 'comands': did you mean commands?");
    PARSE("sample", "more", "--job", "matches");
    assert_fault("'more': unexpected argument; sample takes none");
}

/* The choices of --reason are written out in the table of options. */
static void every_reason_of_a_reject_can_be_asked_for(void **state) {
    (void)state;
    for (enum reject_reason reason = 0; reason < REJECT_REASON_COUNT; reason++) {
        PARSE("rejects", "ls", "--reason", reject_reason_name(reason));
        assert_int_equal(faults.count, 0);
        assert_int_equal(options.arguments.reason, reason);
    }
    struct flag flag;
    assert_true(completion_flag(OPTION_REASON, &flag));
    for (enum reject_reason reason = 0; reason < REJECT_REASON_COUNT; reason++) {
        assert_non_null(strstr(option_entries[OPTION_REASON].doc, reject_reason_name(reason)));
        assert_non_null(strstr(flag.words, reject_reason_name(reason)));
    }
}

static void every_command_says_how_it_is_called(void **state) {
    (void)state;
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
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
    command_synopsis(options.entry, synopsis);
    assert_string_equal(synopsis, "rewind --job JOB --to-batch N");
    command_synopsis(&command_entries[0], synopsis);
    assert_string_equal(synopsis, "adopt [--cluster ID [--dry-run]]");
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_command_has_its_options_with_their_defaults, teardown),
        cmocka_unit_test_teardown(a_range_may_be_open_at_either_end, teardown),
        cmocka_unit_test_teardown(what_was_meant_is_said, teardown),
        cmocka_unit_test_teardown(every_reason_of_a_reject_can_be_asked_for, teardown),
        cmocka_unit_test_teardown(every_command_says_how_it_is_called, teardown),
        cmocka_unit_test(words_for_completion_are_those_that_can_be_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
