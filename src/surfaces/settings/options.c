#include "surfaces/settings/options.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ARGUMENT(field) offsetof(struct command_arguments, field)

/* In the words of the rejects table (core/reject.h). */
static const struct choice reasons[] = {{"null_value", REJECT_NULL_VALUE},
                                        {"blank_value", REJECT_BLANK_VALUE},
                                        {"malformed_json", REJECT_MALFORMED_JSON},
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

bool option_takes_value(const struct option_entry *entry) {
    return entry->placeholder != NULL || entry->value.type != NULL;
}

void option_placeholder(const struct option_entry *entry, char text[static OPTION_TEXT_MAX]) {
    const struct setting *value = &entry->value;
    size_t used = 0;
    text[0] = '\0';
    if (entry->placeholder != NULL)
        used = text_append(text, OPTION_TEXT_MAX, used, "%s", entry->placeholder);
    else if (value->choices != NULL)
        choices_list(value->choices, false, text, OPTION_TEXT_MAX);
    for (size_t i = 0; entry == &option_entries[OPTION_JOB] && streams[i] != NULL; i++)
        used = text_append(text, OPTION_TEXT_MAX, used, "|%s", streams[i]->job);
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
