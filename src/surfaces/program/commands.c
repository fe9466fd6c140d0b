/* The table of commands, and how one is run. A command with `run` is called for each chosen query
 * and stops at the first that fails, unless it continues (`goes_on`: a fault of one query's state
 * says nothing about the others); the last failure gives the exit code. One that changes something
 * (`changes`) is run as a dry run first if somebody sits at a terminal, who is then asked. What was
 * printed is flushed at the end, so that a full disk behind stdout is a failure, too. */
#include "surfaces/program/commands.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/disk/file.h"
#include "base/log/log.h"
#include "streaming/operations/operations.h"
#include "streaming/verify/report.h"
#include "surfaces/commands/each_command.h"
#include "surfaces/demo/sample.h"
#include "surfaces/docs/completion.h"
#include "surfaces/docs/docs.h"
#include "surfaces/docs/explain.h"
#include "surfaces/docs/help.h"
#include "surfaces/doctor/doctor.h"
#include "surfaces/infer/infer_command.h"
#include "surfaces/settings/path_origin.h"
#include "surfaces/settings/settings.h"
#include "surfaces/terminal/output.h"

static bool run_adopt(const struct command_scope *scope, struct error *err) {
    const struct command_arguments *arguments = &scope->config->arguments;
    if (arguments->cluster != NULL && arguments->accept)
        return error_set(err, ERROR_CONFIG, "--cluster and --accept are two things: choose one");
    if (arguments->accept) {
        const struct verify_options options = {
            .store = &scope->store,
            .memory_max = config_memory_budget(scope->config),
            .workers = scope->config->workers,
            .plan = &scope->stream->plan,
        };
        return operation_accept(&options, arguments->dry_run, scope->out, err);
    }
    if (arguments->cluster != NULL)
        return operation_adopt_kafka(&scope->store, arguments->cluster, arguments->dry_run,
                                     scope->out, err);
    return operation_adopt(&scope->store, arguments->dry_run, scope->out, err);
}

static bool run_release(const struct command_scope *scope, struct error *err) {
    return operation_release(&scope->store, scope->config->arguments.dry_run, scope->out, err);
}

static bool run_relocate(const struct command_scope *scope, struct error *err) {
    return operation_relocate(&scope->store, scope->config->arguments.dry_run, scope->out, err);
}

/* The options of every command that changes something. */
enum { CHANGE_OPTIONS = OPTION_BIT(OPTION_DRY_RUN) | OPTION_BIT(OPTION_YES) };

/* Headings of --help, in this order: what is used most comes first. */
static const char look[] = "Inspect",
                  change[] = "Change (stop the query first, except for compact and expire)",
                  print[] = "Print";

const struct command program_commands[] = {
    {.name = "status",
     .group = look,
     .brief = "state, lag and errors of the running program",
     .doc =
         "Show the state, batches, lag and last error of the running process or, if none runs, "
         "what its checkpoint says. The process and its address are found through the checkpoint's "
         "lock. Exit code 0: all chosen queries run and make progress; 10: one is not running; 11: "
         "one retries after an error, is stuck or does not answer; 13: one is degraded: it falls "
         "behind, has an unknown "
         "lag, has lost records, has a table with missing files, or rejects many records.",
     .options = OPTION_BIT(OPTION_JSON),
     .run_once = status_command},
    {.name = "tail",
     .group = look,
     .brief = "newest rows of a table; --follow shows new ones",
     .doc = "Show the newest rows of the table, by batch and then by Kafka timestamp. With --json, "
            "all columns, with the partition columns at the end; otherwise as many columns as fit "
            "on the terminal. Takes no lock, so the query can keep running, in this program or in "
            "Spark.",
     .options = OPTION_BIT(OPTION_ROWS) | OPTION_BIT(OPTION_FOLLOW) | OPTION_BIT(OPTION_JSON),
     .run = tail_command,
     .knows = true},
    {.name = "files",
     .group = look,
     .brief = "the table's files at one moment, for other readers",
     .doc = "Print the files of a table at one moment, one path per line, for readers that take a "
            "list of files: they then read the same rows, no matter what a compaction or expiry "
            "does meanwhile. So that the paths hold for COMPACT_GRACE, the files get a second name "
            "(a hard link) in the directory `.TABLE.aside` next to the table. Where this is not "
            "allowed, the paths in the table are printed, with a warning. Takes no lock, so the "
            "query can keep running.",
     .document = "one object per file: `path`, `rows` (null: the file cannot be read), `bytes`, "
                 "and `partition`, the values of the partition columns (null for "
                 "`__HIVE_DEFAULT_PARTITION__`).",
     .options = OPTION_BIT(OPTION_REJECTS) | OPTION_BIT(OPTION_SQL) | OPTION_BIT(OPTION_NO_PIN) |
                OPTION_BIT(OPTION_JSON),
     .one_query = "a reader reads the files of one table",
     .run = files_command,
     .knows = true},
    {.name = "doctor",
     .group = look,
     .brief = "check everything a run needs; say how to fix what fails",
     .doc =
         "Check everything that a run needs, and say how to fix what fails. In Kafka: the brokers, "
         "the topics, the right to read them, the next offsets, and how many of the newest records "
         "(about 100 of each topic) would become rows. On disk: every directory that a run writes "
         "to, free space, the speed of syncs, the checkpoints, and the types of the tables' files. "
         "On the machine: memory, open files, the clock, time zones, and the port. A query that is "
         "running is asked for its state, as in `status`. The command changes no existing file and "
         "takes no lock. It writes a file of 4 KiB, _esports_stream_doctor.*, into each of these "
         "directories and removes it at once. It ends within about 20 seconds, even if something "
         "does not answer. Exit code 0: nothing failed (warnings do not count); 8: none of the "
         "newest records would become a row; 11: a query runs and makes no progress; otherwise the "
         "code with which a run would end.",
     .document =
         "one object per check: `check`, `verdict` (`OK`, `WARN`, `FAIL`, or `SKIP` for one "
         "that another failure makes impossible), `text`, and `fix` (null if there is "
         "nothing to fix). The last object is the `summary`, without a verdict: also "
         "`fixFirst`, the check to "
         "fix first (null: none), the numbers `failed`, `warnings`, `skipped` and `ok`, and "
         "`exitCode`.",
     .options = OPTION_BIT(OPTION_JSON),
     .run_once = doctor_command,
     .judges_paths = true,
     .needs_broker = true},
    {.name = "verify",
     .group = look,
     .brief = "prove that every offset is accounted for exactly once",
     .doc = "Show which offsets of each partition the table and its rejects cover, and prove from "
            "the files themselves and from Kafka that each offset is accounted for exactly once. "
            "Takes no lock, so the query can keep running.",
     .document =
         "`query`, `topic`, `table`, `rejectsTable`; `throughBatch`, the newest committed batch "
         "(null: none yet); `proven`, true if there is no fault and nothing unproven; `faults`; "
         "`missing`, `duplicate` and `unproven`, in offsets; `partitions`, each with "
         "`incarnation`, "
         "`partition`, `start`, `end` (exclusive) and the outcome of these offsets: `rows`, "
         "`rejects`, `absent`, `lost`, `missing`, `duplicate`, `unproven`, if rows have left the "
         "table also `expired` and `accepted`, and of a query with "
         "WHERE or LATERAL VIEW also `records` (offsets with rows), `empty` and `filtered`; "
         "`counts` of the findings by kind (`wrong`, `missing`, `duplicate`: faults; `lost`, "
         "`absent`, `note`: not), and "
         "`findings`, the first 50 of each kind, with `kind` and `text`; `read`: `bySinkLog`, "
         "`tableFiles`, `rejectFiles`, `bytes`, `rows`, `durationMs`, `passes`, "
         "`recordsFromKafka`. With exit code 5, the document is printed, too.",
     .options = OPTION_BIT(OPTION_JSON),
     .run = verify_command,
     .knows = true,
     .needs_broker = true,
     .goes_on = true},
    {.name = "checkpoint show",
     .group = look,
     .brief = "what the checkpoint holds, and what a start would do",
     .doc =
         "Show what the checkpoint holds: plans, commits, manifests, coverage, the sink log, who "
         "holds the lock, and what a start would do. Takes no lock, so the query can keep running. "
         "Exit code 5: a part of it cannot be read.",
     .options = OPTION_BIT(OPTION_JSON),
     .run = checkpoint_show_command,
     .knows = true,
     .goes_on = true},
    {.name = "check",
     .operand = "FILE…",
     .group = look,
     .brief = "check query files: names, types, columns",
     .doc =
         "Check query files (docs/queries.md), and show for each streaming table what it reads and "
         "writes: topic, columns with their types and expressions, partition columns, condition, "
         "what is decoded of a record, properties, and warnings. A directory stands for all its "
         "files whose names end in `.sql`. Errors are printed as FILE:LINE:COLUMN. Exit code 0: "
         "all files are correct (warnings do not count); 2: one is not. QUERIES_PATH "
         "runs them.",
     .document =
         "one object per streaming table: `file`, `line`, `table`, `comment`, `topic`; `columns`, "
         "each with `name`, `type`, `nullable` (whether the expression can be null), `notNull` "
         "(true: "
         "NOT NULL is written, and a null makes the record a reject), `expression`, `comment`; "
         "`partitionColumns`; `views`, each LATERAL VIEW with `name`, `argument`, `outer`, "
         "`position`, `element`, `value` (the aliases; null: has none) and `positionColumn`; "
         "`where`; "
         "`schema`, what is decoded of a record, as the schema of from_json (null: the value is "
         "not "
         "parsed); `properties`, `warnings`. For a file or table with an error: `file`, `table` "
         "(null: the file cannot be read or parsed) and `error`.",
     .options = OPTION_BIT(OPTION_JSON),
     .run_once = check_command,
     .needs_nothing = true},
    {.name = "infer",
     .operand = "[FILE…]",
     .group = look,
     .brief = "propose a query file for a topic's records",
     .doc =
         "Read the newest records of a topic, evenly of all its partitions, and print a query file "
         "for them (docs/queries.md): what a record holds, with nested types merged over all "
         "records; a table with one row per record; and a table for each array of objects. Guesses "
         "the identifier and the partition column, and shows some values in comments. `check` "
         "accepts the file. With FILE, reads the first records of these files instead, one per "
         "line; `-` is standard input. Stores nothing. Exit code 0: the file is printed; 4: Kafka "
         "cannot be reached or has no such topic; 8: no record is a JSON object, so the file has a "
         "table of the records' bytes.",
     .options = OPTION_BIT(OPTION_TOPIC) | OPTION_BIT(OPTION_ROWS) | OPTION_BIT(OPTION_NO_VALUES),
     .required = OPTION_BIT(OPTION_TOPIC),
     .run_once = infer_command,
     .judges_paths = true},
    {.name = "rejects ls",
     .alias = "rejects list",
     .group = look,
     .brief = "rejected records, by reason and partition",
     .doc = "Count the rejects by reason and by partition of the topic, and list the newest. "
            "Replayed rejects are rows now and are left out.",
     .options = OPTION_BIT(OPTION_REASON) | OPTION_BIT(OPTION_PARTITION) |
                OPTION_BIT(OPTION_OFFSETS) | OPTION_BIT(OPTION_SINCE) | OPTION_BIT(OPTION_UNTIL) |
                OPTION_BIT(OPTION_ROWS) | OPTION_BIT(OPTION_JSON),
     .run = rejects_ls_command,
     .knows = true},
    {.name = "rejects show",
     .operand = "PARTITION:OFFSET",
     .group = look,
     .brief = "one rejected record, with its bytes",
     .doc = "Show one reject with everything that is known about it. Bytes that are not text or "
            "would control the terminal are shown as \\n, \\t, \\xNN.",
     .options = OPTION_BIT(OPTION_RAW) | OPTION_BIT(OPTION_JSON),
     .one_query = "each topic has partitions and offsets of its own",
     .run = rejects_show_command,
     .knows = true},
    {.name = "compact",
     .group = change,
     .brief = "merge small files into few",
     .doc = "Merge small files of each directory into files of --target-file-size, with the same "
            "rows (docs/operations.md). If the query runs, it does this between its batches, and "
            "the command waits for it; otherwise the command does it itself. Files that the sink "
            "log's newest compact file does not list yet are left for later. Rejects are merged, "
            "too. Ctrl-C cancels with exit code 130; what is merged by then stays.",
     .options =
         OPTION_BIT(OPTION_OLDER_THAN) | OPTION_BIT(OPTION_TARGET_FILE_SIZE) | CHANGE_OPTIONS,
     .run = compact_command,
     .changes = true},
    {.name = "expire",
     .group = change,
     .brief = "remove old dates from the tables",
     .doc = "Remove all partitions of dates before a date, with their rows. The table needs a "
            "partition column of type DATE. A partition to which rows were added on that date or "
            "later stays. The files stay readable next to the table for COMPACT_GRACE, and are "
            "then deleted. `verify` counts the rows as expired. If the query runs, it does this "
            "between its batches, and the command waits for it.",
     .options = OPTION_BIT(OPTION_BEFORE) | CHANGE_OPTIONS,
     .required = OPTION_BIT(OPTION_BEFORE),
     .run = expire_command,
     .changes = true},
    {.name = "rejects replay",
     .group = change,
     .brief = "parse rejects again, after a fix",
     .doc =
         "Parse rejects again, after an update of the program or with another PARSE_MODE; with the "
         "same version and settings, they would be rejected again. "
         "Records that can now become rows are written as the query's next batch, which has no "
         "offsets. Their reject rows stay and count as resolved; records that fail again stay "
         "rejects. The query must be stopped.",
     .options = OPTION_BIT(OPTION_REASON) | OPTION_BIT(OPTION_PARTITION) |
                OPTION_BIT(OPTION_OFFSETS) | OPTION_BIT(OPTION_SINCE) | OPTION_BIT(OPTION_UNTIL) |
                CHANGE_OPTIONS | OPTION_BIT(OPTION_JSON),
     .run = rejects_replay_command,
     .knows = true,
     .changes = true},
    {.name = "rewind",
     .group = change,
     .brief = "undo the newest batches, to process them again",
     .doc =
         "Undo the batches after N, so that the next start reads them from Kafka again. "
         "Their files are moved aside, not deleted. The query must be stopped. --to-batch or "
         "--to-time says which batch is the newest that stays, within REWIND_RETENTION. If Kafka "
         "no longer has all the records, nothing is changed.",
     .options = OPTION_BIT(OPTION_TO_BATCH) | OPTION_BIT(OPTION_TO_TIME) |
                OPTION_BIT(OPTION_NO_KAFKA_CHECK) | CHANGE_OPTIONS,
     .one_query = "each query numbers its own batches",
     .run = rewind_command,
     .changes = true},
    {.name = "relocate",
     .group = change,
     .brief = "rewrite absolute paths, after the lake was moved",
     .doc = "After the lake was moved: rewrite the absolute paths in the sink log and the "
            "manifests. The settings say where everything is now. The query must be stopped.",
     .options = CHANGE_OPTIONS,
     .run = run_relocate,
     .changes = true},
    {.name = "adopt",
     .group = change,
     .brief = "create a sink log for a table that has none",
     .doc =
         "Create a sink log for a table that has none, such as the table of a foreachBatch job, so "
         "that Spark reads it exactly once. With --cluster: continue with the same offsets on "
         "another Kafka cluster. With --accept: take a table as it is after another program has "
         "deleted, replaced or merged files of it; what was lost is printed and recorded, so that "
         "`verify` counts it as `accepted`. The query must be stopped.",
     .options = OPTION_BIT(OPTION_CLUSTER) | OPTION_BIT(OPTION_ACCEPT) | CHANGE_OPTIONS,
     .run = run_adopt,
     .changes = true},
    {.name = "release",
     .group = change,
     .brief = "remove the sink log",
     .doc = "Remove the sink log, if it lists exactly the files of the table. The query must be "
            "stopped.",
     .options = CHANGE_OPTIONS,
     .run = run_release,
     .changes = true},
    {.name = "sample",
     .group = print,
     .brief = "sample records, to fill a topic with",
     .doc = "Print sample records like those of --demo, one JSON text per line, to test a topic "
            "with. Every twentieth has a fault: another key, a wrong type, no identifier.",
     .options = OPTION_BIT(OPTION_ROWS) | OPTION_BIT(OPTION_SEED),
     .one_query = "each topic has records of its own",
     .run_once = sample_command,
     .needs_nothing = true},
    {.name = "schema",
     .group = print,
     .brief = "the columns of the tables, for Spark or for people",
     .doc = "Print the columns of the tables, for Spark or for people.",
     .options = OPTION_BIT(OPTION_FORMAT),
     .run_once = schema_command,
     .needs_nothing = true},
    {.name = "completion",
     .operand = "bash|zsh|fish",
     .group = print,
     .brief = "completion script for bash, zsh or fish",
     .doc = "Print a script that lets the shell complete commands, options and their values: "
            "`source <(esports-stream completion bash)`.",
     .run_once = completion_command,
     .needs_nothing = true},
    {.name = "docs",
     .operand = "configuration|commands|schema|metrics|functions|man",
     .group = print,
     .brief = "the generated documentation",
     .doc = "Print one of the documents that are generated from the program's own tables.",
     .run_once = docs_command,
     .needs_nothing = true},
    {0},
};

/* Reports one failure. An end that was asked for is not one, unless a signal has asked for it in
 * the middle of the work. */
static enum exit_code report(const struct config *config, struct error *err, int signal,
                             FILE *errors) {
    path_origin_add(config, err);
    if (err->kind != ERROR_STOPPED || signal != 0)
        (void)fprintf(errors, "esports-stream: %s: %s\n", config->command->name, err->message);
    return signal != 0 ? EXIT_CODE_SIGNAL + (unsigned)signal : exit_code_of(err->kind);
}

// NOLINTBEGIN(readability-non-const-parameter): the command sets *signal through its scope
static bool run_for_one(const struct config *config, const struct stream *stream, FILE *out,
                        int *signal, struct error *err) {
    // NOLINTEND(readability-non-const-parameter)
    struct command_scope scope = {.config = config, .stream = stream, .out = out, .signal = signal};
    struct known_store known;
    bool knows = config->command->knows;
    if (knows) {
        known_store_init(&known, config, stream);
        scope.known = &known;
    }
    scope.store = knows ? known.store : config_store_options(config, stream);
    bool ok = config->command->run(&scope, err);
    if (!ok && (err->kind != ERROR_STOPPED || *signal != 0))
        error_wrap(err, "%s", stream->name);
    if (knows)
        known_store_deinit(&known);
    else
        config_store_options_deinit(&scope.store);
    return ok;
}

static enum exit_code run_for_each(const struct config *config, FILE *out, FILE *errors) {
    enum exit_code code = EXIT_CODE_OK;
    for (size_t i = 0; streams[i] != NULL; i++) {
        struct error err = {0};
        int signal = 0;
        if (!config_runs(config, streams[i]) || run_for_one(config, streams[i], out, &signal, &err))
            continue;
        (void)fflush(out);
        code = report(config, &err, signal, errors);
        if (!config->command->goes_on || err.kind != ERROR_STATE)
            break;
    }
    return code;
}

/* In another shell or as another user than the program's, the setting is easily missing. `doctor`
 * reports it like its other findings. */
static void say_default_lake(const struct config *config) {
    struct error ignored;
    const struct command *command = config->command;
    if (command->needs_nothing || command->judges_paths || !settings_lake_is_default(config))
        return;
    bool is_missing = file_exists(config->data_lake_path, NULL, &ignored) == 0;
    log_write(is_missing ? LOG_WARNING : LOG_INFO, "main",
              "DATA_LAKE_PATH is not set: the default path '%s' is used%s; set DATA_LAKE_PATH to "
              "the lake that you mean",
              config->data_lake_path, is_missing ? ", which does not exist" : "");
}

/* ---- before something is changed ---- */

static bool is_asked(const struct config *config) {
    const struct command_arguments *arguments = &config->arguments;
    return config->command->changes && !arguments->dry_run && !arguments->yes &&
           isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static bool read_yes(void) {
    char answer[16] = "";
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    answer[strcspn(answer, "\n")] = '\0';
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

/* Shows what the command would do, and asks. Otherwise than EXIT_CODE_OK: it must not be run. */
static enum exit_code ask(const struct config *config, FILE *errors) {
    struct config preview = *config; // borrows everything
    preview.arguments.dry_run = true;
    preview.arguments.json = false;
    enum exit_code code = run_for_each(&preview, errors, errors);
    if (code != EXIT_CODE_OK)
        return code;
    (void)fprintf(errors, "Do this now? [y/N] ");
    (void)fflush(errors);
    if (read_yes())
        return EXIT_CODE_OK;
    (void)fprintf(errors, "esports-stream: %s: nothing was changed\n", config->command->name);
    return EXIT_CODE_UNEXPECTED;
}

enum exit_code commands_run(const struct config *config, FILE *out, FILE *errors) {
    struct error err = {0};
    enum exit_code code = EXIT_CODE_OK;
    say_default_lake(config);
    if (is_asked(config) && (code = ask(config, errors)) != EXIT_CODE_OK)
        return code;
    if (config->command->run != NULL)
        code = run_for_each(config, out, errors);
    else if (!config->command->run_once(
                 &(struct command_call){config, out, &code, program_commands, errors}, &err))
        code = report(config, &err, 0, errors);
    if (!output_flush(out, &err) && code == EXIT_CODE_OK)
        code = report(config, &err, 0, errors);
    return code;
}

bool commands_print(const struct config *config, FILE *out, FILE *errors, enum exit_code *code) {
    struct error err = {0};
    switch (config->action) {
    case ACTION_RUN:
    case ACTION_COMMAND:
        return false;
    case ACTION_EXPLAIN:
        (config->arguments.json ? explain_print_json : explain_print)(out, config);
        break;
    case ACTION_HELP:
        help_print(out, program_commands, config->help, config->command);
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
