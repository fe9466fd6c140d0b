/* options.h: the command line, taken apart by two tables: options that are no settings, and
 * commands. Settings' values are checked by config.c. */
#ifndef SURFACES_SETTINGS_OPTIONS_H
#define SURFACES_SETTINGS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "surfaces/settings/config.h"
#include "surfaces/settings/faults.h"
#include "surfaces/settings/settings.h"

enum { OPTION_TEXT_MAX = 256 };

enum option_id {
    OPTION_JOB,
    OPTION_AWAIT,
    OPTION_DEMO,
    OPTION_EXPLAIN,
    OPTION_ENV_FILE,
    OPTION_TO_BATCH,
    OPTION_ROWS,
    OPTION_FOLLOW,
    OPTION_REASON,
    OPTION_PARTITION,
    OPTION_OFFSETS,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_RAW,
    OPTION_CLUSTER,
    OPTION_DRY_RUN,
    OPTION_FORMAT,
    OPTION_SEED,
    OPTION_JSON,
    OPTION_VERSION,
    OPTION_HELP,
    OPTION_COUNT,
};

/* A set of options. */
#define OPTION_BIT(id) (UINT64_C(1) << (id))

/* What an option goes with. */
enum option_use {
    OPTION_WITH_ALL,
    OPTION_WITH_RUN,      // not with a command
    OPTION_WITH_COMMANDS, // with those that name it
};

/* An option that is no setting. */
struct option_entry {
    const char *name; // "--job"
    char letter;      // 'h' for "-h"; 0: none
    enum option_use use;
    const char *placeholder; // of its value; NULL: that of `value`, or it takes none
    /* With commands: how its value is read, into which field of struct command_arguments. Without a
     * type it takes no value, and the field is a bool. */
    struct setting value;
    const char *doc;
};

extern const struct option_entry option_entries[OPTION_COUNT];

bool option_takes_value(const struct option_entry *entry);

/* What stands behind the option in --help: "N", "bash|zsh"; for --job, the jobs. */
void option_placeholder(const struct option_entry *entry, char text[static OPTION_TEXT_MAX]);

/* Whether it may be given with the command; NULL: with a run. */
bool option_goes_with(enum option_id id, const struct command_entry *command);

/* The words that "bash|zsh|fish" stands for, from index 0. False: no more, or it is one value. */
bool operand_choice(const char *operand, size_t index, char word[static OPTION_NAME_MAX]);

enum { ENV_FILES_MAX = 8 };

/* Everything is borrowed from argv. */
struct options {
    enum command command;
    const struct command_entry *entry; // NULL: none
    bool meant_command;                // one that there isn't
    struct command_arguments arguments;
    const struct stream *fixed_job; // argv[0] is a query's name; NULL: it is not
    const char *job;                // NULL: not given
    bool await_termination, demo;
    const char *env_files[ENV_FILES_MAX];
    size_t env_file_count;
    const char *settings[SETTINGS_MAX]; // by index of the table of settings; the last one counts
};

/* After --help and --version nothing else matters, and there are no faults. */
void options_parse(struct options *options, int argc, char **argv, struct faults *faults);

/* The program's name as it was called, without directories. */
const char *program_name(const char *argv_0);

#endif
