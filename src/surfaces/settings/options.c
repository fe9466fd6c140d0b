#include "surfaces/settings/options.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "core/reject.h"
#include "surfaces/commands/commands.h"
#include "surfaces/settings/setting_types.h"

#define ARGUMENT(field) offsetof(struct command_arguments, field)

/* In the words of the rejects table (core/reject.h). */
static const struct choice reasons[] = {{"null_value", REJECT_NULL_VALUE},
                                        {"blank_value", REJECT_BLANK_VALUE},
                                        {"malformed_json", REJECT_MALFORMED},
                                        {"not_an_object", REJECT_NOT_AN_OBJECT},
                                        {"missing_identifier", REJECT_MISSING_IDENTIFIER},
                                        {"null_identifier", REJECT_NULL_IDENTIFIER},
                                        {"partition_value", REJECT_PARTITION_VALUE},
                                        {"kafka_timestamp", REJECT_KAFKA_TIME},
                                        {NULL}};
static const struct choice formats[] = {
    {"ddl", FORMAT_DDL}, {"json", FORMAT_JSON}, {"markdown", FORMAT_MARKDOWN}, {NULL}};

/* clang-format off: one option per paragraph reads better than what the formatter makes of it */
const struct option_entry option_entries[OPTION_COUNT] = {
    [OPTION_JOB] = {"--job", .placeholder = "all", .doc = "Which queries to run (default: all)."},
    [OPTION_AWAIT] = {"--await-termination", .use = OPTION_WITH_RUN,
                      .doc = "Only wait for the queries to end; without it, a status line per "
                             "query is logged every "
                             "STATUS_INTERVAL and on every change."},
    [OPTION_DEMO] =
        {"--demo", .use = OPTION_WITH_RUN,
         .doc =
             "Run everything once with a Kafka and sample events of its own, and show the "
             "results. Settings that say where data is are then taken from options only, so that "
             "the demo touches nothing else."},
    [OPTION_EXPLAIN] =
        {"--explain", .use = OPTION_WITH_RUN,
         .doc =
             "Print the effective settings and where each comes from, the engine, and each query's "
             "topic, table, schema and paths; start nothing."},
    [OPTION_ENV_FILE] =
        {"--env-file", .placeholder = "FILE",
         .doc = "Read variables that the environment does not have from NAME=value lines; may be "
                "repeated, the last file counts."},
    [OPTION_TO_BATCH] = {"--to-batch", .use = OPTION_WITH_COMMANDS, .placeholder = "N",
                         .value = {.type = &type_int64,
                                   .offset = ARGUMENT(to_batch),
                                   .most = INT64_MAX},
                         .doc = "The newest batch that stays."},
    [OPTION_ROWS] = {"--rows", .use = OPTION_WITH_COMMANDS, .placeholder = "N",
                     .value = {.type = &type_int64,
                               .offset = ARGUMENT(rows),
                               .fallback = "10",
                               .most = 1000000000000},
                     .doc = "How many (default: 10)."},
    [OPTION_FOLLOW] = {"--follow", 'f', OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(follow)},
                       .doc =
                           "Go on with the rows of each batch as it is committed, until Ctrl-C."},
    [OPTION_REASON] =
        {"--reason", .use = OPTION_WITH_COMMANDS, .placeholder = "REASON",
         .value = {.type = &type_choice, .offset = ARGUMENT(reason), .choices = reasons},
         .doc = "Only those rejected for this reason: null_value, blank_value, malformed_json, "
                "not_an_object, missing_identifier, null_identifier, partition_value or "
                "kafka_timestamp."},
    [OPTION_PARTITION] = {"--partition", .use = OPTION_WITH_COMMANDS, .placeholder = "N",
                          .value = {.type = &type_int64,
                                    .offset = ARGUMENT(partition),
                                    .most = INT32_MAX},
                          .doc = "Only those of this partition of the topic."},
    [OPTION_OFFSETS] =
        {"--offsets", .use = OPTION_WITH_COMMANDS, .placeholder = "FROM..TO",
         .value = {.type = &type_range,
                   .offset = ARGUMENT(offsets),
                   .fallback = "..",
                   .most = INT64_MAX},
         .doc = "Only those at offsets from FROM to TO, both included; either may be left out, and "
                "one number is one offset."},
    [OPTION_SINCE] =
        {"--since", .use = OPTION_WITH_COMMANDS, .placeholder = "TIME",
         .value = {.type = &type_borrowed, .offset = ARGUMENT(since)},
         .doc =
             "Only those of batches from this time on: a timestamp (2025-12-31T10:30:00Z; without "
             "a zone that of SPARK_SQL_SESSION_TIMEZONE) or how long ago (2h, 30 minutes)."},
    [OPTION_UNTIL] = {"--until", .use = OPTION_WITH_COMMANDS, .placeholder = "TIME",
                      .value = {.type = &type_borrowed, .offset = ARGUMENT(until)},
                      .doc = "Only those of batches before this time; written like --since."},
    [OPTION_RAW] = {"--raw", .use = OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(raw)},
                    .doc = "Write the bytes of the value as they are, and nothing else."},
    [OPTION_CLUSTER] = {"--cluster", .use = OPTION_WITH_COMMANDS, .placeholder = "ID",
                        .value = {.type = &type_borrowed, .offset = ARGUMENT(cluster)},
                        .doc = "Not the sink log: note that the checkpoint's offsets are of the "
                               "Kafka cluster with this id from now on."},
    [OPTION_DRY_RUN] = {"--dry-run", .use = OPTION_WITH_COMMANDS,
                        .value = {.offset = ARGUMENT(dry_run)},
                        .doc = "Only say what would be done; takes no lock, so the query may run "
                               "meanwhile. adopt takes it only with --cluster."},
    [OPTION_FORMAT] =
        {"--format", .use = OPTION_WITH_COMMANDS,
         .value = {.type = &type_choice,
                   .offset = ARGUMENT(format),
                   .choices = formats,
                   .fallback = "ddl"},
         .doc =
             "Columns for Spark's `schema()` (ddl, the default), Spark's StructType (json, a line "
             "per query), or docs/schema.md (markdown)."},
    [OPTION_SEED] = {"--seed", .use = OPTION_WITH_COMMANDS, .placeholder = "N",
                     .value = {.type = &type_int64, .offset = ARGUMENT(seed), .most = INT64_MAX},
                     .doc = "Another seed, other values; the same one, the same (default: 0)."},
    [OPTION_JSON] = {"--json", .use = OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(json)},
                     .doc = "For programs: one JSON object a line."},
    [OPTION_VERSION] = {"--version", 'V', .doc = "Print the version."},
    [OPTION_HELP] = {"--help", 'h', .doc = "Print this, or with a command what that one takes."},
};
/* clang-format on */

const char *program_name(const char *argv_0) {
    const char *slash = argv_0 != NULL ? strrchr(argv_0, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : argv_0;
    return name != NULL && *name != '\0' ? name : "esports-stream";
}

bool option_takes_value(const struct option_entry *entry) {
    return entry->placeholder != NULL || entry->value.type != NULL;
}

void option_placeholder(const struct option_entry *entry, char text[static OPTION_TEXT_MAX]) {
    size_t used = 0;
    text[0] = '\0';
    if (entry->placeholder != NULL) {
        used = text_append(text, OPTION_TEXT_MAX, used, "%s", entry->placeholder);
    } else if (entry->value.type != NULL) {
        char values[SETTING_TEXT_MAX];
        setting_values(&entry->value, values);
        used = text_append(text, OPTION_TEXT_MAX, used, "%s", values);
    }
    for (size_t i = 0; entry == &option_entries[OPTION_JOB] && streams[i] != NULL; i++)
        used = text_append(text, OPTION_TEXT_MAX, used, "|%s", streams[i]->job);
}

bool option_goes_with(enum option_id id, const struct command_entry *command) {
    switch (option_entries[id].use) {
    case OPTION_WITH_RUN:
        return command == NULL;
    case OPTION_WITH_COMMANDS:
        return command != NULL && (command->options & OPTION_BIT(id)) != 0;
    default:
        return true;
    }
}

/* One option of the command line, taken apart. */
struct given {
    const char *text; // as it stands there
    char name[OPTION_NAME_MAX];
    const char *value; // behind '=', or the next word; NULL: there is none
    bool joined;       // behind '='
};

static int find_entry(const struct given *given) {
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        bool letter = option_entries[id].letter != 0 && given->name[0] == '-' &&
                      given->name[1] == option_entries[id].letter && given->name[2] == '\0';
        if (letter || strcmp(option_entries[id].name, given->name) == 0)
            return (int)id;
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

/* ---- what is not known ---- */

/* The nearest of the words offered so far to what was given. */
struct nearest {
    const char *given;
    char word[OPTION_NAME_MAX]; // "": none is near
    size_t distance;
};

static void offer(struct nearest *nearest, const char *word) {
    size_t distance = edit_distance(nearest->given, word);
    bool nearer = nearest->word[0] == '\0' || distance < nearest->distance;
    if (!nearer || !is_near_miss(nearest->given, word))
        return;
    nearest->distance = distance;
    snprintf(nearest->word, sizeof nearest->word, "%s", word);
}

static void unknown_option(const struct options *options, const struct given *given,
                           struct faults *faults) {
    struct nearest nearest = {.given = given->name};
    size_t count;
    const struct setting *settings = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        char option[OPTION_NAME_MAX];
        setting_option(&settings[i], option);
        offer(&nearest, option);
    }
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (option_goes_with(id, options->entry))
            offer(&nearest, option_entries[id].name);
    if (nearest.word[0] != '\0')
        faults_add(faults, "%s: unknown option; did you mean %s?", given->name, nearest.word);
    else
        faults_add(faults, "%s: unknown option; --help lists all", given->name);
}

/* "rejects" alone, or with a word behind it that is none of its commands. */
static void unknown_member(const char *family, const char *word, struct faults *faults) {
    char list[512] = "";
    size_t used = 0;
    struct nearest nearest = {.given = word != NULL ? word : ""};
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        if (!command_is_named(entry, family))
            continue;
        const char *member = entry->name + strlen(family) + 1;
        used = text_append(list, sizeof list, used, "%s%s", used > 0 ? ", " : "", member);
        offer(&nearest, member);
    }
    if (nearest.word[0] != '\0')
        faults_add(faults, "%s %s: unknown command; did you mean %s %s?", family, word, family,
                   nearest.word);
    else
        faults_add(faults, "%s: want one of these behind it: %s", family, list);
}

static void unknown_word(struct options *options, const char *word, struct faults *faults) {
    struct nearest nearest = {.given = word};
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        char name[OPTION_NAME_MAX];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(entry->name, " "), entry->name);
        offer(&nearest, name);
    }
    if (nearest.word[0] == '\0')
        faults_add(faults, "'%s': unexpected argument; --help lists commands and options", word);
    options->meant_command = nearest.word[0] != '\0';
    if (options->meant_command && strcmp(nearest.word, word) == 0)
        faults_add(faults, "'%s': a command comes first: esports-stream %s [OPTION]...", word,
                   word);
    else if (options->meant_command)
        faults_add(faults, "'%s': unknown command; did you mean %s?", word, nearest.word);
}

/* An option of commands, but not of this one. */
static void misplaced_option(const struct options *options, enum option_id id,
                             struct faults *faults) {
    char list[512] = "";
    size_t used = 0;
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++)
        if ((entry->options & OPTION_BIT(id)) != 0)
            used = text_append(list, sizeof list, used, "%s%s", used > 0 ? ", " : "", entry->name);
    if (option_entries[id].use == OPTION_WITH_RUN)
        faults_add(faults, "%s: not with the command %s", option_entries[id].name,
                   options->entry->name);
    else
        faults_add(faults, "%s: only with the command%s %s", option_entries[id].name,
                   strchr(list, ',') != NULL ? "s" : "", list);
}

/* ---- what is known ---- */

static void take_argument(struct options *options, enum option_id id, const char *text,
                          struct faults *faults) {
    const struct option_entry *entry = &option_entries[id];
    void *field = (char *)&options->arguments + entry->value.offset;
    struct error err = {0};
    options->arguments.given |= OPTION_BIT(id);
    if (entry->value.type == NULL)
        *(bool *)field = true;
    else if (!entry->value.type->parse(&entry->value, text, field, &err))
        faults_add(faults, "%s: '%s': %s", entry->name, text, err.message);
}

static void apply_entry(struct options *options, enum option_id id, const char *value,
                        struct faults *faults) {
    switch (id) {
    case OPTION_JOB:
        options->job = value;
        break;
    case OPTION_AWAIT:
        options->await_termination = true;
        break;
    case OPTION_DEMO:
        options->demo = true;
        break;
    case OPTION_ENV_FILE:
        if (options->env_file_count == ENV_FILES_MAX)
            faults_add(faults, "--env-file: want at most %d files", ENV_FILES_MAX);
        else
            options->env_files[options->env_file_count++] = value;
        break;
    case OPTION_EXPLAIN:
        options->command = COMMAND_EXPLAIN;
        break;
    case OPTION_VERSION:
        options->command = COMMAND_VERSION;
        break;
    case OPTION_HELP:
        options->command = COMMAND_HELP;
        break;
    default:
        take_argument(options, id, value, faults);
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
        unknown_option(options, given, faults);
        return given->value != NULL && !given->joined && given->value[0] != '-' ? 1 : 0;
    }
    bool wants_value = setting >= 0 || option_takes_value(&option_entries[entry]);
    int words = wants_value && given->value != NULL && !given->joined ? 1 : 0;
    if (!wants_value && given->joined)
        faults_add(faults, "%s: takes no value", given->name);
    else if (wants_value && given->value == NULL)
        faults_add(faults, "%s: want a value behind it", given->name);
    else if (setting >= 0)
        take_setting(options, setting, given, faults);
    else if (option_goes_with((enum option_id)entry, options->entry))
        apply_entry(options, (enum option_id)entry, given->value, faults);
    else
        misplaced_option(options, (enum option_id)entry, faults);
    return words;
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

/* A word that is no option. */
static void take_word(struct options *options, const char *word, struct faults *faults) {
    const struct command_entry *entry = options->entry;
    if (entry == NULL)
        unknown_word(options, word, faults);
    else if (entry->operand == NULL || options->arguments.operand != NULL)
        faults_add(faults, "'%s': unexpected argument; %s takes %s%s", word, entry->name,
                   entry->operand == NULL ? "none" : "one, ",
                   entry->operand == NULL ? "" : entry->operand);
    else
        options->arguments.operand = word;
}

/* How many words the command's name takes. */
static size_t take_command(struct options *options, char **words, size_t count,
                           struct faults *faults) {
    size_t used = 0;
    options->entry = count > 0 ? command_find(words, count, &used) : NULL;
    if (options->entry != NULL) {
        options->command = COMMAND_ENTRY;
        return used;
    }
    for (const struct command_entry *entry = command_entries; count > 0 && entry->name != NULL;
         entry++) {
        if (!command_is_named(entry, words[0]))
            continue;
        bool member = count > 1 && words[1][0] != '-';
        bool help = count > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
        options->meant_command = true;
        if (!help)
            unknown_member(words[0], member ? words[1] : NULL, faults);
        return member ? 2 : 1;
    }
    return 0;
}

bool operand_choice(const char *operand, size_t index, char word[static OPTION_NAME_MAX]) {
    if (operand == NULL || strchr(operand, '|') == NULL)
        return false;
    for (; index > 0; index--) {
        operand = strchr(operand, '|');
        if (operand == NULL)
            return false;
        operand++;
    }
    snprintf(word, OPTION_NAME_MAX, "%.*s", (int)strcspn(operand, "|"), operand);
    return true;
}

static void check_operand(const struct options *options, struct faults *faults) {
    const struct command_entry *entry = options->entry;
    const char *given = options->arguments.operand;
    if (entry->operand == NULL)
        return;
    if (given == NULL) {
        faults_add(faults, "%s: want %s behind it", entry->name, entry->operand);
        return;
    }
    struct nearest nearest = {.given = given};
    char word[OPTION_NAME_MAX];
    bool choices = false;
    for (size_t i = 0; operand_choice(entry->operand, i, word); i++) {
        choices = true;
        if (strcmp(word, given) == 0)
            return;
        offer(&nearest, word);
    }
    if (choices && nearest.word[0] != '\0')
        faults_add(faults, "%s: '%s': did you mean %s?", entry->name, given, nearest.word);
    else if (choices)
        faults_add(faults, "%s: '%s': want %s", entry->name, given, entry->operand);
}

static void check_command(const struct options *options, struct faults *faults) {
    const struct command_entry *entry = options->entry;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        char value[OPTION_TEXT_MAX];
        option_placeholder(&option_entries[id], value);
        if ((entry->required & ~options->arguments.given & OPTION_BIT(id)) != 0)
            faults_add(faults, "%s: want %s %s: %s", entry->name, option_entries[id].name, value,
                       option_entries[id].doc);
    }
    check_operand(options, faults);
    bool one =
        options->fixed_job != NULL ||
        (options->job != NULL && strcmp(options->job, option_entries[OPTION_JOB].placeholder) != 0);
    if (entry->one_query != NULL && !one)
        faults_add(faults, "%s: want --job: %s", entry->name, entry->one_query);
}

static void set_fallbacks(struct command_arguments *arguments) {
    struct error err;
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        const struct setting *value = &option_entries[id].value;
        if (value->fallback != NULL)
            check(value->type->parse(value, value->fallback, (char *)arguments + value->offset,
                                     &err));
    }
}

void options_parse(struct options *options, int argc, char **argv, struct faults *faults) {
    *options = (struct options){.command = COMMAND_RUN};
    set_fallbacks(&options->arguments);
    const char *program = program_name(argc > 0 ? argv[0] : NULL);
    for (size_t i = 0; streams[i] != NULL; i++)
        if (strcmp(streams[i]->name, program) == 0)
            options->fixed_job = streams[i];
    options->await_termination = options->fixed_job != NULL;

    size_t named = argc > 1 ? take_command(options, argv + 1, (size_t)argc - 1, faults) : 0;
    for (int i = 1 + (int)named; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            take_word(options, argv[i], faults);
            continue;
        }
        struct given given = take_apart(argv + i, argc - i);
        i += take_option(options, &given, faults);
        if (options->command >= COMMAND_HELP) {
            faults_deinit(faults);
            return;
        }
    }
    if (options->entry != NULL)
        check_command(options, faults);
}
