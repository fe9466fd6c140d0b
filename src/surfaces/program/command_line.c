/* How a command line is read: first the command, of one word or two; then word by word options and
 * at most one operand. An option's value is behind '=' or is the next word, unless that begins with
 * "--". The last of two equal options counts. Everything that is wrong is collected, so that it is
 * told at once; for a word that is not known, the nearest that would have been right is named. */
#include "surfaces/program/command_line.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "surfaces/program/commands.h"
#include "surfaces/settings/config_load.h"
#include "surfaces/settings/settings.h"

/* The program's name as it was called, without directories. */
static const char *program_name(int argc, char **argv) {
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
    return *name != '\0' ? name : "esports-stream";
}

/* One option of the command line, taken apart. */
struct given_option {
    char name[OPTION_NAME_MAX];
    const char *value; // behind '=', or the next word; NULL: there is none
    bool joined;       // behind '='
};

static int find_entry(const char *name) {
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        bool letter = option_entries[id].letter != 0 && name[0] == '-' &&
                      name[1] == option_entries[id].letter && name[2] == '\0';
        if (letter || strcmp(option_entries[id].name, name) == 0)
            return (int)id;
    }
    return -1;
}

static int find_setting(const char *name) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].option, name) == 0)
            return (int)i;
    return -1;
}

/* ---- what is not known ---- */

static void unknown_option(const struct command_line *line, const char *name,
                           struct problems *problems) {
    struct nearest nearest = {.given = name};
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, settings[i].option);
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (command_takes_option(line->command, id))
            nearest_offer(&nearest, option_entries[id].name);
    if (nearest.word[0] != '\0')
        problems_add(problems, "%s: unknown option; did you mean %s?", name, nearest.word);
    else
        problems_add(problems, "%s: unknown option; --help lists all", name);
}

/* "rejects" alone, or with a word behind it that is none of its commands. */
static void unknown_member(const char *family, const char *word, struct problems *problems) {
    char list[512] = "";
    size_t used = 0;
    struct nearest nearest = {.given = word != NULL ? word : ""};
    for (const struct command *at = program_commands; at->name != NULL; at++) {
        if (!command_is_named(at, family))
            continue;
        const char *member = at->name + strlen(family) + 1;
        used = text_append(list, sizeof list, used, "%s%s", used > 0 ? ", " : "", member);
        nearest_offer(&nearest, member);
    }
    if (nearest.word[0] != '\0')
        problems_add(problems, "%s %s: unknown command; did you mean %s %s?", family, word, family,
                     nearest.word);
    else
        problems_add(problems, "%s: want one of these behind it: %s", family, list);
}

static void unknown_word(struct command_line *line, const char *word, struct problems *problems) {
    struct nearest nearest = {.given = word};
    for (const struct command *at = program_commands; at->name != NULL; at++) {
        char name[OPTION_NAME_MAX];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at->name, " "), at->name);
        nearest_offer(&nearest, name);
    }
    line->meant_command = nearest.word[0] != '\0';
    if (!line->meant_command)
        problems_add(problems, "'%s': unexpected argument; --help lists commands and options",
                     word);
    else if (strcmp(nearest.word, word) == 0)
        problems_add(problems, "'%s': a command comes first: esports-stream %s [OPTION]...", word,
                     word);
    else
        problems_add(problems, "'%s': unknown command; did you mean %s?", word, nearest.word);
}

/* An option of commands, but not of this one. */
static void misplaced_option(const struct command_line *line, enum option_id id,
                             struct problems *problems) {
    char list[512] = "";
    size_t used = 0;
    for (const struct command *at = program_commands; at->name != NULL; at++)
        if ((at->options & OPTION_BIT(id)) != 0)
            used = text_append(list, sizeof list, used, "%s%s", used > 0 ? ", " : "", at->name);
    if (line->command != NULL && option_entries[id].use == OPTION_WITH_RUN)
        problems_add(problems, "%s: not with the command %s", option_entries[id].name,
                     line->command->name);
    else
        problems_add(problems, "%s: only with %sthe command%s %s", option_entries[id].name,
                     option_entries[id].use == OPTION_WITH_EXPLAIN ? "--explain and " : "",
                     strchr(list, ',') != NULL ? "s" : "", list);
}

/* ---- what is known ---- */

/* Reads what was given into the option's own field. */
static void take_value(struct command_line *line, enum option_id id, const char *text,
                       struct problems *problems) {
    const struct setting *value = &option_entries[id].value;
    void *field = (char *)line + value->offset;
    struct error err = {0};
    line->arguments.given |= OPTION_BIT(id);
    if (value->type == NULL)
        *(bool *)field = true;
    else if (!value->type->parse(value, text, field, &err))
        problems_add(problems, "%s: '%s': %s", option_entries[id].name, text, err.message);
}

static void take_entry(struct command_line *line, enum option_id id, const char *value,
                       struct problems *problems) {
    if (id == OPTION_ENV_FILE && line->env_file_count == ENV_FILES_MAX)
        problems_add(problems, "--env-file: want at most %d files", ENV_FILES_MAX);
    else if (id == OPTION_ENV_FILE)
        line->env_files[line->env_file_count++] = value;
    else if (id == OPTION_EXPLAIN || id == OPTION_VERSION || id == OPTION_HELP)
        line->action = id == OPTION_EXPLAIN   ? ACTION_EXPLAIN
                       : id == OPTION_VERSION ? ACTION_VERSION
                                              : ACTION_HELP;
    else
        take_value(line, id, value, problems);
}

static void take_setting(struct command_line *line, int index, const struct given_option *given,
                         struct problems *problems) {
    size_t count;
    const struct setting *setting = &settings_table(&count)[index];
    if (setting->secret)
        problems_add(problems,
                     "%s: a command line can be read by everybody on this machine; set %s in the "
                     "environment or in a file for --env-file",
                     given->name, setting->name);
    else
        line->settings[index] = given->value;
}

/* Takes one option; returns how many further words of the command line belong to it. */
static int take_option(struct command_line *line, const struct given_option *given,
                       struct problems *problems) {
    int entry = find_entry(given->name);
    int setting = entry < 0 ? find_setting(given->name) : -1;
    if (entry < 0 && setting < 0) {
        unknown_option(line, given->name, problems);
        // What stands behind it is taken for its value, not told as a second mistake.
        return given->value != NULL && !given->joined && given->value[0] != '-' ? 1 : 0;
    }
    bool wants_value = setting >= 0 || option_takes_value(&option_entries[entry]);
    if (!wants_value && given->joined)
        problems_add(problems, "%s: takes no value", given->name);
    else if (wants_value && given->value == NULL)
        problems_add(problems, "%s: want a value behind it", given->name);
    else if (setting >= 0)
        take_setting(line, setting, given, problems);
    else if (command_takes_option(line->command, (enum option_id)entry))
        take_entry(line, (enum option_id)entry, given->value, problems);
    else
        misplaced_option(line, (enum option_id)entry, problems);
    return wants_value && given->value != NULL && !given->joined ? 1 : 0;
}

static struct given_option take_apart(char **words, int left) {
    struct given_option given = {0};
    const char *equals = strchr(words[0], '=');
    snprintf(given.name, sizeof given.name, "%.*s", (int)strcspn(words[0], "="), words[0]);
    given.joined = equals != NULL;
    if (given.joined)
        given.value = equals + 1;
    else if (left > 1 && strncmp(words[1], "--", 2) != 0)
        given.value = words[1];
    return given;
}

/* A word that is no option. */
static void take_word(struct command_line *line, const char *word, struct problems *problems) {
    const struct command *command = line->command;
    if (command == NULL)
        unknown_word(line, word, problems);
    else if (command->operand == NULL)
        problems_add(problems, "'%s': unexpected argument; %s takes none", word, command->name);
    else if (line->arguments.operand != NULL)
        problems_add(problems, "'%s': unexpected argument; %s takes one, %s", word, command->name,
                     command->operand);
    else
        line->arguments.operand = word;
}

/* How many words the command's name takes. */
static size_t take_command(struct command_line *line, char **words, size_t count,
                           struct problems *problems) {
    size_t used = 0;
    line->command = count > 0 ? command_find(program_commands, words, count, &used) : NULL;
    if (line->command != NULL) {
        line->action = ACTION_COMMAND;
        return used;
    }
    for (const struct command *at = program_commands; count > 0 && at->name != NULL; at++) {
        if (!command_is_named(at, words[0]))
            continue;
        bool member = count > 1 && words[1][0] != '-';
        bool help = count > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
        line->meant_command = true;
        if (!help)
            unknown_member(words[0], member ? words[1] : NULL, problems);
        return member ? 2 : 1;
    }
    return 0;
}

/* ---- the whole ---- */

static void check_operand(const struct command *command, const char *given,
                          struct problems *problems) {
    if (command->operand == NULL)
        return;
    if (given == NULL) {
        problems_add(problems, "%s: want %s behind it", command->name, command->operand);
        return;
    }
    struct nearest nearest = {.given = given};
    char word[OPTION_NAME_MAX];
    bool choices = false;
    for (size_t i = 0; operand_choice(command->operand, i, word); i++) {
        choices = true;
        if (strcmp(word, given) == 0)
            return;
        nearest_offer(&nearest, word);
    }
    if (choices && nearest.word[0] != '\0')
        problems_add(problems, "%s: '%s': did you mean %s?", command->name, given, nearest.word);
    else if (choices)
        problems_add(problems, "%s: '%s': want %s", command->name, given, command->operand);
}

static void check_command(const struct command_line *line, struct problems *problems) {
    const struct command *command = line->command;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        char value[OPTION_TEXT_MAX];
        option_placeholder(&option_entries[id], value);
        if ((command->required & ~line->arguments.given & OPTION_BIT(id)) != 0)
            problems_add(problems, "%s: want %s %s: %s", command->name, option_entries[id].name,
                         value, option_entries[id].doc);
    }
    check_operand(command, line->arguments.operand, problems);
    bool one =
        line->fixed_job != NULL ||
        (line->job != NULL && strcmp(line->job, option_entries[OPTION_JOB].placeholder) != 0);
    if (command->one_query != NULL && !one)
        problems_add(problems, "%s: want --job: %s", command->name, command->one_query);
}

static void set_fallbacks(struct command_line *line) {
    struct error err;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct setting *value = &option_entries[id].value;
        if (value->fallback != NULL)
            check(value->type->parse(value, value->fallback, (char *)line + value->offset, &err));
    }
}

void command_line_read(struct command_line *line, int argc, char **argv,
                       struct problems *problems) {
    *line = (struct command_line){.action = ACTION_RUN};
    set_fallbacks(line);
    const char *program = program_name(argc, argv);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (strcmp(streams[i]->name, program) == 0)
            line->fixed_job = streams[i];
    line->await_termination = line->fixed_job != NULL;

    size_t named = argc > 1 ? take_command(line, argv + 1, (size_t)argc - 1, problems) : 0;
    for (int i = 1 + (int)named; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            take_word(line, argv[i], problems);
            continue;
        }
        struct given_option given = take_apart(argv + i, argc - i);
        i += take_option(line, &given, problems);
        if (line->action >= ACTION_HELP) {
            problems_deinit(problems); // they are answered whatever else is wrong
            return;
        }
    }
    if (line->command != NULL)
        check_command(line, problems);
    else if (line->arguments.json && line->action != ACTION_EXPLAIN)
        misplaced_option(line, OPTION_JSON, problems);
}

enum exit_code command_line_load(struct config *config, int argc, char **argv, FILE *errors) {
    struct command_line line;
    struct problems problems = {0};
    command_line_read(&line, argc, argv, &problems);
    config_load(config, &line, &problems);
    problems_print(&problems, program_name(argc, argv), errors);
    enum exit_code code = problems.count == 0 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    problems_deinit(&problems);
    return code;
}
