/* help.h: what --help and --version print, from the tables of commands, options,
 * settings and exit codes. */
#ifndef SURFACES_DOCS_HELP_H
#define SURFACES_DOCS_HELP_H

#include <stdio.h>

struct command; // surfaces/settings/command.h

/* Everything, or with a command of the table `commands` what that one takes. */
void help_print(FILE *out, const struct command *commands, const struct command *command);
void version_print(FILE *out);

#endif
