/* docs.h: the documents that are printed from tables and kept in docs/; a test compares them. */
#ifndef SURFACES_DOCS_DOCS_H
#define SURFACES_DOCS_DOCS_H

#include <stdio.h>

#include "surfaces/settings/command.h"

void docs_print_configuration(FILE *out);                       // docs/configuration.md
void docs_print_man(FILE *out, const struct command *commands); // docs/esports-stream.1
void docs_print_schema(FILE *out, const struct config *config); // docs/schema.md; of the chosen
                                                                // queries; NULL: of all

/* `docs NAME`, and `schema`: the columns of the chosen tables, for Spark or for people. */
MUST_CHECK bool docs_command(const struct command_call *call, struct error *err);
MUST_CHECK bool schema_command(const struct command_call *call, struct error *err);

#endif
