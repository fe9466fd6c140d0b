/* options.h: the options that are not settings, in one table, and what a command line gives. It is
 * read by surfaces/program/command_line.h; settings' values are checked by config_load.c. */
#ifndef SURFACES_SETTINGS_OPTIONS_H
#define SURFACES_SETTINGS_OPTIONS_H

#include "core/reject.h"
#include "surfaces/settings/setting.h"

enum { OPTION_TEXT_MAX = 256 };

enum option_id {
    OPTION_JOB,
    OPTION_AWAIT,
    OPTION_DEMO,
    OPTION_LIVE,
    OPTION_FOR,
    OPTION_EXPLAIN,
    OPTION_ENV_FILE,
    OPTION_TO_BATCH,
    OPTION_TO_TIME,
    OPTION_NO_KAFKA_CHECK,
    OPTION_TOPIC,
    OPTION_ROWS,
    OPTION_NO_VALUES,
    OPTION_FOLLOW,
    OPTION_REASON,
    OPTION_PARTITION,
    OPTION_OFFSETS,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_RAW,
    OPTION_CLUSTER,
    OPTION_BEFORE,
    OPTION_OLDER_THAN,
    OPTION_TARGET_FILE_SIZE,
    OPTION_DRY_RUN,
    OPTION_YES,
    OPTION_FORMAT,
    OPTION_SEED,
    OPTION_REJECTS,
    OPTION_SQL,
    OPTION_NO_PIN,
    OPTION_ACCEPT,
    OPTION_JSON,
    OPTION_VERSION,
    OPTION_HELP,
    OPTION_COUNT,
};

/* A set of options. */
#define OPTION_BIT(id) (UINT64_C(1) << (id))

/* What --help and `help` print. */
enum help {
    HELP_SCREEN, // one screen: commands, the most used options, examples
    HELP_COMMAND,
    HELP_FAMILY, // all commands of a family ("rejects")
    HELP_SETTINGS,
    HELP_EXIT_CODES,
};

/* What an option goes with. */
enum option_use {
    OPTION_WITH_ALL,
    OPTION_WITH_RUN,      // not with a command
    OPTION_WITH_COMMANDS, // with those that name it
    OPTION_WITH_EXPLAIN,  // with those and with --explain
};

/* An option that does not belong to a setting. */
struct option_entry {
    const char *name;        // "--job"
    const char *placeholder; // of its value; NULL: that of `value`, or it takes none
    const char *doc;
    enum option_use use;
    char letter; // 'h' for "-h"; 0: none
    /* How its value is read, into which field of struct command_line. Without a type it takes no
     * value, and the field is a bool. --env-file and what asks for another action have no field. */
    struct setting value;
    const char *brief; // one line in --help; NULL: not there
};

extern const struct option_entry option_entries[OPTION_COUNT];

bool option_takes_value(const struct option_entry *entry);

/* What follows the option in --help: "N", "bash|zsh". */
void option_placeholder(const struct option_entry *entry, char text[static OPTION_TEXT_MAX]);

/* The words that "bash|zsh|fish" stands for, from index 0. False: no more, or it is one value. */
bool operand_choice(const char *operand, size_t index, char word[static OPTION_NAME_MAX]);

/* ---- what was given ---- */

struct command; // surfaces/settings/command.h

enum action {
    ACTION_RUN,
    ACTION_COMMAND, // of the table of commands
    ACTION_EXPLAIN, // --explain: settings are read and checked, nothing is started
    ACTION_HELP,    // this and what follows: no settings are read; with a command: of that one
    ACTION_VERSION,
};

enum schema_format { FORMAT_DDL, FORMAT_JSON, FORMAT_MARKDOWN };

enum { OPERANDS_MAX = 256 };

/* What follows a command: options of its own. Texts are borrowed from argv. */
struct command_arguments {
    uint64_t given;      // OPTION_BIT()s
    const char *operand; // the first; NULL: none
    const char *operands[OPERANDS_MAX];
    size_t operand_count;
    int64_t to_batch, rows, seed;
    enum reject_reason reason;   // if given
    int64_t partition;           // if given
    struct number_range offsets; // all, unless given
    const char *before;          // NULL: not given
    int64_t older_than_ms;       // 0: not given
    int64_t target_file_size;    // bytes; 0: not given
    const char *since, *until;   // NULL: not given
    const char *to_time;         // NULL: not given
    enum schema_format format;
    const char *cluster; // NULL: not given
    const char *topic;   // NULL: not given
    bool follow, raw, dry_run, yes, json, no_values, of_rejects, sql, no_pin, accept;
    bool no_kafka_check;
};

enum { ENV_FILES_MAX = 8, JOBS_MAX = 2 * STREAMS_MAX };

/* Everything is borrowed from argv. */
struct command_line {
    enum action action;
    const struct command *command; // NULL: none
    enum help help;                // of ACTION_HELP; of HELP_COMMAND and HELP_FAMILY, `command` is
                                   // the command, or one of the family
    bool meant_command;            // one that does not exist
    struct command_arguments arguments;
    const struct stream *fixed_job; // argv[0] is a query's name; NULL: it is not
    struct text jobs[JOBS_MAX];     // the names of all --job
    size_t job_count;
    bool await_termination, demo, live;
    int64_t live_ms;
    const char *env_files[ENV_FILES_MAX];
    size_t env_file_count;
    const char
        *settings[SETTINGS_MAX]; // by index of the table of settings; a repeated one overrides
};

#endif
