#include "surfaces/commands/commands.h"

#include <string.h>

#include "base/text.h"
#include "streaming/operations/operations.h"
#include "surfaces/commands/checkpoint_command.h"
#include "surfaces/commands/rejects_command.h"
#include "surfaces/commands/sample_command.h"
#include "surfaces/commands/schema_command.h"
#include "surfaces/commands/status_command.h"
#include "surfaces/commands/tail_command.h"
#include "surfaces/commands/verify_command.h"
#include "surfaces/docs/completion.h"
#include "surfaces/docs/docs.h"
#include "surfaces/doctor/doctor.h"
#include "surfaces/settings/options.h"
#include "surfaces/terminal/output.h"

static bool run_adopt(const struct command_scope *scope, struct error *err) {
    const struct command_arguments *arguments = &scope->config->arguments;
    if (arguments->cluster != NULL)
        return operation_adopt_kafka(&scope->store, arguments->cluster, arguments->dry_run,
                                     scope->out, err);
    if (arguments->dry_run)
        return error_set(err, ERROR_CONFIG, "--dry-run: adopt takes it only with --cluster");
    return operation_adopt(&scope->store, scope->out, err);
}

static bool run_release(const struct command_scope *scope, struct error *err) {
    return operation_release(&scope->store, scope->out, err);
}

static bool run_relocate(const struct command_scope *scope, struct error *err) {
    return operation_relocate(&scope->store, scope->out, err);
}

static bool run_rewind(const struct command_scope *scope, struct error *err) {
    return operation_rewind(&scope->store, scope->config->arguments.to_batch, scope->out, err);
}

const struct command_entry command_entries[] = {
    {.name = "adopt",
     .doc = "Begin a sink log that lists the files of a table which has none, such as that of "
            "a foreachBatch job, so that Spark reads it exactly once. With --cluster: go on with "
            "the same offsets on another Kafka cluster. The query must be stopped.",
     .options = OPTION_BIT(OPTION_CLUSTER) | OPTION_BIT(OPTION_DRY_RUN),
     .inner = OPTION_BIT(OPTION_DRY_RUN),
     .run = run_adopt},
    {.name = "release",
     .doc = "Take the sink log away again, if it lists just the files that are there. The "
            "query must be stopped.",
     .run = run_release},
    {.name = "relocate",
     .doc = "After the lake was moved: rewrite the absolute paths in the sink log and the "
            "manifests. The settings say where everything is now; the query must be stopped.",
     .run = run_relocate},
    {.name = "rewind",
     .doc = "Take the batches after N back, so that the next start reads them from Kafka again. "
            "Their files are set aside, none is deleted. The query must be stopped.",
     .options = OPTION_BIT(OPTION_TO_BATCH),
     .required = OPTION_BIT(OPTION_TO_BATCH),
     .one_query = "each query numbers its own batches",
     .run = run_rewind},
    {.name = "verify",
     .doc = "Shows for each partition of the topic which offsets the table and its rejects cover, "
            "and proves from the files themselves and from Kafka that each of them is there once. "
            "Takes no lock: the query may run meanwhile.",
     .run = verify_command,
     .needs_broker = true,
     .goes_on = true},
    {.name = "status",
     .doc = "Say what the running process does: state, batches, lag, the last error; and when none "
            "runs, what the checkpoint says. The checkpoint's lock names the process and where it "
            "can be asked. Exit code 0: all chosen queries run and get on; 10: one does not run; "
            "11: one can't get on or does not answer.",
     .options = OPTION_BIT(OPTION_JSON),
     .run_once = status_command},
    {.name = "checkpoint show",
     .doc =
         "Say what the checkpoint holds: plans, commits, manifests, coverage, the sink log, who "
         "holds the lock, and what a start would do. Takes no lock: the query may run meanwhile. "
         "Exit code 5: a part of it can't be read.",
     .options = OPTION_BIT(OPTION_JSON),
     .run = checkpoint_show_command,
     .goes_on = true},
    {.name = "tail",
     .doc = "Show the newest rows of the table: by batch, then by the Kafka timestamp. With --json "
            "all columns, partition columns at the end; without, those worth a terminal's width. "
            "Takes no lock: the query may run meanwhile, ours or Spark's.",
     .options = OPTION_BIT(OPTION_ROWS) | OPTION_BIT(OPTION_FOLLOW) | OPTION_BIT(OPTION_JSON),
     .run = tail_command},
    {.name = "rejects ls",
     .doc = "Count the rejects by reason and by partition of the topic, and list the newest; those "
            "that were replayed are rows by now and are left out.",
     .options = OPTION_BIT(OPTION_REASON) | OPTION_BIT(OPTION_PARTITION) |
                OPTION_BIT(OPTION_OFFSETS) | OPTION_BIT(OPTION_SINCE) | OPTION_BIT(OPTION_UNTIL) |
                OPTION_BIT(OPTION_ROWS) | OPTION_BIT(OPTION_JSON),
     .run = rejects_ls_command},
    {.name = "rejects show",
     .operand = "PARTITION:OFFSET",
     .doc = "Show one reject with everything that is known of it. Bytes that are no text or would "
            "drive the terminal are shown as \\n, \\t, \\xNN.",
     .options = OPTION_BIT(OPTION_RAW) | OPTION_BIT(OPTION_JSON),
     .one_query = "each topic has partitions and offsets of its own",
     .run = rejects_show_command},
    {.name = "rejects replay",
     .doc = "Parse rejects again, after an update of the program or with another PARSE_MODE, and "
            "make those that can become rows now the query's next batch, without an offset. Their "
            "reject rows stay and count as resolved; what fails again stays a reject. The query "
            "must be stopped.",
     .options = OPTION_BIT(OPTION_REASON) | OPTION_BIT(OPTION_PARTITION) |
                OPTION_BIT(OPTION_OFFSETS) | OPTION_BIT(OPTION_SINCE) | OPTION_BIT(OPTION_UNTIL) |
                OPTION_BIT(OPTION_DRY_RUN) | OPTION_BIT(OPTION_JSON),
     .run = rejects_replay_command},
    {.name = "schema",
     .doc = "Print the columns of the tables, for Spark or for people.",
     .options = OPTION_BIT(OPTION_FORMAT),
     .run_once = schema_command,
     .needs_nothing = true},
    {.name = "sample",
     .doc = "Print records such as --demo has them, one JSON text a line, to try a topic with. "
            "Every twentieth has a fault: another key, a wrong type, no identifier.",
     .options = OPTION_BIT(OPTION_ROWS) | OPTION_BIT(OPTION_SEED),
     .one_query = "each topic has records of its own",
     .run_once = sample_command,
     .needs_nothing = true},
    {.name = "completion",
     .operand = "bash|zsh|fish",
     .doc = "Print what the shell needs to complete commands, options and their values: `source "
            "<(esports-stream completion bash)`.",
     .run_once = completion_command,
     .needs_nothing = true},
    {.name = "doctor",
     .doc =
         "Try everything that a run needs, and say of each thing whether it is well, and if not, "
         "what to do: brokers, topics and the right to read them, what comes next in them, "
         "directories, room, the speed of syncs, memory, open files, the clock, time zones, "
         "the port, the checkpoints, the types of the tables' files. Ends within some 20 seconds, "
         "whatever does not answer. Exit code 0: "
         "nothing failed (warnings do not count); otherwise that with which a run would end.",
     .options = OPTION_BIT(OPTION_JSON),
     .run_once = doctor_command,
     .needs_broker = true},
    {.name = "docs",
     .operand = "configuration|commands|schema|metrics|man",
     .doc = "Print one of the documents that are made from the program's own tables.",
     .run_once = docs_command,
     .needs_nothing = true},
    {0},
};

const struct command_entry *command_find(char *const *words, size_t count, size_t *used) {
    for (const struct command_entry *entry = command_entries; entry->name != NULL; entry++) {
        const char *space = strchr(entry->name, ' ');
        size_t first = space != NULL ? (size_t)(space - entry->name) : strlen(entry->name);
        *used = space != NULL ? 2 : 1;
        if (count >= *used && strlen(words[0]) == first &&
            strncmp(words[0], entry->name, first) == 0 &&
            (space == NULL || strcmp(words[1], space + 1) == 0))
            return entry;
    }
    return NULL;
}

bool command_is_named(const struct command_entry *entry, const char *word) {
    size_t size = strlen(word);
    return strncmp(entry->name, word, size) == 0 &&
           (entry->name[size] == '\0' || entry->name[size] == ' ');
}

void command_synopsis(const struct command_entry *entry, char text[static COMMAND_SYNOPSIS_MAX]) {
    size_t used = text_append(text, COMMAND_SYNOPSIS_MAX, 0, "%s", entry->name);
    if (entry->operand != NULL)
        used = text_append(text, COMMAND_SYNOPSIS_MAX, used, " %s", entry->operand);
    if (entry->one_query != NULL)
        used = text_append(text, COMMAND_SYNOPSIS_MAX, used, " --job JOB");
    const char *end = ""; // of the one before
    for (enum option_id id = 0; id < OPTION_COUNT; id++) {
        if ((entry->options & OPTION_BIT(id)) == 0)
            continue;
        bool required = (entry->required & OPTION_BIT(id)) != 0;
        bool inner = (entry->inner & OPTION_BIT(id)) != 0;
        char value[OPTION_TEXT_MAX];
        option_placeholder(&option_entries[id], value);
        used = text_append(text, COMMAND_SYNOPSIS_MAX, used, "%s %s%s%s%s", inner ? "" : end,
                           required ? "" : "[", option_entries[id].name, *value != '\0' ? " " : "",
                           value);
        end = inner ? "]]" : required ? "" : "]";
    }
    (void)text_append(text, COMMAND_SYNOPSIS_MAX, used, "%s", end);
}

/* Reports one failure. An end that was asked for is none. */
static enum exit_code report(const struct config *config, const struct error *err, FILE *errors) {
    if (err->kind != ERROR_STOPPED)
        (void)fprintf(errors, "esports-stream: %s: %s\n", config->entry->name, err->message);
    return exit_code_of(err->kind);
}

static bool run_for_one(const struct config *config, const struct stream *stream, FILE *out,
                        struct error *err) {
    struct command_scope scope = {config, stream, config_store_options(config, stream), out};
    bool ok = config->entry->run(&scope, err);
    if (!ok && err->kind != ERROR_STOPPED)
        error_wrap(err, "%s", stream->name);
    config_store_options_deinit(&scope.store);
    return ok;
}

static enum exit_code run_for_each(const struct config *config, FILE *out, FILE *errors) {
    enum exit_code code = EXIT_CODE_OK;
    for (size_t i = 0; streams[i] != NULL; i++) {
        struct error err = {0};
        if (!config_runs(config, streams[i]) || run_for_one(config, streams[i], out, &err))
            continue;
        (void)fflush(out);
        code = report(config, &err, errors);
        if (!config->entry->goes_on || err.kind != ERROR_STATE)
            break;
    }
    return code;
}

enum exit_code command_run(const struct config *config, FILE *out, FILE *errors) {
    struct error err = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (config->entry->run != NULL)
        code = run_for_each(config, out, errors);
    else if (!config->entry->run_once(&(struct command_call){config, out, &code}, &err))
        code = report(config, &err, errors);
    if (!output_flush(out, &err) && code == EXIT_CODE_OK)
        code = report(config, &err, errors);
    return code;
}
