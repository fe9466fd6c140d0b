/* status_command.h: `status`: what the running process says of the chosen queries, asked over HTTP
 * where the checkpoint's lock says that it can be; and what the checkpoint says while none runs. */
#ifndef SURFACES_COMMANDS_STATUS_COMMAND_H
#define SURFACES_COMMANDS_STATUS_COMMAND_H

#include <stdio.h>

#include "base/json.h"
#include "surfaces/settings/command.h"

MUST_CHECK bool status_command(const struct command_call *call, struct error *err);

enum { STATUS_ADDRESS_MAX = 128 };

/* The address in what a lock says of its holder, " http=http://127.0.0.1:4040"; "" if there is
 * none. */
void status_address(const char *holder, char address[static STATUS_ADDRESS_MAX]);

/* One query as /api/v1/queries has it, for people. */
void status_print_query(FILE *out, const struct json *query);

#endif
