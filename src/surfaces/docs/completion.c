/* How a command line is completed. The shell hands over its words; the last one is being typed. If
 * the one before is an option that takes a value, the candidates are that option's values.
 * Otherwise they are options if it begins with a dash, and if not, the next word of a command's
 * name or its operand. All of it comes from the tables, so a new option or command is completed
 * without a change here. */
#include "surfaces/docs/completion.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "surfaces/settings/settings.h"

void completion_summary(const char *doc, char text[static SUMMARY_MAX]) {
    size_t used = 0;
    for (; *doc != '\0' && strncmp(doc, ". ", 2) != 0 && strcmp(doc, ".") != 0; doc++) {
        bool whole = ((unsigned char)*doc & 0xc0) != 0x80; // the beginning of a character
        if (whole && used + 8 >= SUMMARY_MAX)
            break;
        if (*doc != '`')
            text[used++] = *doc;
    }
    text[used] = '\0';
}

/* Whether it is a placeholder: "DURATION", "local[N]", "spark://…". */
static bool is_form(const char *word) {
    return strchr(word, '[') != NULL || strstr(word, "…") != NULL ||
           word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ:_")] == '\0';
}

void completion_words(const char *values, bool literal, char words[static OPTION_TEXT_MAX]) {
    char word[OPTION_NAME_MAX];
    size_t used = 0;
    words[0] = '\0';
    for (size_t i = 0; operand_choice(values, i, word); i++)
        if (literal || !is_form(word))
            used = text_append(words, OPTION_TEXT_MAX, used, "%s%s", used > 0 ? " " : "", word);
}

/* ---- what the last word may become ---- */

static void print_candidate(FILE *out, const char *word, const char *doc) {
    char summary[SUMMARY_MAX];
    completion_summary(doc, summary);
    (void)fprintf(out, "%s%s%s\n", word, *summary != '\0' ? "\t" : "", summary);
}

static void print_words(FILE *out, const char *values, bool literal) {
    char words[OPTION_TEXT_MAX], *rest = NULL;
    completion_words(values, literal, words);
    for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        print_candidate(out, word, "");
}

/* The queries that the last name of a list may be; `typed` is the whole list. */
static void print_jobs(FILE *out, const char *typed) {
    const char *equals = strncmp(typed, "--", 2) == 0 ? strchr(typed, '=') : NULL;
    const char *list = equals != NULL ? equals + 1 : strcmp(typed, "=") == 0 ? "" : typed;
    const char *comma = strrchr(list, ',');
    int before = comma != NULL ? (int)(comma + 1 - list) : 0;
    if (before == 0)
        print_candidate(out, "all", "");
    for (size_t i = 0; streams[i] != NULL; i++)
        (void)fprintf(out, "%.*s%s\n", before, list, streams[i]->job);
}

/* The values of an option that does not belong to a setting. */
static void print_option_values(FILE *out, const struct option_entry *entry) {
    char values[OPTION_TEXT_MAX];
    option_placeholder(entry, values);
    if (entry->value.choices != NULL)
        choices_list(entry->value.choices, false, values, sizeof values);
    if (strcmp(values, "FILE") == 0)
        (void)fprintf(out, ":files\n");
    else
        print_words(out, values, true);
}

static void print_setting_values(FILE *out, const struct setting *setting) {
    if (setting->type == &type_path || setting->type == &type_paths || setting->type == &type_home)
        (void)fprintf(out, ":files\n");
    else
        print_words(out, setting->values, setting->choices != NULL);
}

/* Prints the values of an option, of which `typed` is there already. False: it is none, or takes no
 * value. */
static bool print_values(FILE *out, const char *option, const char *typed) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        if (strcmp(option_entries[id].name, option) != 0)
            continue;
        if (id == OPTION_JOB)
            print_jobs(out, typed);
        else if (option_takes_value(&option_entries[id]))
            print_option_values(out, &option_entries[id]);
        return option_takes_value(&option_entries[id]);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].option, option) != 0 || settings[i].secret)
            continue;
        print_setting_values(out, &settings[i]);
        return true;
    }
    return false;
}

/* The options that go with a command; NULL: with a run. Those of one letter only when `last`, the
 * word that is being typed, is a dash and a letter at most. */
static void print_options(FILE *out, const struct command *command, const char *last) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct option_entry *entry = &option_entries[id];
        if (!command_takes_option(command, id))
            continue;
        print_candidate(out, entry->name, entry->doc);
        if (entry->letter != 0 && last[0] == '-' && last[1] != '-')
            print_candidate(out, (const char[]){'-', entry->letter, '\0'}, entry->doc);
    }
    for (size_t i = 0; i < count && (command == NULL || !command->needs_nothing); i++)
        if (!settings[i].secret)
            print_candidate(out, settings[i].option, settings[i].doc);
}

/* The first words of all commands: a family's once, without a summary. */
static void print_first_words(FILE *out, const struct command *commands) {
    const char *family = "";
    for (const struct command *at = commands; at->name != NULL; at++) {
        size_t size = strcspn(at->name, " ");
        if (at->name[size] == '\0')
            print_candidate(out, at->name, at->doc);
        else if (strncmp(at->name, family, size + 1) != 0)
            (void)fprintf(out, "%.*s\n", (int)size, at->name);
        family = at->name;
    }
}

/* The second words of a family's commands. */
static void print_second_words(FILE *out, const struct command *commands, const char *word) {
    for (const struct command *at = commands; at->name != NULL; at++)
        if (command_is_named(at, word) && strlen(at->name) > strlen(word))
            print_candidate(out, at->name + strlen(word) + 1, at->doc);
}

/* What follows the given words, outside of options. */
static void print_next_words(FILE *out, const struct command *commands, char *const *words,
                             size_t typed) {
    bool help = typed > 0 && strcmp(words[0], "help") == 0;
    if (typed == (help ? 1 : 0)) {
        print_first_words(out, commands);
        print_candidate(out, help ? "settings" : "help", help ? "Every setting." : "Print help.");
        if (help)
            print_candidate(out, "exit-codes", "What the exit codes mean.");
    } else {
        print_second_words(out, commands, words[help ? 1 : 0]);
    }
}

void completion_print(FILE *out, const struct command *commands, char *const *words, size_t count) {
    const char *last = count > 0 ? words[count - 1] : "";
    const char *before = count > 1 ? words[count - 2] : "";
    char option[OPTION_NAME_MAX] = "";
    if (count > 2 && strcmp(before, "=") == 0)
        before = words[count - 3];
    if (strncmp(last, "--", 2) == 0 && strchr(last, '=') != NULL) {
        snprintf(option, sizeof option, "%.*s", (int)strcspn(last, "="), last);
        before = option;
    }
    if (print_values(out, before, last))
        return;
    size_t typed = count > 0 ? count - 1 : 0, used; // complete words
    const struct command *command = command_find(commands, words, typed, &used);
    if (last[0] == '-')
        print_options(out, command, last);
    else if (command != NULL && command_takes_files(command))
        (void)fprintf(out, ":files\n");
    else if (command != NULL)
        print_words(out, command->operand, false);
    else
        print_next_words(out, commands, words, typed);
}

/* ---- the scripts ---- */

static const char bash_script[] =
    "# bash completion for esports-stream, printed by `esports-stream completion bash`.\n"
    "# To be read by ~/.bashrc (source <(esports-stream completion bash)), or kept as\n"
    "# /usr/share/bash-completion/completions/esports-stream.\n"
    "_esports_stream() {\n"
    "    local program=@PROGRAM@ cur=${COMP_WORDS[COMP_CWORD]} answer word words=''\n"
    "    [[ -x $program ]] || program=esports-stream\n"
    "    answer=$(command \"$program\" " COMPLETION_REQUEST
    " \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "    [[ $cur == '=' ]] && cur='' # bash takes --name=value for three words\n"
    "    if [[ $answer == ':files' ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "        return\n"
    "    fi\n"
    "    while IFS=$'\\t' read -r word _; do\n"
    "        words+=\"$word \"\n"
    "    done <<< \"$answer\"\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "}\n"
    "complete -F _esports_stream esports-stream match_stream player_stream\n";

static const char zsh_script[] =
    "#compdef esports-stream match_stream player_stream\n"
    "# zsh completion for esports-stream, printed by `esports-stream completion zsh`. To be kept "
    "as\n"
    "# _esports-stream in a directory of $fpath, or read by ~/.zshrc behind compinit:\n"
    "# source <(esports-stream completion zsh).\n"
    "_esports_stream() {\n"
    "    local program=@PROGRAM@ line\n"
    "    local -a lines commands flags\n"
    "    [[ -x $program ]] || program=esports-stream\n"
    "    lines=(\"${(@f)$(command $program " COMPLETION_REQUEST
    " \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    [[ $words[CURRENT] == --*=* ]] && compset -P '*='\n"
    "    if [[ $lines[1] == ':files' ]]; then\n"
    "        _files\n"
    "        return\n"
    "    fi\n"
    "    for line in $lines; do\n"
    "        line=${line/$'\\t'/:}\n"
    "        if [[ $line == -* ]]; then flags+=($line); else commands+=($line); fi\n"
    "    done\n"
    "    (( $#commands )) && _describe -t commands command commands\n"
    "    (( $#flags )) && _describe -o -t options option flags\n"
    "    return 0\n"
    "}\n"
    "if [[ $funcstack[1] == _esports-stream ]]; then\n"
    "    _esports_stream \"$@\"\n"
    "else\n"
    "    compdef _esports_stream esports-stream match_stream player_stream\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for esports-stream, printed by `esports-stream completion fish`. To be kept "
    "as\n"
    "# ~/.config/fish/completions/esports-stream.fish.\n"
    "function __esports_stream_complete\n"
    "    set -l program @PROGRAM@\n"
    "    test -x $program; or set program esports-stream\n"
    "    set -l words (commandline -opc)\n"
    "    set -e words[1]\n"
    "    set -l token (commandline -ct)\n"
    "    set -l answer (command $program " COMPLETION_REQUEST " $words \"$token\" 2>/dev/null)\n"
    "    set -l option (string match -r -- '^--[^=]*=' \"$token\") # of --name=value\n"
    "    if test \"$answer\" = ':files'\n"
    "        set answer (__fish_complete_path (string replace -- \"$option\" '' \"$token\"))\n"
    "    end\n"
    "    for line in $answer\n"
    "        if string match -q -- '-*' \"$token\"; or not string match -q -- '-*' $line\n"
    "            printf '%s\\n' \"$option$line\"\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c esports-stream -f -a '(__esports_stream_complete)'\n"
    "complete -c match_stream -w esports-stream\n"
    "complete -c player_stream -w esports-stream\n";

/* This program's file, in single quotes as all three shells read them. */
static void print_program(FILE *out) {
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    (void)fputc('\'', out);
    for (const char *at = size > 0 ? path : "esports-stream"; *at != '\0'; at++)
        (void)fprintf(out, *at == '\'' ? "'\\%c'" : "%c", *at);
    (void)fputc('\'', out);
}

bool completion_command(const struct command_call *call, struct error *err) {
    static const char gap[] = "@PROGRAM@";
    const char *shell = call->config->arguments.operand; // one of those in the table of commands
    const char *script = strcmp(shell, "bash") == 0  ? bash_script
                         : strcmp(shell, "zsh") == 0 ? zsh_script
                                                     : fish_script;
    const char *at = strstr(script, gap);
    (void)err;
    (void)fwrite(script, 1, (size_t)(at - script), call->out);
    print_program(call->out);
    (void)fputs(at + sizeof gap - 1, call->out);
    return true;
}
