#include <string.h>

#include "surfaces/commands/commands.h"
#include "surfaces/docs/completion.h"

static const char head[] =
    "# bash completion for esports-stream, printed by `esports-stream completion bash`.\n"
    "# To be read by ~/.bashrc (source <(esports-stream completion bash)), or kept as\n"
    "# /usr/share/bash-completion/completions/esports-stream.\n"
    "_esports_stream() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=''\n"
    "    COMPREPLY=()\n"
    "    # bash takes --name=value for three words.\n"
    "    if [[ $cur == '=' ]]; then\n"
    "        cur=''\n"
    "    elif [[ $prev == '=' && $COMP_CWORD -gt 2 ]]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n"
    "    case $prev in\n";

static const char middle[] = "    *)\n"
                             "        case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n";

static const char tail[] =
    "        esac\n"
    "        ;;\n"
    "    esac\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "}\n"
    "complete -F _esports_stream esports-stream match_stream player_stream\n";

static void print_values(FILE *out) {
    struct flag flag;
    for (size_t i = 0; completion_flag(i, &flag); i++) {
        if (!flag.takes_value)
            continue;
        (void)fprintf(out, "    %s)\n", flag.name);
        if (flag.is_path)
            (void)fprintf(out, "        compopt -o filenames 2>/dev/null\n"
                               "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                               "        return\n");
        else if (flag.words[0] != '\0')
            (void)fprintf(out, "        words='%s'\n", flag.words);
        else
            (void)fprintf(out, "        return\n");
        (void)fprintf(out, "        ;;\n");
    }
}

static void print_flags(FILE *out, const struct command_entry *command) {
    struct flag flag;
    for (size_t i = 0; completion_flag(i, &flag); i++)
        if (completion_goes_with(&flag, command))
            (void)fprintf(out, " %s", flag.name);
}

static void print_commands(FILE *out) {
    char family[OPTION_NAME_MAX], words[OPTION_TEXT_MAX];
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        completion_words(entry->operand, false, words);
        bool member = strchr(entry->name, ' ') != NULL;
        (void)fprintf(out, "        '%s%s'*)\n            words='%s", entry->name,
                      member ? "" : " ", words);
        print_flags(out, entry);
        (void)fprintf(out, "'\n            ;;\n");
    }
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        if (!completion_begins_family(entry, family))
            continue;
        (void)fprintf(out, "        '%s '*)\n            words='", family);
        for (const struct command_entry *at = entry; command_is_named(at, family); at++)
            (void)fprintf(out, "%s%s", at == entry ? "" : " ", strchr(at->name, ' ') + 1);
        (void)fprintf(out, "'\n            ;;\n");
    }
}

static void print_first(FILE *out) {
    char family[OPTION_NAME_MAX];
    (void)fprintf(out, "        *)\n            words='");
    print_flags(out, NULL);
    (void)fprintf(out, "'\n            [[ $COMP_CWORD -eq 1 ]] && words+='");
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        if (strchr(entry->name, ' ') == NULL)
            (void)fprintf(out, " %s", entry->name);
        else if (completion_begins_family(entry, family))
            (void)fprintf(out, " %s", family);
    }
    (void)fprintf(out, "'\n            ;;\n");
}

void completion_print_bash(FILE *out) {
    (void)fputs(head, out);
    print_values(out);
    (void)fputs(middle, out);
    print_commands(out);
    print_first(out);
    (void)fputs(tail, out);
}
