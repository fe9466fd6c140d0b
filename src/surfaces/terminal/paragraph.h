/* paragraph.h: running text, for a terminal and for the printed documents. */
#ifndef SURFACES_TERMINAL_PARAGRAPH_H
#define SURFACES_TERMINAL_PARAGRAPH_H

#include <stdio.h>

enum { PARAGRAPH_WIDTH = 96 };

/* Prints the text in lines of at most PARAGRAPH_WIDTH characters, `indent` blanks before each.
 * Markdown's back quotes become single quotes. */
void paragraph_print(FILE *out, int indent, const char *text);

/* How many characters UTF-8 text takes on a terminal, one column each. */
int text_columns(const char *text);

/* Text inside a cell of a table of Markdown, where a bar would end it. */
void markdown_cell(FILE *out, const char *text);

#endif
