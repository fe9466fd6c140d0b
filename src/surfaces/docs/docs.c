/* The documents that are a walk over one table and need little text of their own, and the command
 * that prints any of them. */
#include "surfaces/docs/docs.h"

#include <string.h>

#include "sql/functions/function.h"
#include "surfaces/metrics/metrics.h"
#include "surfaces/settings/options.h"
#include "surfaces/terminal/output.h"

static const char commands_intro[] =
    "# Commands\n"
    "\n"
    "*Printed by `esports-stream docs commands` from the program's own tables; a test compares "
    "them.\n"
    "`esports-stream COMMAND --help` prints the part of one command. All of it is in the manual: "
    "`man esports-stream` if the program\n"
    "is installed, else `man docs/esports-stream.1`.*\n"
    "\n"
    "    esports-stream COMMAND [OPTION]...\n"
    "\n"
    "- A command takes `--job JOB,…|all` and the settings of a run "
    "([configuration.md](configuration.md)), except where it says that it reads no settings.\n"
    "- Results go to stdout, everything else to stderr. `--json` prints one JSON object per line, "
    "for `all` one per query. Later versions only add members. A value that is not known is null.\n"
    "- `status`, `checkpoint show`, `tail`, `verify` and `rejects` only need to find the "
    "checkpoint (`CHECKPOINT_PATH`, `DATA_LAKE_PATH`). If the topic or one of the other paths is "
    "not set, they take it from the checkpoint, and log it if it is not the default. If it is set, "
    "the setting is used, and a difference from the checkpoint is logged. `verify` also needs the "
    "brokers.\n"
    "- On a terminal, wide columns of tables and the texts of `doctor` are fitted to its width "
    "(`COLUMNS`, or the width that the terminal reports), and a cell has at most 48 characters. In "
    "a file or a pipe, only texts of more than 1,000 characters are cut, with `…` at the end; "
    "`tail --json` and `rejects show` print all of them, and `rejects ls --json` up to 2,048 bytes "
    "of a value.\n"
    "- Colour is for terminals only; `NO_COLOR` (with any value) and `TERM=dumb` turn it off.\n"
    "- An error says what to do about it. The exit codes are in "
    "[configuration.md](configuration.md#exit-codes). If a code has a special meaning for a "
    "command, the command's text says so.\n"
    "- If the reader of the output exits first (`| head`), the command ends without an error. "
    "Ctrl-C ends a command at once, and you can run it again.\n"
    "- Shell completion covers commands, options and values: `source <(esports-stream completion "
    "bash)`.\n";

static const char explain_document[] =
    "\n## --explain --json\n\n    esports-stream --explain --json\n\nPrint what a run with these "
    "settings would do, as one object. Nothing is started. Secrets are `***`.\n\nThe document: "
    "`version`; `engine` (`native` or `spark`); `master`; `workers`; `job`; `demo`; `settings`, "
    "`kafkaProperties` and `sparkProperties`, arrays of `name`, `value` and `origin` (`default`, "
    "`environment`, `--trigger`, or file and line); `ignoredKafkaVariables`, "
    "`ignoredSparkVariables`; `warnings`; `memory` with `budgetBytes` and `floorBytes`; `queries`, "
    "each with `name`, `job`, `topic`, `table`, `rejects` and `checkpoint` (`path` and `warning`), "
    "`partitionBy`, `partitionWarnings`, `identifier`, `forecast` (an array of `recordsPerSecond`, "
    "`filesPerDay`, `meanFileBytes`, `rejectFilesPerDay`, `mergedFilesPerDay`, "
    "`mergedMeanFileBytes`, `sinkLogBytes` after 30 days, `manySmallFiles`, `betterTriggerMs`: one "
    "for the rate of the newest batches, or several for rates that could be; null where there is "
    "none) and `columns` "
    "(`name`, `type`, `nullable`, `from`, `expression`).\n";

static void print_command(FILE *out, const struct command *entry) {
    char synopsis[COMMAND_SYNOPSIS_MAX], value[OPTION_TEXT_MAX];
    command_synopsis(entry, synopsis);
    (void)fprintf(out, "\n## %s\n\n    esports-stream %s\n\n%s%s%s\n", entry->name, synopsis,
                  entry->doc, entry->needs_nothing ? " Reads no settings." : "",
                  entry->needs_broker ? " Connects to Kafka." : "");
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
    "*Printed by `esports-stream docs metrics` from the program's own table; a test compares "
    "them.*\n"
    "\n"
    "`/metrics` on `SPARK_UI_PORT` answers in Prometheus' text format (0.0.4). "
    "`deploy/prometheus/prometheus.yml` scrapes it,\n"
    "`deploy/prometheus/alerts.yml` has alerts on it ([alerts.md](alerts.md) says what to do), and "
    "`deploy/grafana/` has a\n"
    "dashboard. If `UI_TOKEN` is set, give it to Prometheus as `authorization: credentials`.\n"
    "\n"
    "Names and labels follow Prometheus' conventions: base units, `_total` for counters, and "
    "labels with few and known values.\n"
    "Counters begin at 0 when the program starts; `rate()` and `increase()` handle such resets. A "
    "batch is counted when it is\n"
    "committed, so the sums are exact: after `availableNow`, the counters of rows and rejects "
    "match what was written to the table\n"
    "and its rejects.\n"
    "\n"
    "`query` is the name of a query, such as `match_stream`. `worker` is the number of a worker "
    "thread, "
    "starting at 0; each worker has its\n"
    "own connection to Kafka.\n";

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

static const char functions_intro[] =
    "# Functions of query files\n"
    "\n"
    "*Printed by `esports-stream docs functions` from the program's own table; a test compares "
    "them.*\n"
    "\n"
    "What an expression of a [query file](queries.md) can call, operators included. Values are "
    "those of Spark SQL with\n"
    "`spark.sql.ansi.enabled=false`. Where Spark ends the query for a value, the result here is "
    "null, and the row counts a field fault.\n"
    "\n"
    "| call | result | example | null, where Spark fails |\n|---|---|---|---|\n";

/* A piece of SQL in a cell. */
static void print_code(FILE *out, const char *text) {
    if (text == NULL || *text == '\0')
        return;
    (void)fputc('`', out);
    markdown_cell(out, text);
    (void)fputc('`', out);
}

static void print_functions(FILE *out) {
    (void)fputs(functions_intro, out);
    for (const struct function *function = functions; function->name != NULL; function++) {
        (void)fprintf(out, "| ");
        print_code(out, function->usage);
        (void)fprintf(out, " | ");
        markdown_cell(out, function->doc);
        (void)fprintf(out, " | ");
        print_code(out, function->example);
        (void)fprintf(out, " | ");
        markdown_cell(out, function->throws != NULL ? function->throws : "");
        (void)fprintf(out, " |\n");
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
    else if (strcmp(name, "functions") == 0)
        print_functions(call->out);
    else
        docs_print_man(call->out, call->commands);
    return true;
}
