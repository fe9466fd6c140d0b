/* --help: commands, options, settings, exit codes, each from its table; the text of a row is
 * written so that it reads well here, in Markdown and in the man page (back quotes become quotes).
 */
#include "surfaces/docs/help.h"

#include <string.h>

#include "surfaces/settings/command.h"
#include "surfaces/settings/options.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/exit_code.h"
#include "surfaces/terminal/output.h"

static const char usage[] =
    "Usage: esports-stream [--job JOB] [OPTION]...    run the queries\n"
    "       esports-stream COMMAND [OPTION]...\n"
    "\n"
    "Turns Kafka topics of JSON events into Parquet tables, exactly once.\n";

static const char examples[] =
    "\nExamples\n"
    "  esports-stream --demo\n"
    "  KAFKA_BOOTSTRAP_SERVERS=kafka:9092 esports-stream --job all\n"
    "  esports-stream rejects ls --since 1h\n"
    "\n"
    "More: help COMMAND (or COMMAND --help), help settings, help exit-codes, and the\n"
    "manual: man esports-stream, if it is installed, or man docs/esports-stream.1\n";

static const char settings_intro[] =
    "Each setting is a variable and, except for secrets, an option. An option overrides the "
    "environment, the environment overrides --env-file, and --env-file overrides the default. An "
    "empty variable counts as not set.";

static const char properties[] =
    "`KAFKA_CONF_<NAME>` sets any property of librdkafka, with underscores for dots "
    "(`KAFKA_CONF_CLIENT_ID` is client.id); `KAFKA_SECURITY_PROTOCOL`, `KAFKA_SASL_*` and "
    "`KAFKA_SSL_*` set security.protocol, sasl.* and ssl.*. Other `KAFKA_*` variables are ignored. "
    "On a cluster `SPARK_CONF_spark_<name>` sets any property of Spark, in the same case "
    "(`SPARK_CONF_spark_jars_packages` is spark.jars.packages).";

static void print_option(FILE *out, int indent, const struct option_entry *entry) {
    char placeholder[OPTION_TEXT_MAX];
    option_placeholder(entry, placeholder);
    (void)fprintf(out, "%*s%s", indent, "", entry->name);
    if (entry->letter != 0)
        (void)fprintf(out, ", -%c", entry->letter);
    (void)fprintf(out, "%s%s\n", *placeholder != '\0' ? " " : "", placeholder);
    paragraph_print(out, indent + 4, entry->doc);
}

/* The first line says how the command is called; `before` is "Usage:" or blanks as wide. */
static void print_synopsis(FILE *out, const char *before, const struct command *entry) {
    char synopsis[COMMAND_SYNOPSIS_MAX], line[COMMAND_SYNOPSIS_MAX + 32];
    command_synopsis(entry, synopsis);
    (void)snprintf(line, sizeof line, "esports-stream %s", synopsis);
    int width = fprintf(out, "%s ", before);
    wrapped_print(out, width, PARAGRAPH_WIDTH, line);
}

static void print_command(FILE *out, const struct command *entry) {
    paragraph_print(out, 2, entry->doc);
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if ((entry->options & OPTION_BIT(id)) != 0)
            print_option(out, 2, &option_entries[id]);
}

enum { BRIEF_INDENT = 24 }; // where the lines of the screen say what something does

static void print_brief(FILE *out, const char *name, const char *brief) {
    (void)fprintf(out, "  %-*s  %s\n", BRIEF_INDENT - 4, name, brief);
}

static void print_screen(FILE *out, const struct command *commands) {
    const char *group = "";
    (void)fputs(usage, out);
    for (const struct command *entry = commands; entry->name != NULL; entry++) {
        if (strcmp(entry->group, group) != 0)
            (void)fprintf(out, "\n%s\n", entry->group);
        group = entry->group;
        print_brief(out, entry->name, entry->brief);
    }
    (void)fprintf(out, "\nRun\n");
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        char name[2 * OPTION_TEXT_MAX], placeholder[OPTION_TEXT_MAX];
        option_placeholder(&option_entries[id], placeholder);
        const char *value = id == OPTION_JOB ? "JOB" : placeholder; // its values are in the brief
        (void)snprintf(name, sizeof name, "%s%s%s", option_entries[id].name,
                       *value != '\0' ? " " : "", value);
        if (option_entries[id].brief != NULL)
            print_brief(out, name, option_entries[id].brief);
    }
    (void)fputs(examples, out);
}

static void print_options(FILE *out) {
    (void)fprintf(out, "Options of a run\n");
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (option_entries[id].use != OPTION_WITH_COMMANDS)
            print_option(out, 2, &option_entries[id]);
}

static void print_setting(FILE *out, const struct setting *setting) {
    if (setting->secret)
        (void)fprintf(out, "  %s %s\n", setting->name, setting->values);
    else
        (void)fprintf(out, "  %s, %s %s\n", setting->name, setting->option, setting->values);
    paragraph_print(out, 6, setting->doc);
    if (setting->fallback != NULL)
        (void)fprintf(out, "      Default: %s\n",
                      *setting->fallback != '\0' ? setting->fallback : "none");
    else
        (void)fprintf(out, "      Required.\n");
}

static void print_settings(FILE *out) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    (void)fprintf(out, "\n");
    paragraph_print(out, 0, settings_intro);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(settings[i].group, settings[i - 1].group) != 0)
            (void)fprintf(out, "\n%s\n", settings[i].group);
        print_setting(out, &settings[i]);
    }
    (void)fprintf(out, "\nProperties for librdkafka\n");
    paragraph_print(out, 2, properties);
}

static void print_exit_codes(FILE *out) {
    (void)fprintf(out, "Exit codes\n");
    for (size_t i = 0; i < exit_code_count; i++) {
        const struct exit_code_entry *entry = &exit_codes[i];
        (void)fprintf(out, "  %3d%s  %s\n", (int)entry->code,
                      entry->code == EXIT_CODE_SIGNAL ? " + n" : "", entry->name);
        paragraph_print(out, 7, entry->meaning);
        paragraph_print(out, 7, entry->cure);
    }
}

static void print_common(FILE *out, bool settings) {
    (void)fprintf(out, "\nWith every command\n");
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (option_entries[id].use == OPTION_WITH_ALL)
            print_option(out, 2, &option_entries[id]);
    if (settings)
        paragraph_print(out, 2, "Settings are accepted, too: see `esports-stream help settings`.");
}

static void print_help_of(FILE *out, const struct command *command) {
    print_synopsis(out, "Usage:", command);
    (void)fputc('\n', out);
    print_command(out, command);
    print_common(out, !command->needs_nothing);
}

/* All commands whose name has the same first word: how each is called, then the text of each. */
static void print_help_of_family(FILE *out, const struct command *commands,
                                 const struct command *member) {
    size_t size = strcspn(member->name, " ") + 1;
    const char *before = "Usage:";
    for (const struct command *entry = commands; entry->name != NULL; entry++)
        if (strncmp(entry->name, member->name, size) == 0) {
            print_synopsis(out, before, entry);
            before = "      ";
        }
    for (const struct command *entry = commands; entry->name != NULL; entry++)
        if (strncmp(entry->name, member->name, size) == 0) {
            (void)fprintf(out, "\n%s\n", entry->name);
            print_command(out, entry);
        }
    print_common(out, !member->needs_nothing);
}

void help_print(FILE *out, const struct command *commands, enum help help,
                const struct command *command) {
    switch (help) {
    case HELP_SCREEN:
        print_screen(out, commands);
        break;
    case HELP_COMMAND:
        print_help_of(out, command);
        break;
    case HELP_FAMILY:
        print_help_of_family(out, commands, command);
        break;
    case HELP_SETTINGS:
        print_options(out);
        print_settings(out);
        break;
    case HELP_EXIT_CODES:
        print_exit_codes(out);
        break;
    }
}

void version_print(FILE *out) {
    (void)fprintf(out, "esports-stream %s\n", PROGRAM_VERSION);
}
