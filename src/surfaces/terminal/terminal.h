/* terminal.h: what may be done to the terminal that an output goes to. */
#ifndef SURFACES_TERMINAL_TERMINAL_H
#define SURFACES_TERMINAL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Whether colour is wanted: it is a terminal, no dumb one, and NO_COLOR is not set (no-color.org).
 */
bool terminal_has_colour(FILE *out);

#endif
