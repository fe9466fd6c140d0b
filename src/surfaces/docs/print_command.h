/* print_command.h: the commands that print something and end. */
#ifndef SURFACES_DOCS_PRINT_COMMAND_H
#define SURFACES_DOCS_PRINT_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "surfaces/settings/config.h"
#include "surfaces/terminal/exit_code.h"

/* Prints what config->command asks for; `*code` is how that ended. False: it is nothing that only
 * prints. */
bool print_command(const struct config *config, FILE *out, FILE *errors, enum exit_code *code);

#endif
