/* commands.h: the table of commands, and what runs one. */
#ifndef SURFACES_PROGRAM_COMMANDS_H
#define SURFACES_PROGRAM_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

#include "surfaces/settings/command.h"

/* Ended by one without a name; a family's commands stand together. */
extern const struct command program_commands[];

/* Runs config->command; what goes wrong is printed to `errors`, one problem per line. */
enum exit_code commands_run(const struct config *config, FILE *out, FILE *errors);

/* Prints what --explain, --help or --version asks for; `*code` is how that ended. False: none of
 * them was given. */
bool commands_print(const struct config *config, FILE *out, FILE *errors, enum exit_code *code);

#endif
