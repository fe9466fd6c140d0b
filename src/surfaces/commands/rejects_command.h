/* rejects_command.h: `rejects ls`, `rejects show` and `rejects replay`: the records that could not
 * become rows. */
#ifndef SURFACES_COMMANDS_REJECTS_COMMAND_H
#define SURFACES_COMMANDS_REJECTS_COMMAND_H

#include "pipeline/sink/reject_table.h"
#include "streaming/store/rejects.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/settings/command.h"

MUST_CHECK bool rejects_ls_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool rejects_show_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool rejects_replay_command(const struct command_scope *scope, struct error *err);

#endif
