/* sample_command.h: `sample`: records such as --demo has them, as lines of JSON. */
#ifndef SURFACES_COMMANDS_SAMPLE_COMMAND_H
#define SURFACES_COMMANDS_SAMPLE_COMMAND_H

#include <stdio.h>

#include "surfaces/settings/command.h"

MUST_CHECK bool sample_command(const struct command_call *call, struct error *err);

#endif
