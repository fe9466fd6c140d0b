/* command.h: what a command is: something that the program does in addition to running queries,
 * `esports-stream COMMAND [OPTION]...`.
 *
 * The table of commands is in surfaces/program/commands.h: the command line is read by it, and
 * --help, docs/commands.md, the man page and the shells' completions are printed from it. A command
 * works on each of the chosen queries, one after the other (`run`), or once (`run_once`), and ends.
 */
#ifndef SURFACES_SETTINGS_COMMAND_H
#define SURFACES_SETTINGS_COMMAND_H

#include <stdio.h>

#include "base/error.h"
#include "surfaces/settings/config.h"
#include "surfaces/settings/known_store.h"
#include "surfaces/terminal/exit_code.h"

/* One query, as a command sees it. */
struct command_scope {
    const struct config *config;
    const struct stream *stream;
    struct store_options store;
    const struct known_store *known; // where `store` comes from; NULL: from the settings alone
    FILE *out;                       // what was asked for; errors are the caller's
    int *signal; // set to the signal that ended it before it was done (ERROR_STOPPED)
};

/* A command that is run once. */
struct command_call {
    const struct config *config;
    FILE *out;
    enum exit_code *code; // EXIT_CODE_OK before; what the program ends with, unless it fails
    const struct command *commands; // the table
    FILE *errors;                   // of a command that reports several and continues
};

struct command {
    const char *name;    // "adopt"; of a family: "rejects ls"
    const char *alias;   // another name that is accepted, but not listed; NULL: none
    const char *operand; // what follows it: "PARTITION:OFFSET", "bash|zsh"; NULL: nothing. One with
                         // "…" can be given several times, and is a file; "[FILE…]" is optional
    const char *group;   // heading in --help; those of a group stand together
    const char *brief;   // one line in --help
    const char *doc;
    const char *document; // the members of its JSON document, for docs/commands.md; NULL: not told
    uint64_t options; // those of its own (surfaces/settings/options.h): OPTION_BIT(OPTION_ROWS) | …
    uint64_t required;     // those that must be given
    const char *one_query; // why --job must name one query; NULL: it need not

    /* One of the two. ERROR_STOPPED: nobody reads `out` any more, a quiet end. */
    bool (*run)(const struct command_scope *scope, struct error *err);
    bool (*run_once)(const struct command_call *call, struct error *err);

    bool changes;       // what is on disk: asks first on a terminal, unless OPTION_YES is given
    bool judges_paths;  // itself, so that one that is not a directory does not end it before
    bool needs_broker;  // KAFKA_BOOTSTRAP_SERVERS is required
    bool needs_nothing; // reads no settings, so that none can be wrong
    bool knows;         // what no setting says is taken from the checkpoint
                        // (surfaces/settings/known_store.h)
    bool goes_on; // what is wrong with one query (ERROR_STATE) does not keep it from the others
};

/* The command that the words begin with, and how many of them (at most two) are its name. NULL: no
 * such command. A table of commands is ended by one without a name; a family's stand together. */
const struct command *command_find(const struct command *commands, char *const *words, size_t count,
                                   size_t *used);

/* Whether it takes one file or more. */
bool command_takes_files(const struct command *command);

/* Whether a command's name is the word, or begins with it ("rejects"). */
bool command_is_named(const struct command *command, const char *word);

/* Whether the option may be given with the command; NULL: with a run. */
bool command_takes_option(const struct command *command, enum option_id id);

enum { COMMAND_SYNOPSIS_MAX = 512 };

/* "rejects ls [--reason …] [--json]": the name, the operand and its own options. */
void command_synopsis(const struct command *command, char text[static COMMAND_SYNOPSIS_MAX]);

#endif
