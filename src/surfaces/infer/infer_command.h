/* infer_command.h: `infer`: a query file for the records of a topic, or of files. */
#ifndef SURFACES_INFER_INFER_COMMAND_H
#define SURFACES_INFER_INFER_COMMAND_H

#include "surfaces/settings/command.h"

/* Prints a query file. EXIT_CODE_RECORD: none of the records is a JSON object, so the file has a
 * table of their bytes. ERROR_CONFIG: a file cannot be read; otherwise the errors of the broker. */
MUST_CHECK bool infer_command(const struct command_call *call, struct error *err);

#endif
