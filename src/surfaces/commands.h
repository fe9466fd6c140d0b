/* commands.h: what the program does beside running queries: `esports-stream COMMAND [OPTION]...`.
 * Each command works on the directories of the chosen queries, one after the other, and ends. */
#ifndef SURFACES_COMMANDS_H
#define SURFACES_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "surfaces/config.h"

/* One query, as a command sees it. */
struct command_scope {
    const struct config *config;
    const struct stream *stream;
    struct store_options store;
    FILE *out; // what a person reads; errors are the caller's
};

struct command_entry {
    const char *name;      // "adopt"
    const char *arguments; // its own options, as --help shows them; "": none
    const char *doc;
    bool (*run)(const struct command_scope *scope, struct error *err);
    bool needs_broker; // KAFKA_BOOTSTRAP_SERVERS is required
    bool goes_on; // what is wrong with one query (ERROR_STATE) does not keep it from the others
};

/* Ended by an entry without a name. */
extern const struct command_entry command_entries[];

/* NULL: no such command. */
const struct command_entry *command_find(const char *name);

/* Runs config->entry for each chosen query, until one fails; *err is the last failure, and
 * those before it are logged. */
MUST_CHECK bool command_run(const struct config *config, FILE *out, struct error *err);

#endif
