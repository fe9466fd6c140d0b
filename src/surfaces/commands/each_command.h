/* each_command.h: the commands that have a file of their own here. What a command is and what it is
 * given: surfaces/settings/command.h; the table of all of them: surfaces/program/commands.c. */
#ifndef SURFACES_COMMANDS_EACH_COMMAND_H
#define SURFACES_COMMANDS_EACH_COMMAND_H

#include <stdio.h>

#include "base/json.h"
#include "streaming/recovery/inspect.h"
#include "surfaces/settings/command.h"

/* `verify`: what streaming/verify/verify.h finds, for people: a table with a line per partition,
 * what is wrong, what was read, and if nothing is wrong, a last line that says so. ERROR_STATE:
 * something is wrong; the message counts it. */
MUST_CHECK bool verify_command(const struct command_scope *scope, struct error *err);

/* `tail`: the newest rows of a table, and with --follow those of each batch as it is committed,
 * whether we run the query or Spark does. */
MUST_CHECK bool tail_command(const struct command_scope *scope, struct error *err);

/* `files`: the files of a table at one moment, for readers that are given a list. */
MUST_CHECK bool files_command(const struct command_scope *scope, struct error *err);

/* `rewind`, and the consumer group of KAFKA_COMMIT_GROUP with it. */
MUST_CHECK bool rewind_command(const struct command_scope *scope, struct error *err);

/* `compact` and `expire`. */
MUST_CHECK bool compact_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool expire_command(const struct command_scope *scope, struct error *err);

/* The records that could not become rows. */
MUST_CHECK bool rejects_ls_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool rejects_show_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool rejects_replay_command(const struct command_scope *scope, struct error *err);

/* `checkpoint show`: what a query's checkpoint says, in plain words. */
MUST_CHECK bool checkpoint_show_command(const struct command_scope *scope, struct error *err);

/* The same as one object, owned by the caller; and as text. */
struct json *inspection_json(const struct command_scope *scope,
                             const struct inspection *inspection);
void inspection_print(const struct command_scope *scope, const struct inspection *inspection);

/* `status`: what the running process says of the chosen queries, asked over HTTP where the
 * checkpoint's lock says that it can be; and what the checkpoint says while none runs. */
MUST_CHECK bool status_command(const struct command_call *call, struct error *err);

/* `check`: what query files mean, or what is wrong with them. */
MUST_CHECK bool check_command(const struct command_call *call, struct error *err);

/* One query as /api/v1/queries has it, for people. */
void status_print_query(FILE *out, const struct json *query);

#endif
