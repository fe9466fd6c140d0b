#include <string.h>

#include "surfaces/commands/commands.h"
#include "surfaces/docs/completion.h"

static const char head[] =
    "# fish completion for esports-stream, printed by `esports-stream completion fish`. To be kept "
    "as\n"
    "# ~/.config/fish/completions/esports-stream.fish.\n"
    "function __esports_stream_words\n"
    "    commandline -opc\n"
    "end\n"
    "function __esports_stream_first\n"
    "    test (count (__esports_stream_words)) -eq 1\n"
    "end\n"
    "function __esports_stream_in # WORDS...: the command is, or is of, these\n"
    "    set -l given (__esports_stream_words)\n"
    "    set -l last (math 1 + (count $argv))\n"
    "    test (count $given) -ge $last\n"
    "    and test \"$given[2..$last]\" = \"$argv\"\n"
    "end\n"
    "function __esports_stream_at # FAMILY: its command comes next\n"
    "    test (count (__esports_stream_words)) -eq 2\n"
    "    and __esports_stream_in $argv\n"
    "end\n"
    "function __esports_stream_runs # without a command\n"
    "    set -l given (__esports_stream_words)\n"
    "    test (count $given) -eq 1\n"
    "    or string match -q -- '-*' $given[2]\n"
    "end\n"
    "complete -c esports-stream -f\n";

static void print_quoted(FILE *out, const char *text) {
    (void)fputc('\'', out);
    for (; *text != '\0'; text++)
        (void)fprintf(out, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    (void)fputc('\'', out);
}

static void print_word(FILE *out, const char *condition, const char *family, const char *words,
                       const char *doc) {
    char summary[SUMMARY_MAX];
    completion_summary(doc, summary);
    (void)fprintf(out, "complete -c esports-stream -n '%s%s%s' -a '%s'", condition,
                  *family != '\0' ? " " : "", family, words);
    if (*summary != '\0') {
        (void)fprintf(out, " -d ");
        print_quoted(out, summary);
    }
    (void)fputc('\n', out);
}

static void print_flags(FILE *out, const struct command_entry *command) {
    struct flag flag;
    for (size_t i = 0; completion_flag(i, &flag); i++) {
        if (!completion_goes_with(&flag, command))
            continue;
        (void)fprintf(out, "complete -c esports-stream -n '%s%s' -l %s",
                      command == NULL ? "__esports_stream_runs" : "__esports_stream_in ",
                      command == NULL ? "" : command->name, flag.name + 2);
        if (flag.letter != 0)
            (void)fprintf(out, " -s %c", flag.letter);
        if (flag.is_path)
            (void)fprintf(out, " -r -F");
        else if (flag.words[0] != '\0')
            (void)fprintf(out, " -x -a '%s'", flag.words);
        else if (flag.takes_value)
            (void)fprintf(out, " -x");
        (void)fprintf(out, " -d ");
        print_quoted(out, flag.summary);
        (void)fputc('\n', out);
    }
}

void completion_print_fish(FILE *out) {
    char family[OPTION_NAME_MAX], words[OPTION_TEXT_MAX];
    (void)fputs(head, out);
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        const char *space = strchr(entry->name, ' ');
        if (completion_begins_family(entry, family))
            print_word(out, "__esports_stream_first", "", family, "");
        if (space == NULL)
            print_word(out, "__esports_stream_first", "", entry->name, entry->doc);
        else
            snprintf(family, sizeof family, "%.*s", (int)(space - entry->name), entry->name);
        if (space != NULL)
            print_word(out, "__esports_stream_at", family, space + 1, entry->doc);
        completion_words(entry->operand, false, words);
        if (words[0] != '\0')
            print_word(out, "__esports_stream_in", entry->name, words, "");
        print_flags(out, entry);
    }
    print_flags(out, NULL);
    (void)fprintf(out, "complete -c match_stream -w esports-stream\n"
                       "complete -c player_stream -w esports-stream\n");
}
