/* docs.h: the documents that are printed from tables and kept in docs/; a test compares them. */
#ifndef SURFACES_DOCS_DOCS_H
#define SURFACES_DOCS_DOCS_H

#include <stdio.h>

#include "surfaces/commands/commands.h"

void docs_print_configuration(FILE *out); // docs/configuration.md
void docs_print_schema(FILE *out);        // docs/schema.md
void docs_print_metrics(FILE *out);       // docs/metrics.md
void docs_print_commands(FILE *out);      // docs/commands.md
void docs_print_man(FILE *out);           // docs/esports-stream.1

/* docs/schema.md, of one query alone unless `stream` is NULL. */
void docs_print_schema_of(FILE *out, const struct stream *stream);

/* `docs NAME` (surfaces/commands/commands.h). */
MUST_CHECK bool docs_command(const struct command_call *call, struct error *err);

#endif
