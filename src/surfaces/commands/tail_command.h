/* tail_command.h: `tail`: the newest rows of a table, and with --follow those of each batch as it
 * is committed, whether we run the query or Spark does. */
#ifndef SURFACES_COMMANDS_TAIL_COMMAND_H
#define SURFACES_COMMANDS_TAIL_COMMAND_H

#include "surfaces/settings/command.h"

MUST_CHECK bool tail_command(const struct command_scope *scope, struct error *err);

#endif
