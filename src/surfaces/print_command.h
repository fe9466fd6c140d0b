/* print_command.h: the commands that print something and end. */
#ifndef SURFACES_PRINT_COMMAND_H
#define SURFACES_PRINT_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "surfaces/config.h"

/* Prints what config->command asks for. False: it is nothing that only prints. */
bool print_command(FILE *out, const struct config *config);

#endif
