/* output.h: stdout, when somebody asked for something, and the terminal that it may go to. */
#ifndef SURFACES_TERMINAL_OUTPUT_H
#define SURFACES_TERMINAL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"

/* Hands on what was printed; to be called now and then while printing much. ERROR_STOPPED: the
 * reader has gone (`| head`), which is a quiet end; ERROR_RETRY: it can't be written. */
MUST_CHECK bool output_flush(FILE *out, struct error *err);

/* Prints an object as a line, and frees it. */
void output_print_json(FILE *out, struct json *object);

/* Whether what may be printed later would be read; false only for a pipe whose reader has gone. */
bool output_is_read(FILE *out);

/* Whether colour is wanted: it goes to a terminal, no dumb one, and NO_COLOR is not set
 * (no-color.org). */
bool output_has_colour(FILE *out);

#endif
