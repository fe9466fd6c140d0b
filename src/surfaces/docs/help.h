/* help.h: what --help and --version print, from the tables of commands, options,
 * settings and exit codes. */
#ifndef SURFACES_DOCS_HELP_H
#define SURFACES_DOCS_HELP_H

#include <stdio.h>

#include "surfaces/settings/options.h"

struct command; // surfaces/settings/command.h

/* `command`: of HELP_COMMAND and HELP_FAMILY; one of the table `commands`. */
void help_print(FILE *out, const struct command *commands, enum help help,
                const struct command *command);
void version_print(FILE *out);

#endif
