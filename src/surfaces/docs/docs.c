/* The documents that are a walk over one table and need little text of their own, and the command
 * that prints any of them. */
#include "surfaces/docs/docs.h"

#include <string.h>

#include "surfaces/metrics/metrics.h"
#include "surfaces/settings/options.h"
#include "surfaces/terminal/output.h"

static const char commands_intro[] =
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
    "object a line, for `all` one per query. Later versions only add members; null is what is not "
    "known.\n"
    "- `status`, `checkpoint show`, `tail`, `verify` and `rejects` need no topic or path of a "
    "query: what no setting says is taken from the checkpoint, which only has to be found "
    "(`CHECKPOINT_PATH`, `DATA_LAKE_PATH`). A value that differs from the default is logged. An "
    "explicit setting counts also where the checkpoint says something else, and that is logged, "
    "too.\n"
    "- On a terminal, tables and texts keep to its width (`COLUMNS`, or what the terminal says). "
    "A file or a pipe gets everything.\n"
    "- Colour is for terminals only; `NO_COLOR` (with any value) and `TERM=dumb` turn it off.\n"
    "- An error says what to do about it. The exit codes are those of "
    "[configuration.md](configuration.md#exit-codes); what a command adds to them, it says.\n"
    "- A reader that goes away (`| head`) ends a command quietly, and Ctrl-C ends it at once: it "
    "can be run again.\n"
    "- The shell completes all of it: `source <(esports-stream completion bash)`.\n";

static const char explain_document[] =
    "\n## --explain --json\n\n"
    "    esports-stream --explain --json\n\n"
    "What a run with these settings would do, as one object; nothing is started. Secrets are "
    "`***`.\n\n"
    "The document: `version`; `engine` (`native` or `spark`); `master`; `workers`; `job`; `demo`; "
    "`settings`, `kafkaProperties` and `sparkProperties`, arrays of `name`, `value` and `origin` "
    "(`default`, `environment`, `--trigger`, or file and line); `ignoredKafkaVariables`, "
    "`ignoredSparkVariables`; `warnings`; `memory` with `budgetBytes` and `floorBytes`; `queries`, "
    "each with `name`, `job`, `topic`, `table`, `rejects` and `checkpoint` (`path` and `warning`), "
    "`partitionBy`, `identifier`, `forecast` (an array of `recordsPerSecond`, `filesPerDay`, "
    "`meanFileBytes`, `manySmallFiles`, `betterTriggerMs`; null where there is none) and `columns` "
    "(`name`, `type`, `nullable`, `from`, `expression`).\n";

static void print_command(FILE *out, const struct command *entry) {
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
    if (entry->document != NULL)
        (void)fprintf(out, "\nThe document of `--json`: %s\n", entry->document);
}

static void print_commands(FILE *out, const struct command *commands) {
    (void)fputs(commands_intro, out);
    for (const struct command *entry = commands; entry->name != NULL; entry++)
        print_command(out, entry);
    (void)fputs(explain_document, out);
}

static const char metrics_intro[] =
    "# Metrics\n"
    "\n"
    "*Printed by `esports-stream docs metrics` from the program's own table; a test keeps it "
    "true.*\n"
    "\n"
    "`/metrics` on `SPARK_UI_PORT` answers in Prometheus' text format (0.0.4). "
    "`deploy/prometheus/prometheus.yml` scrapes it,\n"
    "`deploy/prometheus/alerts.yml` has alerts on it ([alerts.md](alerts.md) says what to do), and "
    "`deploy/grafana/` a dashboard. With `UI_TOKEN`\n"
    "set, Prometheus sends it as `authorization: credentials`.\n"
    "\n"
    "Names and labels follow Prometheus' conventions: base units, `_total` for what only grows, "
    "and labels whose values are few and\n"
    "known. What only grows begins at 0 with the program; `rate()` and `increase()` see through "
    "that. A batch counts when it is\n"
    "committed, so that the sums are exact: after `availableNow`, rows and rejects are what the "
    "table and its rejects got.\n"
    "\n"
    "`query` is `match_stream` or `player_stream`; `worker` is a thread's number from 0, each with "
    "a connection to Kafka of its own.\n";

static void print_metrics(FILE *out) {
    (void)fputs(metrics_intro, out);
    for (size_t i = 0; i < metric_family_count; i++) {
        const struct metric_family *family = &metric_families[i];
        if (i == 0 || strcmp(family->group, metric_families[i - 1].group) != 0)
            (void)fprintf(out,
                          "\n## %s\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n",
                          family->group);
        (void)fprintf(out, "| `%s` | %s | %s%s%s | %s |\n", family->name,
                      metric_type_name(family->type), *family->labels != '\0' ? "`" : "",
                      family->labels, *family->labels != '\0' ? "`" : "", family->help);
    }
}

bool docs_command(const struct command_call *call, struct error *err) {
    const char *name =
        call->config->arguments.operand; // one of those that the table of commands has
    (void)err;
    if (strcmp(name, "configuration") == 0)
        docs_print_configuration(call->out);
    else if (strcmp(name, "commands") == 0)
        print_commands(call->out, call->commands);
    else if (strcmp(name, "schema") == 0)
        docs_print_schema(call->out, NULL);
    else if (strcmp(name, "metrics") == 0)
        print_metrics(call->out);
    else
        docs_print_man(call->out, call->commands);
    return true;
}
