/* verify_command.h: `esports-stream verify`: what streaming/verify/verify.h finds, for people. */
#ifndef SURFACES_COMMANDS_VERIFY_COMMAND_H
#define SURFACES_COMMANDS_VERIFY_COMMAND_H

#include "streaming/verify/verify.h"
#include "surfaces/settings/command.h"

/* ERROR_STATE: something is wrong; the message counts it. */
MUST_CHECK bool verify_command(const struct command_scope *scope, struct error *err);

/* A table with a line per partition, what is wrong, what was read, and when all is well a last line
 * that says so. */
void verify_print(FILE *out, const char *query, const struct verify_report *report);

#endif
