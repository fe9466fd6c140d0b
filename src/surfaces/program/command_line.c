/* How a command line is read: first the command, of one word or two; then word by word options and
 * operands. An option's value follows '=' or is the next word, unless that begins with
 * "--"; that of a one-letter option may be joined (-n5). A repeated option overrides the earlier
 * one, but --job and --env-file add up. All problems are collected and reported at once; for an
 * unknown word the nearest known one is suggested. */
#include "surfaces/program/command_line.h"

#include <string.h>

#include "base/check.h"
#include "base/nearest.h"
#include "base/text.h"
#include "surfaces/docs/completion.h"
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
    const char *value; // after '=' or a letter, or the next word; NULL: there is none
    bool joined;       // in the same word
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

/* ---- unknown words ---- */

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
        problems_add(problems, "%s: unknown option; --help lists them", name);
}

/* "rejects" alone, or followed by a word that is not one of its commands. */
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
        problems_add(problems, "%s needs a command: %s", family, list);
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
        problems_add(problems, "'%s': the command must come first: esports-stream %s [OPTION]...",
                     word, word);
    else
        problems_add(problems, "'%s': unknown command; did you mean %s?", word, nearest.word);
}

/* An option of other commands. */
static void misplaced_option(const struct command_line *line, enum option_id id,
                             struct problems *problems) {
    char list[512] = "";
    size_t used = 0;
    for (const struct command *at = program_commands; at->name != NULL; at++)
        if ((at->options & OPTION_BIT(id)) != 0)
            used = text_append(list, sizeof list, used, "%s%s", used > 0 ? ", " : "", at->name);
    if (line->command != NULL && option_entries[id].use == OPTION_WITH_RUN)
        problems_add(problems, "%s cannot be used with the command %s", option_entries[id].name,
                     line->command->name);
    else
        problems_add(problems, "%s can only be used with %sthe command%s %s",
                     option_entries[id].name,
                     option_entries[id].use == OPTION_WITH_EXPLAIN ? "--explain and " : "",
                     strchr(list, ',') != NULL ? "s" : "", list);
}

/* ---- known words ---- */

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
        problems_add_value(problems, option_entries[id].name, text, err.message);
}

/* Whether names[count] stands for the same query as one before it. */
static bool is_named_twice(const struct text *names, size_t count) {
    const struct stream *stream = config_find_job(names[count]);
    for (size_t i = 0; i < count; i++)
        if (text_equals(names[i], names[count]) ||
            (stream != NULL && config_find_job(names[i]) == stream))
            return true;
    return false;
}

/* The names of one --job, separated by commas. */
static void take_jobs(struct command_line *line, const char *list, struct problems *problems) {
    const struct text *names = line->jobs + line->job_count;
    for (size_t count = 0;; count++) {
        size_t length = strcspn(list, ",");
        if (line->job_count == JOBS_MAX) {
            problems_add(problems, "--job: at most %d names can be given", JOBS_MAX);
            return;
        }
        line->jobs[line->job_count++] = (struct text){list, (uint32_t)length};
        if (is_named_twice(names, count))
            problems_add(problems, "--job: '%.*s' is listed twice", (int)length, list);
        if (list[length] == '\0')
            return;
        list += length + 1;
    }
}

static void take_entry(struct command_line *line, enum option_id id, const char *value,
                       struct problems *problems) {
    if (id == OPTION_ENV_FILE && line->env_file_count == ENV_FILES_MAX)
        problems_add(problems, "--env-file can be given at most %d times", ENV_FILES_MAX);
    else if (id == OPTION_ENV_FILE)
        line->env_files[line->env_file_count++] = value;
    else if (id == OPTION_JOB)
        take_jobs(line, value, problems);
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
                     "%s: every user of this machine can read a command line: set %s in the "
                     "environment or in an --env-file",
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
        // The word after it is taken for its value, not reported as a second mistake.
        return given->value != NULL && !given->joined && given->value[0] != '-' ? 1 : 0;
    }
    bool wants_value = setting >= 0 || option_takes_value(&option_entries[entry]);
    if (!wants_value && given->joined)
        problems_add(problems, "%s takes no value", given->name);
    else if (wants_value && given->value == NULL)
        problems_add(problems, "%s needs a value", given->name);
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
    const char letter[] = {words[0][0], words[0][1], '\0'};
    int entry = find_entry(letter);
    if (entry >= 0 && option_takes_value(&option_entries[entry]) && words[0][2] != '\0') { // -n5
        snprintf(given.name, sizeof given.name, "%s", letter);
        equals = words[0][2] == '=' ? words[0] + 2 : words[0] + 1;
    }
    given.joined = equals != NULL;
    if (given.joined)
        given.value = equals + 1;
    else if (left > 1 && strncmp(words[1], "--", 2) != 0)
        given.value = words[1];
    return given;
}

/* A word that is not an option. */
static void take_word(struct command_line *line, const char *word, struct problems *problems) {
    const struct command *command = line->command;
    if (command == NULL)
        unknown_word(line, word, problems);
    else if (command->operand == NULL)
        problems_add(problems, "'%s': unexpected argument; %s takes none", word, command->name);
    else if (line->arguments.operand_count == OPERANDS_MAX)
        problems_add(problems, "%s: at most %d can be given; a directory stands for all its files",
                     command->operand, OPERANDS_MAX);
    else if (line->arguments.operand != NULL && !command_takes_files(command))
        problems_add(problems, "'%s': unexpected argument; %s takes only one, %s", word,
                     command->name, command->operand);
    else
        line->arguments.operands[line->arguments.operand_count++] = word;
    line->arguments.operand = line->arguments.operands[0];
}

/* Of a family: the first command; NULL: the word begins no command's name. */
static const struct command *find_family(const char *word) {
    for (const struct command *at = program_commands; at->name != NULL; at++)
        if (command_is_named(at, word))
            return at;
    return NULL;
}

static bool asks_for_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* How many words the command's name takes. */
static size_t take_command(struct command_line *line, char **words, size_t count,
                           struct problems *problems) {
    size_t used = 0;
    line->command = count > 0 ? command_find(program_commands, words, count, &used) : NULL;
    if (line->command != NULL) {
        line->action = ACTION_COMMAND;
        line->help = HELP_COMMAND;
        return used;
    }
    const struct command *family = count > 0 ? find_family(words[0]) : NULL;
    if (family == NULL)
        return 0;
    bool member = count > 1 && words[1][0] != '-';
    line->meant_command = true;
    if (count > 1 && asks_for_help(words[1])) {
        line->command = family;
        line->help = HELP_FAMILY;
    } else {
        unknown_member(words[0], member ? words[1] : NULL, problems);
    }
    return member ? 2 : 1;
}

/* `help`, `help settings`, `help rejects show`: the words after "help". */
static void take_help(struct command_line *line, char **words, size_t count,
                      struct problems *problems) {
    static const char *const topics[] = {
        [HELP_SETTINGS] = "settings", [HELP_EXIT_CODES] = "exit-codes"};
    size_t used = 0;
    line->action = ACTION_HELP;
    for (enum help help = HELP_SETTINGS; count == 1 && help <= HELP_EXIT_CODES; help++)
        if (strcmp(words[0], topics[help]) == 0)
            line->help = help;
    if (count == 0 || asks_for_help(words[0]) || line->help != HELP_SCREEN)
        return;
    line->command = command_find(program_commands, words, count, &used);
    line->help = HELP_COMMAND;
    if (line->command == NULL && count == 1) {
        line->command = find_family(words[0]);
        line->help = HELP_FAMILY;
    }
    bool two = used == 0 && count > 1 && find_family(words[0]) != NULL;
    if (line->command == NULL || used + 1 < count)
        problems_add(problems,
                     "help: '%s%s%s' is neither a command nor a topic (settings, exit-codes); "
                     "--help lists the commands",
                     words[0], two ? " " : "", two ? words[1] : "");
}

/* ---- all of it ---- */

static void check_operand(const struct command *command, const char *given,
                          struct problems *problems) {
    if (command->operand == NULL || (given == NULL && command->operand[0] == '['))
        return;
    if (given == NULL) {
        problems_add(problems, "%s needs %s", command->name, command->operand);
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
        problems_add(problems, "%s: invalid value '%s'; did you mean %s?", command->name, given,
                     nearest.word);
    else if (choices)
        problems_add(problems, "%s: invalid value '%s' (expected %s)", command->name, given,
                     command->operand);
}

/* Whether the options choose one query. A name that is not known is reported elsewhere. */
static bool chooses_one(const struct command_line *line) {
    if (line->fixed_job != NULL)
        return true;
    const struct stream *chosen = NULL;
    for (size_t i = 0; i < line->job_count; i++) {
        const struct stream *job = config_find_job(line->jobs[i]);
        if (text_equals(line->jobs[i], TEXT("all")) || (chosen != NULL && job != chosen))
            return false;
        chosen = job;
    }
    return line->job_count > 0;
}

static void check_command(const struct command_line *line, struct problems *problems) {
    const struct command *command = line->command;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        char value[OPTION_TEXT_MAX];
        option_placeholder(&option_entries[id], value);
        if ((command->required & ~line->arguments.given & OPTION_BIT(id)) != 0)
            problems_add(problems, "%s needs %s %s: %s", command->name, option_entries[id].name,
                         value, option_entries[id].doc);
    }
    check_operand(command, line->arguments.operand, problems);
    if (command->one_query != NULL && !chooses_one(line))
        problems_add(problems, "%s needs --job with one query: %s", command->name,
                     command->one_query);
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

    if (argc > 1 && strcmp(argv[1], "help") == 0) {
        take_help(line, argv + 2, (size_t)argc - 2, problems);
        return;
    }
    size_t named = argc > 1 ? take_command(line, argv + 1, (size_t)argc - 1, problems) : 0;
    for (int i = 1 + (int)named; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            take_word(line, argv[i], problems);
            continue;
        }
        struct given_option given = take_apart(argv + i, argc - i);
        i += take_option(line, &given, problems);
        if (line->action >= ACTION_HELP) {
            problems_deinit(problems); // these are answered despite all other mistakes
            return;
        }
    }
    if (line->command != NULL)
        check_command(line, problems);
    else if (line->arguments.json && line->action != ACTION_EXPLAIN)
        misplaced_option(line, OPTION_JSON, problems);
}

/* Reads the line for the tables of QUERIES_PATH alone. What cannot be understood yet is read again
 * later. Help must work with any file, and `check` is what finds mistakes in them. */
static void load_queries(int argc, char **argv, struct problems *problems) {
    struct command_line line;
    struct problems ignored = {0};
    command_line_read(&line, argc, argv, &ignored);
    problems_deinit(&ignored);
    bool checks = line.command != NULL && command_takes_files(line.command);
    bool needed = line.action < ACTION_HELP && !checks;
    config_load_queries(&line, needed ? problems : &ignored);
    problems_deinit(&ignored);
}

static void load(struct config *config, int argc, char **argv, struct problems *problems) {
    struct command_line line;
    load_queries(argc, argv, problems);
    *config = (struct config){0};
    if (problems->count > 0)
        return; // what these files should have declared would be reported as unknown
    command_line_read(&line, argc, argv, problems);
    config_load(config, &line, problems);
}

bool command_line_complete(int argc, char **argv, FILE *out) {
    if (argc < 2 || strcmp(argv[1], COMPLETION_REQUEST) != 0)
        return false;
    struct problems ignored = {0};
    load_queries(argc - 1, argv + 1, &ignored);
    problems_deinit(&ignored);
    completion_print(out, program_commands, argv + 2, (size_t)argc - 2);
    return true;
}

enum exit_code command_line_load(struct config *config, int argc, char **argv, FILE *errors) {
    struct problems problems = {0};
    load(config, argc, argv, &problems);
    problems_print(&problems, program_name(argc, argv), errors);
    if (argc == 1 && settings_value(config, "KAFKA_BOOTSTRAP_SERVERS")->text == NULL &&
        problems.count > 0)
        (void)fprintf(errors, "\n"
                              "To try it without a Kafka:  esports-stream --demo\n"
                              "Commands and options:       esports-stream --help\n");
    enum exit_code code = problems.count == 0 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    problems_deinit(&problems);
    return code;
}
