/* output.h: what is printed for people: stdout, when somebody asked for something, the terminal
 * that it may go to, and running text for both a terminal and the printed documents. */
#ifndef SURFACES_TERMINAL_OUTPUT_H
#define SURFACES_TERMINAL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"

/* The stream that stands for stdout or stderr: itself, unless it is a terminal. Then what drives a
 * terminal or turns the direction of writing, and bytes that are not UTF-8, are shown as \xNN, no
 * matter whose text it is in: only our own colours, line ends and tabs pass. Flushed at exit. */
FILE *output_open(FILE *out);

/* Hands on what was printed; to be called now and then while printing much. ERROR_STOPPED: the
 * reader has gone (`| head`), which is a quiet end; ERROR_RETRY: it can't be written. */
MUST_CHECK bool output_flush(FILE *out, struct error *err);

/* Prints an object as a line, and frees it. */
void output_print_json(FILE *out, struct json *object);

/* Whether what may be printed later would be read; false only for a pipe whose reader has gone. */
bool output_is_read(FILE *out);

/* Whether colour is wanted: not if NO_COLOR is set (no-color.org), but if FORCE_COLOR or
 * CLICOLOR_FORCE is, and else on a terminal that is not dumb. */
bool output_has_colour(FILE *out);

/* How many characters a line of the terminal takes that it goes to: COLUMNS, or what the terminal
 * says of itself. 0: there is no limit, because it goes to a file or a pipe, or nobody knows. */
int output_columns(FILE *out);

/* ---- running text ---- */

enum { PARAGRAPH_WIDTH = 96 };

/* Prints the text in lines of at most PARAGRAPH_WIDTH characters, `indent` blanks before each.
 * Markdown's back quotes become single quotes. */
void paragraph_print(FILE *out, int indent, const char *text);

/* Prints the text, and a newline, from the column `indent` on, where the line stands already; in
 * lines of at most `columns` characters, each further one behind `indent` blanks. Words are never
 * cut, so that a path can be copied. 0: in one line. */
void wrapped_print(FILE *out, int indent, int columns, const char *text);

/* How many characters UTF-8 text takes on a terminal, as one column per character. */
int text_columns(const char *text);

/* Text inside a cell of a table of Markdown, where a bar would end it. */
void markdown_cell(FILE *out, const char *text);

#endif
