/* rejects_command.h: `rejects ls`, `rejects show` and `rejects replay`: the records that could not
 * become rows. */
#ifndef SURFACES_COMMANDS_REJECTS_COMMAND_H
#define SURFACES_COMMANDS_REJECTS_COMMAND_H

#include "pipeline/sink/reject.h"
#include "surfaces/rows/lake_files.h"
#include "surfaces/rows/table_rows.h"
#include "surfaces/settings/command.h"

MUST_CHECK bool rejects_ls_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool rejects_show_command(const struct command_scope *scope, struct error *err);
MUST_CHECK bool rejects_replay_command(const struct command_scope *scope, struct error *err);

/* ---- for both ---- */

/* The columns of the rejects table, as enum reject_column has them. */
extern const struct wanted_column reject_columns[REJECT_COLUMNS];

/* The files of the query's rejects table; says so when there is no such table. */
MUST_CHECK bool rejects_list(const struct command_scope *scope, struct lake_files *files,
                             struct error *err);

/* Which of them were replayed and are rows by now; none without a checkpoint. */
MUST_CHECK bool rejects_resolved(const struct command_scope *scope,
                                 struct resolved_rejects *resolved, struct error *err);

enum { REJECT_EXCERPT = 2048 }; // bytes

/* One reject as the HTTP API has it, but for the batch: "valueBase64" has the value's first
 * `value_max` bytes. Owned by the caller. */
struct json *reject_json(const struct table_rows *rows, size_t row, size_t value_max);

#endif
