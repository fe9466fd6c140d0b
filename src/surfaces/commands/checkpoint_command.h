/* checkpoint_command.h: `checkpoint show`: what a query's checkpoint says, in plain words. */
#ifndef SURFACES_COMMANDS_CHECKPOINT_COMMAND_H
#define SURFACES_COMMANDS_CHECKPOINT_COMMAND_H

#include "base/json.h"
#include "streaming/recovery/inspect.h"
#include "surfaces/settings/command.h"

MUST_CHECK bool checkpoint_show_command(const struct command_scope *scope, struct error *err);

/* The same as one object, owned by the caller; and as text. */
struct json *inspection_json(const struct command_scope *scope,
                             const struct inspection *inspection);
void inspection_print(const struct command_scope *scope, const struct inspection *inspection);

#endif
