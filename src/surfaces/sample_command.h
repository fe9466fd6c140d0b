/* sample_command.h: `sample`: records such as --demo has them, as lines of JSON. */
#ifndef SURFACES_SAMPLE_COMMAND_H
#define SURFACES_SAMPLE_COMMAND_H

#include <stdio.h>

#include "surfaces/config.h"

MUST_CHECK bool sample_command(const struct config *config, FILE *out, enum exit_code *code,
                               struct error *err);

#endif
