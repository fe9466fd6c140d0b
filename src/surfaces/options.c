#include "surfaces/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "surfaces/commands.h"
#include "surfaces/settings.h"

enum { JOB, AWAIT, DEMO, ENV_FILE, TO_BATCH, EXPLAIN, VERSION, HELP };

/* clang-format off: one option per paragraph reads better than what the formatter makes of it */
const struct option_entry option_entries[] = {
    [JOB] = {"--job", 0, "all", "Which queries to run (default: all)."},
    [AWAIT] =
        {"--await-termination", 0, NULL,
         "Only wait for the queries to end; without it, a status line per query is logged every "
         "STATUS_INTERVAL and on every change."},
    [DEMO] = {"--demo", 0, NULL,
              "Run everything once with a Kafka and sample events of its own, and show the "
              "results. Settings "
              "that say where data is are then taken from options only, so that the demo touches "
              "nothing "
              "else."},
    [ENV_FILE] = {"--env-file", 0, "FILE",
                  "Read variables that the environment does not have from NAME=value lines; may be "
                  "repeated, the "
                  "last file counts."},
    [TO_BATCH] = {"--to-batch", 0, "N", "With rewind: the newest batch that stays."},
    [EXPLAIN] = {"--explain", 0, NULL,
                 "Print the effective settings and where each comes from, the engine, and each "
                 "query's topic, "
                 "table, schema and paths; start nothing."},
    [VERSION] = {"--version", 'V', NULL, "Print the version."},
    [HELP] = {"--help", 'h', NULL, "Print this."},
};
/* clang-format on */

const size_t option_entry_count = sizeof option_entries / sizeof option_entries[0];

const char *program_name(const char *argv_0) {
    const char *slash = argv_0 != NULL ? strrchr(argv_0, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : argv_0;
    return name != NULL && *name != '\0' ? name : "esports-stream";
}

void option_placeholder(const struct option_entry *entry, char text[static OPTION_TEXT_MAX]) {
    size_t used = 0;
    text[0] = '\0';
    if (entry->placeholder != NULL)
        used = (size_t)snprintf(text, OPTION_TEXT_MAX, "%s", entry->placeholder);
    for (size_t i = 0; entry == &option_entries[JOB] && streams[i] != NULL; i++)
        used += (size_t)snprintf(text + used, OPTION_TEXT_MAX - used, "|%s", streams[i]->job);
}

/* One option of the command line, taken apart. */
struct given {
    const char *text; // as it stands there
    char name[OPTION_NAME_MAX];
    const char *value; // behind '=', or the next word; NULL: there is none
    bool joined;       // behind '='
};

static int find_entry(const struct given *given) {
    for (size_t i = 0; i < option_entry_count; i++) {
        bool letter = option_entries[i].letter != 0 && given->name[0] == '-' &&
                      given->name[1] == option_entries[i].letter && given->name[2] == '\0';
        if (letter || strcmp(option_entries[i].name, given->name) == 0)
            return (int)i;
    }
    return -1;
}

static int find_setting(const struct given *given) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        char option[OPTION_NAME_MAX];
        setting_option(&settings[i], option);
        if (strcmp(option, given->name) == 0)
            return (int)i;
    }
    return -1;
}

static void unknown_option(const struct given *given, struct faults *faults) {
    char nearest[OPTION_NAME_MAX] = "", option[OPTION_NAME_MAX];
    size_t count, least = OPTION_NAME_MAX;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count + option_entry_count; i++) {
        if (i < count)
            setting_option(&settings[i], option);
        else
            snprintf(option, sizeof option, "%s", option_entries[i - count].name);
        size_t distance = edit_distance(given->name, option);
        if (distance < least && is_near_miss(given->name, option)) {
            least = distance;
            snprintf(nearest, sizeof nearest, "%s", option);
        }
    }
    if (*nearest != '\0')
        faults_add(faults, "%s: unknown option; did you mean %s?", given->name, nearest);
    else
        faults_add(faults, "%s: unknown option; --help lists all", given->name);
}

static void take_to_batch(struct options *options, const char *value, struct faults *faults) {
    char *end;
    errno = 0;
    long long batch = strtoll(value, &end, 10);
    if (errno != 0 || *value < '0' || *value > '9' || *end != '\0')
        faults_add(faults, "--to-batch: '%s': want the number of a batch", value);
    else
        options->to_batch = batch;
}

static void apply_entry(struct options *options, int entry, const char *value,
                        struct faults *faults) {
    switch (entry) {
    case JOB:
        options->job = value;
        break;
    case AWAIT:
        options->await_termination = true;
        break;
    case DEMO:
        options->demo = true;
        break;
    case ENV_FILE:
        if (options->env_file_count == ENV_FILES_MAX)
            faults_add(faults, "--env-file: want at most %d files", ENV_FILES_MAX);
        else
            options->env_files[options->env_file_count++] = value;
        break;
    case TO_BATCH:
        take_to_batch(options, value, faults);
        break;
    case EXPLAIN:
        options->command = COMMAND_EXPLAIN;
        break;
    case VERSION:
        options->command = COMMAND_VERSION;
        break;
    default:
        options->command = COMMAND_HELP;
        break;
    }
}

static void take_setting(struct options *options, int index, const struct given *given,
                         struct faults *faults) {
    size_t count;
    const struct setting *setting = &settings_table(&count)[index];
    if (setting->secret)
        faults_add(faults,
                   "%s: a command line can be read by everybody on this machine; set %s in the "
                   "environment or in a file for --env-file",
                   given->name, setting->name);
    else
        options->settings[index] = given->value;
}

/* Takes one option; returns how many further words of the command line belong to it. */
static int take_option(struct options *options, const struct given *given, struct faults *faults) {
    int entry = find_entry(given);
    int setting = entry < 0 ? find_setting(given) : -1;
    if (entry < 0 && setting < 0) {
        unknown_option(given, faults);
        return given->value != NULL && !given->joined && given->value[0] != '-' ? 1 : 0;
    }
    bool wants_value = setting >= 0 || option_entries[entry].placeholder != NULL;
    if (!wants_value && given->joined) {
        faults_add(faults, "%s: takes no value", given->name);
        return 0;
    }
    if (wants_value && given->value == NULL) {
        faults_add(faults, "%s: want a value behind it", given->name);
        return 0;
    }
    if (setting >= 0)
        take_setting(options, setting, given, faults);
    else
        apply_entry(options, entry, given->value, faults);
    return wants_value && !given->joined ? 1 : 0;
}

static struct given take_apart(char **words, int left) {
    struct given given = {.text = words[0]};
    const char *equals = strchr(words[0], '=');
    size_t size = equals != NULL ? (size_t)(equals - words[0]) : strlen(words[0]);
    if (size >= sizeof given.name)
        size = sizeof given.name - 1;
    memcpy(given.name, words[0], size);
    given.joined = equals != NULL;
    if (given.joined)
        given.value = equals + 1;
    else if (left > 1 && strncmp(words[1], "--", 2) != 0)
        given.value = words[1];
    return given;
}

/* esports-stream docs configuration|schema */
static void take_docs(struct options *options, const char *topic, struct faults *faults) {
    if (topic != NULL && strcmp(topic, "configuration") == 0)
        options->command = COMMAND_DOCS_CONFIGURATION;
    else if (topic != NULL && strcmp(topic, "schema") == 0)
        options->command = COMMAND_DOCS_SCHEMA;
    else
        faults_add(faults, "docs: want 'docs configuration' or 'docs schema'");
}

/* Batches are numbered by each query for itself, so that a number without its query is a slip. */
static void check_rewind(const struct options *options, struct faults *faults) {
    bool rewind = options->entry != NULL && strcmp(options->entry->name, "rewind") == 0;
    if (!rewind && options->to_batch >= 0)
        faults_add(faults, "--to-batch: only with the command rewind");
    if (rewind && options->to_batch < 0)
        faults_add(faults, "rewind: want --to-batch N, the newest batch that stays");
    bool one = options->fixed_job != NULL ||
               (options->job != NULL && strcmp(options->job, option_entries[JOB].placeholder) != 0);
    if (rewind && !one)
        faults_add(faults, "rewind: want --job: each query numbers its own batches");
}

void options_parse(struct options *options, int argc, char **argv, struct faults *faults) {
    *options = (struct options){.command = COMMAND_RUN, .to_batch = -1};
    const char *program = program_name(argc > 0 ? argv[0] : NULL);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (strcmp(streams[i]->name, program) == 0)
            options->fixed_job = streams[i];
    options->await_termination = options->fixed_job != NULL;

    if (argc > 1 && strcmp(argv[1], "docs") == 0) {
        take_docs(options, argc == 3 ? argv[2] : NULL, faults);
        return;
    }
    options->entry = argc > 1 ? command_find(argv[1]) : NULL;
    if (options->entry != NULL)
        options->command = COMMAND_ENTRY;
    for (int i = options->entry != NULL ? 2 : 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            faults_add(faults, "'%s': unexpected argument; --help lists commands and options",
                       argv[i]);
            continue;
        }
        struct given given = take_apart(argv + i, argc - i);
        i += take_option(options, &given, faults);
        if (options->command >= COMMAND_HELP) {
            faults_deinit(faults);
            return;
        }
    }
    check_rewind(options, faults);
}
