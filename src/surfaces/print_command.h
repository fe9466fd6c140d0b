/* print_command.h: the commands that print something and end. */
#ifndef SURFACES_PRINT_COMMAND_H
#define SURFACES_PRINT_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "surfaces/config.h"
#include "surfaces/exit_code.h"

/* Prints what config->command asks for; `*code` is how that ended. False: it is nothing that only
 * prints. */
bool print_command(const struct config *config, FILE *out, FILE *errors, enum exit_code *code);

#endif
