/* markdown.h: text for the printed documents. */
#ifndef SURFACES_TERMINAL_MARKDOWN_H
#define SURFACES_TERMINAL_MARKDOWN_H

#include <stdio.h>

/* Text inside a cell of a table, where a bar would end it. */
void markdown_cell(FILE *out, const char *text);

#endif
