#include <string.h>

#include "surfaces/commands/commands.h"
#include "surfaces/docs/completion.h"

static const char head[] =
    "#compdef esports-stream match_stream player_stream\n"
    "# zsh completion for esports-stream, printed by `esports-stream completion zsh`. To be kept "
    "as\n"
    "# _esports-stream in a directory of $fpath, or read by ~/.zshrc behind compinit:\n"
    "# source <(esports-stream completion zsh).\n"
    "_esports_stream() {\n"
    "    local before=$words[CURRENT-1]\n"
    "    local -a commands flags\n"
    "    if [[ $words[CURRENT] == --*=* ]]; then\n"
    "        before=${words[CURRENT]%%=*}\n"
    "        compset -P '*='\n"
    "    fi\n"
    "    case $before in\n";

static const char middle[] = "    esac\n"
                             "    case \"$words[2] $words[3]\" in\n";

static const char tail[] = "    esac\n"
                           "    (( $#commands )) && _describe -t commands command commands\n"
                           "    (( $#flags )) && _describe -o -t options option flags\n"
                           "    return 0\n"
                           "}\n"
                           "if [[ $funcstack[1] == _esports-stream ]]; then\n"
                           "    _esports_stream \"$@\"\n"
                           "else\n"
                           "    compdef _esports_stream esports-stream match_stream player_stream\n"
                           "fi\n";

/* 'word:what it is', in single quotes. */
static void print_described(FILE *out, const char *word, const char *summary) {
    (void)fprintf(out, " '%s:", word);
    for (; *summary != '\0'; summary++) {
        if (*summary == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fprintf(out, "%s%c", *summary == ':' || *summary == '\\' ? "\\" : "", *summary);
    }
    (void)fputc('\'', out);
}

static void print_values(FILE *out) {
    struct flag flag;
    for (size_t i = 0; completion_flag(i, &flag); i++) {
        if (!flag.takes_value)
            continue;
        (void)fprintf(out, "    %s) ", flag.name);
        if (flag.is_path)
            (void)fprintf(out, "_files; ");
        else if (flag.words[0] != '\0')
            (void)fprintf(out, "compadd -- %s; ", flag.words);
        (void)fprintf(out, "return ;;\n");
    }
}

static void print_flags(FILE *out, const struct command_entry *command) {
    struct flag flag;
    (void)fprintf(out, "        flags=(");
    for (size_t i = 0; completion_flag(i, &flag); i++)
        if (completion_goes_with(&flag, command))
            print_described(out, flag.name, flag.summary);
    (void)fprintf(out, ")\n        ;;\n");
}

static void print_commands(FILE *out) {
    char family[OPTION_NAME_MAX], words[OPTION_TEXT_MAX], summary[SUMMARY_MAX];
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        bool member = strchr(entry->name, ' ') != NULL;
        completion_words(entry->operand, false, words);
        (void)fprintf(out, "    '%s%s'*)\n        commands=(%s)\n", entry->name, member ? "" : " ",
                      words);
        print_flags(out, entry);
    }
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        if (!completion_begins_family(entry, family))
            continue;
        (void)fprintf(out, "    '%s '*)\n        commands=(", family);
        for (const struct command_entry *at = entry; command_is_named(at, family); at++) {
            completion_summary(at->doc, summary);
            print_described(out, strchr(at->name, ' ') + 1, summary);
        }
        (void)fprintf(out, ")\n        ;;\n");
    }
}

static void print_first(FILE *out) {
    char family[OPTION_NAME_MAX], summary[SUMMARY_MAX];
    (void)fprintf(out, "    *)\n        (( CURRENT == 2 )) && commands=(");
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        bool member = strchr(entry->name, ' ') != NULL;
        completion_summary(entry->doc, summary);
        if (!member)
            print_described(out, entry->name, summary);
        else if (completion_begins_family(entry, family))
            print_described(out, family, "");
    }
    (void)fprintf(out, ")\n");
    print_flags(out, NULL);
}

void completion_print_zsh(FILE *out) {
    (void)fputs(head, out);
    print_values(out);
    (void)fputs(middle, out);
    print_commands(out);
    print_first(out);
    (void)fputs(tail, out);
}
