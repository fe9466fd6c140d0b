/* schema_command.h: `schema`: the columns of the chosen tables, for Spark and for people. */
#ifndef SURFACES_SCHEMA_COMMAND_H
#define SURFACES_SCHEMA_COMMAND_H

#include <stdio.h>

#include "surfaces/config.h"

MUST_CHECK bool schema_command(const struct config *config, FILE *out, enum exit_code *code,
                               struct error *err);

#endif
