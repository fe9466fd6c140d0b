/* The table of commands, and how one is run. A command with `run` is called for each chosen query
 * and stops at the first that fails, unless it goes on (`goes_on`: a fault of one query's state
 * says nothing of the others); the last failure gives the exit code. What was printed is flushed
 * at the end, so that a full disk behind stdout is a failure, too. */
#include "surfaces/program/commands.h"

#include <string.h>

#include "streaming/operations/operations.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/demo/sample.h"
#include "surfaces/docs/completion.h"
#include "surfaces/docs/docs.h"
#include "surfaces/docs/explain.h"
#include "surfaces/docs/help.h"
#include "surfaces/doctor/doctor.h"
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

const struct command program_commands[] = {
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
            "11: one can't get on or does not answer; 13: one is degraded: it falls behind, has "
            "lost records or rejects many.",
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

/* Reports one failure. An end that was asked for is none. */
static enum exit_code report(const struct config *config, const struct error *err, FILE *errors) {
    if (err->kind != ERROR_STOPPED)
        (void)fprintf(errors, "esports-stream: %s: %s\n", config->command->name, err->message);
    return exit_code_of(err->kind);
}

static bool run_for_one(const struct config *config, const struct stream *stream, FILE *out,
                        struct error *err) {
    struct command_scope scope = {config, stream, config_store_options(config, stream), out};
    bool ok = config->command->run(&scope, err);
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
        if (!config->command->goes_on || err.kind != ERROR_STATE)
            break;
    }
    return code;
}

enum exit_code commands_run(const struct config *config, FILE *out, FILE *errors) {
    struct error err = {0};
    enum exit_code code = EXIT_CODE_OK;
    if (config->command->run != NULL)
        code = run_for_each(config, out, errors);
    else if (!config->command->run_once(
                 &(struct command_call){config, out, &code, program_commands}, &err))
        code = report(config, &err, errors);
    if (!output_flush(out, &err) && code == EXIT_CODE_OK)
        code = report(config, &err, errors);
    return code;
}

bool commands_print(const struct config *config, FILE *out, FILE *errors, enum exit_code *code) {
    struct error err = {0};
    switch (config->action) {
    case ACTION_RUN:
    case ACTION_COMMAND:
        return false;
    case ACTION_EXPLAIN:
        explain_print(out, config);
        break;
    case ACTION_HELP:
        help_print(out, program_commands, config->command);
        break;
    case ACTION_VERSION:
        version_print(out);
        break;
    }
    if (!output_flush(out, &err) && err.kind != ERROR_STOPPED)
        (void)fprintf(errors, "esports-stream: %s\n", err.message);
    *code = exit_code_of(err.kind);
    return true;
}

bool commands_complete(int argc, char **argv, FILE *out) {
    if (argc < 2 || strcmp(argv[1], COMPLETION_REQUEST) != 0)
        return false;
    completion_print(out, program_commands, argv + 2, (size_t)argc - 2);
    return true;
}
