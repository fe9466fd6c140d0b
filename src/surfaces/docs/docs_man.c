/* The man page as roff, from the tables. Texts of the tables pass through print_text(), which
 * escapes what roff would take for a request or set as another character (quotes, hyphens that are
 * to be copied); only the constants here are roff themselves. */
#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "surfaces/docs/docs.h"
#include "surfaces/settings/options.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/exit_code.h"

#define MANUAL_DATE "2026-11-30" // of the release, as in CHANGELOG.md

static const char head[] =
    ".\\\" Printed by `esports-stream docs man` from the program's own tables.\n"
    ".TH ESPORTS\\-STREAM 1 \"" MANUAL_DATE "\" \"esports\\-stream " PROGRAM_VERSION
    "\" \"User Commands\"\n"
    ".ad l\n"
    ".SH NAME\n"
    "esports\\-stream, match_stream, player_stream \\- Kafka topics of JSON to Parquet tables, "
    "exactly once\n"
    ".SH SYNOPSIS\n"
    ".B esports\\-stream\n"
    "[\\fB\\-\\-job\\fR \\fIJOB\\fR] [\\fB\\-\\-await\\-termination\\fR] [\\fIOPTION\\fR]...\n"
    ".br\n"
    ".B match_stream\n"
    "[\\fIOPTION\\fR]...\n"
    ".br\n"
    ".B player_stream\n"
    "[\\fIOPTION\\fR]...\n"
    ".br\n"
    ".B esports\\-stream\n"
    "\\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"
    ".SH DESCRIPTION\n"
    "Reads Kafka topics of JSON records and appends them, typed and enriched, to partitioned "
    "Parquet tables, exactly once, compatible with Spark Structured Streaming.\n"
    ".PP\n"
    "Without a command the queries run until they are stopped: SIGINT or SIGTERM lets the running "
    "batch finish, a second one ends the program at once; both are safe.\n";

static const char files[] =
    ".SH FILES\n"
    ".TP\n"
    "\\fIDATA_LAKE_PATH\\fR/processed/matches, players\n"
    "The tables.\n"
    ".TP\n"
    "\\fIDATA_LAKE_PATH\\fR/rejected/matches, players\n"
    "Records that could not become a row, with the reason and their bytes.\n"
    ".TP\n"
    "\\fIDATA_LAKE_PATH\\fR/checkpoints/match_stream, player_stream\n"
    "What was read and committed; Spark's own format.\n"
    ".SH EXAMPLES\n"
    ".EX\n"
    "esports\\-stream \\-\\-job all \\-\\-trigger availableNow\n"
    "esports\\-stream status\n"
    "esports\\-stream tail \\-\\-job matches \\-\\-follow\n"
    "esports\\-stream rejects ls \\-\\-since 1h\n"
    "source <(esports\\-stream completion bash)\n"
    ".EE\n";

/* roff sets some characters of ASCII as others, which a shell would not take when they are copied
 * from the page; each has a name that stands for itself. */
static void put_character(FILE *out, uint32_t character, bool *bold) {
    if (character == '`') {
        *bold = !*bold;
        (void)fputs(*bold ? "\\fB" : "\\fR", out);
    } else if (character == '\\') {
        (void)fputs("\\e", out);
    } else if (character == '-') {
        (void)fputs("\\-", out);
    } else if (character == '\'' || character == '^' || character == '~') {
        (void)fputs(character == '\'' ? "\\(aq" : character == '^' ? "\\(ha" : "\\(ti", out);
    } else if (character >= 0x80) {
        (void)fprintf(out, "\\[u%04" PRIX32 "]", character);
    } else {
        (void)fputc((int)character, out);
    }
}

/* Running text as roff: `code` is bold; nothing in it is taken for a request. */
static void print_text(FILE *out, const char *text) {
    const char *end = text + strlen(text);
    bool bold = false, valid;
    size_t size;
    if (*text == '.')
        (void)fputs("\\&", out);
    for (; text < end; text += size)
        put_character(out, utf8_decode(text, end, &size, &valid), &bold);
}

static void print_line(FILE *out, const char *before, const char *text, const char *behind) {
    (void)fputs(before, out);
    print_text(out, text);
    (void)fprintf(out, "%s\n", behind);
}

/* "\c" at the end of a line: the next line continues it, without a blank. */
static void print_option(FILE *out, const struct option_entry *entry) {
    char placeholder[OPTION_TEXT_MAX];
    option_placeholder(entry, placeholder);
    (void)fprintf(out, ".TP\n");
    print_line(out, "\\fB", entry->name, "\\fR\\c");
    if (entry->letter != 0)
        (void)fprintf(out, ", \\fB\\-%c\\fR\\c\n", entry->letter);
    print_line(out, *placeholder != '\0' ? "\\& \\fI" : "\\&\\fI", placeholder, "\\fR");
    print_line(out, "", entry->doc, "");
}

static void print_options(FILE *out) {
    (void)fprintf(out, ".SH OPTIONS\n");
    for (enum option_id id = 0; id < OPTION_COUNT; id++)
        if (option_entries[id].use != OPTION_WITH_COMMANDS)
            print_option(out, &option_entries[id]);
}

static void print_commands(FILE *out, const struct command *commands) {
    (void)fprintf(out, ".SH COMMANDS\nEach command accepts the options \\fB\\-\\-job\\fR and "
                       "\\fB\\-\\-env\\-file\\fR, and the settings.\n");
    for (const struct command *entry = commands; entry->name != NULL; entry++) {
        char synopsis[COMMAND_SYNOPSIS_MAX];
        command_synopsis(entry, synopsis);
        print_line(out, ".SS ", entry->name, "");
        print_line(out, ".B esports\\-stream ", synopsis, "");
        print_line(out, ".PP\n", entry->doc, "");
        for (enum option_id id = 0; id < OPTION_COUNT; id++)
            if ((entry->options & OPTION_BIT(id)) != 0)
                print_option(out, &option_entries[id]);
    }
}

static void print_settings(FILE *out) {
    size_t count;
    const struct setting *settings = settings_table(&count);
    (void)fprintf(out,
                  ".SH ENVIRONMENT\nEach setting is a variable and, except for secrets, an option: "
                  "\\fBTRIGGER\\fR is "
                  "\\fB\\-\\-trigger\\fR. An option overrides the environment, the environment "
                  "overrides \\fB\\-\\-env\\-file\\fR, and that overrides the default. An empty "
                  "variable counts as not set.\n");
    for (size_t i = 0; i < count; i++) {
        print_line(out, ".TP\n\\fB", settings[i].name, "\\fR\\c");
        print_line(out, "\\& \\fI", settings[i].values, "\\fR");
        print_line(out, "", settings[i].doc, "");
        if (settings[i].secret)
            (void)fprintf(out, "Not an option.\n");
        if (settings[i].fallback == NULL)
            (void)fprintf(out, "Required.\n");
        else if (*settings[i].fallback != '\0')
            print_line(out, "Default: \\fB", settings[i].fallback, "\\fR");
    }
    (void)fprintf(out, ".TP\n\\fBKAFKA_CONF_\\fR\\fINAME\\fR\nAny property of librdkafka, with "
                       "underscores for dots.\n.TP\n\\fBSPARK_CONF_spark_\\fR\\fINAME\\fR\nAny "
                       "property of Spark, with underscores for dots, in the same case; on a "
                       "cluster.\n.TP\n\\fBNO_COLOR\\fR\nWith any value: no colour on a "
                       "terminal.\n.TP\n\\fBCOLUMNS\\fR\nWidth of the terminal; if it is not set, "
                       "the terminal is asked.\n");
}

static void print_exit_codes(FILE *out) {
    (void)fprintf(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < exit_code_count; i++) {
        const struct exit_code_entry *entry = &exit_codes[i];
        (void)fprintf(out, ".TP\n.B %d%s\n", (int)entry->code,
                      entry->code == EXIT_CODE_SIGNAL ? " + n" : "");
        print_line(out, "", entry->meaning, "");
        print_line(out, "", entry->cure, "");
    }
}

void docs_print_man(FILE *out, const struct command *commands) {
    (void)fputs(head, out);
    print_commands(out, commands);
    print_options(out);
    print_settings(out);
    print_exit_codes(out);
    (void)fputs(files, out);
}
