/* help.h: what --help and --version print, from the tables of options, settings and exit codes. */
#ifndef SURFACES_HELP_H
#define SURFACES_HELP_H

#include <stdio.h>

void help_print(FILE *out);
void version_print(FILE *out);

#endif
