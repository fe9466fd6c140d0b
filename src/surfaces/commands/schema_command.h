/* schema_command.h: `schema`: the columns of the chosen tables, for Spark and for people. */
#ifndef SURFACES_COMMANDS_SCHEMA_COMMAND_H
#define SURFACES_COMMANDS_SCHEMA_COMMAND_H

#include <stdio.h>

#include "surfaces/settings/command.h"

MUST_CHECK bool schema_command(const struct command_call *call, struct error *err);

#endif
