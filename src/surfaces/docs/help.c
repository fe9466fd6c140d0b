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
    "Usage: esports-stream [--job JOB] [--await-termination] [OPTION]...\n"
    "       match_stream [OPTION]...     the matches alone, awaited\n"
    "       player_stream [OPTION]...    the players alone, awaited\n"
    "       esports-stream COMMAND [OPTION]...\n"
    "\n"
    "Reads Kafka topics of JSON records and appends them, typed and enriched, to partitioned\n"
    "Parquet tables, exactly once, compatible with Spark Structured Streaming.\n";

static const char settings_intro[] =
    "Settings: each is a variable and an option. An option wins over the environment, the "
    "environment over --env-file, that over the default. An empty variable counts as not set.";

static const char properties[] =
    "`KAFKA_CONF_<NAME>` sets any property of librdkafka, dots as underscores "
    "(`KAFKA_CONF_CLIENT_ID`); `KAFKA_SECURITY_PROTOCOL`, `KAFKA_SASL_*` and `KAFKA_SSL_*` set "
    "security.protocol, sasl.* and ssl.*. Other `KAFKA_*` variables are ignored. On a cluster "
    "`SPARK_CONF_spark_<name>` sets any property of Spark, case kept "
    "(`SPARK_CONF_spark_jars_packages`).";

static void print_option(FILE *out, int indent, const struct option_entry *entry) {
    char placeholder[OPTION_TEXT_MAX];
    option_placeholder(entry, placeholder);
    (void)fprintf(out, "%*s%s", indent, "", entry->name);
    if (entry->letter != 0)
        (void)fprintf(out, ", -%c", entry->letter);
    (void)fprintf(out, "%s%s\n", *placeholder != '\0' ? " " : "", placeholder);
    paragraph_print(out, indent + 4, entry->doc);
}

static void print_command(FILE *out, const struct command *entry) {
    char synopsis[COMMAND_SYNOPSIS_MAX];
    command_synopsis(entry, synopsis);
    paragraph_print(out, 2, synopsis);
    paragraph_print(out, 6, entry->doc);
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if ((entry->options & OPTION_BIT(id)) != 0)
            print_option(out, 6, &option_entries[id]);
}

static void print_commands(FILE *out, const struct command *commands) {
    (void)fprintf(out, "\nCommands\n");
    for (const struct command *entry = commands; entry->name != NULL; entry++)
        print_command(out, entry);
}

static void print_options(FILE *out) {
    (void)fprintf(out, "\nOptions\n");
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
    (void)fprintf(out, "\nExit codes\n");
    for (size_t i = 0; i < exit_code_count; i++) {
        const struct exit_code_entry *entry = &exit_codes[i];
        (void)fprintf(out, "  %3d  %s\n", (int)entry->code, entry->name);
        paragraph_print(out, 7, entry->meaning);
        paragraph_print(out, 7, entry->cure);
    }
}

static void print_help_of(FILE *out, const struct command *command) {
    (void)fprintf(out, "Usage: esports-stream COMMAND [OPTION]...\n\n");
    print_command(out, command);
    (void)fprintf(out, "\nWith every command\n");
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (option_entries[id].use == OPTION_WITH_ALL)
            print_option(out, 2, &option_entries[id]);
    if (!command->needs_nothing)
        paragraph_print(out, 2, "Each setting: esports-stream --help lists them.");
}

void help_print(FILE *out, const struct command *commands, const struct command *command) {
    if (command != NULL) {
        print_help_of(out, command);
        return;
    }
    (void)fputs(usage, out);
    print_commands(out, commands);
    print_options(out);
    print_settings(out);
    print_exit_codes(out);
}

void version_print(FILE *out) {
    (void)fprintf(out, "esports-stream %s\n", PROGRAM_VERSION);
}
