#include "surfaces/commands/commands.h"
#include "surfaces/docs/docs.h"
#include "surfaces/settings/options.h"
#include "surfaces/terminal/markdown.h"

static const char intro[] =
    "# Commands\n"
    "\n"
    "*Printed by `esports-stream docs commands` from the program's own tables; a test keeps it "
    "true. `esports-stream COMMAND --help`\n"
    "prints the part of one command, `man esports-stream` all of it.*\n"
    "\n"
    "    esports-stream COMMAND [OPTION]...\n"
    "\n"
    "- A command takes `--job matches|players|all` and, unless it says that it reads none, the "
    "settings of a run ([configuration.md](configuration.md)).\n"
    "- What was asked for goes to stdout, everything else to stderr. `--json` prints one JSON "
    "object a line.\n"
    "- Colour is for terminals only; `NO_COLOR` (with any value) and `TERM=dumb` turn it off.\n"
    "- An error says what to do about it. The exit codes are those of "
    "[configuration.md](configuration.md#exit-codes); what a command adds to them, it says.\n"
    "- A reader that goes away (`| head`) ends a command quietly, and Ctrl-C ends it at once: it "
    "can be run again.\n"
    "- The shell completes all of it: `source <(esports-stream completion bash)`.\n";

static void print_command(FILE *out, const struct command_entry *entry) {
    char synopsis[COMMAND_SYNOPSIS_MAX], value[OPTION_TEXT_MAX];
    command_synopsis(entry, synopsis);
    (void)fprintf(out, "\n## %s\n\n    esports-stream %s\n\n%s%s%s\n", entry->name, synopsis,
                  entry->doc, entry->needs_nothing ? " Reads no settings." : "",
                  entry->needs_broker ? " Asks Kafka." : "");
    if (entry->options != 0)
        (void)fprintf(out, "\n| option | |\n|---|---|\n");
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        if ((entry->options & OPTION_BIT(id)) == 0)
            continue;
        option_placeholder(&option_entries[id], value);
        (void)fprintf(out, "| `%s%s", option_entries[id].name, *value != '\0' ? " " : "");
        markdown_cell(out, value);
        (void)fprintf(out, "` | ");
        markdown_cell(out, option_entries[id].doc);
        (void)fprintf(out, " |\n");
    }
}

void docs_print_commands(FILE *out) {
    (void)fputs(intro, out);
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++)
        print_command(out, entry);
}
