/* The options that are not settings. Each row says how its value is read, by the same types as
 * settings have, and into which field of struct command_line, so that command_line.c has one
 * function for all of them. */
#include "surfaces/settings/options.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LINE(field) offsetof(struct command_line, field)
#define ARGUMENT(field) LINE(arguments.field)

/* In the words of the rejects table (core/reject.h). */
static const struct choice reasons[] = {{"null_value", REJECT_NULL_VALUE},
                                        {"blank_value", REJECT_BLANK_VALUE},
                                        {"malformed_json", REJECT_MALFORMED},
                                        {"not_an_object", REJECT_NOT_AN_OBJECT},
                                        {"missing_identifier", REJECT_MISSING_IDENTIFIER},
                                        {"null_identifier", REJECT_NULL_IDENTIFIER},
                                        {"partition_value", REJECT_PARTITION_VALUE},
                                        {"kafka_timestamp", REJECT_KAFKA_TIME},
                                        {"bad_field", REJECT_BAD_FIELD},
                                        {NULL}};
static const struct choice formats[] = {
    {"ddl", FORMAT_DDL}, {"json", FORMAT_JSON}, {"markdown", FORMAT_MARKDOWN}, {NULL}};

/* One option per paragraph reads better than the formatter's layout. */
/* clang-format off */
const struct option_entry option_entries[OPTION_COUNT] = {
    [OPTION_JOB] = {"--job", "JOB,…|all",
        "Which queries to run or to work on: names of tables, separated by commas, such as "
        "matches,players. `all`, the default, means the built-in ones and those of QUERIES_PATH. "
        "May be repeated. The name of the query, such as match_stream, is accepted too.",
        .brief = "tables, such as matches,players (default: all)"},
    [OPTION_AWAIT] = {"--await-termination", NULL,
        "Only wait for the queries to end. Without it, each query logs a status line every "
        "STATUS_INTERVAL.",
        OPTION_WITH_RUN, .value = {.offset = LINE(await_termination)},
        .brief = "log no status lines, only wait"},
    [OPTION_DEMO] = {"--demo", NULL,
        "Run once on an embedded Kafka with sample records, and show the result. The log shows "
        "errors only, unless LOG_LEVEL is set. Settings for the location of data are taken from "
        "options only, so that the demo touches nothing else.",
        OPTION_WITH_RUN, .value = {.offset = LINE(demo)},
        .brief = "run once on an embedded Kafka with sample records"},
    [OPTION_LIVE] = {"--live", NULL,
        "With --demo: keep streaming sample records, with the status page, until --for is over "
        "or Ctrl-C.", OPTION_WITH_RUN, .value = {.offset = LINE(live)},
        .brief = "with --demo: keep streaming, with the status page"},
    [OPTION_FOR] = {"--for", "DURATION", "With --live: how long to run (default: 5 minutes).",
        OPTION_WITH_RUN, .brief = "with --live: how long to run (default: 5 minutes)",
        .value = {.type = &type_duration, .offset = LINE(live_ms), .least = 1000, .most = 24LL * 3600 * 1000}},
    [OPTION_EXPLAIN] = {"--explain", NULL,
        "Print the effective settings and where each comes from, the engine, and each query's "
        "topic, table, schema and paths; start nothing. With --json: as one JSON object.",
        OPTION_WITH_RUN, .brief = "show settings, schemas and a forecast; start nothing"},
    [OPTION_ENV_FILE] = {"--env-file", "FILE",
        "Read settings from a file of NAME=value lines. The environment overrides the file. May be "
        "repeated; later files override earlier ones.",
        .brief = "read settings from NAME=value lines"},
    [OPTION_TO_BATCH] = {"--to-batch", "N", "The newest batch to keep.", OPTION_WITH_COMMANDS,
        .value = {.type = &type_int64, .offset = ARGUMENT(to_batch), .most = INT64_MAX}},
    [OPTION_TO_TIME] = {"--to-time", "TIME",
        "Keep the newest batch that was planned before this time: a timestamp "
        "(2025-12-31T10:30:00Z; without a zone, in SPARK_SQL_SESSION_TIMEZONE) or how long ago (2h, "
        "30 minutes).", OPTION_WITH_COMMANDS,
        .value = {.type = &type_borrowed, .offset = ARGUMENT(to_time)}},
    [OPTION_NO_KAFKA_CHECK] = {"--no-kafka-check", NULL,
        "Do not ask Kafka whether it still has the records.", OPTION_WITH_COMMANDS,
        .value = {.offset = ARGUMENT(no_kafka_check)}},
    [OPTION_TOPIC] = {"--topic", "TOPIC", "The topic whose records are read.",
        OPTION_WITH_COMMANDS, .value = {.type = &type_borrowed, .offset = ARGUMENT(topic)}},
    [OPTION_ROWS] = {"--rows", "N",
        "Number of rows, rejects or records to print (default: 10). `infer`: number of records to "
        "read (default: 1000).", OPTION_WITH_COMMANDS,
        .value = {.type = &type_int64, .offset = ARGUMENT(rows), .fallback = "10",
                  .most = 1000000000000}, .letter = 'n'},
    [OPTION_NO_VALUES] = {"--no-values", NULL,
        "Print no values of records in comments, such as personal data. Names of fields are "
        "still printed.", OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(no_values)}},
    [OPTION_FOLLOW] = {"--follow", NULL,
        "Keep printing the rows of each batch as it is committed, until Ctrl-C.",
        OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(follow)}, .letter = 'f'},
    [OPTION_REASON] = {"--reason", "REASON",
        "Only rejects with this reason: null_value, blank_value, malformed_json, "
        "not_an_object, missing_identifier, null_identifier, partition_value, kafka_timestamp "
        "or bad_field.",
        OPTION_WITH_COMMANDS,
        .value = {.type = &type_choice, .offset = ARGUMENT(reason), .choices = reasons}},
    [OPTION_PARTITION] = {"--partition", "N", "Only rejects of this partition of the topic.",
        OPTION_WITH_COMMANDS,
        .value = {.type = &type_int64, .offset = ARGUMENT(partition), .most = INT32_MAX}},
    [OPTION_OFFSETS] = {"--offsets", "FROM..TO",
        "Only rejects at offsets from FROM to TO, inclusive; either may be left out, and a single "
        "number is one offset.", OPTION_WITH_COMMANDS,
        .value = {.type = &type_range, .offset = ARGUMENT(offsets), .fallback = "..",
                  .most = INT64_MAX}},
    [OPTION_SINCE] = {"--since", "TIME",
        "Only rejects of batches from this time on: a timestamp (2025-12-31T10:30:00Z; without a "
        "zone, in SPARK_SQL_SESSION_TIMEZONE) or how long ago (2h, 30 minutes).",
        OPTION_WITH_COMMANDS, .value = {.type = &type_borrowed, .offset = ARGUMENT(since)}},
    [OPTION_UNTIL] = {"--until", "TIME",
        "Only rejects of batches before this time; written like --since.",
        OPTION_WITH_COMMANDS, .value = {.type = &type_borrowed, .offset = ARGUMENT(until)}},
    [OPTION_RAW] = {"--raw", NULL,
        "Write only the raw bytes of the value.",
        OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(raw)}},
    [OPTION_CLUSTER] = {"--cluster", "ID",
        "Store in the checkpoint that its offsets belong to the Kafka cluster with this id. The "
        "sink log is not changed.",
        OPTION_WITH_COMMANDS, .value = {.type = &type_borrowed, .offset = ARGUMENT(cluster)}},
    [OPTION_BEFORE] = {"--before", "DATE",
        "Dates before this one expire: 2026-11-28.", OPTION_WITH_COMMANDS,
        .value = {.type = &type_borrowed, .offset = ARGUMENT(before)}},
    [OPTION_OLDER_THAN] = {"--older-than", "DURATION",
        "Only merge files that were committed longer ago (1h, 7 days). Default: all.",
        OPTION_WITH_COMMANDS,
        .value = {.type = &type_duration, .offset = ARGUMENT(older_than_ms),
                  .most = 3650LL * 24 * 3600 * 1000}},
    [OPTION_TARGET_FILE_SIZE] = {"--target-file-size", "SIZE",
        "Approximate size of a merged file. Default: COMPACT_TARGET_FILE_SIZE.",
        OPTION_WITH_COMMANDS,
        .value = {.type = &type_size, .offset = ARGUMENT(target_file_size), .least = 1 << 16,
                  .most = 1LL << 34}},
    [OPTION_DRY_RUN] = {"--dry-run", NULL,
        "Only show what would be done. Changes nothing and takes no lock, so the query can keep "
        "running.", OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(dry_run)}},
    [OPTION_YES] = {"--yes", NULL,
        "Do not ask for confirmation. Without this option, on a terminal, the command shows what "
        "it would do and asks first. Without a terminal, as in a script, it never asks: it makes "
        "its changes at once.",
        OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(yes)}, .letter = 'y'},
    [OPTION_FORMAT] = {"--format", NULL,
        "Columns for Spark's `schema()` (ddl, the default), Spark's StructType (json, a line per "
        "query), or docs/schema.md (markdown).", OPTION_WITH_COMMANDS,
        .value = {.type = &type_choice, .offset = ARGUMENT(format), .choices = formats,
                  .fallback = "ddl"}},
    [OPTION_SEED] = {"--seed", "N",
        "The same seed gives the same records (default: 0).", OPTION_WITH_COMMANDS,
        .value = {.type = &type_int64, .offset = ARGUMENT(seed), .most = INT64_MAX}},
    [OPTION_REJECTS] = {"--rejects", NULL, "The files of the rejects table.",
        OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(of_rejects)}},
    [OPTION_SQL] = {"--sql", NULL, "Print a `read_parquet()` for DuckDB.",
        OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(sql)}},
    [OPTION_NO_PIN] = {"--no-pin", NULL,
        "Print the paths in the table itself and write nothing. They hold until the next "
        "compaction or expiry.",
        OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(no_pin)}},
    [OPTION_ACCEPT] = {"--accept", NULL,
        "Take the table as it is: files that are gone or were replaced or merged by another "
        "program are accepted, and what was lost is printed.",
        OPTION_WITH_COMMANDS, .value = {.offset = ARGUMENT(accept)}},
    [OPTION_JSON] = {"--json", NULL, "Print JSON for programs, one object per line.",
        OPTION_WITH_EXPLAIN, .value = {.offset = ARGUMENT(json)}},
    [OPTION_VERSION] = {"--version", NULL, "Print the version.", .letter = 'V'},
    [OPTION_HELP] = {"--help", NULL, "Print an overview, or everything about one command.",
        .letter = 'h'},
};
/* clang-format on */

bool option_takes_value(const struct option_entry *entry) {
    return entry->placeholder != NULL || entry->value.type != NULL;
}

void option_placeholder(const struct option_entry *entry, char text[static OPTION_TEXT_MAX]) {
    const struct setting *value = &entry->value;
    text[0] = '\0';
    if (entry->placeholder != NULL)
        (void)text_append(text, OPTION_TEXT_MAX, 0, "%s", entry->placeholder);
    else if (value->choices != NULL)
        choices_list(value->choices, false, text, OPTION_TEXT_MAX);
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
